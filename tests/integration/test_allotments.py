"""Stock and redemptions on a real MongoDB: several pricing processes, one hot product."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import pytest
from pymongo import AsyncMongoClient
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from services.accounts.app import build as build_accounts
from services.pricing.app import build
from shared.contracts.orders import OrderPriced
from shared.contracts.registry import (
    COMMAND_REJECTED,
    INVENTORY,
    LOCATION,
    ORDER_PRICED,
    PRICE_ORDER,
    PRICE_SCHEDULE,
    PRODUCT,
    PROMOTION,
    RELEASE_ORDER,
    SUPPLIER,
    MessageType,
)
from shared.messaging.message import Message
from shared.metrics import Metrics
from shared.service import Resources, Service
from shared.settings import Settings
from tests.support.fakes import FakeClock, FakePublisher, message


class Commands(CommandListener):
    """Lists the commands that MongoDB is given."""

    def __init__(self) -> None:
        self.names: list[str] = []

    def started(self, event: CommandStartedEvent) -> None:
        self.names.append(event.command_name)

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


class Process:
    """One pricing process on the shared database, without Kafka."""

    def __init__(self, mongo: AsyncMongoClient[dict[str, Any]], prefix: str) -> None:
        self.publisher = FakePublisher("pricing")
        self.clock = FakeClock()
        self.resources = Resources(
            settings=Settings(database_prefix=prefix, shipping_rates={"STANDARD": "4.90"}),
            mongo=mongo,
            publisher=self.publisher,
            metrics=Metrics(),
            clock=self.clock,
        )
        self.service: Service = build(self.resources)

    async def take(self, *messages: Message[Any]) -> None:
        """Processes one batch, as the runner does."""
        for processor in self.service.processors:
            share = [each for each in messages if each.type in processor.types]
            if share:
                await processor.process(share)

    def answers(self) -> dict[str, OrderPriced]:
        return {body.request_id: body for body in self.publisher.bodies(ORDER_PRICED)}


def saved(type: MessageType[Any], **body: Any) -> Message[Any]:
    return message(type, body)


def order(id: str, *lines: tuple[str, int], **fields: Any) -> Message[Any]:
    return message(
        PRICE_ORDER,
        {
            "OrderID": id,
            "BuyerID": "acme",
            "LineItems": [
                {"ID": f"L{index}", "ProductID": product, "Quantity": quantity}
                for index, (product, quantity) in enumerate(lines)
            ],
            **fields,
        },
        id=f"price-{id}",
    )


@pytest.fixture
def new_process(mongo: AsyncMongoClient[dict[str, Any]], database_prefix: str) -> Any:
    def make() -> Process:
        return Process(mongo, database_prefix)

    return make


@pytest.fixture
async def process(new_process: Any) -> Process:
    """A process whose catalogue has two mugs' worth of prices and a supplier."""
    made: Process = new_process()
    for prepare in made.service.prepare:
        await prepare()
    accounts = build_accounts(made.resources)
    for processor in accounts.processors:
        if SUPPLIER.save in processor.types:
            await processor.process([saved(SUPPLIER.save, ID="north", Name="North")])
    await made.take(
        saved(
            PRICE_SCHEDULE.save, ID="ten", Name="Ten", PriceBreaks=[{"Quantity": 1, "Price": 10}]
        ),
        saved(
            PRODUCT.save,
            ID="mug",
            Name="Mug",
            DefaultSupplierID="north",
            DefaultPriceScheduleID="ten",
        ),
    )
    return made


async def records(process: Process, id: str) -> Mapping[str, Any]:
    collection = process.resources.database("pricing")["allotments"]
    document = await collection.find_one({"_id": id})
    assert document is not None
    return document["state"]  # type: ignore[no-any-return]


async def test_a_product_is_priced_in_the_batch_that_saves_it(process: Process) -> None:
    await process.take(
        saved(
            PRODUCT.save,
            ID="cup",
            Name="Cup",
            DefaultPriceScheduleID="ten",
            Inventory={"Enabled": True, "QuantityAvailable": 5},
        ),
        order("O-1", ("cup", 2), ("mug", 1)),
    )

    answer = process.answers()["price-O-1"]
    assert answer.promised
    assert answer.errors == []
    assert answer.pricing is not None
    assert (float(answer.pricing.subtotal), float(answer.pricing.total)) == (30, 39.8)
    assert [line.supplier_id for line in answer.pricing.line_items] == [None, "north"]
    assert (await records(process, "inventory/cup"))["Records"] == {"*": 3}


async def test_stock_is_refused_beyond_what_is_there_and_given_back_once(
    process: Process,
) -> None:
    await process.take(saved(INVENTORY.save, ID="mug", QuantityAvailable=3))
    await process.take(order("O-1", ("mug", 2)), order("O-2", ("mug", 2)))
    release = message(RELEASE_ORDER, {"OrderID": "O-1"})
    await process.take(release)
    await process.take(release)
    await process.take(message(RELEASE_ORDER, {"OrderID": "O-1"}))

    answers = process.answers()
    assert answers["price-O-1"].promised
    [refusal] = answers["price-O-2"].errors
    assert refusal.error_code == "Inventory.Insufficient"
    assert refusal.data == {
        "ProductID": "mug",
        "LineItemIDs": ["L0"],
        "Available": 1,
        "Requested": 2,
    }
    assert (await records(process, "inventory/mug"))["Records"] == {"*": 3}


async def test_units_come_from_locations_and_go_back_to_them(process: Process) -> None:
    await process.take(
        saved(LOCATION.save, ID="W1", OwnerID="north", Priority=1),
        saved(LOCATION.save, ID="W2", OwnerID="north", Priority=2),
        saved(LOCATION.save, ID="W3", OwnerID="south", Priority=0),
        saved(INVENTORY.save, ID="mug", LocationID="W1", QuantityAvailable=3),
        saved(INVENTORY.save, ID="mug", LocationID="W2", QuantityAvailable=3),
        saved(INVENTORY.save, ID="mug", LocationID="W3", QuantityAvailable=9),
    )
    await process.take(order("O-1", ("mug", 5)))

    answer = process.answers()["price-O-1"]
    assert answer.pricing is not None
    [line] = answer.pricing.line_items
    assert [(s.location_id, s.quantity) for s in line.sources or ()] == [("W1", 3), ("W2", 2)]
    assert (await records(process, "inventory/mug"))["Records"] == {"W1": 0, "W2": 1, "W3": 9}

    await process.take(message(RELEASE_ORDER, {"OrderID": "O-1"}))

    assert (await records(process, "inventory/mug"))["Records"] == {"W1": 3, "W2": 3, "W3": 9}


async def test_setting_stock_again_by_the_same_message_resets_nothing(process: Process) -> None:
    stock = saved(INVENTORY.save, ID="mug", QuantityAvailable=3)
    await process.take(stock)
    await process.take(order("O-1", ("mug", 2)))

    await process.take(stock)

    assert (await records(process, "inventory/mug"))["Records"] == {"*": 1}


async def test_a_code_belongs_to_one_promotion(process: Process) -> None:
    def promotion(id: str, code: str) -> Message[Any]:
        return saved(PROMOTION.save, ID=id, Code=code, DiscountType="Percentage", Value=10)

    await process.take(promotion("P1", "TEN"), promotion("P2", "TEN"))
    await process.take(promotion("P3", "TEN"))
    await process.take(promotion("P1", "OTHER"))
    await process.take(promotion("P3", "TEN"))

    refused = process.publisher.bodies(COMMAND_REJECTED)
    assert [error.error_code for body in refused for error in body.errors] == [
        "Promotion.CodeInUse",
        "Promotion.CodeInUse",
    ]
    await process.take(order("O-1", ("mug", 1), Promotions=["TEN"]))
    answer = process.answers()["price-O-1"]
    assert answer.pricing is not None
    assert [each.id for each in answer.pricing.promotions] == ["P3"]


async def test_a_promotion_that_cannot_be_asked_takes_no_code(process: Process) -> None:
    wrong = saved(PROMOTION.save, ID="P1", Code="TEN", ValueExpression="item.UnitPrice")
    right = saved(PROMOTION.save, ID="P2", Code="TEN", ValueExpression="order.Subtotal * .1")

    await process.take(wrong, right)

    refused = process.publisher.bodies(COMMAND_REJECTED)
    assert [error.error_code for body in refused for error in body.errors] == [
        "Expression.ItemNotAllowed"
    ]


async def test_redemptions_are_limited_and_given_back(process: Process) -> None:
    await process.take(
        saved(
            PROMOTION.save,
            ID="P1",
            Code="TEN",
            DiscountType="Percentage",
            Value=10,
            RedemptionLimit=2,
            RedemptionLimitPerUser=1,
        )
    )

    def by(user: str, id: str) -> Message[Any]:
        return order(id, ("mug", 1), Promotions=["TEN"], UserID=user)

    await process.take(by("ada", "O-1"), by("ada", "O-2"), by("bob", "O-3"), by("eve", "O-4"))
    await process.take(message(RELEASE_ORDER, {"OrderID": "O-1"}))
    await process.take(by("ada", "O-5"))

    answers = process.answers()
    assert [answers[f"price-O-{n}"].promised for n in (1, 2, 3, 4, 5)] == [
        True,
        False,
        True,
        False,
        True,
    ]
    assert [error.data for error in answers["price-O-2"].errors] == [
        {"PromotionID": "P1", "Code": "TEN", "RedemptionLimitPerUser": 1}
    ]
    assert (await records(process, "promotion/P1"))["Records"] == {"*": -2}


async def test_a_hot_product_is_never_oversold_by_parallel_processes(
    process: Process, new_process: Any
) -> None:
    await process.take(saved(INVENTORY.save, ID="mug", QuantityAvailable=500))
    processes: Sequence[Process] = [new_process() for _ in range(4)]

    async def work(at: int) -> None:
        for batch in range(5):
            await processes[at].take(
                *(order(f"O-{at}-{batch}-{n}", ("mug", 1 + n % 3)) for n in range(30))
            )

    await asyncio.gather(*(work(at) for at in range(4)))

    given = 0
    for each in processes:
        for answer in each.answers().values():
            if answer.promised and answer.pricing is not None:
                given += sum(line.quantity for line in answer.pricing.line_items)
    state = await records(process, "inventory/mug")
    assert given + state["Records"]["*"] == 500
    assert given == 500
    assert len(state["Pending"]) <= 4 * 60

    process.clock.advance(3600)
    await process.take(saved(INVENTORY.save, ID="mug", QuantityAvailable=7))
    await process.take(order("O-last", ("mug", 1)))

    assert list((await records(process, "inventory/mug"))["Pending"]) == ["O-last"]


async def test_a_batch_is_a_handful_of_round_trips(
    process: Process, mongodb_url: str, database_prefix: str
) -> None:
    await process.take(
        *(
            saved(
                PRODUCT.save,
                ID=f"p{index}",
                Name="P",
                DefaultSupplierID="north",
                DefaultPriceScheduleID="ten",
                Inventory={"QuantityAvailable": 1_000_000},
            )
            for index in range(20)
        )
    )
    batch = [
        order(f"O-{n}", *((f"p{(n * 3 + line) % 20}", 2) for line in range(3))) for n in range(500)
    ]
    commands = Commands()
    async with AsyncMongoClient[dict[str, Any]](
        mongodb_url, tz_aware=True, event_listeners=[commands]
    ) as client:
        other = Process(client, database_prefix)
        await other.take(order("O-first", ("p0", 1)))
        commands.names.clear()

        await other.take(*batch)

    # Quotes, products, schedules, suppliers, allotments; what changed of products is read again.
    assert commands.names.count("find") <= 8
    assert len(commands.names) - commands.names.count("find") <= 4
    assert sum(answer.promised for answer in other.answers().values()) == 501
    left = [await records(process, f"inventory/p{index}") for index in range(20)]
    assert sum(1_000_000 - state["Records"]["*"] for state in left) == 3001
