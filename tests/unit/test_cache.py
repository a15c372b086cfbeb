"""What a store remembers: so many bytes, and no sets of given fields."""

from hypothesis import given
from hypothesis import strategies as st

from shared.contracts.base import Resource
from shared.mongo.cache import Cache, share_given_fields


class Part(Resource):
    id: str
    note: str | None = None


class Whole(Resource):
    id: str
    first: Part | None = None
    parts: list[Part] | None = None
    named: dict[str, Part] | None = None
    amounts: dict[str, int] | None = None


@given(st.lists(st.tuples(st.sampled_from("abcde"), st.integers(1, 12)), max_size=60))
def test_the_latest_that_fit_are_kept(puts: list[tuple[str, int]]) -> None:
    cache: Cache[int] = Cache(20)
    expected: list[tuple[str, int, int]] = []
    for number, (id, size) in enumerate(puts):
        cache.put(id, number, size)
        expected = [each for each in expected if each[0] != id] + [(id, number, size)]
        while sum(size for _, _, size in expected) > 20:
            expected.pop(0)

    got = {id: value for id in "abcde" if (value := cache.get(id)) is not None}
    assert got == {id: number for id, number, _ in expected}


def test_what_is_dropped_makes_room() -> None:
    cache: Cache[str] = Cache(10)
    cache.put("a", "1", 6)
    cache.drop("a")
    cache.drop("unknown")
    cache.put("b", "2", 5)
    cache.put("c", "3", 5)

    assert [cache.get(id) for id in "abc"] == [None, "2", "3"]


def test_what_is_larger_than_all_is_not_kept_and_pushes_nothing_out() -> None:
    cache: Cache[str] = Cache(10)
    cache.put("a", "1", 5)
    cache.put("b", "2", 11)

    assert [cache.get(id) for id in "ab"] == ["1", None]


def test_given_fields_are_shared_at_every_depth_and_nothing_else_changes() -> None:
    def whole() -> Whole:
        return Whole(
            id="w",
            first=Part(id="1"),
            parts=[Part(id="2", note="two"), Part(id="3")],
            named={"four": Part(id="4")},
            amounts={"five": 5},
        )

    one, other = whole(), whole()
    share_given_fields(one)
    share_given_fields(other)

    assert one == whole()
    assert one.model_dump_json() == whole().model_dump_json()
    assert one.model_fields_set == {"id", "first", "parts", "named", "amounts"}
    assert one.model_fields_set is other.model_fields_set
    assert one.first is not None
    assert one.parts is not None
    assert one.named is not None
    parts = [one.first, *one.parts, *one.named.values()]
    assert {id(part.model_fields_set) for part in parts} == {id(one.first.model_fields_set)}
    changed = one.model_copy(update={"id": "x"})
    assert changed.model_fields_set is one.model_fields_set
    assert (changed.id, one.id) == ("x", "w")


def test_what_has_no_parts_is_passed_over() -> None:
    lonely = Whole(id="w")
    share_given_fields(lonely)

    assert lonely == Whole(id="w")
