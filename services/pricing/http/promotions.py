"""Promotions: discounts by code, and who may use them."""

from services.pricing.allotments import redemptions_id
from services.pricing.http.lookups import exact
from services.pricing.http.owners import owner_exists, owner_of
from services.pricing.promotions import CODE_INDEX
from shared.contracts.base import Error
from shared.contracts.resources import PROMOTION, PROMOTION_ASSIGNMENT
from shared.expressions.checking import Scope
from shared.expressions.compiled import compiled
from shared.expressions.errors import ExpressionError
from shared.http.documents import State
from shared.http.door import Door
from shared.http.errors import ApiError, bad_request, error
from shared.http.kinds import (
    Assignment,
    Cascade,
    Change,
    Kind,
    Reference,
    Unique,
    admin_reader,
    own_by_owner,
)
from shared.http.operations import Call
from shared.http.places import BUYERS, USER_GROUPS
from shared.http.places import PROMOTIONS as PROMOTION_PLACE
from shared.http.query import index

__all__ = ["PROMOTIONS", "PROMOTION_ASSIGNMENTS", "show_redemptions"]

_SCOPES = {
    False: (Scope.ORDER_ELIGIBLE, Scope.ORDER_VALUE),
    True: (Scope.ITEM_ELIGIBLE, Scope.ITEM_VALUE),
}


async def expressions_can_be_read(door: Door, change: Change) -> None:
    """What an expression says is checked when it is saved, as far as it can be without an
    order."""
    promotion = change.after
    eligible, value = _SCOPES[promotion.line_item_level]
    errors: list[Error] = []
    for field, text, scope in (
        ("EligibleExpression", promotion.eligible_expression, eligible),
        ("ValueExpression", promotion.value_expression, value),
    ):
        if text is None:
            continue
        try:
            compiled(text, scope)
        except ExpressionError as problem:
            errors.append(
                error(
                    problem.code,
                    f"{field}: {problem.message}",
                    Field=field,
                    Position=problem.position,
                )
            )
    if errors:
        raise ApiError(400, errors)


async def one_who_says_how_much(door: Door, change: Change) -> None:
    """Either the promotion says what it is worth, or an integration does."""
    if change.after.use_integration and change.after.value_expression is not None:
        raise bad_request(
            "Promotion.UseIntegrationMustBeFalse",
            "A promotion with a ValueExpression is not an integration's to value: set"
            " UseIntegration to false, or leave ValueExpression out.",
            Field="UseIntegration",
        )


async def show_redemptions(
    door: Door, states: list[State], answers: list[State], call: Call
) -> None:
    """Fills in ``RedemptionCount``. Orders are counted where there is a limit."""
    ids = {redemptions_id(state["ID"]): state["ID"] for state in states}
    allotments = door.resources.database(door.service)["allotments"]
    cursor = allotments.find({"_id": {"$in": list(ids)}, "state": {"$ne": None}}, {"state": 1})
    counts = {
        ids[document["_id"]]: -sum(document["state"].get("Records", {}).values())
        async for document in cursor
    }
    for answer in answers:
        answer["RedemptionCount"] = max(0, counts.get(answer["ID"], 0))
        answer["OwnerID"] = owner_of(door, answer)


PROMOTIONS = Kind(
    events=PROMOTION,
    sdk="Promotions",
    path="/promotions",
    id="promotionID",
    collection="promotions",
    roles=admin_reader("Promotion"),
    owned=True,
    visible=own_by_owner,
    searchable=(
        "ID",
        "Name",
        "Code",
        "Description",
        "FinePrint",
        "EligibleExpression",
        "ValueExpression",
    ),
    sortable=(
        "Name",
        "ID",
        "Code",
        "StartDate",
        "ExpirationDate",
        "EligibleExpression",
        "ValueExpression",
        "CanCombine",
        "AutoApply",
        "Active",
        "Priority",
    ),
    default_sort=("Name", "ID"),
    unique=(
        Unique(
            "Code",
            "Promotion.CodeInUse",
            "Another promotion has this Code: choose one that no promotion has.",
        ),
    ),
    rules=(owner_exists, expressions_can_be_read, one_who_says_how_much),
    compute=show_redemptions,
    on_delete=(Cascade("PromotionAssignment", "PromotionID"),),
    renames=(Cascade("PromotionAssignment", "PromotionID"),),
    fixed_id=False,
    indexes=(CODE_INDEX, index("Name", "ID"), index("OwnerID", "Name", "ID"), exact("OwnerID")),
)

PROMOTION_ASSIGNMENTS = Assignment(
    events=PROMOTION_ASSIGNMENT,
    sdk="Promotions",
    list="/promotions/assignments",
    save="/promotions/assignments",
    delete="/promotions/{promotionID}/assignments",
    collection="promotion_assignments",
    roles=PROMOTIONS.roles,
    owner=Reference("PromotionID", PROMOTION_PLACE),
    parameters=("buyerID", "promotionID", "userGroupID"),
    levels=frozenset({"Company", "Group"}),
    references=(
        Reference("PromotionID", PROMOTION_PLACE),
        Reference("BuyerID", BUYERS),
        Reference("UserGroupID", USER_GROUPS, parents=("BuyerID",)),
    ),
    indexes=(
        index("PromotionID", "BuyerID", "UserGroupID"),
        index("BuyerID"),
    ),
)
