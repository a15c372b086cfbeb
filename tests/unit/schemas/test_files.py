"""The committed contract is what the code says, and breaks nobody."""

import json
from importlib.metadata import version
from pathlib import Path

import pytest
from typer.testing import CliRunner

from services.cli import app
from shared.schemas.files import Folder, as_text

COMMITTED = Folder(Path(__file__).parents[3] / "docs")

run = CliRunner().invoke


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """A documentation's folder as after a release."""
    folder = Folder(tmp_path)
    folder.write()
    folder.release()
    return folder


def promise(folder: Folder, name: str, path: list[str], value: object) -> None:
    """Changes what was promised of a message: ``value`` at ``path``; None takes it away."""
    file = folder.released / f"{name}.json"
    schema = json.loads(file.read_text())
    part = schema
    for step in path[:-1]:
        part = part[step]
    if value is None:
        del part[path[-1]]
    else:
        part[path[-1]] = value
    file.write_text(as_text(schema))


def test_the_committed_files_are_what_the_code_says() -> None:
    assert COMMITTED.drift() == [], "run `ordermesh schemas --write` and commit what it writes"


def test_the_code_breaks_no_older_producer_or_consumer() -> None:
    breaking = [f"{name}: {each}" for name, found in COMMITTED.breaking().items() for each in found]

    assert breaking == [], "see docs/adr/0009-released-contract.md"


def test_every_public_message_was_released() -> None:
    new = {path.name for path in COMMITTED.schemas.glob("*.json")}
    promised = {path.name for path in COMMITTED.released.glob("*.json")}

    # A message that is new since then need not be; one that is gone would break.
    assert promised - new == set()
    assert "orders.commands.PlaceOrder.json" in promised
    assert "pricing.requests.PriceOrder.json" not in promised


def test_a_file_that_drifted_is_named(folder: Folder) -> None:
    (folder.schemas / "orders.commands.PlaceOrder.json").write_text("{}")
    (folder.schemas / "orders.commands.ReturnOrder.json").write_text("{}")
    folder.asyncapi.unlink()

    assert folder.drift() == [
        "asyncapi.json",
        "schemas/orders.commands.PlaceOrder.json",
        "schemas/orders.commands.ReturnOrder.json",
    ]


def test_writing_puts_everything_right_and_leaves_the_promise_alone(folder: Folder) -> None:
    (folder.schemas / "orders.commands.ReturnOrder.json").write_text("{}")
    promise(folder, "orders.commands.CancelOrder", ["properties", "Why"], {"type": "string"})

    result = run(app, ["schemas", "--write", "--docs", str(folder.docs)])

    assert result.exit_code == 0
    assert folder.drift() == []
    assert list(folder.breaking()) == ["orders.commands.CancelOrder"]


def test_the_check_passes_where_nothing_changed(folder: Folder) -> None:
    result = run(app, ["schemas", "--check", "--docs", str(folder.docs)])

    assert (result.exit_code, result.output) == (0, "")


@pytest.mark.parametrize(
    ("name", "path", "value", "fault"),
    [
        ("orders.commands.CancelOrder", ["required"], ["OrderID", "Why"], None),
        ("orders.commands.CancelOrder", ["required"], [], "OrderID: is now required"),
        ("orders.commands.CancelOrder", ["properties", "Why"], {"type": "string"},
         "Why: is no longer taken"),
        ("shipments.commands.CreateShipment", ["properties", "Items", "maxItems"], 6000,
         "Items: maxItems was 6000 and is 5000"),
        ("orders.commands.PlaceOrder", ["$defs", "PaymentType", "enum"],
         ["CreditCard", "Barter"], "Payments[].Type: no longer takes Barter"),
        ("orders.events.OrderCompleted", ["$defs", "Order", "properties", "Weight"],
         {"type": "number"}, "Order.Weight: is no longer sent"),
        ("orders.events.OrderCompleted", ["$defs", "Order", "required"],
         ["ID", "Comments"], "Order.Comments: may now be absent"),
        ("orders.events.OrderCompleted", ["$defs", "OrderStatus", "enum"], ["Open"],
         "Order.Status: may be Unsubmitted, AwaitingApproval, Declined, Completed, Canceled"),
        ("orders.events.OrderCompleted", ["$defs", "PaymentType", "x-extensible-enum"],
         ["CreditCard"], None),
        ("orders.events.OrderCompleted", ["x-ordermesh", "key"], ["ID"],
         "the record's key was ['ID'] and is ['Order.ID']"),
    ],
)  # fmt: skip
def test_the_check_finds_what_breaks_the_promise(
    folder: Folder, name: str, path: list[str], value: object, fault: str | None
) -> None:
    promise(folder, name, path, value)

    result = run(app, ["schemas", "--check", "--docs", str(folder.docs)])

    assert result.output == (f"{name}: {fault}\n" if fault else "")
    assert result.exit_code == (1 if fault else 0)


def test_a_release_that_breaks_is_refused_and_changes_nothing(folder: Folder) -> None:
    promise(folder, "orders.commands.CancelOrder", ["required"], [])

    result = run(app, ["schemas", "--release", "--docs", str(folder.docs)])

    assert result.exit_code == 1
    assert "orders.commands.CancelOrder: OrderID: is now required" in result.output
    assert list(folder.breaking()) == ["orders.commands.CancelOrder"]


def test_a_release_that_breaks_on_purpose_moves_the_promise_and_says_why(folder: Folder) -> None:
    promise(folder, "orders.commands.CancelOrder", ["required"], [])
    reason = ["--accept-breaking", "Nobody used it."]

    result = run(app, ["schemas", "--release", *reason, "--docs", str(folder.docs)])

    assert result.exit_code == 0
    assert folder.breaking() == {}
    assert folder.drift() == []
    assert folder.broken.read_text().endswith(
        f"\n## {version('ordermesh')}\n\nNobody used it.\n\n"
        "- orders.commands.CancelOrder: OrderID: is now required\n"
    )


def test_a_message_that_is_gone_is_promised_no_longer_after_a_release(folder: Folder) -> None:
    gone = folder.released / "orders.commands.ReturnOrder.json"
    gone.write_text((folder.released / "orders.commands.CancelOrder.json").read_text())

    folder.release("It never worked.")

    assert not gone.exists()
    assert "orders.commands.ReturnOrder: the message is gone" in folder.broken.read_text()


def test_a_release_that_breaks_nothing_has_nothing_to_tell(folder: Folder) -> None:
    result = run(app, ["schemas", "--release", "--docs", str(folder.docs)])

    assert result.exit_code == 0
    assert not folder.broken.exists()


def test_the_command_line_prints_what_is_committed() -> None:
    one = run(app, ["schemas", "orders.commands.PlaceOrder"])
    names = run(app, ["schemas"])
    whole = run(app, ["asyncapi"])

    assert one.output == (COMMITTED.schemas / "orders.commands.PlaceOrder.json").read_text()
    assert names.output.split() == sorted(path.stem for path in COMMITTED.schemas.glob("*.json"))
    assert whole.output == COMMITTED.asyncapi.read_text()


def test_an_unknown_message_is_a_usage_error() -> None:
    result = run(app, ["schemas", "orders.commands.ReturnOrder"])

    assert result.exit_code == 2
    assert "no message is called" in result.output
