"""The examples of Kafka and MongoDB in a cluster keep to what the manifests look for."""

from services import rights
from services.names import SERVICES
from shared.settings import Settings
from tests.support.deploying import of_kind, title, written


def test_kafka_is_what_the_services_connect_to():
    resources = written("strimzi")
    (kafka,) = of_kind(resources, "Kafka")
    pools = of_kind(resources, "KafkaNodePool")
    cluster = kafka["metadata"]["name"]

    (listener,) = kafka["spec"]["kafka"]["listeners"]
    # components/kafka-scram and the network policies say the same.
    assert (cluster, listener["port"], listener["tls"]) == ("ordermesh", 9093, True)
    assert listener["authentication"] == {"type": "scram-sha-512"}
    assert kafka["spec"]["kafka"]["authorization"] == {"type": "simple"}
    assert kafka["spec"]["kafka"]["config"]["auto.create.topics.enable"] is False
    assert kafka["spec"]["kafka"]["config"]["min.insync.replicas"] == 2
    assert sorted(each["spec"]["roles"][0] for each in pools) == ["broker", "controller"]
    others = [each for each in resources if each is not kafka]
    assert {each["metadata"]["labels"]["strimzi.io/cluster"] for each in others} == {cluster}


def test_what_strimzi_makes_has_the_names_that_are_looked_for():
    users = of_kind(written("strimzi"), "KafkaUser")
    needed = {f"ordermesh-{name}" for name in (*SERVICES, "api", "admin", "scaler")}

    # The users are made by a command of their own; without its file there is nothing to compare.
    assert needed <= {each["metadata"]["name"] for each in users} or not users
    assert len({title(each) for each in users}) == len(users)


def test_the_users_of_mongodb_are_those_of_the_command():
    (mongodb,) = written("mongodb")
    users = {user["name"]: user for user in mongodb["spec"]["users"]}

    granted = {
        name: sorted((role["name"], role["db"]) for role in user["roles"])
        for name, user in users.items()
    }

    assert granted == {user.name: sorted(user.roles) for user in rights.mongo_users(Settings())}
    for name in (*SERVICES, "api"):
        user = users[f"ordermesh-{name}"]
        assert user["connectionStringSecretName"] == f"ordermesh-{name}-mongodb"


def test_mongodb_is_three_members_with_tls():
    (mongodb,) = written("mongodb")

    assert mongodb["spec"]["members"] == 3
    assert mongodb["spec"]["security"]["tls"]["enabled"] is True
    # The network policies look for the label that the operator makes of it.
    assert mongodb["metadata"]["name"] == "ordermesh-mongodb"
