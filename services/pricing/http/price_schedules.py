"""Price schedules: what products cost by quantity."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from services.pricing.domain.prices import is_between
from services.pricing.http.owners import owner_exists, owner_of
from services.pricing.http.placement import clearing
from shared.contracts.assortment import ConsistentPriceSchedule
from shared.contracts.catalog import PriceBreak
from shared.contracts.resources import PRICE_SCHEDULE
from shared.http.bodies import validated
from shared.http.documents import State, wire
from shared.http.door import Door
from shared.http.errors import bad_request, not_found
from shared.http.kinds import Cascade, Kind, admin_reader, own_by_owner
from shared.http.operations import ADMIN_SUPPLIER, Call, Operation, Parameter
from shared.http.query import index
from shared.http.resources import ResourceOperations

__all__ = ["PRICE_SCHEDULES", "price_break_operations", "show_sale"]


def show_sale(answer: State, now: datetime) -> None:
    """Fills in ``IsOnSale``: some break has a sale price, and it is the time of the sale."""
    answer["IsOnSale"] = any(
        each.get("SalePrice") is not None for each in answer["PriceBreaks"] or ()
    ) and is_between(answer["SaleStart"], answer["SaleEnd"], now)


async def on_sale(door: Door, states: list[State], answers: list[State], call: Call) -> None:
    for answer in answers:
        show_sale(answer, call.now)
        answer["OwnerID"] = owner_of(door, answer)


PRICE_SCHEDULES = Kind(
    events=PRICE_SCHEDULE,
    sdk="PriceSchedules",
    path="/priceschedules",
    id="priceScheduleID",
    collection="price_schedules",
    roles=admin_reader("PriceSchedule"),
    owned=True,
    visible=own_by_owner,
    searchable=("ID", "Name", "ApplyTax", "Currency"),
    sortable=("Name", "ID", "OwnerID"),
    default_sort=("Name", "ID"),
    rules=(owner_exists,),
    compute=on_sale,
    on_delete=(Cascade("ProductAssignment", "PriceScheduleID"),),
    before_delete=(
        clearing("Product", "DefaultPriceScheduleID"),
        clearing("ProductSupplier", "DefaultPriceScheduleID"),
    ),
    renames=(
        Cascade("Product", "DefaultPriceScheduleID"),
        Cascade("ProductAssignment", "PriceScheduleID"),
        Cascade("ProductSupplier", "DefaultPriceScheduleID"),
    ),
    indexes=(index("Name", "ID"), index("OwnerID", "Name", "ID")),
)


def price_break_operations(door: Door) -> list[Operation]:
    """Adding and taking away a single price break."""
    schedules = ResourceOperations(door, PRICE_SCHEDULES)
    documents = door.documents[PRICE_SCHEDULES.name]

    async def change(call: Call, breaks: Callable[[list[PriceBreak]], list[PriceBreak]]) -> Any:
        await schedules.existing(call)
        id = call.path["priceScheduleID"]

        def decide(before: Any) -> Any:
            if before is None:
                raise not_found("PriceSchedule", id)
            ordered = sorted(breaks(list(before.price_breaks)), key=lambda each: each.quantity)
            after = before.model_copy(update={"price_breaks": ordered})
            validated(ConsistentPriceSchedule, wire(after))
            return after

        return await documents.change(id, decide, call)

    async def save(call: Call) -> State:
        given: PriceBreak = call.sent(PriceBreak)

        def breaks(before: list[PriceBreak]) -> list[PriceBreak]:
            return [*(each for each in before if each.quantity != given.quantity), given]

        return (await schedules.shown([wire(await change(call, breaks))], call))[0]

    async def delete(call: Call) -> None:
        text = call.parameter("quantity") or ""
        if not text.isdecimal() or len(text) > 10:
            raise bad_request(
                "ValidationFailure",
                "quantity says which price break to delete: send its Quantity, a whole number.",
                Field="quantity",
            )
        quantity = int(text)

        def breaks(before: list[PriceBreak]) -> list[PriceBreak]:
            left = [each for each in before if each.quantity != quantity]
            if len(left) == len(before):
                raise bad_request(
                    "PriceSchedule.QtyNotFound",
                    f"There is no price break with Quantity {quantity}; there are"
                    f" {', '.join(str(each.quantity) for each in before)}.",
                    Quantity=quantity,
                )
            if not left:
                raise bad_request(
                    "PriceSchedule.CannotDeleteLastPriceBreak",
                    "A price schedule needs a price break: add another one first, or delete the"
                    " price schedule.",
                    Quantity=quantity,
                )
            return left

        await change(call, breaks)

    path = f"{PRICE_SCHEDULES.path}/{{priceScheduleID}}/PriceBreaks"
    return [
        Operation(
            name="PriceSchedules.SavePriceBreak",
            method="POST",
            path=path,
            handler=save,
            users=ADMIN_SUPPLIER,
            roles=PRICE_SCHEDULES.roles.write,
            body=PriceBreak,
            answer=PRICE_SCHEDULES.model,
            status=201,
            summary="Adds a price break, or replaces the one with its quantity.",
        ),
        Operation(
            name="PriceSchedules.DeletePriceBreak",
            method="DELETE",
            path=path,
            handler=delete,
            users=ADMIN_SUPPLIER,
            roles=PRICE_SCHEDULES.roles.write,
            status=204,
            parameters=(Parameter("quantity", "integer", required=True),),
            summary="Takes a price break away.",
        ),
    ]
