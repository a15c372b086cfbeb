"""Operations: one route each, with what it takes, what it answers and who may call it."""

import re
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from urllib.parse import parse_qsl

from pydantic import BaseModel

from shared.http.bodies import read_object, reader_of, validated
from shared.http.errors import ApiError, bad_request, error
from shared.http.principal import Principal, UserType
from shared.http.query import ListShape

ADMIN = frozenset({UserType.ADMIN})
ADMIN_BUYER = frozenset({UserType.ADMIN, UserType.BUYER})
ADMIN_SUPPLIER = frozenset({UserType.ADMIN, UserType.SUPPLIER})
BUYER = frozenset({UserType.BUYER})
EVERYONE = frozenset(UserType)


_PARAMETER = re.compile(r"\{([^}]+)\}")


def parameters_of(path: str) -> list[str]:
    """The names of a path's parameters."""
    return _PARAMETER.findall(path)


def field_of(parameter: str) -> str:
    """The field that a parameter names: ``userGroupID`` is ``UserGroupID``."""
    return parameter[:1].upper() + parameter[1:]


def parameter_of(field: str) -> str:
    """The parameter that names a field: ``UserGroupID`` is ``userGroupID``."""
    return field[:1].lower() + field[1:]


@dataclass(frozen=True, slots=True)
class Parameter:
    """A query parameter of an operation, beside those of lists."""

    name: str
    type: str = "string"
    required: bool = False


@dataclass(frozen=True, slots=True)
class ListOf:
    """The answer of a list: ``{"Meta", "Items"}`` of ``model``."""

    model: type[BaseModel]
    facets: bool = False


@dataclass(slots=True)
class Call:
    """One request on its way through an operation. ``id`` identifies it for ever: its events and
    log lines have it. ``now`` is when it came, in UTC; ``address`` is the caller's."""

    operation: "Operation"
    path: Mapping[str, str]
    query: str
    body: bytes
    id: str
    now: datetime
    address: str = ""
    trace: str | None = None
    content_type: str = "application/json"
    authenticated: Principal | None = None
    headers: dict[str, str] = field(default_factory=dict)
    """Headers of the answer."""

    @property
    def principal(self) -> Principal:
        """Who calls; every operation but a public one has one."""
        if self.authenticated is None:
            raise LookupError(f"{self.operation.name} is public: nobody has to be known")
        return self.authenticated

    def parameters(self) -> list[tuple[str, str]]:
        """All query parameters as they came."""
        return parse_qsl(self.query, keep_blank_values=True)

    def parameter(self, name: str) -> str | None:
        """A query parameter; its name in any case. Absent and empty are one."""
        wanted = name.lower()
        for key, value in self.parameters():
            if key.lower() == wanted and value:
                return value
        return None

    def flag(self, name: str) -> bool | None:
        """A query parameter that is true or false."""
        value = self.parameter(name)
        if value is None:
            return None
        if value.lower() not in ("true", "false"):
            raise bad_request(
                "List.InvalidType", f"{name} must be true or false, not {value[:50]}.", Name=name
            )
        return value.lower() == "true"

    def json(self) -> dict[str, Any]:
        """The body as a JSON object; an empty one where there is none. Raises :class:`ApiError`
        for a body of another type."""
        kind = self.content_type.partition(";")[0].strip().lower()
        if self.body and kind != "application/json" and not kind.endswith("+json"):
            raise ApiError(
                415,
                [
                    error(
                        "Request.InvalidContentType",
                        f"The body is {kind[:100]}; send JSON, with the header Content-Type:"
                        " application/json.",
                    )
                ],
            )
        return read_object(self.body)

    def sent(self, model: type[BaseModel]) -> Any:
        """The body as an instance of ``model``, without what only the engine sets."""
        return validated(model, reader_of(model).clean(self.json()))


Handler = Callable[[Call], Awaitable[Any]]
"""Gives what is answered: something that JSON can tell, or None."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """One route. ``name`` is the SDK's, such as ``CostCenters.Get``; ``path`` begins behind the
    version. Any one of ``roles`` lets a user of one of the types ``users`` in; without roles every
    token does, and with ``public`` no token is asked for."""

    name: str
    method: str
    path: str
    handler: Handler
    users: frozenset[UserType] = EVERYONE
    roles: tuple[str, ...] = ()
    public: bool = False
    versioned: bool = True
    body: type[BaseModel] | None = None
    partial: bool = False
    answer: type[BaseModel] | ListOf | None = None
    status: int = 200
    list: ListShape | None = None
    parameters: tuple[Parameter, ...] = ()
    form: tuple[str, ...] = ()
    """The fields of a form, where it takes one in place of JSON."""
    summary: str = ""

    @property
    def route(self) -> str:
        return f"/v1{self.path}" if self.versioned else self.path
