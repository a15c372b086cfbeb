"""Dead letters as an operator handles them, and the whole story of an order with its messages."""

import asyncio
import getpass
import json
from pathlib import Path
from typing import Any
from uuid import uuid4

from tests.e2e.conftest import NewID
from tests.e2e.goods import SHIPPED_AT, line, open_shop, order_body, place, shipment_body
from tests.e2e.test_operators import run_cli
from tests.support.deployment import Deployment
from tests.support.outside import Headers, OutsideSystem

DEAD = "orders.commands.dead-letters"


def letter(offset: int, type: str = "PlaceOrder", *, id: str, **more: str) -> Headers:
    """The headers of a command that a service set aside, as the contract has them."""
    named = {
        "ce_specversion": "1.0",
        "ce_type": type,
        "ce_source": "outside",
        "ce_id": id,
        "dl_topic": "orders.commands",
        "dl_partition": "0",
        "dl_offset": str(offset),
        "dl_error": "ValueError: the handler failed",
        "dl_attempts": "2",
        "dl_time": "2031-05-02T09:30:00.000+00:00",
        **more,
    }
    return [(name, value.encode()) for name, value in named.items()]


async def test_a_letter_is_replayed_once_in_key_order_and_listed_as_open_no_longer(
    engine: Deployment, outside: OutsideSystem, own: NewID
) -> None:
    shop = await open_shop(outside, own("shop"))
    order, lost, ids = own("order"), own("lost"), [uuid4().hex for _ in range(3)]
    where = ("--kafka", engine.kafka, "--mongodb", engine.mongodb)
    body = json.dumps(order_body(order, shop.buyer, line("L1", shop.product))).encode()
    cancel = json.dumps({"OrderID": order}).encode()
    # The later one was laid down first.
    await outside.produce(DEAD, cancel, order.encode(), letter(8, "CancelOrder", id=ids[1]))
    partition, offset = await outside.produce(DEAD, body, order.encode(), letter(7, id=ids[0]))
    omitted = letter(9, id=ids[2], dl_omitted="a value of 9 bytes")
    await outside.produce(DEAD, None, lost.encode(), omitted)
    place_of_it = f"{DEAD}/{partition}/{offset}"

    async def letters(*arguments: str) -> tuple[int, Any]:
        code, out, error = await run_cli("dead-letters", *arguments, *where, "--json")
        assert out, error
        return code, json.loads(out)

    _, listed = await letters("list", "--key", order, "--error", "HANDLER failed")
    dry_code, dry = await letters("replay", "--key", order, "--dry-run")
    code, replayed = await letters("replay", "--key", order, "--reason", "the defect is mended")
    await outside.event("OrderCanceled", order)
    lost_code, left = await letters("replay", "--key", lost)
    again_code, again = await letters("replay", place_of_it)
    _, after = await letters("list", "--key", order)
    _, all_letters = await letters("list", "--key", order, "--all")
    _, discarded = await letters("discard", "--key", lost, "--reason", "sent anew", "--by", "ada")
    _, shown = await letters("show", place_of_it)

    assert [each["State"] for each in listed["Letters"]] == ["Open", "Open"]
    assert (dry_code, len(dry["Replayed"]), code, len(replayed["Replayed"])) == (0, 2, 0, 2)
    assert replayed["Replayed"][0] == place_of_it
    # A cancellation that came before its order would have been refused.
    assert len(outside.all("OrderCanceled", order)) == 1
    assert not outside.all("CommandRejected", order)
    assert (lost_code, left["Replayed"]) == (1, [])
    assert "orders.commands/0/9" in left["Left"][0]["Next"]
    assert (again_code, again["Replayed"]) == (1, [])
    assert "--again" in again["Left"][0]["Next"]
    assert after["Letters"] == []
    assert {each["State"] for each in all_letters["Letters"]} == {"Replayed"}
    assert len(discarded["Discarded"]) == 1
    [told] = shown["Letters"]
    assert json.loads(told["Value"]) == json.loads(body)
    assert [(each["What"], each["By"], each.get("Why")) for each in told["Actions"]] == [
        ("Replaying", getpass.getuser(), "the defect is mended"),
        ("Replayed", getpass.getuser(), "the defect is mended"),
    ]


async def test_everything_said_of_an_order_is_told_and_exported(
    engine: Deployment, outside: OutsideSystem, own: NewID, tmp_path: Path
) -> None:
    shop = await open_shop(outside, own("shop"))
    order, shipment = own("order"), own("s")
    part = f"{order}-{shop.supplier}"
    await place(outside, order_body(order, shop.buyer, line("L1", shop.product)))
    await outside.event("SupplierOrderForwarded", order)
    refused = await outside.command("ApproveOrder", {"OrderID": order})
    await outside.rejection(refused, order)
    await outside.produce("orders.commands", b"{", order.encode(), letter(0, id="bad"))
    # By the supplier's order only.
    command = await outside.command(
        "CreateShipment", shipment_body(shipment, (part, "L1", 1), DateShipped=SHIPPED_AT)
    )
    await outside.event("OrderCompleted", order)
    await outside.event("SupplierOrderCompleted", order)
    await outside.until(
        lambda: bool(outside.letters("orders.commands", lambda x: x.value == b"{")),
        lambda: "not set aside",
        20,
    )
    where, file = ("--kafka", engine.kafka), tmp_path / "said.jsonl"

    (_, document, _), (code, lines, _), (file_code, nothing, _), (empty, none, _) = (
        await asyncio.gather(
            run_cli("orders", "show", order, "--json", *where, "--mongodb", engine.mongodb),
            run_cli("events", "export", "--order", order, *where),
            run_cli(
                "events", "export", "--order", order, "--topic", "orders.events",
                "--output", str(file), *where,
            ),
            run_cli("events", "export", "--since", "2031-01-01", *where),
        )
    )  # fmt: skip

    messages = json.loads(document)["Messages"]
    told = [each["Type"] for each in messages]
    for type in (
        "PlaceOrder", "PriceOrder", "OrderPriced", "OrderSubmitted", "SupplierOrderForwarded",
        "ApproveOrder", "CommandRejected", "CreateShipment", "ShipmentCreated",
        "ShipmentReconciled", "OrderCompleted", "SupplierOrderCompleted",
    ):  # fmt: skip
        assert type in told, type
    assert told.index("PlaceOrder") < told.index("OrderSubmitted") < told.index("OrderCompleted")
    assert {each["ID"] for each in messages} >= {refused, command}
    notes = [each["Note"] for each in messages if "Note" in each]
    assert any("Order.MustBeAwaitingApproval" in note for note in notes)
    assert any(each["Topic"] == DEAD for each in messages)
    events = [json.loads(each) for each in lines.splitlines()]
    assert (code, file_code, nothing, empty, none) == (0, 0, "", 0, "")
    assert [each["type"] for each in events] == told
    times = [each["kafkatime"] for each in events]
    assert times == sorted(times)
    assert all(each["specversion"] == "1.0" and each["source"] for each in events)
    submitted = next(each for each in events if each["type"] == "OrderSubmitted")
    assert submitted["data"] == outside.all("OrderSubmitted", order)[0]
    assert submitted["partitionkey"] == order
    written = [json.loads(each)["kafkatopic"] for each in file.read_text().splitlines()]
    assert written
    assert set(written) == {"orders.events"}
