"""`ordermesh orders …`: looking at orders from the command line."""

import asyncio
import sys
import textwrap
from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Annotated

import typer
from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from shared.money import decimals_of, round_money

if TYPE_CHECKING:
    from services.story import NotificationStory, ShipmentStory, Story
    from shared.contracts.orders import LineItem

orders_app = typer.Typer(help="Look at orders.", no_args_is_help=True)

_UNWRAPPED = 400
"""Columns of a table that goes to a file or a pipe."""

_STATUS_STYLES = {
    "Open": "cyan",
    "Completed": "green",
    "Delivered": "green",
    "AwaitingApproval": "yellow",
    "Pending": "yellow",
    "Declined": "red",
    "Canceled": "red",
    "Failed": "red",
}


@orders_app.command()
def show(
    id: Annotated[str, typer.Argument(metavar="ID", help="A buyer's or a supplier's order.")],
    mongodb: Annotated[
        str | None,
        typer.Option(envvar="ORDERMESH_MONGODB", metavar="URL", help="MongoDB of the deployment."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print one JSON document.")] = False,
) -> None:
    """Tell an order's whole story: lines, supplier orders, shipments, notifications, dates.

    Only reads.
    """
    from services.checks import DeploymentError

    try:
        story = asyncio.run(_look_up(id, mongodb))
    except DeploymentError as error:
        print(textwrap.fill(str(error), 100, break_long_words=False), file=sys.stderr)
        raise typer.Exit(1) from error
    if as_json:
        print(story.model_dump_json(exclude_none=True, indent=2))
    else:
        # Off a terminal nothing is wrapped, so that what is searched for stands in one line.
        width = None if sys.stdout.isatty() else _UNWRAPPED
        print_story(story, Console(markup=False, highlight=False, emoji=False, width=width))


async def _look_up(id: str, mongodb: str | None) -> "Story":
    """The story of order ``id``. Raises DeploymentError, saying what to do, when there is no such
    order or MongoDB does not answer."""
    from pymongo.errors import PyMongoError

    from services.checks import DeploymentError, check_mongodb, settings_of
    from services.story import Unknown, read, tell
    from shared.mongo.connection import mongo_client

    settings = settings_of(mongodb=mongodb)
    await check_mongodb(settings)
    async with mongo_client(settings) as client:
        try:
            found = await read(client, settings, id)
        except PyMongoError as error:
            raise DeploymentError(
                f"MongoDB failed while the order was read: {error}. Try again; if it goes on, see"
                " that the user of the URL may read the databases"
                f" {settings.database_prefix}_*."
            ) from error
    if isinstance(found, Unknown):
        waiting = f" Shipments wait for it: {', '.join(found.waiting)}." if found.waiting else ""
        raise DeploymentError(
            f"There is no order {id}: looked for a buyer's order with this ID in"
            f" {settings.database('checkout')} and for a supplier's in"
            f" {settings.database('forwarding')}.{waiting} Check the ID, the MongoDB URL and"
            " ORDERMESH_DATABASE_PREFIX; an order that was just sent may not be taken in yet, and"
            " a command that could not be read at all is in orders.commands.dead-letters."
        )
    return tell(found)


def print_story(story: "Story", console: Console) -> None:
    """Prints ``story`` for a human reader."""
    _print_header(story, console)
    _print_lines(console, "Lines", story.line_items, story.order.currency)
    if story.held:
        _print_lines(
            console, "Held until AssignSupplier names a supplier", story.held, story.order.currency
        )
    _print_supplier_orders(story, console)
    _print_shipments(console, story.shipments)
    _print_notifications(console, story.notifications)
    table = _table("Time line", "Time (UTC)", "Event", "Of")
    for moment in story.timeline:
        _row(table, _time(moment.at), moment.event, moment.subject)
    console.print(table)
    if story.errors:
        table = _table("Refused for", "Code", "What to do")
        for error in story.errors:
            _row(table, error.error_code, error.message)
        console.print(table)


def _print_header(story: "Story", console: Console) -> None:
    order, currency = story.order, story.order.currency
    user = order.from_user
    name = (user.id or user.username) if user else None
    refused = story.phase == "Rejected"
    status = "Refused" if refused else order.status.value
    facts: list[tuple[str, str | Text | None]] = [
        ("Order", order.id),
        ("Status", Text(status, _STATUS_STYLES.get(status, "red" if refused else ""))),
        ("Phase", None if story.phase == "Settled" else story.phase.value),
        ("Waits for", story.waits_for),
        ("Buyer", f"{order.from_company_id}, user {name}" if name else order.from_company_id),
        ("Channel", story.channel),
        ("Stock", story.stock),
        ("Comments", story.comments or order.comments),
        ("Approving user", story.approving_user),
        ("Subtotal", _money(order.subtotal, currency)),
        ("Shipping", _money(order.shipping_cost, currency)),
        ("Tax", _money(order.tax_cost, currency)),
        ("Promotions", _discount(story)),
        ("Total", Text(f"{_money(order.total, currency)} {currency}", "bold")),
        ("Payments", ", ".join(_payment(story)) or "none, on account"),
    ]
    table = Table(box=None, show_header=False, padding=(0, 2, 0, 0))
    for fact, value in facts:
        if value:
            table.add_row(Text(fact, "dim"), value if isinstance(value, Text) else _text(value))
    console.print(table)


def _discount(story: "Story") -> str:
    codes = list(dict.fromkeys(promotion.code for promotion in story.promotions))
    # Plus zero: a discount of nothing is no "-0.00".
    amount = _money(-story.order.promotion_discount + 0, story.order.currency)
    return f"{amount} ({', '.join(codes)})" if codes else amount


def _payment(story: "Story") -> Iterable[str]:
    for payment in story.payments:
        amount = payment.amount
        what = "what is open" if amount is None else _money(amount, story.order.currency)
        yield f"{payment.type} {what}"


def _print_lines(console: Console, title: str, lines: Iterable["LineItem"], currency: str) -> None:
    table = _table(
        title,
        "Line", "Product", "Quantity", "Shipped", "Unit price", "Total", "Supplier", "Sources",
        right=("Quantity", "Shipped", "Unit price", "Total"),
    )  # fmt: skip
    for line in lines:
        sources = ", ".join(f"{s.location_id}: {s.quantity}" for s in line.sources or [])
        price = "" if line.unit_price is None else _money(line.unit_price, currency)
        _row(
            table,
            line.id,
            line.product_id,
            str(line.quantity),
            str(line.quantity_shipped),
            f"{price} given" if line.price_overridden else price,
            _money(line.line_total, currency),
            line.supplier_id or "",
            sources,
        )
    console.print(table)


def _print_supplier_orders(story: "Story", console: Console) -> None:
    if not story.supplier_orders:
        return
    table = _table(
        "Supplier orders", "ID", "Supplier", "Status", "Lines", "Shipped", "Total",
        right=("Shipped", "Total"),
    )  # fmt: skip
    for part in story.supplier_orders:
        shipped = sum(line.quantity_shipped for line in part.line_items)
        ordered = sum(line.quantity for line in part.line_items)
        _row(
            table,
            part.order.id,
            part.order.to_company_id,
            part.order.status.value,
            ", ".join(line.id for line in part.line_items),
            f"{shipped} of {ordered}",
            _money(part.order.total, part.order.currency),
        )
    console.print(table)


def _print_shipments(console: Console, shipments: Iterable["ShipmentStory"]) -> None:
    table = _table("Shipments", "ID", "Items", "Left", "Delivered", "Shipper", "Tracking")
    for story in shipments:
        items = ", ".join(f"{i.quantity_shipped} of line {i.line_item_id}" for i in story.items)
        waits = f"waits for {', '.join(story.waits_for)}" if story.waits_for else ""
        sent = story.shipment
        _row(
            table,
            story.id,
            "; ".join(filter(None, [items, waits])),
            _time(sent.date_shipped) if sent else "",
            _time(sent.date_delivered) if sent else "",
            (sent.shipper if sent else None) or "",
            (sent.tracking_number if sent else None) or "",
        )
    if table.row_count:
        console.print(table)


def _print_notifications(console: Console, notifications: "list[NotificationStory] | None") -> None:
    if notifications is None:
        console.print("\nNotifications: too many are kept to search them for this order's.\n")
        return
    table = _table(
        "Notifications", "Event", "Channel", "Target", "Outcome", "Attempts", "Next", "Error",
        right=("Attempts",),
    )  # fmt: skip
    for one in notifications:
        _row(
            table,
            one.event_type,
            one.channel,
            one.target,
            one.status,
            str(one.attempts),
            _time(one.next_attempt),
            one.error or "",
        )
    if table.row_count:
        console.print(table)


def _table(title: str, *columns: str, right: Iterable[str] = ()) -> Table:
    table = Table(title=title, title_justify="left", title_style="bold", box=box.SIMPLE_HEAD)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def _row(table: Table, *cells: str) -> None:
    table.add_row(*(_text(cell, _STATUS_STYLES.get(cell, "")) for cell in cells))


def _text(value: str, style: str = "") -> Text:
    """``value``, which may be anybody's, without what a terminal would obey."""
    return Text("".join(c if c.isprintable() else " " for c in value), style)


def _time(at: datetime | None) -> str:
    return "" if at is None else f"{at:%Y-%m-%d %H:%M:%S}.{at.microsecond // 1000:03}"


def _money(amount: Decimal, currency: str) -> str:
    return f"{round_money(amount, currency):,.{decimals_of(currency)}f}"
