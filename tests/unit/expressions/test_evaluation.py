"""What expressions come to."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal, getcontext
from itertools import repeat
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.contracts.base import Resource
from shared.expressions.errors import EvaluationError
from shared.expressions.evaluation import Evaluator, amount, evaluate, holds
from shared.expressions.parsing import parse
from shared.expressions.syntax import Expression, Node
from shared.expressions.values import Values
from shared.expressions.views import view
from tests.support.builders import line, pricing
from tests.unit.expressions.expressions import lines, nodes, orders, returns, things

NOW = datetime(2031, 5, 2, 9, 30, tzinfo=UTC)

ORDER = {
    "ID": "O-1",
    "Total": Decimal("230.00"),
    "Subtotal": Decimal("200.00"),
    "ShippingCost": Decimal("30.00"),
    "Comments": None,
    "IsSubmitted": False,
    "DateCreated": NOW - timedelta(days=3),
    "DateCompleted": NOW - timedelta(days=31),
    "FromUser": {"ID": "ada", "AvailableRoles": ["Shopper"], "xp": {"FirstOrder": True}},
    "BillingAddress": {"Country": "US"},
    "xp": {
        "MyCustomProperty": "XYZ",
        "Tags": ["tag1", "TAG2", "other"],
        "Numbers": [20, 23, 0.5],
        "Mixed": [None, True, "20", 20, {"Level": 3}, [1]],
        "Level": "Gold",
        "level": "silver",
        "Depth": {"Of": {"It": 7}},
        "Due": "2031-05-09T00:00:00Z",
        "Empty": [],
        "Starred": "a*c",
        "Rate": 0.1,
        "Nothing": None,
    },
}
ITEMS = [
    {
        "ProductID": "ABC", "Quantity": 3, "LineSubtotal": Decimal("60.00"), "SupplierID": "1",
        "CostCenter": "abc", "Product": {"ID": "ABC", "xp": {"OnSale": True, "Tags": ["new"]}},
    },
    {
        "ProductID": "XYZ", "Quantity": 5, "LineSubtotal": Decimal("140.00"), "SupplierID": "2",
        "CostCenter": None, "Product": {"ID": "XYZ", "xp": {"OnSale": True}},
    },
]  # fmt: skip
VALUES = Values(
    order=ORDER,
    items=ITEMS,
    item=ITEMS[0],
    orderreturn={"RefundAmount": Decimal(50), "ItemsToReturn": [{"Quantity": 3}]},
    approved=["manager"],
    categories={"ABC": ["Bikes"], "XYZ": ["Kitchen", "Bedding"]},
    parent_categories={"ABC": ["Bikes", "Sports"], "XYZ": ["Kitchen", "Bedding", "Home"]},
)


def of(text: str, values: Values = VALUES) -> object:
    return evaluate(parse(text), values, NOW)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        # What OrderCloud's users write.
        ("order.Total > 200 and order.xp.MyCustomProperty = 'XYZ'", True),
        ("order.Total > 200 and items.any(CostCenter = 'ABC')", True),
        ("items.total((CostCenter = 'ABC')) > 200", False),
        ("items.quantity(ProductID = 'ABC' or ProductID = 'XYZ') > 5", True),
        ("items.any(product.incategory('Toys'))", False),
        ("items.any(product.incategory('Toys', 'bikes'))", True),
        ("items.all(product.inparentcategory('Sports', 'Home'))", True),
        ("items.all(product.incategory('Sports', 'Home'))", False),
        ("order.approved('manager')", True),
        ("order.approved('boss')", False),
        ("(order.Total > 20 and order.approved('boss')) or not items.any(ProductID = 'Q')", True),
        ("items.all(Product.xp.OnSale = true)", True),
        ("items.any(Product.xp.Tags.contains('new'))", True),
        ("min(order.Subtotal * .1, 15)", Decimal(15)),
        ("max(order.Subtotal * .1, 15)", Decimal("20.000")),
        ("items.total(ProductID = 'ABC') / items.quantity(ProductID = 'ABC')", Decimal(20)),
        ("items.total(product.incategory('Kitchen')) * .3", Decimal("42.000")),
        ("50 / items.count(SupplierID = '1')", Decimal(50)),
        ("order.FromUser.xp.FirstOrder = true", True),
        (
            (
                "((items.quantity(ProductID='XYZ')/2) - (items.quantity(ProductID='XYZ') % 2 * .5))"
                " * items.total (ProductID='XYZ') / items.quantity(ProductID='XYZ')"
            ),
            Decimal(56),
        ),
        ("item.SupplierID = '1' and items.total(SupplierID = '1') >= 60", True),
        ("item.product.incategory('Bikes')", True),
        ("item.LineSubtotal * .15", Decimal("9.0000")),
        ("order.DateCompleted < now(-30)", True),
        ("order.DateCompleted < now(-31)", False),
        ("order.xp.Tags.all(item = 'tag*') = true", False),
        ("order.xp.Tags.count(item = 'tag*')", Decimal(2)),
        ("order.xp.Tags.count() = 3", True),
        ("order.xp.Tags.any(item = 'four')", False),
        ("order.xp.Numbers.contains(23)", True),
        ("orderreturn.RefundAmount > 10 and orderreturn.ItemsToReturn.any(item.Quantity > 2)",
         True),
        ("ifs(order.Subtotal >= 500, 50, order.Subtotal >= 100, 10, 5)", Decimal(10)),
        ("ifs(order.Subtotal >= 500, 50, 5)", Decimal(5)),
        ("order.BillingAddress.Country.in('ca', 'us')", True),
        ("order.BillingAddress.Country.in('ca', 'u*')", True),
        ("order.BillingAddress.Country.in('ca', 5)", False),
        # Aggregates.
        ("items.count()", Decimal(2)),
        ("items.quantity()", Decimal(8)),
        ("items.total()", Decimal("200.00")),
        ("items.any(ProductID = item.ProductID)", True),
        ("items.all(order.Total > Quantity)", True),
        # Texts.
        ("order.ID = 'o-1'", True),
        ("order.ID <> 'o-1'", False),
        ("order.ID = 'O*'", True),
        ("'*1' = order.ID", True),
        ("order.ID <> 'X*'", True),
        ("order.ID > 'N' and order.ID < 'p'", True),
        ("order.xp.Starred = 'abc'", False),
        ("'abc' = 'a*c'", True),
        ("'abc' = order.xp.Starred", False),
        ("order.xp.Tags.contains('ot*')", True),
        # Numbers.
        ("0.1 + 0.2 = 0.3", True),
        ("order.xp.Rate = .1", True),
        ("1 - 2 - 3", Decimal(-4)),
        ("2 * 3 % 4", Decimal(2)),
        ("-7 % 3", Decimal(-1)),
        ("-(-7)", Decimal(7)),
        # Dates.
        ("order.xp.Due = #5/9/2031#", True),
        ("#5/9/2031# >= order.xp.Due", True),
        ("now() > #5/2/2031# and now() < now(1)", True),
        # Names in any case.
        ("ORDER.TOTAL > 200 AND NOT Items.Any(PRODUCTID = 'q')", True),
        ("order.XP.mycustomproperty = 'xyz'", True),
        ("order.xp.Level = 'gold' and order.xp.level = 'silver'", True),
        ("order.xp.DEPTH.of.IT", Decimal(7)),
    ],
)  # fmt: skip
def test_what_expressions_come_to(text: str, value: object) -> None:
    found = of(text)

    assert found == value
    assert type(found) is type(value)


@pytest.mark.parametrize("relation", ["=", "<>", "<", "<=", ">", ">="])
@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("order.xp.Nothing", "'x'"),
        ("5", "order.xp.Absent"),
        ("order.xp.Absent.Below.It", "5"),
        ("order.Comments", "''"),
        ("order.xp.Absent", "order.xp.Absent"),
        ("order.xp.Absent + 1", "1"),
        ("-order.xp.Absent", "0"),
        ("min(order.xp.Absent, 1)", "1"),
        ("order.xp.Level", "5"),
        ("order.xp.Level", "true"),
        ("order.xp.Rate", "true"),
        ("order.xp.Tags", "'tag1'"),
        ("order.xp.Depth", "order.xp.Depth"),
        ("order.DateCreated", "5"),
        ("order.DateCreated", "order.xp.Level"),
    ],
)
def test_what_cannot_be_compared_is_false_under_every_relation(
    left: str, relation: str, right: str
) -> None:
    assert of(f"{left} {relation} {right}") is False
    assert of(f"not {left} {relation} {right}") is True


@pytest.mark.parametrize("relation", ["<", "<=", ">", ">="])
def test_truth_values_have_no_order(relation: str) -> None:
    assert of(f"order.FromUser.xp.FirstOrder {relation} order.IsSubmitted") is False


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("order.xp.Absent.any(item = 1)", False),
        ("order.xp.Absent.all(item = 1)", False),
        ("order.xp.Absent.contains(1)", False),
        ("order.xp.Absent.count()", Decimal(0)),
        ("order.xp.Level.contains('Gold')", False),
        ("order.xp.Empty.all(item = 1)", True),
        ("order.xp.Empty.any(item = 1)", False),
        ("order.xp.Mixed.count(item = 20)", Decimal(1)),
        ("order.xp.Mixed.count(item = '20')", Decimal(1)),
        ("order.xp.Mixed.any(item.level = 3)", True),
        ("order.xp.Mixed.contains(true)", True),
        ("order.xp.Numbers.any(items.count() > item)", True),
        ("items.count(Product.xp.Tags.any(item = 'new'))", Decimal(1)),
    ],
)
def test_lists_in_xp(text: str, value: object) -> None:
    assert of(text) == value


def test_of_no_lines_all_is_true_and_the_rest_nothing() -> None:
    none = replace(VALUES, items=[])

    found = [of(f"items.{function}(Quantity > 1)", none)
             for function in ("all", "any", "count", "quantity", "total")]  # fmt: skip

    assert found == [True, False, 0, 0, 0]


def test_lines_without_amounts_count_as_nothing() -> None:
    bare = replace(VALUES, items=[{}, {"Quantity": None, "LineSubtotal": None}, {"Quantity": 2}])

    assert (of("items.quantity()", bare), of("items.total()", bare)) == (2, 0)


@pytest.mark.parametrize(
    "text",
    [
        "1 / 0 > 1",
        "1 % (order.Total - order.Total) = 1",
        "items.total() / items.count(ProductID = 'Q') > 1",
        "order.xp.Level",
        "order.xp.Rate and true",
        "not order.xp.Tags",
        "order.xp.Level + 1 > 1",
        "now(999999999) > now()",
        "1" * 100 + " > 1 and now(-" + "9" * 100 + ") > now()",
    ],
)
def test_what_has_no_answer_is_an_evaluation_error(text: str) -> None:
    with pytest.raises(EvaluationError):
        holds(parse(text), VALUES, NOW)


@pytest.mark.parametrize("text", ["order.Total > 1", "order.ID", "order.xp.Absent", "5 / 0"])
def test_an_amount_is_a_number(text: str) -> None:
    with pytest.raises(EvaluationError):
        amount(parse(text), VALUES, NOW)


@pytest.mark.parametrize("function", ["incategory", "inparentcategory"])
def test_whether_a_product_is_in_a_category_may_be_unknown(function: str) -> None:
    unknown = replace(VALUES, categories=None, parent_categories=None)

    with pytest.raises(EvaluationError, match="categories"):
        of(f"items.any(product.{function}('A'))", unknown)


@pytest.mark.parametrize(
    "text",
    [
        "items.count() > 0 or 1 / 0 > 1",
        "not (items.count() > 5 and 1 / 0 > 1)",
        "ifs(true, 1, 1 / 0) = 1",
    ],
)
def test_what_is_decided_is_not_looked_at_further(text: str) -> None:
    assert of(text) is True


def test_a_condition_that_is_absent_is_not_met() -> None:
    assert holds(parse("order.xp.Absent"), VALUES, NOW) is False


def test_an_expression_without_values_finds_nothing() -> None:
    nothing = Values()

    assert of("order.Total = 1 or item.Quantity = 1 or orderreturn.ID = 'x'", nothing) is False


def test_the_longest_search_ends() -> None:
    tags = {"Tags": [f"{number}aaaaaaaaaaaaaaaaaaaa" for number in range(300)]}
    many = Values(order={"xp": tags}, items=[{"Product": {"xp": tags}}] * 5_000)
    text = "items.count(" + " or ".join(["Product.xp.Tags.any(item = '*a*b*a')"] * 9) + ") > 0"

    with pytest.raises(EvaluationError, match="too long"):
        holds(parse(text), many, NOW)


def test_what_fits_into_a_rule_is_enough_for_the_largest_order() -> None:
    largest = Values(items=[{"ProductID": "P", "Quantity": 1}] * 5_000)
    filters = " and ".join(["ProductID = 'P'"] * 19)

    assert of(f"items.quantity({filters}) = 5000", largest) is True


def test_an_evaluator_takes_one_line_item_after_the_other() -> None:
    evaluator = Evaluator(VALUES, NOW)
    same = parse("items.count(ProductID = item.ProductID) = 1 and items.quantity() = 8")
    own = parse("items.quantity(ProductID = item.ProductID)")

    assert [evaluator.holds(same, item) for item in (*ITEMS, {})] == [True, True, False]
    assert [evaluator.amount(own, item) for item in ITEMS] == [3, 5]


def test_what_items_come_to_is_kept_for_each_function_by_itself() -> None:
    lines: list[dict[str, Any]] = [{"xp": {"a": 1}}, {"xp": {"a": True}}, {"xp": {"a": 1}}]
    evaluator = Evaluator(Values(items=lines), NOW)

    found = evaluator.amount(parse("items.count(xp.a = 1) * 10 + items.count(xp.a = true)"))

    assert found == 21


def test_steps_count_for_all_line_items_together() -> None:
    product = {"ProductID": "P"}
    evaluator = Evaluator(Values(items=[product] * 1_000), NOW)
    expression = parse("items.all(ProductID = item.ProductID)")

    with pytest.raises(EvaluationError, match="too long"):
        list(map(evaluator.holds, repeat(expression), repeat(product)))


def test_arithmetic_leaves_the_threads_context_alone() -> None:
    before = getcontext().copy()

    of("1 / 3")

    assert getcontext().prec == before.prec
    assert getcontext().flags == before.flags


class Nested(Resource):
    id: str
    price: Decimal
    parts: list["Nested"] | None = None


def test_a_view_has_the_wires_names_and_its_own_values() -> None:
    resource = Nested(id="a", price=Decimal("0.10"), parts=[Nested(id="b", price=Decimal(2))])

    assert view(resource) == {
        "ID": "a",
        "Price": Decimal("0.10"),
        "Parts": [{"ID": "b", "Price": Decimal(2), "Parts": None}],
    }


def test_priced_lines_are_what_items_sums() -> None:
    found = pricing([line("1", 2, price="10.00"), line("2", 3, price="4.00")])
    values = Values(items=[view(each) for each in found.line_items])

    assert of("items.total()", values) == Decimal("32.00")
    assert of("items.quantity()", values) == Decimal(5)


@settings(deadline=None)
@given(
    nodes,
    orders,
    st.lists(lines, max_size=3),
    lines | st.none(),
    returns | st.none(),
    st.dictionaries(st.text(max_size=3), st.lists(st.text(max_size=3), max_size=2)) | st.none(),
)
def test_evaluation_gives_a_value_or_its_own_error(
    node: Node,
    order: Mapping[str, Any],
    items: list[Mapping[str, Any]],
    item: Mapping[str, Any] | None,
    returned: Mapping[str, Any] | None,
    categories: Mapping[str, list[str]] | None,
) -> None:
    values = Values(order, items, item, returned, ["r"], categories, categories)

    try:
        found = evaluate(Expression(node), values, NOW)
    except EvaluationError:
        return

    assert found is None or isinstance(found, Decimal | str | bool | datetime | Mapping | list)


@given(st.sampled_from(["=", "<>", "<", "<=", ">", ">="]), things, things)
def test_whatever_xp_has_can_be_compared(relation: str, left: object, right: object) -> None:
    values = Values(order={"xp": {"a": left, "b": right}})

    try:
        found = of(f"order.xp.a {relation} order.xp.b", values)
    except EvaluationError:
        return

    assert found in (True, False)
