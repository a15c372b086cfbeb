"""Approval rules of a buyer: which of its orders somebody has to approve."""

from services.checkout.domain.approval import rule_errors
from shared.contracts.resources import APPROVAL_RULE
from shared.http.door import Door
from shared.http.errors import ApiError
from shared.http.kinds import Change, Kind, Reference, admin_reader
from shared.http.places import BUYERS, USER_GROUPS
from shared.http.query import index

__all__ = ["APPROVAL_RULES"]


async def can_be_asked(door: Door, change: Change) -> None:
    """The rules that commands are held to, too."""
    if refused := rule_errors(change.after):
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
    rules=(can_be_asked,),
    indexes=(index("BuyerID", "Name", "ID"),),
)
