"""Promotions: discounts by code, and who may use them."""

from services.pricing.allotments import redemptions_id
from services.pricing.http.lookups import exact
from services.pricing.http.owners import owner_exists, owner_of
from services.pricing.http.stock import Stock
from services.pricing.promotions import CODE_INDEX, MOVING_TO
from shared.contracts.base import Error
from shared.contracts.resources import PROMOTION, PROMOTION_ASSIGNMENT
from shared.expressions.checking import Scope
from shared.expressions.compiled import compiled
from shared.expressions.errors import ExpressionError
from shared.http.documents import State
from shared.http.door import Door
from shared.http.errors import ApiError, bad_request, conflict, error
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

CODE_IN_USE = Unique(
    "Code",
    "Promotion.CodeInUse",
    "Another promotion has this Code: choose one that no promotion has.",
)

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


async def yields_its_code(door: Door, change: Change) -> None:
    """While it is renamed, two documents have the code: the old one steps aside in the index."""
    await door.documents["Promotion"].collection.update_one(
        {"_id": change.before.id}, {"$set": {MOVING_TO: change.after.id}}
    )


async def has_its_code(door: Door, change: Change) -> None:
    """A promotion that was to be renamed and was not has its code for itself again."""
    await door.documents["Promotion"].collection.update_one(
        {"_id": change.after.id, MOVING_TO: {"$exists": True}}, {"$unset": {MOVING_TO: ""}}
    )


async def code_is_free(door: Door, change: Change) -> None:
    """Told before anything is written; of two at the same time the index stops one."""
    promotion = change.after
    known = {promotion.id} if change.before is None else {promotion.id, change.before.id}
    found = await door.documents["Promotion"].collection.find_one(
        {"state.Code": promotion.code, "_id": {"$nin": sorted(known)}}, {"_id": 1}
    )
    if found is not None:
        raise conflict(CODE_IN_USE.code, CODE_IN_USE.message, Field="Code", Value=promotion.code)


async def redemptions_follow(door: Door, change: Change) -> None:
    """What was redeemed of it, in all and by each user, counts on."""
    await Stock(door.resources).move_redemptions(change.before.id, change.after.id)


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
    defaults={"AllowAllBuyers": False},
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
    unique=(CODE_IN_USE,),
    rules=(owner_exists, expressions_can_be_read, one_who_says_how_much, code_is_free),
    after_write=(has_its_code,),
    before_rename=(yields_its_code,),
    after_rename=(redemptions_follow,),
    compute=show_redemptions,
    on_delete=(Cascade("PromotionAssignment", "PromotionID"),),
    renames=(Cascade("PromotionAssignment", "PromotionID"),),
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
