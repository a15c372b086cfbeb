"""What may stand where."""

import re
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.expressions.checking import Scope, check
from shared.expressions.compiled import compiled
from shared.expressions.errors import Code, ExpressionError
from shared.expressions.parsing import parse
from shared.expressions.syntax import Expression, Node
from tests.unit.expressions.expressions import nodes

DOCUMENTED = (Path(__file__).parents[3] / "docs" / "expressions.md").read_text()
PLACES = {
    "approval": Scope.APPROVAL,
    "order": Scope.ORDER_ELIGIBLE,
    "order value": Scope.ORDER_VALUE,
    "item": Scope.ITEM_ELIGIBLE,
    "item value": Scope.ITEM_VALUE,
    "return": Scope.RETURN,
}
EXAMPLES = re.findall(rf"^\| ({'|'.join(PLACES)}) \| `(.+?)` \|", DOCUMENTED, re.MULTILINE)


@pytest.mark.parametrize(("place", "text"), EXAMPLES)
def test_the_documented_examples_stand_where_they_are_said_to(place: str, text: str) -> None:
    expression = compiled(text, PLACES[place])

    assert parse(str(expression)) == expression


def test_there_are_examples_of_every_place() -> None:
    assert {place for place, _ in EXAMPLES} == PLACES.keys()


@pytest.mark.parametrize(
    ("scope", "text"),
    [
        (Scope.APPROVAL, "order.xp.Rush"),
        (Scope.APPROVAL, "order.FromUser.Locale.Language = 'en'"),
        (Scope.APPROVAL, "order.FromUser.AvailableRoles.contains('MeAdmin')"),
        (Scope.APPROVAL, "order.xp.Tags.count(item = 'a*') > 1"),
        (Scope.APPROVAL, "items.any(Product.xp.Tags.contains('a'))"),
        (Scope.APPROVAL, "items.any(Specs.any(item.OptionID = 'x'))"),
        (Scope.APPROVAL, "items.any(Quantity > order.xp.Most)"),
        (Scope.APPROVAL, "items.any(order.Total > 5)"),
        (Scope.APPROVAL, "order.DateCreated < now() and order.xp.Due > now(7)"),
        (Scope.APPROVAL, "(order.Total > 5) = order.IsSubmitted"),
        (Scope.ORDER_VALUE, "10"),
        (Scope.ORDER_VALUE, "order.xp.Credit"),
        (Scope.ORDER_VALUE, "-(5 + order.ShippingCost) % 3"),
        (Scope.ITEM_ELIGIBLE, "item.Variant.xp.Size = 'L'"),
        (Scope.ITEM_ELIGIBLE, "items.any(ProductID = item.ProductID)"),
        (Scope.ITEM_VALUE, "5"),
        (Scope.RETURN, "orderreturn.PaymentIDs.count() = 0 and items.count() > 1"),
    ],
)
def test_what_is_allowed(scope: Scope, text: str) -> None:
    check(parse(text), scope)


@pytest.mark.parametrize(
    ("scope", "text", "code", "position"),
    [
        # Names.
        (Scope.APPROVAL, "Total > 5", Code.TOKEN, 0),
        (Scope.APPROVAL, "5 < order.Totle", Code.TOKEN, 4),
        (Scope.APPROVAL, "order.Total.Net > 5", Code.TOKEN, 0),
        (Scope.APPROVAL, "order.FromUser.Password = 'x'", Code.TOKEN, 0),
        (Scope.APPROVAL, "ProductID = 'X'", Code.TOKEN, 0),
        (Scope.APPROVAL, "items.any(Nothing = 1)", Code.TOKEN, 10),
        (Scope.APPROVAL, "items > 1", Code.TOKEN, 0),
        (Scope.APPROVAL, "orderreturn.RefundAmount > 1", Code.TOKEN, 0),
        (Scope.APPROVAL, "order.Totle.contains(1)", Code.TOKEN, 0),
        (Scope.ITEM_ELIGIBLE, "item.Product.Colour = 'red'", Code.TOKEN, 0),
        (Scope.APPROVAL, "orders.count() > 1", Code.ORDER_HISTORY, 0),
        (Scope.ORDER_ELIGIBLE, "OrderHistory.Total > 1", Code.ORDER_HISTORY, 0),
        # The line item.
        (Scope.APPROVAL, "item.Quantity > 1", Code.ITEM_NOT_ALLOWED, 0),
        (Scope.ORDER_ELIGIBLE, "items.any(ProductID = item.ProductID)", Code.ITEM_NOT_ALLOWED, 22),
        (Scope.ORDER_ELIGIBLE, "item.product.incategory('A')", Code.ITEM_NOT_ALLOWED, 0),
        (Scope.ORDER_VALUE, "item.LineSubtotal", Code.ITEM_NOT_ALLOWED, 0),
        (Scope.RETURN, "item.Quantity > 1", Code.ITEM_NOT_ALLOWED, 0),
        (Scope.ITEM_ELIGIBLE, "items.any(ProductID = 'X')", Code.ITEM_REQUIRED, 0),
        (Scope.ITEM_ELIGIBLE, "order.xp.Tags.any(item = 'x')", Code.ITEM_REQUIRED, 0),
        # Functions.
        (Scope.APPROVAL, "round(5.5) = 6", Code.FUNCTION, 0),
        (Scope.APPROVAL, "items.average() > 1", Code.FUNCTION, 0),
        (Scope.APPROVAL, "order.any(item = 1)", Code.FUNCTION, 0),
        (Scope.APPROVAL, "order.Total.contains(1)", Code.FUNCTION, 0),
        (Scope.APPROVAL, "order.FromUser.AvailableRoles.in('a')", Code.FUNCTION, 0),
        (Scope.APPROVAL, "order.incategory('A')", Code.FUNCTION, 0),
        (Scope.APPROVAL, "order.xp.incategory('A')", Code.FUNCTION, 0),
        (Scope.APPROVAL, "items.any(items.count() > 1)", Code.FUNCTION, 10),
        (Scope.APPROVAL, "approved('r')", Code.FUNCTION, 0),
        (Scope.ORDER_ELIGIBLE, "order.approved('r')", Code.FUNCTION, 0),
        # Arguments.
        (Scope.APPROVAL, "items.any()", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "items.all(true, false)", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "items.count(Quantity) > 1", Code.ARGUMENTS, 12),
        (Scope.APPROVAL, "items.any(product.incategory())", Code.ARGUMENTS, 10),
        (Scope.APPROVAL, "items.any(product.incategory(5))", Code.ARGUMENTS, 10),
        (Scope.APPROVAL, "order.xp.Tags.contains()", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "order.xp.Tags.contains(order)", Code.ARGUMENTS, 23),
        (Scope.APPROVAL, "order.xp.Tags.any()", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "order.xp.Tags.all(1)", Code.ARGUMENTS, 18),
        (Scope.APPROVAL, "order.ID.in()", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "min(1) = 1", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "max(1, 2, 3) = 1", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "max(1, 'x') = 1", Code.ARGUMENTS, 7),
        (Scope.ORDER_VALUE, "ifs(true, 1)", Code.ARGUMENTS, 0),
        (Scope.ORDER_VALUE, "ifs(true, 1, false)", Code.ARGUMENTS, 13),
        (Scope.ORDER_VALUE, "ifs(1, 1, 1)", Code.ARGUMENTS, 4),
        (Scope.APPROVAL, "order.DateCreated < now(.5)", Code.ARGUMENTS, 24),
        (Scope.APPROVAL, "order.DateCreated < now(order.Total)", Code.ARGUMENTS, 24),
        (Scope.APPROVAL, "order.approved()", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "order.approved(5)", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "order.approved('a', 'b')", Code.ARGUMENTS, 0),
        # Kinds.
        (Scope.APPROVAL, "10", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "order.Total", Code.ARGUMENTS, 0),
        (Scope.ORDER_VALUE, "order.Total > 5", Code.ARGUMENTS, 0),
        (Scope.ORDER_VALUE, "order.ID", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "order.Total > 'ten'", Code.ARGUMENTS, 14),
        (Scope.APPROVAL, "order.DateCreated > '2020-01-02'", Code.ARGUMENTS, 20),
        (Scope.APPROVAL, "order.IsSubmitted > false", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "order = 'x'", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "order.FromUser.AvailableRoles = 'x'", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "order.Total and true", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "not order.ID", Code.ARGUMENTS, 4),
        (Scope.APPROVAL, "order.ID + 1 > 5", Code.ARGUMENTS, 0),
        (Scope.APPROVAL, "5 > -order.ID", Code.ARGUMENTS, 5),
    ],
)
def test_what_is_refused(scope: Scope, text: str, code: Code, position: int) -> None:
    with pytest.raises(ExpressionError) as caught:
        check(parse(text), scope)

    assert (caught.value.code, caught.value.position) == (code, position)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("Total > 5", "Total cannot stand at position 0; write order.Total."),
        (
            "CostCenter = 'A'",
            ("CostCenter cannot stand at position 0; write items.any(CostCenter = …) or, for a line"
             " item's promotion, item.CostCenter."),
        ),
        (
            "order.Totle > 5",
            ("order.Totle is unknown: there is no Totle; check the name, or keep what is your own"
             " in xp."),
        ),
        (
            "order.Total > 'ten'",
            "a number cannot be compared with a text; compare it with a number.",
        ),
        ("min(1) = 1", "min takes two numbers; correct what stands in its parentheses."),
    ],
)  # fmt: skip
def test_a_message_says_what_to_do(text: str, message: str) -> None:
    with pytest.raises(ExpressionError) as caught:
        compiled(text, Scope.APPROVAL)

    assert caught.value.message == message


@given(nodes, st.sampled_from(Scope))
def test_any_expression_is_accepted_or_refused(node: Node, scope: Scope) -> None:
    refused = None
    try:
        check(Expression(node), scope)
    except ExpressionError as error:
        refused = error.code

    assert refused is not Code.SYNTAX


def test_a_text_is_read_once_for_each_place() -> None:
    text = "order.Subtotal > 41.5"

    assert compiled(text, Scope.APPROVAL) is compiled(text, Scope.APPROVAL)
