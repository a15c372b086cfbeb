"""The catalogue of approval rules: only what can be asked of an order is kept."""

from typing import Any

from services.checkout.domain.approval import rule_errors
from shared.catalog import fold_catalog
from shared.contracts.catalog import ApprovalRule
from shared.contracts.registry import APPROVAL_RULE
from shared.messaging.message import Message, rejection
from shared.messaging.processor import Decision

_fold = fold_catalog(APPROVAL_RULE)


def fold_rule(
    state: ApprovalRule | None, message: Message[Any], context: None
) -> Decision[ApprovalRule]:
    """Saves and deletes approval rules; one whose expression cannot be asked is refused."""
    errors = rule_errors(message.body) if message.type is APPROVAL_RULE.save else []
    if errors:
        return Decision(state, (rejection(message, errors),))
    return _fold(state, message, context)
