"""The check finds each kind of breaking change and passes each compatible one."""

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.contracts.flows import Direction
from shared.schemas.compatibility import Breaking, breaking_changes, contract_changes

Schema = dict[str, Any]

TEXT = {"type": "string"}
NUMBER = {"type": "number"}
WHOLE = {"type": "integer"}
NULL = {"type": "null"}


def body(required: tuple[str, ...] = (), defs: Schema | None = None, **properties: Any) -> Schema:
    """An object with ``properties``."""
    schema: Schema = {"type": "object", "properties": properties}
    if required:
        schema["required"] = list(required)
    return {**schema, "$defs": defs} if defs else schema


def a(schema: Schema, *, required: bool = False) -> Schema:
    """An object with the one field ``A``."""
    return body(("A",) if required else (), A=schema)


def either(*schemas: Schema) -> Schema:
    return {"anyOf": list(schemas)}


def listed(*values: Any) -> Schema:
    return {"type": "string", "enum": list(values)}


def growing(*values: Any) -> Schema:
    return {"type": "string", "x-extensible-enum": list(values)}


LINE = body(("ID",), ID=TEXT, Quantity=WHOLE)
LONGER_LINE = body(("ID", "Unit"), ID=TEXT, Quantity=WHOLE, Unit=TEXT)
REF = {"$ref": "#/$defs/Line"}

BREAKS_PRODUCERS = {
    "a new required field": (a(TEXT), body(("B",), A=TEXT, B=TEXT), "B: is now required"),
    "a field becomes required": (a(TEXT), a(TEXT, required=True), "A: is now required"),
    "a field is gone": (body(A=TEXT, B=TEXT), a(TEXT), "B: is no longer taken"),
    "a type is changed": (a(TEXT), a(NUMBER), "A: no longer takes string"),
    "a number must be whole": (a(NUMBER), a(WHOLE), "A: no longer takes number"),
    "null is refused": (a(either(TEXT, NULL)), a(TEXT), "A: no longer takes null"),
    "null is refused, in a list of types": (
        a({"type": ["string", "null"]}), a(TEXT), "A: no longer takes null",
    ),
    "an alternative is gone": (
        a(either(TEXT, body(ID=TEXT))), a(body(ID=TEXT)), "A: no longer takes string",
    ),
    "an alternative is narrower": (
        a(either(TEXT, NULL)), a(either({**TEXT, "maxLength": 5}, NULL)),
        "A: maxLength was absent and is 5",
    ),
    "a type where any was taken": (a({}), a(TEXT), "A: no longer takes array or boolean or"),
    "a value is gone": (a(listed("x", "y")), a(listed("x")), "A: no longer takes y"),
    "values are listed": (a(TEXT), a(listed("x")), "A: is limited to listed values"),
    "one value only": (a(listed("x", "y")), a({**TEXT, "const": "x"}), "A: no longer takes y"),
    "a shorter text": (
        a({**TEXT, "maxLength": 9}), a({**TEXT, "maxLength": 8}),
        "A: maxLength was 9 and is 8",
    ),
    "a longest text": (a(TEXT), a({**TEXT, "maxLength": 8}), "A: maxLength was absent and is 8"),
    "a shortest text": (a(TEXT), a({**TEXT, "minLength": 1}), "A: minLength was absent and is 1"),
    "a pattern": (a(TEXT), a({**TEXT, "pattern": "^x"}), "A: pattern was absent and is ^x"),
    "another pattern": (
        a({**TEXT, "pattern": "^y"}), a({**TEXT, "pattern": "^x"}), "A: pattern was ^y and is ^x",
    ),
    "a format": (a(TEXT), a({**TEXT, "format": "date-time"}), "A: format was absent"),
    "a smaller maximum": (
        a({**NUMBER, "maximum": 9}), a({**NUMBER, "maximum": 8}), "A: maximum was 9 and is 8",
    ),
    "a maximum that excludes": (
        a({**NUMBER, "maximum": 9}), a({**NUMBER, "exclusiveMaximum": 9}),
        "A: exclusiveMaximum was absent and is 9",
    ),
    "a larger minimum": (
        a({**NUMBER, "minimum": 0}), a({**NUMBER, "minimum": 1}), "A: minimum was 0 and is 1",
    ),
    "a minimum that excludes": (
        a({**NUMBER, "minimum": 0}), a({**NUMBER, "exclusiveMinimum": 0}),
        "A: exclusiveMinimum was absent and is 0",
    ),
    "fewer decimals": (
        a({**NUMBER, "x-decimal-places": 4}), a({**NUMBER, "x-decimal-places": 2}),
        "A: x-decimal-places was 4 and is 2",
    ),
    "multiples only": (a(NUMBER), a({**NUMBER, "multipleOf": 5}), "A: multipleOf was absent"),
    "fewer items": (
        a({"type": "array", "items": TEXT}), a({"type": "array", "items": TEXT, "maxItems": 3}),
        "A: maxItems was absent and is 3",
    ),
    "at least one item": (
        a({"type": "array", "items": TEXT}), a({"type": "array", "items": TEXT, "minItems": 1}),
        "A: minItems was absent and is 1",
    ),
    "items all different": (
        a({"type": "array"}), a({"type": "array", "uniqueItems": True}),
        "A: uniqueItems was absent and is True",
    ),
    "items of another type": (
        a({"type": "array", "items": TEXT}), a({"type": "array", "items": WHOLE}),
        "A[]: no longer takes string",
    ),
    "items of one type only": (
        a({"type": "array"}), a({"type": "array", "items": TEXT}), "A[]: no longer takes array or",
    ),
    "a part of an item is required": (
        body(defs={"Line": LINE}, A={"type": "array", "items": REF}),
        body(defs={"Line": LONGER_LINE}, A={"type": "array", "items": REF}),
        "A[].Unit: is now required",
    ),
    "an object takes no more": (
        a({"type": "object"}), a({"type": "object", "additionalProperties": False}),
        "A.*: is no longer taken",
    ),
    "an object's values are of one type": (
        a({"type": "object", "additionalProperties": True}),
        a({"type": "object", "additionalProperties": TEXT}),
        "A.*: no longer takes array or",
    ),
    "another default": (
        a({**WHOLE, "default": 1}), a({**WHOLE, "default": 2}), "A: the default was 1 and is 2",
    ),
    "a keyword that is not understood": (
        a(TEXT), a({**TEXT, "not": {"const": "x"}}), "A: not changed, which the check does not",
    ),
}  # fmt: skip

BREAKS_CONSUMERS = {
    "a field is gone": (body(A=TEXT, B=TEXT), a(TEXT), "B: is no longer sent"),
    "a required field is gone": (
        a(TEXT, required=True), {"type": "object"}, "A: is no longer sent",
    ),
    "a field may be absent": (a(TEXT, required=True), a(TEXT), "A: may now be absent"),
    "a field may be null": (a(TEXT), a(either(TEXT, NULL)), "A: may now be null"),
    "a field may be null, in a list of types": (
        a(TEXT), a({"type": ["string", "null"]}), "A: may now be null",
    ),
    "a type is changed": (a(TEXT), a(NUMBER), "A: may now be number"),
    "a whole number may be broken": (a(WHOLE), a(NUMBER), "A: may now be number"),
    "any type": (a(TEXT), a({}), "A: may now be array or boolean or"),
    "another value": (a(listed("x")), a(listed("x", "y")), "A: may be y"),
    "any value": (a(listed("x")), a(TEXT), "A: takes any value"),
    "values that may grow": (a(listed("x")), a(growing("x")), "A: takes any value"),
    "a longer text": (
        a({**TEXT, "maxLength": 8}), a({**TEXT, "maxLength": 9}), "A: maxLength was 8 and is 9",
    ),
    "a text without limit": (
        a({**TEXT, "maxLength": 8}), a(TEXT), "A: maxLength was 8 and is absent",
    ),
    "another pattern": (
        a({**TEXT, "pattern": "^x"}), a({**TEXT, "pattern": "^y"}), "A: pattern was ^x and is ^y",
    ),
    "another format": (
        a({**TEXT, "format": "date-time"}), a({**TEXT, "format": "date"}),
        "A: format was date-time and is date",
    ),
    "a smaller minimum": (
        a({**NUMBER, "minimum": 0}), a({**NUMBER, "minimum": -1}), "A: minimum was 0 and is -1",
    ),
    "more decimals": (
        a({**NUMBER, "x-decimal-places": 2}), a({**NUMBER, "x-decimal-places": 4}),
        "A: x-decimal-places was 2 and is 4",
    ),
    "more items": (
        a({"type": "array", "maxItems": 3}), a({"type": "array", "maxItems": 4}),
        "A: maxItems was 3 and is 4",
    ),
    "no items": (
        a({"type": "array", "minItems": 1}), a({"type": "array"}),
        "A: minItems was 1 and is absent",
    ),
    "items of another type": (
        a({"type": "array", "items": TEXT}), a({"type": "array", "items": WHOLE}),
        "A[]: may now be integer",
    ),
    "a part's field may be absent": (
        body(defs={"Line": LINE}, A=REF), body(defs={"Line": body(ID=TEXT, Quantity=WHOLE)}, A=REF),
        "A.ID: may now be absent",
    ),
    "other fields": (
        a({"type": "object", "additionalProperties": False}), a({"type": "object"}),
        "A.*: may now be there",
    ),
    "a new field where none may come": (
        {"type": "object", "additionalProperties": False},
        {"type": "object", "additionalProperties": False, "properties": {"B": TEXT}},
        "B: may now be there",
    ),
    "a keyword that is not understood": (
        a({**TEXT, "not": {"const": "x"}}), a(TEXT), "A: not changed, which the check does not",
    ),
}  # fmt: skip

KEEPS_PRODUCERS = {
    "nothing": (a(TEXT), a(TEXT)),
    "a new optional field": (a(TEXT), body(A=TEXT, B=TEXT)),
    "a field may be left out": (a(TEXT, required=True), a(TEXT)),
    "null is taken": (a(TEXT), a(either(TEXT, NULL))),
    "an alternative that fits beside one that does not": (
        a(body(ID=TEXT)),
        a(either(body(("B",), ID=TEXT, B=TEXT), body(ID=TEXT), body(("C",), ID=TEXT, C=TEXT))),
    ),
    "another alternative": (a(body(ID=TEXT)), a(either(body(ID=TEXT), TEXT))),
    "broken numbers": (a(WHOLE), a(NUMBER)),
    "any type": (a(TEXT), a({})),
    "another value": (a(listed("x")), a(listed("x", "y"))),
    "values as a pattern of words": (a({**TEXT, "const": "x"}), a(listed("x", "y"))),
    "any value": (a(listed("x")), a(TEXT)),
    "a longer text": (a({**TEXT, "maxLength": 8}), a({**TEXT, "maxLength": 9})),
    "a text without limit": (a({**TEXT, "maxLength": 8}), a(TEXT)),
    "a shorter shortest text": (a({**TEXT, "minLength": 2}), a({**TEXT, "minLength": 1})),
    "no pattern": (a({**TEXT, "pattern": "^x"}), a(TEXT)),
    "a larger maximum": (a({**NUMBER, "maximum": 8}), a({**NUMBER, "maximum": 9})),
    "the maximum itself": (a({**NUMBER, "exclusiveMaximum": 8}), a({**NUMBER, "maximum": 8})),
    "just above the maximum": (
        a({**NUMBER, "maximum": 8}), a({**NUMBER, "exclusiveMaximum": 9}),
    ),
    "more decimals": (
        a({**NUMBER, "x-decimal-places": 2}), a({**NUMBER, "x-decimal-places": 4}),
    ),
    "no items": (a({"type": "array", "minItems": 1}), a({"type": "array"})),
    "an item's new optional field": (
        body(defs={"Line": LINE}, A=REF),
        body(defs={"Line": body(("ID",), ID=TEXT, Quantity=WHOLE, Unit=TEXT)}, A=REF),
    ),
    "a part under another name": (
        body(defs={"Line": LINE}, A=REF),
        body(defs={"Row": LINE}, A={"$ref": "#/$defs/Row"}),
    ),
    "other words": (
        a({**TEXT, "description": "old"}), a({**TEXT, "description": "new", "title": "A"}),
    ),
}  # fmt: skip

KEEPS_CONSUMERS = {
    "nothing": (a(TEXT), a(TEXT)),
    "a new field": (a(TEXT), body(("B",), A=TEXT, B=TEXT)),
    "a field is always there": (a(TEXT), a(TEXT, required=True)),
    "never null": (a(either(TEXT, NULL)), a(TEXT)),
    "whole numbers": (a(NUMBER), a(WHOLE)),
    "one type of any": (a({}), a(TEXT)),
    "fewer values": (a(listed("x", "y")), a(listed("x"))),
    "another value where more may come": (a(growing("x")), a(growing("x", "y"))),
    "a value less where more may come": (a(growing("x", "y")), a(growing("x"))),
    "a list of values at last": (a(growing("x")), a(listed("x"))),
    "a shorter text": (a({**TEXT, "maxLength": 9}), a({**TEXT, "maxLength": 8})),
    "a pattern": (a(TEXT), a({**TEXT, "pattern": "^x"})),
    "a larger minimum": (a({**NUMBER, "minimum": 0}), a({**NUMBER, "minimum": 1})),
    "above the minimum": (a({**NUMBER, "minimum": 0}), a({**NUMBER, "exclusiveMinimum": 0})),
    "an item's new field": (
        body(defs={"Line": LINE}, A={"type": "array", "items": REF}),
        body(defs={"Line": LONGER_LINE}, A={"type": "array", "items": REF}),
    ),
    "another default": (a({**WHOLE, "default": 1}), a({**WHOLE, "default": 2})),
}  # fmt: skip


def table(cases: dict[str, Any]) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("case", cases.values(), ids=cases.keys())


@table(BREAKS_PRODUCERS)
def test_what_breaks_older_producers_is_found(case: tuple[Schema, Schema, str]) -> None:
    old, new, fault = case

    found = breaking_changes(old, new, Direction.COMMAND)

    assert [str(change)[: len(fault)] for change in found] == [fault]


@table(BREAKS_CONSUMERS)
def test_what_breaks_older_consumers_is_found(case: tuple[Schema, Schema, str]) -> None:
    old, new, fault = case

    found = breaking_changes(old, new, Direction.EVENT)

    assert fault in [str(change)[: len(fault)] for change in found]


@table(KEEPS_PRODUCERS)
def test_what_older_producers_can_live_with_passes(case: tuple[Schema, Schema]) -> None:
    assert breaking_changes(*case, Direction.COMMAND) == []


@table(KEEPS_CONSUMERS)
def test_what_older_consumers_can_live_with_passes(case: tuple[Schema, Schema]) -> None:
    assert breaking_changes(*case, Direction.EVENT) == []


def test_messages_between_the_services_may_change() -> None:
    assert breaking_changes(a(TEXT), a(NUMBER), Direction.INTERNAL) == []


def test_a_schema_that_refers_to_itself_is_compared_to_its_end() -> None:
    def tree(leaf: Schema) -> Schema:
        node = body(Leaf=leaf, Left=REF, Right=REF)
        return body(defs={"Line": node}, Root=REF)

    found = breaking_changes(tree(TEXT), tree(WHOLE), Direction.EVENT)

    assert found == [Breaking("Root.Leaf", "may now be integer")]


def test_a_reference_out_of_the_document_is_refused() -> None:
    with pytest.raises(ValueError, match="is no reference to"):
        breaking_changes(a({"$ref": "other.json"}), a(TEXT), Direction.COMMAND)


# --- whole contracts --------------------------------------------------------------------------


def message(schema: Schema, direction: str = "command", **about: Any) -> Schema:
    contract = {"direction": direction, "public": True, "key": ["ID"], **about}
    return {**schema, "x-ordermesh": contract}


def test_each_message_is_compared_as_what_it_is() -> None:
    old = {"in": message(a(WHOLE)), "out": message(a(NUMBER), "event"), "same": message(a(TEXT))}
    new = {"in": message(a(NUMBER)), "out": message(a(WHOLE), "event"), "same": message(a(TEXT))}

    assert contract_changes(old, new) == {}
    assert {
        name: [str(change) for change in changes]
        for name, changes in contract_changes(new, old).items()
    } == {"in": ["A: no longer takes number"], "out": ["A: may now be number"]}


@pytest.mark.parametrize(
    ("now", "fault"),
    [
        ({}, "the message is gone"),
        ({"m": message(TEXT, key=["OrderID"])}, "the record's key was ['ID'] and is ['OrderID']"),
        ({"m": message(TEXT, public=False)}, "being public was True and is False"),
        ({"m": message(TEXT, "event")}, "the direction was command and is event"),
    ],
)
def test_a_message_that_is_another_breaks(now: dict[str, Schema], fault: str) -> None:
    assert contract_changes({"m": message(TEXT)}, now) == {"m": [Breaking("", fault)]}


def test_a_new_message_and_one_that_was_never_promised_break_nothing() -> None:
    old = {"own": message(a(TEXT), "internal", public=False)}

    assert contract_changes(old, {"new": message(a(TEXT))}) == {}


# --- the check beside a validator ---------------------------------------------------------------

texts = st.text("ab", max_size=3)
small = st.integers(-2, 3)
numbers = small | st.floats(-2, 3).map(lambda number: round(number, 1))


def _with(schema: Schema, **limits: st.SearchStrategy[Any]) -> st.SearchStrategy[Schema]:
    return st.fixed_dictionaries({}, optional=limits).map(lambda more: {**schema, **more})


plain = st.one_of(
    st.just(NULL),
    st.just({"type": "boolean"}),
    _with(TEXT, maxLength=st.integers(0, 3), minLength=st.integers(0, 2)),
    _with(TEXT, pattern=st.sampled_from(["^a", "b$"])),
    st.lists(texts, min_size=1, max_size=3, unique=True).map(lambda values: listed(*values)),
    _with(WHOLE, minimum=small, maximum=small),
    _with(NUMBER, minimum=small, exclusiveMaximum=small),
    _with(NUMBER, exclusiveMinimum=small, maximum=small),
)


def _nested(inner: st.SearchStrategy[Schema]) -> st.SearchStrategy[Schema]:
    fields = st.dictionaries(st.sampled_from("ABC"), inner, max_size=3)
    objects = fields.flatmap(
        lambda properties: st.lists(
            st.sampled_from(sorted(properties) or ["A"]), unique=True, max_size=2
        ).map(
            lambda required: {
                "type": "object",
                "properties": properties,
                "required": [name for name in required if name in properties],
            }
        )
    )
    arrays = _with({"type": "array"}, items=inner, maxItems=st.integers(0, 2))
    return st.one_of(objects, arrays, st.lists(inner, min_size=1, max_size=2).map(_any_of))


def _any_of(schemas: list[Schema]) -> Schema:
    return either(*schemas)


schemas = st.recursive(plain, _nested, max_leaves=4)


@st.composite
def near(draw: st.DrawFn, schema: Schema) -> Schema:
    """A schema like ``schema``, with some changes."""
    match draw(st.integers(0, 11)):
        case 0:
            return draw(plain)
        case 1:
            return either(schema, draw(plain))
    if "anyOf" in schema:
        return either(*(draw(near(choice)) for choice in schema["anyOf"]))
    changed = dict(schema)
    for name in changed.keys() - {"type", "properties", "required", "items", "enum", "pattern"}:
        changed[name] += draw(st.sampled_from([0, 0, 1, -1 if changed[name] else 0]))
    for name in changed.keys() - {"type", "properties", "required", "items"}:
        if draw(st.integers(0, 4)) == 0:
            del changed[name]
    if "items" in schema:
        changed["items"] = draw(near(schema["items"]))
    if "properties" in schema:
        changed["properties"] = {
            name: draw(near(part))
            for name, part in schema["properties"].items()
            if draw(st.integers(0, 9))
        }
        changed["required"] = [
            name
            for name in changed["properties"]
            if (name in schema["required"]) == bool(draw(st.integers(0, 5)))
        ]
    return changed


pairs = schemas.flatmap(lambda schema: st.tuples(st.just(schema), near(schema)))


def values(schema: Schema) -> st.SearchStrategy[Any]:
    """Values near ``schema``: most of them fit it. Objects have only the fields that it names,
    as an older producer's have."""
    if "anyOf" in schema:
        return st.one_of([values(choice) for choice in schema["anyOf"]])
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    match schema["type"]:
        case "object":
            fields = {name: values(part) for name, part in schema["properties"].items()}
            wanted = {name: fields.pop(name) for name in schema["required"]}
            return st.fixed_dictionaries(wanted, optional=fields)
        case "array":
            inner = values(schema["items"]) if "items" in schema else texts | small | st.none()
            return st.lists(inner, max_size=2)
        case "string":
            return texts
        case "integer":
            return small
        case "number":
            return numbers
        case "boolean":
            return st.booleans()
    return st.none()


def _fits(value: Any, schema: Schema) -> bool:
    return bool(Draft202012Validator(schema).is_valid(value))


@settings(max_examples=100, deadline=None)
@given(pair=pairs, data=st.data())
def test_what_passes_takes_what_was_taken(pair: tuple[Schema, Schema], data: st.DataObject) -> None:
    old, new = pair
    value = data.draw(values(old))

    passes = breaking_changes(old, new, Direction.COMMAND) == []

    assert not (passes and _fits(value, old)) or _fits(value, new)


@settings(max_examples=100, deadline=None)
@given(pair=pairs, data=st.data())
def test_what_passes_sends_what_was_sent(pair: tuple[Schema, Schema], data: st.DataObject) -> None:
    old, new = pair
    value = data.draw(values(new))

    passes = breaking_changes(old, new, Direction.EVENT) == []

    assert not (passes and _fits(value, new)) or _fits(value, old)


@settings(max_examples=100, deadline=None)
@given(schema=schemas)
@example(either(WHOLE, NUMBER))
def test_a_schema_is_compatible_with_itself(schema: Schema) -> None:
    for direction in Direction:
        assert breaking_changes(schema, schema, direction) == []
