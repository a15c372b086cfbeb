"""Wiring of the forwarding service."""

from services.forwarding.consumers import forwarding_processor, parents_of_commands
from services.forwarding.store import ForwardingStore
from shared.service import Resources, Service, indexes_of

NAME = "forwarding"


def build(resources: Resources) -> Service:
    forwardings = ForwardingStore(resources.database(NAME))
    return Service(
        NAME,
        processors=[forwarding_processor(NAME, forwardings, resources)],
        stores={"forwardings": forwardings},
        prepare=indexes_of(forwardings),
        parents=parents_of_commands(forwardings),
    )
