"""Requests: prices the orders of a batch and moves what they are promised.

An order that is wrong, is held by checkout or awaits approval is checked against stock and limits
but promised nothing; the newest request says what an order holds, so it also gives back what an
earlier one had.
"""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from services.pricing.allotments import inventory_id, redemptions_id, user_redemptions_id
from services.pricing.claims import Claim, Demand, RedemptionDemand, StockDemand
from services.pricing.domain.order import price_order
from services.pricing.domain.reference import Reference, Terms
from services.pricing.granting import Granting
from services.pricing.quotes import Answer, Quote
from services.pricing.sourcing import StockLine
from shared.aggregates import Aggregate
from shared.contracts.base import Error
from shared.contracts.catalog import Promotion
from shared.contracts.orders import LineSource, PriceOrder, Pricing
from shared.contracts.registry import PRICE_ORDER
from shared.messaging.message import Message
from shared.messaging.processor import Processor

ReadReference = Callable[[Sequence[PriceOrder]], Awaitable[Reference]]
"""Reads all that orders name, as far as it exists."""


@dataclass(frozen=True, slots=True)
class _Asked:
    """A request on its way to its answer."""

    claim: Claim
    pricing: Pricing | None = None
    errors: Sequence[Error] = ()


class OrderRequests:
    """Makes the answers of a batch: the ``prepare`` of the quotes."""

    def __init__(self, reference: ReadReference, terms: Terms, granting: Granting) -> None:
        self._reference = reference
        self._terms = terms
        self._granting = granting

    async def answer(
        self, messages: Sequence[Message[Any]], aggregates: Mapping[str, Aggregate[Quote]]
    ) -> dict[str, Answer]:
        """The answers to ``messages``, by their identity. What they promise is written."""
        if not messages:
            return {}
        orders = [message.body for message in messages if message.type is PRICE_ORDER]
        reference = await self._reference(orders)
        asked = []
        for message in messages:
            quote = aggregates[message.key]
            claim = Claim(
                message.key,
                message.identity,
                quote.version,
                {} if quote.state is None else quote.state.held(),
            )
            if message.type is not PRICE_ORDER:
                asked.append(_Asked(claim))
            elif message.body.priced is None:
                asked.append(self._price(message, claim, reference))
            else:
                asked.append(self._promise(message.body, message.body.priced, claim, reference))
        outcomes = await self._granting.settle([each.claim for each in asked])
        answers = {}
        for each in asked:
            outcome = outcomes[each.claim.order_id]
            answers[each.claim.request] = Answer(
                _sourced(each.pricing, outcome.sources),
                each.claim.promise and not outcome.errors,
                [*each.errors, *outcome.errors],
                outcome.grants,
            )
        return answers

    def _price(self, message: Message[PriceOrder], claim: Claim, reference: Reference) -> _Asked:
        request = message.body
        # As of when the request was accepted, so that doing it again gives the same prices.
        priced = price_order(request, reference, self._terms, message.accepted)
        lines = [
            (
                line.product.id,
                StockLine(
                    line.id,
                    line.draft.quantity,
                    line.supplier_id or self._terms.marketplace_id,
                    line.draft.shipping_address or request.shipping_address,
                ),
            )
            for line in priced.lines
        ]
        awaits_approval = (
            request.approval_above is not None
            and priced.pricing is not None
            and priced.pricing.total > request.approval_above
        )
        claim = replace(
            claim,
            demands=_demands(request, lines, priced.promotions),
            promise=not (priced.errors or request.hold or awaits_approval),
        )
        return _Asked(claim, priced.pricing, priced.errors)

    def _promise(
        self,
        request: PriceOrder,
        pricing: Pricing,
        claim: Claim,
        reference: Reference,
    ) -> _Asked:
        """An order that was priced before: only its promise is missing."""
        lines = [
            (
                line.product_id,
                StockLine(
                    line.id,
                    line.quantity,
                    line.supplier_id or self._terms.marketplace_id,
                    line.shipping_address or request.shipping_address,
                ),
            )
            for line in pricing.line_items
        ]
        codes = dict.fromkeys(promotion.code for promotion in pricing.promotions)
        promotions = [reference.promotions[code] for code in codes if code in reference.promotions]
        claim = replace(
            claim, demands=_demands(request, lines, promotions), promise=not request.hold
        )
        return _Asked(claim, pricing)


class RequestProcessor:
    """Takes the requests so that each round has at most one of an order: what a request leads to
    must be durable before the order's next one is decided. Nearly always that is one round."""

    def __init__(self, inner: Processor, granting: Granting) -> None:
        self._inner = inner
        self._granting = granting

    @property
    def types(self) -> frozenset[Any]:
        return self._inner.types

    async def process(self, messages: Sequence[Message[Any]]) -> None:
        todo = list(messages)
        while todo:
            now: dict[str, Message[Any]] = {}
            later = []
            for message in todo:
                if message.key in now:
                    later.append(message)
                else:
                    now[message.key] = message
            await self._inner.process(list(now.values()))
            await self._granting.tidy()
            todo = later


def _demands(
    request: PriceOrder,
    lines: Sequence[tuple[str, StockLine]],
    promotions: Sequence[Promotion],
) -> list[Demand]:
    by_product: dict[str, list[StockLine]] = {}
    for product_id, line in lines:
        by_product.setdefault(product_id, []).append(line)
    demands: list[Demand] = [
        StockDemand(inventory_id(product_id), product_id, stock_lines)
        for product_id, stock_lines in by_product.items()
    ]
    for promotion in promotions:
        if promotion.redemption_limit is not None:
            demands.append(
                RedemptionDemand(
                    redemptions_id(promotion.id), promotion, promotion.redemption_limit, False
                )
            )
        if promotion.redemption_limit_per_user is not None:
            counter = user_redemptions_id(promotion.id, request.buyer_id, request.user_id)
            demands.append(
                RedemptionDemand(counter, promotion, promotion.redemption_limit_per_user, True)
            )
    return demands


def _sourced(pricing: Pricing | None, sources: Mapping[str, list[LineSource]]) -> Pricing | None:
    if pricing is None or not sources:
        return pricing
    lines = [
        line.model_copy(update={"sources": sources[line.id]}) if line.id in sources else line
        for line in pricing.line_items
    ]
    return pricing.model_copy(update={"line_items": lines})
