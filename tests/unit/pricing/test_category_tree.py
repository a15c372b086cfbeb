"""Trees of categories, and the variants that options combine to."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.pricing.http.category_tree import Node, Tree
from services.pricing.http.lookups import token
from services.pricing.http.variants import generated, variant_id
from shared.http.errors import ApiError

TREE = Tree(
    [
        Node("top", None, active=True),
        Node("middle", "top", active=False),
        Node("leaf", "middle", active=True),
        Node("other", None, active=True),
    ]
)


def test_a_tree_knows_what_is_above_and_below() -> None:
    assert TREE.upward("leaf") == ["leaf", "middle", "top"]
    assert TREE.below(None) == ["top", "other", "middle", "leaf"]
    assert TREE.below(None, 1) == ["top", "other"]
    assert TREE.below("top", 1) == ["middle"]
    assert TREE.below("top", 0) == []
    assert TREE.height("top") == 3
    assert [TREE.is_active(id) for id in ("top", "leaf", "other")] == [True, False, True]


ids = st.text("aAbB-_", min_size=1, max_size=4)


@given(st.lists(ids, min_size=1, max_size=2), st.lists(ids, min_size=1, max_size=2))
def test_tokens_are_alike_only_where_ids_are_the_same(left: list[str], right: list[str]) -> None:
    assert (token(*left).lower() == token(*right).lower()) == (left == right)


@given(st.lists(st.text("ab-", min_size=1, max_size=60), min_size=1, max_size=4))
def test_a_variants_id_is_an_id(options: list[str]) -> None:
    id = variant_id("shirt", options)

    assert id.startswith("shirt-")
    assert len(id) <= 100


def spec(id: str, count: int) -> dict[str, object]:
    return {
        "ID": id,
        "Name": id,
        "ListOrder": 0,
        "Options": [
            {
                "ID": f"{id}{number}",
                "Value": str(number),
                "IsOpenText": False,
                "PriceMarkupType": None,
                "PriceMarkup": None,
            }
            for number in range(count)
        ],
    }


def test_a_thousand_variants_are_made_and_no_more() -> None:
    product = {"ID": "shirt", "Name": "Shirt"}

    most = generated(product, [spec("a", 10), spec("b", 10), spec("c", 10)], active=True)

    assert len({each["ID"] for each in most}) == 1000
    with pytest.raises(ApiError) as refused:
        generated(product, [spec("a", 7), spec("b", 11), spec("c", 13)], active=True)
    assert [each.error_code for each in refused.value.errors] == ["Variant.ExceededLimit"]
    with pytest.raises(ApiError) as empty:
        generated(product, [spec("a", 0)], active=True)
    assert [each.error_code for each in empty.value.errors] == ["Spec.OneOrMoreRequiresValue"]
    assert generated(product, [], active=True) == []
