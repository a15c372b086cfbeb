"""Quotes: what pricing remembers of a buyer's order, and how it answers.

A quote is small: the prices are in the answer, which the outbox carries. It notes durably what the
order holds of which allotment, so that everything is given back exactly once.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from pydantic import Field

from services.pricing.allotments import Grant, Movement
from shared.contracts.base import Error, Resource
from shared.contracts.orders import OrderPriced, Pricing
from shared.contracts.registry import ORDER_PRICED, RELEASE_ORDER
from shared.messaging.message import Event, Message
from shared.messaging.processor import Decision


class Quote(Resource):
    """``request_id`` is the last request's ``ce_id``. ``grants`` is everything that the last
    request moved or kept; ``promised`` tells whether the order holds what it asked for, which may
    be nothing that is counted. ``released`` tells that it was given back."""

    request_id: str
    promised: bool = False
    released: bool = False
    grants: list[Grant] = Field(default_factory=list)

    def held(self) -> dict[str, Grant]:
        """The grants by allotment, those given back included."""
        return {grant.allotment: grant for grant in self.grants}


@dataclass(frozen=True, slots=True)
class Notes:
    """What a quote of some version notes: the (allotment, mark) of its grants."""

    version: int
    marks: frozenset[tuple[str, int]]

    @classmethod
    def of_grants(cls, version: int, grants: Iterable[Grant]) -> "Notes":
        return cls(version, frozenset((grant.allotment, grant.mark) for grant in grants))

    def verdict(self, allotment: str, movement: Movement) -> bool | None:
        """Whether the movement is noted; None while it still may come to be: the quote has not
        moved on from the version that it was decided on."""
        if self.version <= movement.base:
            return None
        return (allotment, movement.mark) in self.marks


@dataclass(frozen=True, slots=True)
class Answer:
    """What a request comes to."""

    pricing: Pricing | None = None
    promised: bool = False
    errors: list[Error] = field(default_factory=list)
    grants: list[Grant] = field(default_factory=list)


def fold_quote(
    state: Quote | None, message: Message[Any], answers: Mapping[str, Answer]
) -> Decision[Quote]:
    """``answers`` are by the messages' identity."""
    answer = answers[message.identity]
    if message.type is RELEASE_ORDER:
        # Written even where nothing was held: a quote's version tells how far its order has come.
        released = Quote(request_id=message.id, released=True, grants=answer.grants)
        return Decision(released)
    quote = Quote(request_id=message.id, promised=answer.promised, grants=answer.grants)
    priced = OrderPriced(
        order_id=message.key,
        request_id=message.id,
        pricing=answer.pricing,
        promised=answer.promised,
        errors=answer.errors,
    )
    return Decision(quote, (Event(ORDER_PRICED, priced),))
