"""The fields of a model that a query may name, and what values they have."""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum, auto
from functools import cache
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic.fields import FieldInfo

from shared.contracts.base import Resource

_MOST_SEGMENTS = 40  # xp is at most 32 levels deep; MongoDB takes 100


class Kind(Enum):
    """What a field holds, as far as comparing goes."""

    TEXT = auto()
    CHOICE = auto()
    WHOLE = auto()
    DECIMAL = auto()
    FLOAT = auto()
    BOOL = auto()
    TIME = auto()
    OBJECT = auto()
    UNTYPED = auto()


@dataclass(frozen=True)
class Field:
    """One field by its name on the wire. ``choices`` are the names of an enumeration in its
    order; ``many`` marks a list of such values."""

    name: str
    kind: Kind
    choices: tuple[str, ...] = ()
    many: bool = False

    @property
    def path(self) -> str:
        """Where a stored document has it."""
        return f"state.{self.name}"


@dataclass(frozen=True)
class _Type:
    kind: Kind
    choices: tuple[str, ...] = ()
    model: type[Resource] | None = None
    many: bool = False


def find(model: type[Resource], name: str) -> Field | None:
    """The field that ``name`` means, in any case but for the keys in ``xp``; None where there is
    none that may be asked for."""
    segments = name.split(".")
    if len(segments) > _MOST_SEGMENTS:
        return None
    names: list[str] = []
    many = False
    for position, segment in enumerate(segments):
        known = _fields(model).get(segment.lower())
        if known is None:
            return None
        wire, found = known
        names.append(wire)
        many = many or found.many
        rest = segments[position + 1 :]
        if not rest:
            return Field(".".join(names), found.kind, found.choices, many)
        if found.kind is Kind.UNTYPED:
            if not all(map(_usable, rest)):
                return None
            return Field(".".join([*names, *rest]), Kind.UNTYPED)
        if found.model is None:
            return None
        model = found.model
    return None


@cache
def all_fields(model: type[Resource]) -> tuple[Field, ...]:
    """The fields of ``model``, those of nested models too, a model before its fields."""
    found: list[Field] = []
    _collect(model, "", False, found, ())
    return tuple(found)


def _collect(
    model: type[Resource],
    prefix: str,
    many: bool,
    found: list[Field],
    above: tuple[type[Resource], ...],
) -> None:
    for wire, type_ in _fields(model).values():
        here = many or type_.many
        found.append(Field(prefix + wire, type_.kind, type_.choices, here))
        if type_.model is not None and type_.model not in above:
            _collect(type_.model, f"{prefix}{wire}.", here, found, (*above, model))


@cache
def _fields(model: type[Resource]) -> Mapping[str, tuple[str, _Type]]:
    """Wire names and types by the wire name in lower case."""
    return {
        (info.alias or name).lower(): (info.alias or name, _type_of(info.annotation))
        for name, info in model.model_fields.items()
        if not _write_only(info)
    }


def _write_only(info: FieldInfo) -> bool:
    extra = info.json_schema_extra
    return isinstance(extra, dict) and bool(extra.get("writeOnly"))


def _usable(key: str) -> bool:
    """Whether ``key`` can only be a key where it stands in a path."""
    return bool(key) and not key.startswith("$") and "\0" not in key


_KINDS = (
    (bool, Kind.BOOL),
    (int, Kind.WHOLE),
    (Decimal, Kind.DECIMAL),
    (float, Kind.FLOAT),
    (datetime, Kind.TIME),
    (str, Kind.TEXT),
)


def _type_of(annotation: Any) -> _Type:
    origin = get_origin(annotation)
    if origin is Annotated:
        return _type_of(get_args(annotation)[0])
    if origin in (Union, types.UnionType):
        options = [option for option in get_args(annotation) if option is not type(None)]
        return _type_of(options[0]) if len(options) == 1 else _Type(Kind.UNTYPED)
    if origin is Literal:
        return _Type(Kind.CHOICE, tuple(str(choice) for choice in get_args(annotation)))
    if origin in (list, tuple, set, frozenset):
        inner = _type_of(get_args(annotation)[0])
        return _Type(inner.kind, inner.choices, inner.model, many=True)
    if not isinstance(annotation, type):
        return _Type(Kind.UNTYPED)
    if issubclass(annotation, Resource):
        return _Type(Kind.OBJECT, model=annotation)
    if issubclass(annotation, Enum):
        return _Type(Kind.CHOICE, tuple(str(member.value) for member in annotation))
    for base, kind in _KINDS:
        if issubclass(annotation, base):
            return _Type(kind)
    return _Type(Kind.UNTYPED)
