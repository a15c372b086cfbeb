"""The catalogue of promotions: a code belongs to one promotion."""

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo import ASCENDING, IndexModel

from services.pricing.domain.judging import expression_errors
from shared.aggregates import Aggregate
from shared.catalog import fold_catalog
from shared.contracts.base import Error
from shared.contracts.catalog import Promotion
from shared.contracts.registry import PROMOTION
from shared.messaging.message import Message, rejection
from shared.messaging.processor import Decision
from shared.mongo.aggregates import MongoAggregateStore

MOVING_TO = "moving_to"
"""Beside its state, a promotion that is being given another ID has that: until it is gone, two
have its code."""

CODE_INDEX = IndexModel(
    [("state.Code", ASCENDING), (MOVING_TO, ASCENDING)],
    unique=True,
    partialFilterExpression={"state.Code": {"$exists": True}},
)

Owners = Mapping[str, str]
"""Which other promotion has a command's code, by the command's identity."""

_fold = fold_catalog(PROMOTION)


class PromotionCatalog:
    """Reads promotions by code, and keeps codes unique.

    Of two processes that give the same code away at the same time the unique index stops one,
    whose command is then processed alone and finds the other's promotion.
    """

    def __init__(self, store: MongoAggregateStore[Promotion]) -> None:
        self._collection = store.collection

    async def by_code(self, codes: set[str]) -> dict[str, Promotion]:
        if not codes:
            return {}
        query = self._collection.find({"state.Code": {"$in": list(codes)}}, {"state": 1})
        found = [Promotion.model_validate(document["state"]) async for document in query]
        return {promotion.code: promotion for promotion in found}

    async def owners(
        self, messages: Sequence[Message[Any]], aggregates: Mapping[str, Aggregate[Promotion]]
    ) -> Owners:
        """The ``prepare`` of :func:`fold_promotion`. Follows the commands in their order, so that
        a code that one gives up is free for the next."""
        wanted = {m.body.code for m in messages if m.type is PROMOTION.save}
        owner = {code: promotion.id for code, promotion in (await self.by_code(wanted)).items()}
        code_of = {id: a.state.code for id, a in aggregates.items() if a.state is not None}
        conflicts: dict[str, str] = {}
        for message in messages:
            id = message.body.id
            saves = message.type is PROMOTION.save
            if saves and expression_errors(message.body):
                # It will be refused, so it takes no code.
                continue
            if saves and owner.get(message.body.code, id) != id:
                conflicts[message.identity] = owner[message.body.code]
                continue
            before = code_of.pop(id, None)
            if before is not None and owner.get(before) == id:
                del owner[before]
            if saves:
                code_of[id] = message.body.code
                owner[message.body.code] = id
        return conflicts


def fold_promotion(
    state: Promotion | None, message: Message[Any], owners: Owners
) -> Decision[Promotion]:
    errors = expression_errors(message.body) if message.type is PROMOTION.save else []
    if errors:
        return Decision(state, (rejection(message, errors),))
    owner = owners.get(message.identity)
    if owner is None:
        return _fold(state, message, None)
    error = Error(
        error_code="Promotion.CodeInUse",
        message=f"Promotion {owner} has the code {message.body.code}; choose another one.",
        data={"Code": message.body.code, "PromotionID": owner},
    )
    return Decision(state, (rejection(message, [error]),))
