"""Who may do what: least privilege, in one table, and everything that is made from it."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services import rights
from services.cli import app
from services.names import SERVICES
from shared.messaging.acls import Acl, as_commands, as_strimzi, as_table
from shared.messaging.topics import declared_topics
from shared.settings import Settings


def test_pricing_reads_and_writes_what_its_work_needs() -> None:
    acls = rights.service_acls("pricing")

    assert sorted(acls) == [
        Acl("ordermesh-pricing", "group", ("Read",), "ordermesh-pricing"),
        Acl("ordermesh-pricing", "topic", ("Read",), "accounts.events"),
        Acl("ordermesh-pricing", "topic", ("Read",), "pricing.requests"),
        Acl("ordermesh-pricing", "topic", ("Read", "Write"), "catalog.commands"),
        Acl("ordermesh-pricing", "topic", ("Read", "Write"), "catalog.events"),
        Acl("ordermesh-pricing", "topic", ("Write",), "accounts.events.dead-letters"),
        Acl("ordermesh-pricing", "topic", ("Write",), "catalog.commands.dead-letters"),
        Acl("ordermesh-pricing", "topic", ("Write",), "catalog.events.dead-letters"),
        Acl("ordermesh-pricing", "topic", ("Write",), "commands.rejected"),
        Acl("ordermesh-pricing", "topic", ("Write",), "pricing.requests.dead-letters"),
        Acl("ordermesh-pricing", "topic", ("Write",), "pricing.results"),
    ]


@pytest.mark.parametrize(
    "topic", ["orders.events", "supplier-orders.events", "shipments.events", "notifications.events"]
)
def test_events_of_a_kind_are_written_by_one_service(topic: str) -> None:
    writers = [
        service
        for service in SERVICES
        for acl in rights.service_acls(service)
        if acl.name == topic and "Write" in acl.operations
    ]

    assert len(writers) == 1


def test_every_right_is_to_a_topic_that_there_is() -> None:
    topics = {topic.name for topic in declared_topics()}

    named = {acl.name for acl in rights.all_acls() if acl.resource == "topic"}

    assert named == topics


def test_nobody_may_delete_and_nobody_has_everything() -> None:
    operations = {each for acl in rights.all_acls() for each in acl.operations}

    assert operations == {
        "Read", "Write", "Describe", "Create", "Alter", "AlterConfigs", "DescribeConfigs"
    }  # fmt: skip


def test_each_service_writes_its_own_database_and_reads_the_parties_where_it_needs_them() -> None:
    users = {user.name: user.roles for user in rights.mongo_users(Settings(database_prefix="m"))}

    letters = ("read", "m_operations")
    assert users["ordermesh-checkout"] == (
        ("readWrite", "m_checkout"),
        ("read", "m_accounts"),
        letters,
    )
    assert users["ordermesh-shipments"] == (("readWrite", "m_shipments"), letters)
    writers = [
        database
        for user, roles in users.items()
        for role, database in roles
        if role == "readWrite" and user != rights.API
    ]
    # Beside the services and the API only the operator writes: what was done about dead letters.
    assert sorted(writers) == sorted(f"m_{name}" for name in (*SERVICES, "operations"))


def test_the_api_writes_what_its_routes_change_and_consumes_nothing() -> None:
    users = {user.name: user.roles for user in rights.mongo_users(Settings(database_prefix="m"))}

    assert rights.api_acls() == [
        Acl("ordermesh-api", "topic", ("Write",), "catalog.events"),
        Acl("ordermesh-api", "topic", ("Write",), "accounts.events"),
    ]
    assert users["ordermesh-api"] == (
        ("readWrite", "m_accounts"),
        ("readWrite", "m_pricing"),
        ("readWrite", "m_checkout"),
    )


def test_the_events_of_users_and_access_are_written_by_the_api_and_who_keeps_them() -> None:
    writers = {
        acl.user
        for acl in rights.all_acls()
        if acl.name == "accounts.events" and "Write" in acl.operations
    }

    # The operator puts back what a consumer set aside.
    assert writers == {"ordermesh-accounts", "ordermesh-api", "ordermesh-operator"}


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("k8s/strimzi/kafka-users.yaml", ["acls", "--format", "strimzi"]),
        ("k8s/strimzi/kafka-topics.yaml", ["topics", "show", "--format", "strimzi"]),
    ],
)
def test_what_is_committed_for_strimzi_is_what_the_command_prints(
    path: str, words: list[str]
) -> None:
    result = CliRunner().invoke(app, words)

    assert result.exit_code == 0
    assert Path(path).read_text() == result.output, f"run: ordermesh {' '.join(words)} > {path}"


def test_a_right_is_written_as_the_tool_takes_it() -> None:
    acls = [
        Acl("acme", "topic", ("Read",), "orders.events"),
        Acl("acme", "topic", ("Read",), "shipments.events"),
        Acl("acme", "group", ("Read",), "acme-", prefix=True),
    ]

    assert as_commands(acls).splitlines()[-2:] == [
        (
            "acls --add --allow-principal User:acme --operation Read --topic orders.events"
            " --topic shipments.events"
        ),
        (
            "acls --add --allow-principal User:acme --operation Read --group acme-"
            " --resource-pattern-type prefixed"
        ),
    ]
    assert as_table(acls).splitlines()[2:] == [
        "| `acme` | Read | topics `orders.events`, `shipments.events` |",
        "| `acme` | Read | groups `acme-*` |",
    ]
    assert "patternType: prefix" in as_strimzi(acls, "kafka")


def test_an_outside_system_gets_no_more_than_the_contract() -> None:
    acls = rights.outside("acme", "acme-")

    written = {acl.name for acl in acls if "Write" in acl.operations}
    read = {acl.name for acl in acls if "Read" in acl.operations and acl.resource == "topic"}
    assert written == {
        "catalog.commands", "forwarding.commands", "orders.commands", "shipments.commands"
    }  # fmt: skip
    assert read == set(rights.PUBLIC_EVENTS)


def test_mongodbs_users_are_printed_without_a_password() -> None:
    script = CliRunner().invoke(app, ["mongodb-users"]).output
    described = json.loads(CliRunner().invoke(app, ["mongodb-users", "--format", "json"]).output)

    assert script.count("pwd: passwordPrompt()") == len(described) == len(SERVICES) + 2
    assert described[0] == {
        "createUser": "ordermesh-accounts",
        "roles": [
            {"role": "readWrite", "db": "ordermesh_accounts"},
            {"role": "read", "db": "ordermesh_operations"},
        ],
    }
