"""Where stock stands, behind the HTTP door: saved with the inventory records that stand for it."""

from typing import Any

from shared.contracts import registry
from shared.contracts.catalog import Location
from shared.contracts.resource_events import ResourceEvents
from shared.http.documents import Announcer, Documents
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
