"""What may be sent, what is wrong with it, and what a PATCH changes."""

from typing import Annotated, Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from shared.contracts.base import ID, READ_ONLY, Resource, Time, Xp
from shared.http.bodies import merged, read_object, reader_of, validated
from shared.http.errors import ApiError


class Part(Resource):
    size: int | None = None
    stamp: Annotated[Time | None, READ_ONLY] = None


class Thing(Resource):
    id: ID
    name: str = Field(max_length=5)
    date_created: Annotated[Time | None, READ_ONLY] = None
    part: Part | None = None
    parts: list[Part] = Field(default_factory=list)
    xp: Xp | None = None


def clean(sent: dict[str, Any]) -> dict[str, Any]:
    return reader_of(Thing).clean(sent)


def fields_of(error: ApiError) -> list[tuple[str, Any]]:
    return [(each.error_code, (each.data or {}).get("Field")) for each in error.errors]


def test_what_only_the_engine_sets_is_left_out_at_every_depth() -> None:
    sent = {
        "ID": "a",
        "DateCreated": "2020-01-01",
        "Part": {"Size": 1, "Stamp": "x"},
        "Parts": [{"Stamp": 1, "Size": 2}],
    }

    assert clean(sent) == {"ID": "a", "Part": {"Size": 1}, "Parts": [{"Size": 2}]}


def test_every_unknown_field_is_named_with_its_path() -> None:
    sent = {"Nmae": "x", "Part": {"Sise": 1}, "Parts": [{}, {"Zzz": 1}], "xp": {"Anything": 1}}

    with pytest.raises(ApiError) as refused:
        clean(sent)

    assert fields_of(refused.value) == [
        ("ValidationFailure", "Nmae"),
        ("ValidationFailure", "Part.Sise"),
        ("ValidationFailure", "Parts[1].Zzz"),
    ]
    assert refused.value.errors[0].message == "Nmae is no field of Thing: did you mean Name?"


def test_an_xp_of_more_than_8000_bytes_is_refused() -> None:
    fits = {"xp": {"a": "x" * 7_992}}
    assert len(orjson.dumps(fits["xp"])) == 8_000
    assert clean(fits) == fits

    with pytest.raises(ApiError) as refused:
        clean({"xp": {"a": "x" * 7_993}})

    assert refused.value.errors[0].data == {"Field": "xp", "Size": 8_001, "MaxSize": 8_000}


def test_everything_wrong_is_told_at_once() -> None:
    with pytest.raises(ApiError) as refused:
        validated(Thing, {"ID": "a b", "Part": {"Size": "many"}})

    assert refused.value.status == 400
    assert fields_of(refused.value) == [
        ("ValidationFailure", "ID"),
        ("ValidationFailure", "Name"),
        ("ValidationFailure", "Part.Size"),
    ]
    assert refused.value.errors[1].message == "Name is required: send it."


@pytest.mark.parametrize("body", [b"", b"  ", b"{}", b"\xef\xbb\xbf{}"])
def test_an_empty_body_is_an_empty_object(body: bytes) -> None:
    assert read_object(body) == {}


@pytest.mark.parametrize("body", [b"{", b"[]", b"1", b"null", b'{"a":NaN}', b"\xff", b"[" * 5_000])
def test_what_is_no_json_object_is_refused(body: bytes) -> None:
    with pytest.raises(ApiError) as refused:
        read_object(body)

    assert [each.error_code for each in refused.value.errors] == ["Request.InvalidRequestBody"]


def test_a_patch_merges_objects_and_replaces_the_rest() -> None:
    current = {"Name": "a", "Parts": [1, 2], "xp": {"a": {"b": 1, "c": 2}, "d": [1]}}
    patch = {"Name": "b", "Parts": [3], "xp": {"a": {"b": 5}, "d": [2]}}

    assert merged(current, patch) == {
        "Name": "b",
        "Parts": [3],
        "xp": {"a": {"b": 5, "c": 2}, "d": [2]},
    }


def test_null_clears_a_field_and_is_a_value_within_xp() -> None:
    current = {"Name": "a", "Part": {"Size": 1}, "xp": {"a": 1}}

    assert merged(current, {"Name": None, "Part": {"Size": None}, "xp": {"a": None}}) == {
        "Part": {},
        "xp": {"a": None},
    }
    assert merged(current, {"xp": None}) == {"Name": "a", "Part": {"Size": 1}}


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
    ),
    max_leaves=10,
)
OBJECTS = st.dictionaries(st.sampled_from(["A", "B", "xp"]), JSON, max_size=3)


@given(OBJECTS, OBJECTS)
def test_a_patch_applied_twice_changes_nothing_more(
    current: dict[str, Any], patch: dict[str, Any]
) -> None:
    once = merged(current, patch)

    assert merged(once, patch) == once
