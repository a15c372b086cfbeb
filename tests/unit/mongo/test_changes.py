"""What a change changes in a document: applied to the old one it gives the new one."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import bson
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from shared.contracts.base import Resource, Time
from shared.money import Money
from shared.mongo.changes import as_bson, changes
from shared.mongo.codec import CODEC

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class Leaf(Resource):
    name: str
    amount: Money = Decimal(0)
    note: str | None = None


class Tree(Resource):
    leaf: Leaf
    maybe: Leaf | None = None
    at: Time = NOW
    leaves: list[Leaf] = Field(default_factory=list)
    tags: list[str] = Field(default_factory=list)
    by_id: dict[str, Leaf] = Field(default_factory=dict)
    xp: dict[str, Any] | None = None


def applied(document: dict[str, Any], set_: dict[str, Any], unset: list[str]) -> dict[str, Any]:
    """``document`` after MongoDB's $set and $unset of these paths."""
    result: dict[str, Any] = bson.decode(bson.encode(document), CODEC)
    for path, value in set_.items():
        target, last = _parent(result, path)
        target[last] = value
    for path in unset:
        target, last = _parent(result, path)
        target.pop(last, None)
    return bson.decode(bson.encode(result), CODEC)


def _parent(document: Any, path: str) -> tuple[Any, Any]:
    *parents, last = path.split(".")
    for name in parents:
        document = document[int(name)] if isinstance(document, list) else document[name]
    return document, int(last) if isinstance(document, list) else last


def normal(state: Resource) -> Any:
    return bson.decode(bson.encode({"state": as_bson(state)}), CODEC)


leaves = st.fixed_dictionaries(
    {
        "name": st.sampled_from(["a", "b"]),
        "amount": st.sampled_from([Decimal(0), Decimal("1.50")]),
        "note": st.sampled_from([None, "x"]),
    }
).map(Leaf.model_validate)
# Some keys that can be no part of a path.
keys = st.sampled_from(["k1", "k2", "k-3", "with.dot", "$odd"])
trees = st.fixed_dictionaries(
    {
        "leaf": leaves,
        "maybe": st.none() | leaves,
        "leaves": st.lists(leaves, max_size=7),
        "tags": st.lists(st.sampled_from(["t", "u"]), max_size=3),
        "by_id": st.dictionaries(keys, leaves, max_size=3),
        "xp": st.none() | st.dictionaries(keys, st.integers(0, 2), max_size=2),
    }
).map(Tree.model_validate)


@given(before=trees, after=trees)
def test_what_is_set_and_removed_makes_one_state_of_the_other(before: Tree, after: Tree) -> None:
    set_, unset = changes(before, after, "state")

    assert applied(normal(before), set_, unset) == normal(after)


@given(before=trees, leaf=leaves)
def test_a_copy_with_one_change_is_that_change_alone(before: Tree, leaf: Leaf) -> None:
    after = before.model_copy(update={"leaf": leaf})

    set_, unset = changes(before, after, "state")

    assert all(path.startswith("state.Leaf.") for path in (*set_, *unset))
    assert applied(normal(before), set_, unset) == normal(after)


def test_the_same_state_changes_nothing() -> None:
    tree = Tree(leaf=Leaf(name="a"), xp={"a": 1})

    assert changes(tree, tree, "state") == ({}, [])


def test_one_line_of_a_thousand_is_one_path() -> None:
    lines = [Leaf(name="a") for _ in range(1000)]
    before = Tree(leaf=lines[0], leaves=lines)
    changed = [*lines[:500], lines[500].model_copy(update={"note": "x"}), *lines[501:]]

    found = changes(before, before.model_copy(update={"leaves": changed}), "state")

    assert found == ({"state.Leaves.500.Note": "x"}, [])


def test_a_value_that_goes_is_removed() -> None:
    before = Tree(leaf=Leaf(name="a", note="x"))
    after = before.model_copy(update={"leaf": Leaf(name="a")})

    assert changes(before, after, "state") == ({}, ["state.Leaf.Note"])
