"""`ordermesh reconcile`: whether the services agree with each other and with the topics."""

import json
from collections.abc import Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import UTC, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from services.cli_support import Kafka, Mongodb, clock, moment, run

if TYPE_CHECKING:
    from services.reconcile.findings import Finding, Report
    from services.reconcile.repair import Repaired


def reconcile(
    order: Annotated[
        str | None, typer.Option(metavar="ID", help="Only this buyer's order.")
    ] = None,
    since: Annotated[
        str | None,
        typer.Option(
            metavar="TIME", help="Only what changed from then on: ISO 8601, or 15m, 2h, 3d ago."
        ),
    ] = None,
    grace: Annotated[
        float, typer.Option(min=0, metavar="SECONDS", help="What is younger is under way.")
    ] = 30,
    repair: Annotated[
        bool, typer.Option("--repair", help="Publish what is missing, as far as that helps.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
    kafka: Kafka = None,
    mongodb: Mongodb = None,
) -> None:
    """Compare what the services keep with each other and with the topics; list what disagrees.

    Exit code 0: all agree; 1: something disagrees; 2: it could not be told. Only reads, but for
    --repair, which publishes to Kafka and writes no database.
    """
    begin = moment(since, "--since")

    async def compare() -> int:
        from services.checks import check_kafka, check_mongodb, settings_of
        from services.reconcile.kept import Archive
        from services.reconcile.repair import repair as repair_all
        from services.reconcile.run import Comparison, Scope
        from services.topic_reader import TopicReader
        from shared.clock import utc_now
        from shared.messaging.connection import kafka_connection
        from shared.messaging.publisher import KafkaPublisher
        from shared.metrics import Metrics
        from shared.mongo.connection import mongo_client

        settings = settings_of(kafka=kafka, mongodb=mongodb)
        server = kafka_connection(settings)
        await check_kafka(server)
        await check_mongodb(settings)
        async with AsyncExitStack() as stack:
            client = await stack.enter_async_context(mongo_client(settings))
            reader = await stack.enter_async_context(TopicReader(server))
            scope = Scope(order, begin, timedelta(seconds=grace))
            report = await Comparison(Archive(client, settings), reader, utc_now, scope).run()
            repaired = []
            if repair and any(finding.repair is not None for finding in report.findings):
                publisher = KafkaPublisher(server, "reconcile", Metrics())
                await publisher.start()
                stack.push_async_callback(publisher.stop)
                repaired = await repair_all(report.findings, reader, publisher, utc_now)
        if as_json:
            print(json.dumps(_document(report, repaired), indent=2))
        else:
            _print(report, repaired, repairing=repair)
        return 1 if report.findings else 0

    run(compare())


def _next_step(finding: "Finding", repaired: "Sequence[Repaired]") -> str:
    """What to do about a finding now."""
    published = [each for each in repaired if each.finding is finding]
    if published:
        told = ", ".join(f"{each.type} {each.id}" for each in published)
        return f"Published {told}; run this again in a minute to see it taken in."
    if finding.repair is not None:
        return "Run this with --repair."
    return finding.next


def _document(report: "Report", repaired: "Sequence[Repaired]") -> dict[str, Any]:
    findings = [
        {
            "Kind": finding.kind,
            "OrderID": finding.order_id or None,
            "Subject": finding.subject or None,
            "Says": dict(finding.says),
            "Since": finding.since and finding.since.astimezone(UTC).isoformat(),
            "Repairable": finding.repair is not None,
            "Published": [
                {"Type": each.type, "ID": each.id} for each in repaired if each.finding is finding
            ],
            "Next": _next_step(finding, repaired),
        }
        for finding in report.findings
    ]
    return {
        "Agree": not findings,
        "Orders": report.orders,
        "Shipments": report.shipments,
        "Events": report.events,
        "UnderWay": report.under_way,
        "Findings": [_without_nothing(finding) for finding in findings],
    }


def _without_nothing(finding: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in finding.items() if value is not None}


def _print(report: "Report", repaired: "Sequence[Repaired]", *, repairing: bool) -> None:
    from services.tables import printable, row, stdout_console, table

    console = stdout_console()
    made = table("Disagreements", "Order", "What", "About", "Who says what", "Since (UTC)")
    for finding in report.findings:
        says = "; ".join(f"{who}: {what}" for who, what in finding.says.items())
        row(made, finding.order_id, finding.kind, finding.subject, says, clock(finding.since))
    if report.findings:
        console.print(made)
        console.print("What to do")
    for finding in report.findings:
        subject = " ".join(filter(None, (finding.order_id, finding.kind, finding.subject)))
        console.print(printable(f"  {subject}: {_next_step(finding, repaired)}"))
    looked = (
        f"{report.orders} orders, {report.shipments} shipments and {report.events} events looked at"
    )
    disagree = len(report.findings)
    console.print(
        f"{looked}; {disagree or 'nothing'} disagree{'' if disagree > 1 else 's'},"
        f" {report.under_way} under way."
    )
    if repairing and report.findings:
        fixed = {id(each.finding) for each in repaired}
        console.print(f"Published for {len(fixed)} of {disagree}.")
