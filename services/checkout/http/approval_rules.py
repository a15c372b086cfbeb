"""Approval rules of a buyer: which of its orders somebody has to approve."""

from services.checkout.domain.approval import rule_errors
from shared.contracts.resources import APPROVAL_RULE
from shared.http.door import Door
from shared.http.errors import ApiError, error
from shared.http.kinds import Change, Kind, Reference, admin_reader
from shared.http.places import BUYERS, USER_GROUPS
from shared.http.query import index

__all__ = ["APPROVAL_RULES"]


async def approved_by_somebody(door: Door, change: Change) -> None:
    """A rule that is made here names its expression and who approves; those without came as
    commands, and are kept as they are."""
    rule = change.after
    if rule.order_total_above is not None and change.before is not None:
        return
    missing = [
        error("ValidationFailure", f"{name} is required: send it.", Field=name)
        for name, value in (
            ("ApprovingGroupID", rule.approving_group_id),
            ("RuleExpression", rule.rule_expression),
        )
        if value is None
    ]
    if missing:
        raise ApiError(400, missing)
    # The rules that commands are held to, too.
    if refused := rule_errors(rule):
        raise ApiError(400, refused)


APPROVAL_RULES = Kind(
    events=APPROVAL_RULE,
    sdk="ApprovalRules",
    path="/buyers/{buyerID}/approvalrules",
    id="approvalRuleID",
    collection="approval_rules",
    roles=admin_reader("ApprovalRule"),
    parents=(BUYERS,),
    searchable=("ID", "Name", "Description", "RuleExpression"),
    sortable=("Name", "ID", "ApprovingGroupID", "RuleExpression"),
    default_sort=("Name", "ID"),
    references=(Reference("ApprovingGroupID", USER_GROUPS, parents=("BuyerID",)),),
    rules=(approved_by_somebody,),
    indexes=(index("BuyerID", "Name", "ID"),),
)
