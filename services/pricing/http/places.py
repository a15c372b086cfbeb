"""Where stock stands, behind the HTTP door: saved with the inventory records that stand for it."""

import hashlib
from typing import Any

from shared.contracts import registry
from shared.contracts.base import Address
from shared.contracts.catalog import Location
from shared.contracts.resource_events import ResourceEvents
from shared.http.documents import Announcer, Documents, State
from shared.http.door import Door
from shared.http.kinds import Place
from shared.http.operations import Call
from shared.http.places import ADMIN_ADDRESSES, SUPPLIER_ADDRESSES
from shared.mongo.aggregates import MongoAggregateStore
from shared.service import Resources

LOCATIONS = "Location"
"""The name of the documents; they have no operations, for OrderCloud knows none."""


def location_documents(resources: Resources, announcer: Announcer) -> Documents:
    """The locations, which Kafka's commands change too."""
    kind = registry.LOCATION
    events = ResourceEvents(
        name=LOCATIONS,
        model=Location,
        stored=Location,
        saved=kind.saved,
        deleted=kind.deleted,
        parents=(),
        key=("id",),
        saved_as=kind.saved_as,
    )
    store: MongoAggregateStore[Any] = MongoAggregateStore(
        resources.database("pricing"), "locations", Location
    )
    return Documents(events, store, announcer)


def location_id(product_id: str, record_id: str) -> str:
    """The location that a product's record stands for. It is of this record alone, for record IDs
    are only unique within their product."""
    digest = hashlib.sha256(f"{product_id}/{record_id}".encode()).hexdigest()[:12]
    return f"{product_id[:43]}-{record_id[:43]}-{digest}"


async def address_of(door: Door, owner: str, id: str) -> State | None:
    """An address of the marketplace's, or of a supplier's."""
    place, key = address_key(door, owner, id)
    collection = door.resources.database(place.service)[place.collection]
    found = await collection.find_one({"_id": key}, {"state": 1})
    return None if found is None else found["state"]


def address_key(door: Door, owner: str | None, id: str) -> tuple[Place, str]:
    """Where accounts keep an owner's address."""
    if owner in (None, door.resources.settings.marketplace_id):
        return ADMIN_ADDRESSES, ADMIN_ADDRESSES.prefix + id
    return SUPPLIER_ADDRESSES, f"{SUPPLIER_ADDRESSES.prefix}{owner}/{id}"


async def save_location(door: Door, id: str, record: Any, call: Call) -> None:
    """Saves the location that an inventory record stands for: whose it is, and where."""
    address = await address_of(door, record.owner_id, record.address_id)
    marketplace = door.resources.settings.marketplace_id

    def decide(before: Any) -> Any:
        known = Location(id=id) if before is None else before
        after = known.model_copy(
            update={
                "name": (address or {}).get("AddressName") or known.name,
                "owner_id": None if record.owner_id == marketplace else record.owner_id,
                "address": None if address is None else Address.model_validate(address),
            }
        )
        return before if after == before else after

    await door.documents[LOCATIONS].change(id, decide, call)
