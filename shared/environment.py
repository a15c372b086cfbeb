"""The variables ``ORDERMESH_*`` of a process: those which are settings, those which are not, and
those which nobody reads."""

import os
import re
from collections.abc import Mapping
from difflib import get_close_matches
from typing import Any

from pydantic import ValidationError
from pydantic_settings import SettingsError as NotJson

from shared.secret_files import SecretFileError, secret_fields
from shared.settings import PREFIX, Settings

OTHER_VARIABLES = {
    "ORDERMESH_MAVEN_REPOSITORY": "where the embedded Kafka's jars come from, instead of Maven"
    " Central",
    "ORDERMESH_FAIL_POINT": "for tests only: where a process ends or stops itself",
    "ORDERMESH_CLOCK_AHEAD": "for tests only: how many seconds the clock is ahead",
    "ORDERMESH_MARKETPLACE_ORDERS": "for tests only: a file of orders to replay",
}
"""What is read from the environment and is no setting of a deployment."""

# Kubernetes tells every container of the services in its namespace, docker of its links, as
# {NAME}_SERVICE_HOST, {NAME}_PORT_9464_TCP_ADDR and so on.
_SERVICE_LINK = re.compile(r"_(SERVICE_HOST|SERVICE_PORT(_\w+)?|PORT(_\d+_(TCP|UDP)(_\w+)?)?)$")


class SettingsError(ValueError):
    """The environment holds settings that cannot be used; the message says what to do."""


def setting_variables() -> list[str]:
    """The variables that settings are read from, in the order of their definition."""
    names: list[str] = []
    secrets = set(secret_fields(Settings))
    for field in Settings.model_fields:
        variable = f"{PREFIX}{field}".upper()
        names += [variable, f"{variable}_FILE"] if field in secrets else [variable]
    return names


def unknown_variables(environment: Mapping[str, str]) -> dict[str, str | None]:
    """The variables with our prefix that nobody reads, each with the known one nearest to it."""
    known = [*setting_variables(), *OTHER_VARIABLES]
    names = [name for name in environment if name.upper().startswith(PREFIX)]
    linked = _linked_services(names)
    unknown: dict[str, str | None] = {}
    for name in sorted(names):
        link = _SERVICE_LINK.search(name)
        if name.upper() in known or (link and name[: link.start()] in linked):
            continue
        # The prefix, which all share, would make all of them near.
        own = {each.removeprefix(PREFIX): each for each in known}
        near = get_close_matches(name.upper().removeprefix(PREFIX), own, n=1)
        unknown[name] = own[near[0]] if near else None
    return unknown


def _linked_services(names: list[str]) -> set[str]:
    """The names under which a container platform announced services."""
    suffix = "_SERVICE_HOST"
    return {name.removesuffix(suffix) for name in names if name.endswith(suffix)}


def load_settings(**given: Any) -> Settings:
    """The settings of this process; what is ``given`` (by field, None is nothing) goes before the
    environment.

    Raises SettingsError for a variable that nobody reads and for a value that cannot be used.
    """
    unknown = unknown_variables(os.environ)
    if unknown:
        told = [
            f"{name} is no setting" + (f"; the nearest is {near}" if near else "")
            for name, near in unknown.items()
        ]
        raise SettingsError(
            f"{'. '.join(told)}. Correct or remove it: `ordermesh settings` lists them all."
        )
    try:
        return Settings(**{name: value for name, value in given.items() if value is not None})
    except ValidationError as error:
        raise SettingsError(f"{_explain(error)}. `ordermesh settings` lists them all.") from None
    except NotJson as error:
        # It knows the field's name in its text alone.
        field = re.search(r'field "(\w+)"', str(error))
        variable = f"{PREFIX}{field[1]}".upper() if field else "A variable"
        raise SettingsError(
            f"{variable} cannot be used: not JSON. `ordermesh settings` lists them all."
        ) from None
    except SecretFileError as error:
        raise SettingsError(f"{error}.") from None


def _explain(error: ValidationError) -> str:
    """What is wrong, by variable; without the values, which may be secrets."""
    told = []
    for fault in error.errors(include_url=False, include_input=False, include_context=False):
        message = fault["msg"].removeprefix("Value error, ")
        if fault["loc"]:
            told.append(f"{PREFIX}{str(fault['loc'][0]).upper()} cannot be used: {message}")
        else:
            told.append(message[:1].upper() + message[1:])
    return ". ".join(told)
