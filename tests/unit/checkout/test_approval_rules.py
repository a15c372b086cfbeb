"""Approval rules that are expressions."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from services.checkout.domain.state import Phase
from services.checkout.rules import fold_rule
from shared.contracts.base import Address
from shared.contracts.catalog import ApprovalRule
from shared.contracts.orders import OrderStatus, PriceOrder
from shared.contracts.registry import APPROVAL_RULE, APPROVE_ORDER, CANCEL_ORDER, ORDER_PRICED
from tests.support.builders import checkout_context, error, line, place_order, priced, pricing
from tests.support.fakes import START
from tests.support.folding import Folding, error_codes, names
from tests.unit.checkout.stories import Story, answer, new_order, pricing_order

ALWAYS, NEVER = "order.Total >= 0", "order.Total < 0"
TURIN = {
    "ID": "home", "Street1": "Via Po 1", "City": "Turin", "Zip": "10123", "Country": "IT",
}  # fmt: skip


def ruled(*expressions: str, above: str | None = None, **order: Any) -> Story:
    """O-1 was placed by a buyer with these rules; pricing is asked what it comes to."""
    context = checkout_context(
        approval_above={} if above is None else {"acme": above},
        approval_expressions={"acme": expressions},
    )
    return pricing_order(place_order(**order), context)


def awaits(*expressions: str, above: str | None = None, **order: Any) -> bool:
    """Whether O-1, priced at 26.40, awaits approval under these rules."""
    story = ruled(*expressions, above=above, **order)
    answer(story, promised=False)
    assert story.state is not None
    return story.state.status is OrderStatus.AWAITING_APPROVAL


def question_of(story: Story) -> PriceOrder:
    body = story.events[-1].body
    assert isinstance(body, PriceOrder)
    return body


def test_an_order_that_expressions_judge_takes_no_stock_before_they_have() -> None:
    story = ruled(NEVER, above="100")

    question = question_of(story)
    assert (question.hold, question.approval_above, question.priced) == (True, Decimal(100), None)


def test_an_order_that_a_rule_matches_awaits_approval() -> None:
    story = ruled(NEVER, "order.Total > 26.39")

    answer(story, promised=False)

    assert names(story.events) == ["PriceOrder", "OrderAwaitingApproval"]
    assert story.state is not None
    assert (story.state.status, story.state.phase, story.state.approval, story.state.promised) == (
        OrderStatus.AWAITING_APPROVAL, Phase.SETTLED, None, False,
    )  # fmt: skip
    assert story.state.order.total == Decimal("26.40")


def test_an_order_that_awaits_approval_by_an_expression_is_approved_as_any() -> None:
    story = ruled(ALWAYS)
    answer(story, promised=False)

    story.take(APPROVE_ORDER, {"OrderID": "O-1"})
    answer(story)

    assert names(story.events)[2:] == ["PriceOrder", "OrderApproved"]


def test_an_order_that_no_rule_matches_is_submitted_with_the_promise_of_its_stock() -> None:
    story = ruled(NEVER, above="26.40", from_user={"ID": "ada"})
    first = story.state.request_id if story.state else None
    answer(story, promised=False)
    assert story.state is not None
    asking = story.state
    question = question_of(story)

    answer(story)

    assert (asking.phase, asking.status) == (Phase.PRICING, OrderStatus.UNSUBMITTED)
    assert asking.request_id not in (first, None)
    assert question == PriceOrder(
        order_id="O-1", buyer_id="acme", user_id="ada", currency="USD", line_items=[],
        priced=pricing(),
    )  # fmt: skip
    assert names(story.events) == ["PriceOrder", "PriceOrder", "OrderSubmitted"]
    told = story.state.order
    assert (told.status, told.is_submitted, told.total) == (
        OrderStatus.OPEN, True, Decimal("26.40"),
    )  # fmt: skip
    assert (told.date_submitted, told.date_approved) == (START, None)
    assert (story.state.promised, story.state.approval) == (True, None)


def test_stock_that_is_gone_when_it_is_to_be_promised_refuses_the_order() -> None:
    story = ruled(NEVER)
    command = story.state.command if story.state else None
    answer(story, promised=False)
    assert story.state is not None

    [rejected] = story.take(ORDER_PRICED, priced(story.state.request_id, errors=[error()]))

    assert error_codes([rejected]) == ["Inventory.Insufficient"]
    assert rejected.body.command == command  # type: ignore[attr-defined]
    assert (story.state.phase, story.state.approval) == (Phase.REJECTED, None)


def test_errors_of_pricing_are_told_before_rules_are_asked() -> None:
    story = ruled(ALWAYS)
    assert story.state is not None

    events = story.take(ORDER_PRICED, priced(story.state.request_id, errors=[error("NotFound")]))

    assert error_codes(events) == ["NotFound"]
    assert (story.state.phase, story.state.approval) == (Phase.REJECTED, None)


def test_a_promise_to_an_order_that_was_canceled_meanwhile_is_given_back() -> None:
    story = ruled(NEVER)
    answer(story, promised=False)
    assert story.state is not None
    request = story.state.request_id
    story.take(CANCEL_ORDER, {"OrderID": "O-1"})

    events = story.take(ORDER_PRICED, priced(request))

    assert names(events) == ["ReleaseOrder"]
    assert (story.state.status, story.state.approval) == (OrderStatus.CANCELED, None)


def test_rules_are_those_of_when_the_order_was_placed() -> None:
    story = ruled(ALWAYS)
    story.context = checkout_context()

    answer(story, promised=False)

    assert names(story.events)[-1] == "OrderAwaitingApproval"


def test_without_expressions_pricing_decides_by_the_limit() -> None:
    story = new_order(checkout_context(approval_above={"acme": "20"}))

    story = pricing_order(context=story.context)

    assert story.state is not None
    assert (question_of(story).hold, story.state.approval) == (False, None)


@pytest.mark.parametrize(
    ("above", "expressions", "found"),
    [
        ("26.39", [NEVER], True),
        ("26.40", [NEVER], False),
        ("26.40", [NEVER, ALWAYS], True),
        (None, [NEVER, NEVER], False),
    ],
)
def test_any_rule_suffices(above: str | None, expressions: list[str], found: bool) -> None:
    assert awaits(*expressions, above=above) is found


@pytest.mark.parametrize(
    "expression",
    [
        pytest.param("order.Total / 0 > 1", id="division by zero"),
        pytest.param("items.any(product.incategory('A'))", id="categories are not known"),
        pytest.param("order.xp.Level", id="no condition"),
        pytest.param("order.Totle > 5", id="kept before it was refused"),
        pytest.param("(", id="no expression"),
    ],
)
def test_an_order_of_which_nobody_can_tell_awaits_approval(expression: str) -> None:
    assert awaits(NEVER, expression, xp={"Level": "gold"}) is True


@pytest.mark.parametrize(
    ("expression", "found"),
    [
        ("order.ID = 'O-1' and order.FromCompanyID = 'acme' and order.Currency = 'USD'", True),
        ("order.Status = 'Unsubmitted' and not order.IsSubmitted", True),
        ("order.Subtotal = 20 and order.Total = 26.4 and order.LineItemCount = 1", True),
        ("order.FromUserID = 'ada' and order.FromUser.xp.Trainee = true", True),
        ("order.xp.Rush", True),
        ("order.ShippingAddressID = 'home'", True),
        ("items.all(ShippingAddress.Country = 'IT' and ShippingAddressID = 'home')", True),
        ("items.any(ProductID = 'mug' and Quantity = 2 and LineSubtotal = 20)", True),
        ("order.DateCreated > now(-1) and order.DateCreated < now(1)", True),
        ("order.BillingAddress.Country = 'IT'", False),
        ("items.any(CostCenter = 'ABC')", False),
        ("order.approved('other')", False),
    ],
)
def test_what_expressions_see_of_an_order(expression: str, found: bool) -> None:
    user = {"ID": "ada", "xp": {"Trainee": True}}

    assert awaits(expression, from_user=user, shipping_address=TURIN, xp={"Rush": True}) is found


def test_a_line_with_its_own_address_keeps_it() -> None:
    story = ruled("items.any(ShippingAddress.City = 'Rome')", shipping_address=TURIN)
    elsewhere = line("1", 1).model_copy(update={"shipping_address": Address(city="Rome")})

    answer(story, pricing([elsewhere, line("2", 1)]), promised=False)

    assert names(story.events)[-1] == "OrderAwaitingApproval"


def test_days_count_from_when_the_order_was_priced() -> None:
    story = ruled("now() >= #1/1/2000#")
    story.context = checkout_context(now=START + timedelta(days=1))

    answer(story, promised=False)

    assert names(story.events)[-1] == "OrderAwaitingApproval"


# --- saving rules ---


def rule(**fields: object) -> dict[str, object]:
    return {"ID": "r", "BuyerID": "acme", **fields}


@pytest.mark.parametrize(
    ("condition", "event"),
    [
        ({"RuleExpression": ALWAYS}, "ExpressionApprovalRuleSaved"),
        ({"OrderTotalAbove": 25}, "ApprovalRuleSaved"),
    ],
    ids=["expression", "limit"],
)
def test_a_rule_that_can_be_asked_is_kept(condition: dict[str, object], event: str) -> None:
    rules = Folding("r", fold_rule, None)

    events = rules.take(APPROVAL_RULE.save, rule(**condition))

    assert names(events) == [event]
    assert rules.state == ApprovalRule.model_validate(rule(**condition))


def test_a_rule_that_cannot_be_asked_is_refused_and_the_one_before_stays() -> None:
    rules = Folding("r", fold_rule, None)
    rules.take(APPROVAL_RULE.save, rule(RuleExpression=ALWAYS))
    before = rules.state

    [rejected] = rules.take(APPROVAL_RULE.save, rule(RuleExpression="item.Quantity > 5"))

    [found] = rejected.body.errors  # type: ignore[attr-defined]
    assert (found.error_code, found.data) == (
        "Expression.ItemNotAllowed", {"Field": "RuleExpression", "Position": 0},
    )  # fmt: skip
    assert found.message.startswith("RuleExpression: item is a line item")
    assert rules.state is before


def test_a_rule_is_deleted() -> None:
    rules = Folding("r", fold_rule, None)
    rules.take(APPROVAL_RULE.save, rule(RuleExpression=ALWAYS))

    events = rules.take(APPROVAL_RULE.delete, {"ID": "r"})

    assert names(events) == ["ApprovalRuleDeleted"]
    assert rules.state is None


@pytest.mark.parametrize(
    "conditions", [{}, {"OrderTotalAbove": 25, "RuleExpression": ALWAYS}], ids=["none", "both"]
)
def test_a_rule_has_one_condition(conditions: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="either OrderTotalAbove or RuleExpression"):
        ApprovalRule.model_validate(rule(**conditions))
