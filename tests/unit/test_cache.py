"""What a store remembers: so many bytes."""

from hypothesis import given
from hypothesis import strategies as st

from shared.mongo.cache import Cache


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
