"""Poison for a trial: what was sent where, and whether exactly that became dead letters."""

from collections import Counter
from collections.abc import Iterator

from tests.e2e.goods import line, order_body, shipment_body
from tests.faults.topics import Log, Stored
from tests.faults.trial import Trial
from tests.support.poison import Poison, poisons

_ID = "poisoned"
"""What the good ones would be about; there is nothing of that name."""

SET_ASIDE_BY = {
    "orders.commands": "checkout",
    "shipments.commands": "shipments",
    "forwarding.commands": "forwarding",
    "catalog.commands": "pricing",
}
"""The topics that get poison, and the service that sets it aside."""

Place = tuple[str, int, int]
"""Topic, partition and offset."""


def every_poison() -> Iterator[tuple[str, Poison]]:
    """Each kind on each topic of commands, as (topic, poison)."""
    kinds = {
        "orders.commands": poisons("PlaceOrder", order_body(_ID, "acme", line("L1", "mug"))),
        "shipments.commands": poisons("CreateShipment", shipment_body(_ID, (_ID, "L1", 1))),
        "forwarding.commands": poisons(
            "AssignSupplier",
            {"OrderID": _ID, "Assignments": [{"LineItemID": "L1", "SupplierID": "north"}]},
        ),
        "catalog.commands": poisons(
            "SaveProduct", {"ID": _ID, "Name": "Poisoned"}, foreign="PlaceOrder"
        ),
    }
    # The one type of its topic need not be named.
    del kinds["forwarding.commands"]["no ce_type"]
    for kind in kinds["orders.commands"]:
        yield from ((topic, named[kind]) for topic, named in kinds.items() if kind in named)


class Poisoner:
    """Sends poison and remembers where it stands."""

    def __init__(self, trial: Trial) -> None:
        self.sent: dict[Place, Poison] = {}
        self._trial = trial

    async def send(self, topic: str, poison: Poison) -> Place:
        """Sends it under the key of the order that was placed last, among whose commands it then
        is; its place."""
        value, headers = poison
        key = next(reversed(self._trial.load.plans))
        partition, offset = await self._trial.outside.produce(topic, value, key.encode(), headers)
        place = topic, partition, offset
        self.sent[place] = poison
        stands = Stored(topic, partition, offset, 0, None, value, headers)
        self._trial.poisoned.add(stands.identity)
        return place

    def differences(self, log: Log) -> Iterator[str]:
        """Exactly what was sent is in the dead letters, unchanged and once."""
        found: Counter[Place] = Counter()
        for letter in log.dead_letters():
            place = letter.place
            found[place] += 1
            if place not in self.sent:
                yield f"{place} is no poison and was set aside"
                continue
            value, headers = self.sent[place]
            if (letter.value, list(letter.headers[: len(headers)])) != (value, headers):
                yield f"{place} was changed on its way to the dead letters"
        yield from (f"{place} was not set aside" for place in self.sent.keys() - found.keys())
        yield from (f"{place} was set aside {n} times" for place, n in found.items() if n > 1)
