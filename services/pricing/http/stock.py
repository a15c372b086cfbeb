"""Stock behind the HTTP door: what a product says of it, and how much of it there is now.

How much is left is in the product's allotment alone, where orders take it from. A product and an
inventory record remember what they were saved with; answers show what the allotment has.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from services.pricing.allotments import ANYWHERE, Allotment, inventory_id, redemptions_id
from services.pricing.inventory import set_by_product
from shared.contracts.catalog import Product
from shared.mongo.aggregates import MongoAggregateStore
from shared.service import Resources

_TRIES = 50
_COLLECTION = "allotments"

Decide = Callable[[Allotment | None], Allotment | None]


class Stock:
    """The allotments of products."""

    def __init__(self, resources: Resources) -> None:
        # Nothing is remembered: what orders take has to be seen.
        self._store = MongoAggregateStore(resources.database("pricing"), _COLLECTION, Allotment)

    async def of(self, product_ids: Iterable[str]) -> dict[str, Mapping[str, Any]]:
        """The allotments, by wire names, of those products that have one."""
        ids = {inventory_id(id): id for id in product_ids}
        cursor = self._store.collection.find(
            {"_id": {"$in": list(ids)}, "state": {"$ne": None}}, {"state": 1}
        )
        return {ids[document["_id"]]: document["state"] async for document in cursor}

    async def change(self, product_id: str, decide: Decide) -> None:
        """Writes what ``decide`` makes of the product's stock; asks again after a lost race."""
        await self._change(inventory_id(product_id), decide)

    async def _change(self, id: str, decide: Decide) -> None:
        for _ in range(_TRIES):
            aggregate = (await self._store.load([id]))[id]
            before = aggregate.state
            aggregate.state = decide(before)
            if aggregate.state == before or not await self._store.save([aggregate]):
                return
        raise TimeoutError(f"lost {_TRIES} races for {id}")

    async def set_by_product(self, product: Product) -> None:
        """What ``SaveProduct`` does: a product without an inventory changes nothing."""
        await self.change(product.id, lambda state: set_by_product(state, product))

    async def stop_tracking(self, product_id: str) -> None:
        """Whatever is ordered is there from now on."""
        await self.change(
            product_id,
            lambda state: None if state is None else state.model_copy(update={"enabled": False}),
        )

    async def put(self, product_id: str, location: str, quantity: int) -> None:
        """Sets what is at one place. Stock that stands at no place in particular is over then:
        what there is, is the sum of the places."""

        def decide(state: Allotment | None) -> Allotment:
            state = state or Allotment()
            records = {**state.records, location: quantity}
            records.pop(ANYWHERE, None)
            return state.model_copy(update={"records": records})

        await self.change(product_id, decide)

    async def remove(self, product_id: str, location: str) -> None:
        """Nothing is at that place any more. Without any place the product has nothing left."""

        def decide(state: Allotment | None) -> Allotment | None:
            if state is None or location not in state.records:
                return state
            records = {place: left for place, left in state.records.items() if place != location}
            return state.model_copy(update={"records": records or {ANYWHERE: 0}})

        await self.change(product_id, decide)

    async def add(self, product_id: str, units: int) -> None:
        """So many more (negative: fewer) of the product, at no place in particular."""

        def decide(state: Allotment | None) -> Allotment:
            state = state or Allotment()
            left = state.records.get(ANYWHERE, 0) + units
            return state.model_copy(update={"records": {**state.records, ANYWHERE: left}})

        if units:
            await self.change(product_id, decide)

    async def move(self, old: str, new: str, places: Mapping[str, str]) -> None:
        """The product has another ID: its stock goes with it. ``places`` have other IDs, too, as
        they stand for its inventory records."""

        def moved(state: Allotment) -> Allotment:
            records = {places.get(place, place): left for place, left in state.records.items()}
            return state.model_copy(update={"records": records, "pending": {}})

        await self._move(inventory_id(old), inventory_id(new), moved)

    async def move_redemptions(self, old: str, new: str) -> None:
        """The promotion has another ID: what was redeemed of it goes with it."""
        before, after = redemptions_id(old), redemptions_id(new)
        of_users = self._store.collection.find(
            {"_id": {"$regex": f"^{re.escape(before)}/user/"}}, {"_id": 1}
        )
        ids = [before, *[document["_id"] async for document in of_users]]
        for id in ids:
            await self._move(
                id,
                after + id.removeprefix(before),
                lambda state: state.model_copy(update={"pending": {}}),
            )

    async def _move(self, old: str, new: str, moved: Callable[[Allotment], Allotment]) -> None:
        taken: list[Allotment | None] = []

        def take(state: Allotment | None) -> None:
            taken[:] = [state]

        await self._change(old, take)
        state = taken[0]
        if state is not None:
            kept = moved(state)
            await self._change(new, lambda state: kept)


def available(allotment: Mapping[str, Any]) -> int:
    """How many units are left, at all places together."""
    return sum(allotment.get("Records", {}).values())


def at_places(allotment: Mapping[str, Any] | None) -> bool:
    """Whether the stock stands at places, so that only their sum says how much there is."""
    return any(place != ANYWHERE for place in (allotment or {}).get("Records", {}))


def shown_inventory(
    inventory: Mapping[str, Any] | None, allotment: Mapping[str, Any] | None
) -> dict[str, Any] | None:
    """A product's ``Inventory`` as it is now: as the allotment has it, where there is one."""
    if allotment is None:
        return None if inventory is None else dict(inventory)
    stored = inventory or {}
    return {
        "Enabled": allotment.get("Enabled", True),
        "QuantityAvailable": available(allotment),
        "OrderCanExceed": allotment.get("OrderCanExceed", False),
        "NotificationPoint": allotment.get("NotificationPoint"),
        "VariantLevelTracking": stored.get("VariantLevelTracking", False),
        "LastUpdated": stored.get("LastUpdated"),
    }


STOCK = "stock"


def stock_beside(product_ids: list[str]) -> list[dict[str, Any]]:
    """The stage that adds products' allotments as ``STOCK``."""
    ids = [inventory_id(id) for id in product_ids]
    product_id = {"$substrBytes": ["$_id", len(inventory_id("")), -1]}
    pipeline = [
        {"$match": {"_id": {"$in": ids}, "state": {"$ne": None}}},
        {"$project": {"_id": product_id, STOCK: "$state"}},
    ]
    return [{"$unionWith": {"coll": _COLLECTION, "pipeline": pipeline}}]
