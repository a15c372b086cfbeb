"""Reading request bodies: what may be sent, what is wrong with it, and what a PATCH changes."""

import difflib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import orjson
from pydantic import BaseModel, ValidationError

from shared.contracts.base import Error, nested_model
from shared.http.errors import ApiError, bad_request, error
from shared.http.present import is_read_only, wire_alias

MAX_XP_BYTES = 8_000


def read_object(body: bytes) -> dict[str, Any]:
    """The JSON object that ``body`` is; an empty body is an empty object.

    Raises :class:`ApiError` 400 ``Request.InvalidRequestBody``.
    """
    text = body.removeprefix(b"\xef\xbb\xbf").strip()
    if not text:
        return {}
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError as problem:
        raise bad_request(
            "Request.InvalidRequestBody", f"The body is not JSON: {problem.msg}; correct it."
        ) from None
    if not isinstance(value, dict):
        raise bad_request(
            "Request.InvalidRequestBody", "The body must be a JSON object: send {…} with fields."
        )
    return value


@dataclass(frozen=True, slots=True)
class _Field:
    read_only: bool
    nested: "BodyReader | None"
    many: bool


class BodyReader:
    """What a client may send of one model."""

    def __init__(self, model: type[BaseModel]) -> None:
        self._name = model.__name__
        self._fields: dict[str, _Field] = {}
        for name, field in model.model_fields.items():
            inner, many = nested_model(field.annotation)
            self._fields[wire_alias(name, field)] = _Field(
                is_read_only(field), None if inner is None else reader_of(inner), many
            )

    def clean(self, sent: Mapping[str, Any], path: str = "") -> dict[str, Any]:
        """``sent`` without what only the engine sets. Raises :class:`ApiError` naming every
        unknown field, and an ``xp`` that is too large."""
        errors: list[Error] = []
        cleaned = self._clean(sent, path, errors)
        if errors:
            raise ApiError(400, errors)
        return cleaned

    def _clean(self, sent: Mapping[str, Any], path: str, errors: list[Error]) -> dict[str, Any]:
        cleaned: dict[str, Any] = {}
        for name, value in sent.items():
            field = self._fields.get(name)
            if field is None:
                errors.append(self._unknown(name, path))
            elif not field.read_only:
                if name == "xp":
                    errors.extend(_too_large(value, path))
                cleaned[name] = self._nested(field, value, f"{path}{name}", errors)
        return cleaned

    def _nested(self, field: _Field, value: Any, path: str, errors: list[Error]) -> Any:
        if field.nested is None:
            return value
        if field.many and isinstance(value, list):
            return [
                field.nested._clean(each, f"{path}[{index}].", errors)
                if isinstance(each, dict)
                else each
                for index, each in enumerate(value)
            ]
        if not field.many and isinstance(value, dict):
            return field.nested._clean(value, f"{path}.", errors)
        return value

    def _unknown(self, name: str, path: str) -> Error:
        near = difflib.get_close_matches(name[:100], self._fields, n=1, cutoff=0.6)
        hint = f"did you mean {near[0]}?" if near else "leave it out, or keep it in xp."
        return error(
            "ValidationFailure",
            f"{path}{name[:100]} is no field of {self._name}: {hint}",
            Field=f"{path}{name[:100]}",
        )


@cache
def reader_of(model: type[BaseModel]) -> BodyReader:
    return BodyReader(model)


def _too_large(xp: Any, path: str) -> Iterable[Error]:
    if xp is not None and (size := len(orjson.dumps(xp))) > MAX_XP_BYTES:
        yield error(
            "ValidationFailure",
            f"{path}xp has {size} bytes of JSON; it may have {MAX_XP_BYTES}. Keep less in it.",
            Field=f"{path}xp",
            Size=size,
            MaxSize=MAX_XP_BYTES,
        )


def validated(model: type[BaseModel], values: Mapping[str, Any]) -> Any:
    """An instance of ``model``. Raises :class:`ApiError` 400 with everything that is wrong."""
    try:
        return model.model_validate(values)
    except ValidationError as problem:
        raise ApiError(400, [_failure(each) for each in problem.errors()]) from None


def _failure(problem: Any) -> Error:
    path = ""
    for part in problem["loc"]:
        if isinstance(part, int):
            path += f"[{part}]"
        else:
            path += f".{part}" if path else str(part)
    text = str(problem["msg"]).removeprefix("Value error, ")
    if problem["type"] == "missing":
        message = f"{path} is required: send it."
    elif path:
        message = f"{path}: {text}."
    else:
        message = f"{text}."
    data: dict[str, Any] = {"Field": path} if path else {}
    # A model's own rules have the contract's codes; the others are pydantic's.
    code = problem["type"] if "." in problem["type"] else "ValidationFailure"
    return error(code, message.replace("..", "."), **data)


def merged(current: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """``current`` as ``patch`` changes it: objects are merged at every depth, other values
    replaced, and null clears a field (within ``xp``, where null is a value, it is kept). But for
    that it is RFC 7396's merge."""
    return _merged(current, patch, keep_null=False)


def _merged(
    current: Mapping[str, Any], patch: Mapping[str, Any], *, keep_null: bool
) -> dict[str, Any]:
    result = dict(current)
    for name, value in patch.items():
        before = result.get(name)
        inner = keep_null or name == "xp"
        if isinstance(value, dict):
            before = before if isinstance(before, Mapping) else {}
            result[name] = _merged(before, value, keep_null=inner)
        elif value is None and not keep_null:
            result.pop(name, None)
        else:
            result[name] = value
    return result
