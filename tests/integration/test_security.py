"""Kafka and MongoDB as in production: every service with a user of its own, and no right beyond."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory
from uuid import uuid4

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import (
    GroupAuthorizationFailedError,
    TopicAuthorizationFailedError,
    for_code,
)
from confluent_kafka import (
    Consumer,
    KafkaError,
    TopicCollection,
)
from confluent_kafka.admin import AclOperation, AdminClient
from pydantic import SecretStr
from pymongo.errors import OperationFailure

from services import rights
from services.checks import DeploymentError, check_mongodb
from services.names import SERVICES
from shared.messaging.connection import kafka_connection
from shared.messaging.topics import declared_topics
from shared.mongo.connection import mongo_client
from tests.e2e.goods import SHIPPED_AT, line, open_shop, order_body, place, refused, shipment_body
from tests.support.outside import Headers, OutsideSystem, Record
from tests.support.secured import (
    OUTSIDE,
    SecuredServers,
    command,
    running_service,
    secured_servers,
)

LIMIT = 60.0
"""Seconds that an answer may take on a machine that does much else."""

UNAUTHORIZED = 13
"""MongoDB's code of a missing right."""


@pytest.fixture(scope="module")
async def servers() -> AsyncIterator[SecuredServers]:
    """Kafka and MongoDB with TLS and users; the topics are made as the user for that makes them."""
    with TemporaryDirectory(prefix="ordermesh-secured-") as folder:
        async with secured_servers(Path(folder)) as made:
            environment = made.environment(rights.ADMIN, mongodb="mongodb://127.0.0.1/")
            code, out, err = await command(environment, "topics", "apply")
            assert (code, out.splitlines()[-1], err) == (0, "Done.", "")
            yield made


@pytest.fixture(scope="module")
async def services(servers: SecuredServers) -> AsyncIterator[SecuredServers]:
    """All services, each a process with its own user."""
    async with AsyncExitStack() as stack:
        await asyncio.gather(
            *(
                stack.enter_async_context(
                    running_service(
                        name,
                        servers.environment(rights.user_of(name), smtp="discard:"),
                        servers.folder / f"{name}.log",
                    )
                )
                for name in SERVICES
            )
        )
        yield servers
        for name in SERVICES:
            log = (servers.folder / f"{name}.log").read_text()
            assert "Authorization" not in log
            assert "not authorized" not in log
            for password in servers.passwords.values():
                assert password not in log


@pytest.fixture
async def outside(services: SecuredServers) -> AsyncIterator[OutsideSystem]:
    """An outside system that connects as such."""
    async with OutsideSystem(
        services.kafka,
        source=f"shop-{uuid4().hex[:8]}",
        security=services.librdkafka(OUTSIDE),
        dead_letters=False,
    ) as system:
        yield system


async def test_an_order_goes_its_whole_way_with_every_service_as_its_own_user(
    outside: OutsideSystem,
) -> None:
    shop = await open_shop(outside, "way")
    address = {"ID": "ada", "Email": "ada@example.com"}
    body = order_body("way", shop.buyer, line("L1", shop.product, 2), order={"FromUser": address})

    await place(outside, body)
    forwarded = await outside.event("SupplierOrderForwarded", "way")
    shipment = shipment_body("way-1", (forwarded["Order"]["ID"], "L1", 2), DateShipped=SHIPPED_AT)
    await outside.command("CreateShipment", shipment)
    completed = await outside.event("OrderCompleted", "way")
    told = await outside.events("NotificationDelivered", "way", 2)

    assert completed["Order"]["Status"] == "Completed"
    assert {"OrderSubmitted", "OrderCompleted"} <= {result["EventType"] for result in told}


@pytest.mark.parametrize(
    ("type", "body"),
    [
        ("DeleteBuyer", {"ID": "nobody"}),
        ("DeleteProduct", {"ID": "nothing"}),
        ("DeleteApprovalRule", {"ID": "no-rule"}),
        ("DeleteWebhook", {"ID": "no-hook"}),
    ],
    ids=["accounts", "pricing", "checkout", "notifications"],
)
async def test_every_service_of_the_catalogue_may_refuse(
    outside: OutsideSystem, type: str, body: dict[str, str]
) -> None:
    id = await outside.command(type, body)

    answer = await outside.rejection(id, id)

    assert [error["ErrorCode"] for error in answer["Errors"]] == ["NotFound"]


async def test_every_service_of_an_order_may_refuse(outside: OutsideSystem) -> None:
    shop = await open_shop(outside, "refusal")
    body = order_body("refusal", shop.buyer, line("L1", shop.product, 1))
    await place(outside, body)
    await outside.event("SupplierOrderForwarded", "refusal")

    repeated = await refused(outside, "PlaceOrder", body, "refusal")
    assignment = {"LineItemID": "L1", "SupplierID": shop.supplier}
    assigned = await refused(
        outside, "AssignSupplier", {"OrderID": "refusal", "Assignments": [assignment]}, "refusal"
    )
    too_much = shipment_body("refusal-1", ("refusal", "L1", 9), DateShipped=SHIPPED_AT)
    shipped = await refused(outside, "CreateShipment", too_much, "refusal")

    assert [bool(errors) for errors in (repeated, assigned, shipped)] == [True] * 3


async def test_every_consumer_may_set_aside_what_it_cannot_read_and_put_back_what_has_no_key(
    services: SecuredServers,
) -> None:
    poison = [
        ("catalog.commands", ["SaveBuyer", "SaveProduct", "SaveApprovalRule", "SaveWebhook"]),
        ("orders.commands", ["PlaceOrder"]),
        ("forwarding.commands", ["AssignSupplier"]),
        ("shipments.commands", ["CreateShipment"]),
        ("pricing.requests", ["PriceOrder"]),
        ("pricing.results", ["OrderPriced"]),
        ("orders.events", ["OrderSubmitted"]),
        ("supplier-orders.events", ["SupplierOrderForwarded"]),
        ("shipments.events", ["ShipmentReconciled"]),
    ]
    mark = uuid4().hex
    # Of an event that three services read, each sets aside what it cannot read.
    wanted = {"catalog.commands": 4, "orders.events": 3, "shipments.events": 3}

    def letters(system: OutsideSystem, topic: str) -> list[Record]:
        return system.letters(topic, lambda record: record.header("ce_id").startswith(mark))

    async with OutsideSystem(services.superuser) as everything:
        for topic, types in poison:
            for type in types:
                await everything.produce(topic, b"[]", b"poison", _headers(type, mark + type))
        for topic, _ in poison:
            await everything.until(
                lambda topic=topic: len(letters(everything, topic)) >= wanted.get(topic, 1),
                lambda topic=topic: f"{topic}: {len(letters(everything, topic))} dead letters",
                LIMIT,
            )
        for kind in ("Buyer", "Product", "ApprovalRule", "Webhook"):
            id = f"{kind}-{mark}"
            await everything.command(f"Delete{kind}", {"ID": id}, id=id, key="")
            await everything.rejection(id, id)


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_has_the_rights_of_its_table_and_no_other(
    servers: SecuredServers, service: str
) -> None:
    user = rights.user_of(service)
    table = {acl.name: set(acl.operations) for acl in rights.service_acls(service)}

    found = await asyncio.to_thread(_topic_rights, servers, user)

    assert found == {topic.name: table.get(topic.name, set()) for topic in declared_topics()}


async def test_the_api_writes_events_of_catalogue_and_accounts_and_reads_no_topic(
    servers: SecuredServers,
) -> None:
    found = await asyncio.to_thread(_topic_rights, servers, rights.API)

    written = {"catalog.events", "accounts.events"}
    assert found == {t.name: {"Write"} if t.name in written else set() for t in declared_topics()}


async def test_pricing_may_not_write_the_events_of_orders(servers: SecuredServers) -> None:
    arguments = kafka_connection(servers.settings("ordermesh-pricing")).client_arguments()

    async with AIOKafkaProducer(**arguments) as producer:
        with pytest.raises(TopicAuthorizationFailedError):
            await producer.send_and_wait("orders.events", b"{}")


async def test_pricing_may_not_read_the_commands_of_shipments(servers: SecuredServers) -> None:
    def read() -> KafkaError | None:
        consumer = Consumer(
            {
                **servers.librdkafka("ordermesh-pricing"),
                "bootstrap.servers": servers.kafka,
                "group.id": "ordermesh-pricing",
            }
        )
        consumer.subscribe(["shipments.commands"])
        try:
            message = consumer.poll(LIMIT)
            return message.error() if message is not None else None
        finally:
            consumer.close()

    error = await asyncio.to_thread(read)

    assert error is not None
    assert error.code() == KafkaError.TOPIC_AUTHORIZATION_FAILED


async def test_pricing_may_not_join_the_group_of_checkout(servers: SecuredServers) -> None:
    arguments = kafka_connection(servers.settings("ordermesh-pricing")).client_arguments()
    consumer = AIOKafkaConsumer("catalog.commands", group_id="ordermesh-checkout", **arguments)

    async def join() -> None:
        try:
            async with asyncio.timeout(LIMIT):
                await consumer.start()
                await consumer.getone()
        finally:
            await consumer.stop()

    with pytest.raises(GroupAuthorizationFailedError):
        await join()


async def test_a_service_may_not_make_topics(servers: SecuredServers) -> None:
    arguments = kafka_connection(servers.settings("ordermesh-pricing")).client_arguments()
    admin = AIOKafkaAdminClient(**arguments)
    await admin.start()

    try:
        response = await admin.create_topics([NewTopic("more", 1, 1)])
    finally:
        await admin.close()

    assert [for_code(code) for _, code, *_ in response.topic_errors] == [
        TopicAuthorizationFailedError
    ]


async def test_a_plan_ends_with_a_code_that_a_job_can_read(servers: SecuredServers) -> None:
    environment = servers.environment(rights.ADMIN, mongodb="mongodb://127.0.0.1/")

    nothing = await command(environment, "topics", "plan")
    something = await command(environment, "topics", "plan", "--partitions", "4")
    refused = await command(
        servers.environment(rights.OPERATOR, mongodb="mongodb://127.0.0.1/"), "topics", "plan"
    )

    assert nothing == (0, "Every topic is as declared.\n", "")
    assert something[0] == 2
    assert len(something[1].splitlines()) == len(declared_topics())
    assert refused[0] == 1
    assert "the user ordermesh-operator has the rights of ordermesh-admin" in " ".join(
        refused[2].split()
    )


async def test_a_wrong_password_of_kafka_ends_a_service_with_a_clear_word(
    servers: SecuredServers,
) -> None:
    environment = servers.environment("ordermesh-pricing", kafka_password="not-the-password")
    del environment["ORDERMESH_KAFKA_PASSWORD_FILE"]

    code, out, err = await command(environment, "run", "pricing")

    assert (code, out) == (1, "")
    said = " ".join(err.split())
    assert said.startswith(f"Kafka at {servers.kafka} refuses the user ordermesh-pricing:")
    assert "not-the-password" not in said


async def test_a_user_without_its_rights_ends_a_service_with_what_gives_them(
    servers: SecuredServers,
) -> None:
    environment = servers.environment("ordermesh-accounts")

    code, _, err = await command(
        {**environment, "ORDERMESH_MONGODB": servers.mongodb_url("ordermesh-pricing")},
        "run", "pricing",
    )  # fmt: skip

    assert code == 1
    assert " ".join(err.split()) == (
        "Kafka does not let the user ordermesh-accounts see pricing.requests. Give it its rights:"
        " `ordermesh acls` prints them."
    )


async def test_a_broker_of_another_authority_is_not_spoken_to(servers: SecuredServers) -> None:
    other = str(servers.folder / "other-ca.pem")
    environment = servers.environment("ordermesh-pricing", kafka_ca_file=other)

    code, _, err = await command(environment, "run", "pricing")

    assert code == 1
    assert "CERTIFICATE_VERIFY_FAILED" in err
    assert "ORDERMESH_KAFKA_CA_FILE" in err


async def test_kafka_takes_no_connection_without_tls(servers: SecuredServers) -> None:
    host, port = servers.kafka.split(":")
    context = ssl.create_default_context(cafile=str(servers.ca_file))

    _, writer = await asyncio.open_connection(host, int(port), ssl=context)
    version = writer.get_extra_info("ssl_object").version()
    writer.close()

    assert version == "TLSv1.3"


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_writes_its_own_database_and_no_other(
    servers: SecuredServers, service: str
) -> None:
    readable = set(rights.needs_of(service).databases)

    found = await _database_rights(servers, rights.user_of(service))

    expected = {other: {"read"} if other in readable else set() for other in SERVICES}
    assert found == {**expected, service: {"read", "write"}}


async def test_the_api_writes_the_databases_whose_routes_it_serves_and_reads_no_other(
    servers: SecuredServers,
) -> None:
    found = await _database_rights(servers, rights.API)

    served = {"accounts", "pricing", "checkout"}
    assert found == {s: {"read", "write"} if s in served else set() for s in SERVICES}


async def test_a_wrong_password_of_mongodb_is_told_without_it(servers: SecuredServers) -> None:
    url = servers.mongodb_url("ordermesh-pricing", "not-the-password")
    settings = servers.settings("ordermesh-pricing").model_copy(update={"mongodb": SecretStr(url)})

    with pytest.raises(DeploymentError, match="refuses the user or the password") as refused:
        await check_mongodb(settings)

    assert "not-the-password" not in str(refused.value)


def _headers(type: str, id: str) -> Headers:
    return [
        ("ce_specversion", b"1.0"),
        ("ce_type", type.encode()),
        ("ce_source", b"poison"),
        ("ce_id", id.encode()),
    ]


async def _database_rights(servers: SecuredServers, user: str) -> dict[str, set[str]]:
    """What MongoDB lets ``user`` do in the database of each service."""
    settings = servers.settings(user)
    found: dict[str, set[str]] = {service: set() for service in SERVICES}
    async with mongo_client(settings) as client:
        for service in SERVICES:
            collection = client[settings.database(service)]["probe"]
            try:
                await collection.find_one({})
                found[service].add("read")
                await collection.insert_one({"by": user})
                found[service].add("write")
            except OperationFailure as error:
                if error.code != UNAUTHORIZED:
                    raise
    return found


def _topic_rights(servers: SecuredServers, user: str) -> dict[str, set[str]]:
    """What the broker says that ``user`` may do with each declared topic, without what follows
    from it."""
    admin = AdminClient({"bootstrap.servers": servers.kafka, **servers.librdkafka(user)})
    names = [topic.name for topic in declared_topics()]
    asked = admin.describe_topics(TopicCollection(names), include_authorized_operations=True)
    found: dict[str, set[str]] = {}
    for name, future in asked.items():
        error = future.exception(LIMIT)
        operations = [] if error else future.result().authorized_operations
        implied = {AclOperation.DESCRIBE, AclOperation.DESCRIBE_CONFIGS}
        found[name] = {each.name.capitalize() for each in operations if each not in implied}
    return found
