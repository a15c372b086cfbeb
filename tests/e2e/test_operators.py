"""What an operator sees: orders on the command line, health and metrics over HTTP."""

import asyncio
import json
import os
import sys
from collections.abc import Sequence

import httpx
import pytest
from prometheus_client import Metric

from tests.e2e.conftest import NewID
from tests.e2e.goods import SHIPPED_AT, line, open_shop, order_body, place, shipment_body
from tests.support.deployment import SERVICES, Deployment
from tests.support.outside import OutsideSystem

METRICS = {
    "ordermesh_build_info",
    "ordermesh_batch_messages",
    "ordermesh_batch_seconds",
    "ordermesh_messages_consumed",
    "ordermesh_messages_published",
    "ordermesh_duplicates_dropped",
    "ordermesh_lost_races",
    "ordermesh_commands_rejected",
    "ordermesh_dead_letters",
    "ordermesh_commands_rekeyed",
    "ordermesh_infrastructure_faults",
    "ordermesh_consumer_lag",
    "ordermesh_consumer_poll_age_seconds",
    "ordermesh_consumer_partitions",
    "ordermesh_batch_age_seconds",
    "ordermesh_service_ready",
    "ordermesh_mongodb_primary",
    "ordermesh_mongodb_command_seconds",
    "ordermesh_event_loop_delay_seconds",
    "ordermesh_publish_seconds",
    "ordermesh_outbox_aggregates",
    "ordermesh_outbox_oldest_seconds",
    "ordermesh_order_transitions",
    "ordermesh_orders",
    "ordermesh_orders_aged",
    "ordermesh_order_value",
    "ordermesh_order_forwarded_seconds",
    "ordermesh_order_completed_seconds",
    "ordermesh_shipments_waiting",
    "ordermesh_lines_held",
    "ordermesh_notifications",
    "ordermesh_notifications_pending",
    "ordermesh_notifications_oldest_seconds",
    "process_cpu_seconds",
    "process_resident_memory_bytes",
}


async def run_cli(*arguments: str) -> tuple[int, str, str]:
    """Exit code, standard output and standard error of `ordermesh`."""
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "services.cli", *arguments,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        # As wide a terminal as an ID is long.
        env={**os.environ, "COLUMNS": "200"},
    )  # fmt: skip
    async with asyncio.timeout(60):
        out, err = await process.communicate()
    assert process.returncode is not None
    return process.returncode, out.decode(), err.decode()


def labels(family: Metric, name: str) -> set[str]:
    return {sample.labels[name] for sample in family.samples}


async def test_orders_show_tells_an_order_and_all_its_parts(
    engine: Deployment, outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    order, shipment = own("order"), own("s")
    part = f"{order}-{shop.supplier}"
    await place(outside, order_body(order, shop.buyer, line("L1", shop.product, 3)))
    await outside.command(
        "CreateShipment", shipment_body(shipment, (order, "L1", 3), DateShipped=SHIPPED_AT)
    )
    await outside.event("OrderCompleted", order)
    await outside.event("SupplierOrderCompleted", order)
    where = ("--mongodb", engine.mongodb)

    (
        (code, text, _),
        (json_code, document, _),
        (_, of_part, _),
        (lost_code, nothing, why),
    ) = await asyncio.gather(
        run_cli("orders", "show", order, *where),
        run_cli("orders", "show", order, "--json", *where),
        run_cli("orders", "show", part, "--json", *where),
        run_cli("orders", "show", own("none"), *where),
    )

    assert (code, json_code) == (0, 0)
    for word in (order, "Completed", part, shipment, "37.00"):
        assert word in text
    story = json.loads(document)
    assert (story["Order"]["ID"], story["Order"]["Status"]) == (order, "Completed")
    assert story["Order"]["Total"] == 37.00
    assert [(x["ID"], x["Quantity"], x["QuantityShipped"]) for x in story["LineItems"]] == [
        ("L1", 3, 3)
    ]
    assert [(x["Order"]["ID"], x["Order"]["Status"]) for x in story["SupplierOrders"]] == [
        (part, "Completed")
    ]
    assert [x["ID"] for x in story["Shipments"]] == [shipment]
    assert json.loads(of_part)["Order"]["ID"] == order
    assert (lost_code, nothing) == (1, "")
    assert own("none") in why


@pytest.mark.parametrize("service", SERVICES)
async def test_a_service_tells_that_it_is_well_and_what_it_does(
    engine: Deployment, service: str
) -> None:
    async with httpx.AsyncClient(base_url=engine.base(service), trust_env=False) as client:
        health, ready = await client.get("/healthz"), await client.get("/readyz")
    families = await engine.metrics(service)

    assert (health.status_code, ready.status_code) == (200, 200)
    assert health.json()["services"][service]["alive"] is True
    assert ready.json() == {"services": {service: True}}
    assert families.keys() >= METRICS
    for family in families.values():
        for sample in family.samples:
            assert sample.labels.get("service", service) == service


async def test_the_api_says_where_everything_is(engine: Deployment) -> None:
    async with httpx.AsyncClient(base_url=engine.http, trust_env=False) as client:
        overview, ready = await client.get("/"), await client.get("/readyz")
        own, targets = await client.get("/readyz/api"), await client.get("/targets")

    assert overview.json()["Metrics"] == engine.description["metrics"]
    assert {
        target["labels"]["instance"]: f"http://{target['targets'][0]}/metrics"
        for target in targets.json()
    } == engine.description["metrics"]
    assert ready.json() == {
        "Ready": True,
        "Services": dict.fromkeys([*SERVICES, "api"], True),
        "NotReady": {},
    }
    assert (own.status_code, own.json()) == (200, {"Ready": True})
    assert engine.description["metrics"]["api"] == f"{engine.http}/metrics"


def _series(families: dict[str, Metric], names: Sequence[str]) -> int:
    return sum(len(families[name].samples) for name in names)


async def test_labels_stay_few_whatever_callers_send(
    engine: Deployment, outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    good = [own(f"good{number}") for number in range(40)]
    bad = [own(f"bad{number}") for number in range(40)]
    for number, order in enumerate([*good, *bad]):
        product = shop.product if order in good else own(f"nothing{number}")
        body = order_body(order, shop.buyer, line("L1", product))
        await outside.command("PlaceOrder", body, source=own(f"channel{number}"))
        # Of no known type, each time another one: to the dead letters.
        await outside.produce(
            "orders.commands", b"{}", order.encode(), [("ce_type", own(f"T{number}").encode())]
        )
    for order in good:
        await outside.event("SupplierOrderForwarded", order)
    for order in bad:
        await outside.event("CommandRejected", order)
    await outside.until(
        lambda: len(outside.letters("orders.commands", lambda x: x.value == b"{}")) >= 80,
        lambda: "not every command of an unknown type was set aside",
        20,
    )

    checkout = await engine.metrics("checkout")
    everything = {service: await engine.metrics(service) for service in SERVICES}

    channels = labels(checkout["ordermesh_order_transitions"], "channel")
    assert "other" in channels
    assert len(channels) <= 21
    assert labels(checkout["ordermesh_dead_letters"], "reason") <= {"unreadable", "handler"}
    codes = labels(everything["pricing"]["ordermesh_commands_rejected"], "code")
    assert not [code for code in codes if own("") in code]
    for families in everything.values():
        assert _series(families, list(families)) < 1_500
        for family in families.values():
            values = {value for sample in family.samples for value in sample.labels.values()}
            if not family.name.startswith("ordermesh_order_transitions"):
                assert not [value for value in values if own("").strip("-") in value], family.name
