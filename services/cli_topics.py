"""`ordermesh topics …`: Kafka's topics against their one declaration."""

import json
from dataclasses import asdict
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

import typer

from services.cli_end import run_to_end
from services.cli_support import Kafka

if TYPE_CHECKING:
    from shared.messaging.topic_plan import Plan
    from shared.settings import Settings

topics_app = typer.Typer(help="Kafka topics.", no_args_is_help=True)

DIFFERENT = 2
"""The exit code of a plan that has something to apply."""

Partitions = Annotated[
    int | None,
    typer.Option(
        min=1, envvar="ORDERMESH_TOPIC_PARTITIONS", help="Partitions of each topic; default: 3."
    ),
]
Replication = Annotated[
    int | None,
    typer.Option(
        min=0,
        envvar="ORDERMESH_TOPIC_REPLICATION",
        help="Copies of each topic; default: one a broker, at most 3.",
    ),
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document.")]


class TopicFormat(StrEnum):
    """How the declaration is printed."""

    TABLE = "table"
    STRIMZI = "strimzi"


@topics_app.command("create")
def create(
    kafka: Kafka = None,
    partitions: Annotated[int, typer.Option(min=1, help="Partitions of each topic.")] = 3,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each topic.")] = 1,
) -> None:
    """Create every topic that is missing; those which exist stay as they are."""
    from aiokafka.errors import KafkaError

    from services.checks import DeploymentError, check_kafka, settings_of
    from shared.messaging import topics
    from shared.messaging.connection import kafka_connection

    async def work() -> None:
        server = kafka_connection(settings_of(kafka=kafka))
        await check_kafka(server)
        try:
            created = await topics.create_topics(
                server, partitions=partitions, replication=replication
            )
        except KafkaError as error:
            raise DeploymentError(f"Kafka refuses to create the topics: {error}") from error
        print(json.dumps({"created": created}))

    run_to_end(work())


@topics_app.command("plan")
def plan(
    kafka: Kafka = None,
    partitions: Partitions = None,
    replication: Replication = None,
    as_json: AsJson = False,
) -> None:
    """Show what the topics lack against the declaration. Changes nothing.

    Exit code 0: nothing; 2: `topics apply` has something to do; 1: Kafka cannot be asked.
    """
    found = run_to_end(_plan(kafka, partitions, replication, do=False))
    _print(found, as_json=as_json, done=False)
    if not found.empty:
        raise typer.Exit(DIFFERENT)


@topics_app.command("apply")
def apply(
    kafka: Kafka = None,
    partitions: Partitions = None,
    replication: Replication = None,
    as_json: AsJson = False,
) -> None:
    """Create what is missing, add partitions, set configurations.

    Never deletes a topic or a record and never takes a partition away. May be run again at any
    time. Exit code 0: the topics are as declared; 1: they are not.
    """
    found = run_to_end(_plan(kafka, partitions, replication, do=True))
    _print(found, as_json=as_json, done=True)


@topics_app.command("show")
def show(
    format: Annotated[
        TopicFormat, typer.Option(help="A table, or Strimzi's KafkaTopics.")
    ] = TopicFormat.TABLE,
    partitions: Annotated[int, typer.Option(min=1, help="Partitions of each topic.")] = 12,
    replication: Annotated[int, typer.Option(min=1, help="Copies of each topic.")] = 3,
    cluster: Annotated[str, typer.Option(help="Name of Strimzi's Kafka resource.")] = "ordermesh",
) -> None:
    """Print the declaration. Asks no Kafka."""
    from shared.messaging.topic_docs import topics_as_strimzi, topics_as_table

    if format is TopicFormat.STRIMZI:
        print(topics_as_strimzi(partitions, replication, cluster), end="")
    else:
        print(topics_as_table(replication), end="")


async def _plan(
    kafka: str | None, partitions: int | None, replication: int | None, *, do: bool
) -> "Plan":
    """What differs; with ``do`` it is applied. Raises DeploymentError."""
    from aiokafka.errors import KafkaError

    from services.checks import DeploymentError, check_kafka, settings_of
    from shared.messaging.connection import kafka_connection
    from shared.messaging.topic_plan import TopicAdmin

    settings: Settings = settings_of(
        kafka=kafka, topic_partitions=partitions, topic_replication=replication
    )
    server = kafka_connection(settings)
    await check_kafka(server)
    try:
        async with TopicAdmin(
            server,
            partitions=settings.topic_partitions,
            replication=settings.topic_replication,
        ) as admin:
            found = await admin.plan()
            if do:
                await admin.apply(found)
            return found
    except KafkaError as error:
        user = settings.kafka_user or "of this connection"
        raise DeploymentError(
            f"Kafka refuses what the topics need: {error}. See that the user {user} has the rights"
            " of ordermesh-admin (`ordermesh acls`)."
        ) from error


def _print(plan: "Plan", *, as_json: bool, done: bool) -> None:
    if as_json:
        print(json.dumps({**asdict(plan), "applied": done}, indent=2))
        return
    for topic in plan.create:
        copies = "1 copy" if plan.replication == 1 else f"{plan.replication} copies"
        print(f"+ {topic.name}: {plan.partitions} partitions, {copies}")
    for growth in plan.grow:
        print(
            f"~ {growth.topic}: {growth.partitions} -> {growth.wanted} partitions. Keys move:"
            " apply it while nothing is sent and nothing lags"
        )
    for change in plan.change:
        print(f"~ {change.topic}: {change.name} {change.value} -> {change.wanted}")
    for text in plan.by_hand:
        print(f"! {text}")
    if plan.empty:
        print("Every topic is as declared.")
    elif done:
        print("Done.")
