"""The settings, written down: ``docs/configuration.md`` and JSON, from their definitions."""

import json
from decimal import Decimal
from typing import Any, get_args, get_origin

from pydantic import SecretStr, TypeAdapter
from pydantic.fields import FieldInfo

from shared.secret_files import is_secret
from shared.settings import PREFIX, Settings

_INTRODUCTION = """\
# Configuration

Made from `shared/settings.py` by `ordermesh settings`; a test fails when this page differs.

Settings come from environment variables. Where a command has an option of the same name, it wins. \
A value that cannot be used, and a variable that begins with `ORDERMESH_` and that \
nobody reads, end a command at its start with a message that names them, a misspelt one with the \
nearest that exists.

A **secret** can come from a file instead, as Docker and Kubernetes mount them: \
`ORDERMESH_<NAME>_FILE` names the file, and a line break at its end does not count. Setting both \
is an error. Secrets are never printed or logged. Prefer a file to a variable, and a variable to \
an option on the command line, which every user of the machine can read.

| variable | default | values | meaning |
|---|---|---|---|
"""
_END = """
Beside these, the embedded servers of `ordermesh up` read `ORDERMESH_MAVEN_REPOSITORY` (a mirror \
of Maven Central for Kafka's jars) and `XDG_CACHE_HOME` (where the jars are kept). Variables that \
Kubernetes makes for services whose names begin with `ordermesh` are passed over.

How the settings for Kafka and MongoDB go together is in [security.md](security.md).
"""


def settings_as_json() -> list[dict[str, Any]]:
    """One object for each setting: ``variable``, ``file`` (for secrets), ``default``, ``secret``,
    ``description`` and ``schema``, the JSON Schema of its values."""
    schemas = Settings.model_json_schema()
    definitions = schemas.get("$defs", {})
    found = []
    for name, field in Settings.model_fields.items():
        schema = dict(schemas["properties"][name])
        reference = schema.pop("$ref", "").rpartition("/")[2]
        schema = {**definitions.get(reference, {}), **schema}
        for key in ("title", "description", "default", "writeOnly"):
            schema.pop(key, None)
        variable = f"{PREFIX}{name}".upper()
        secret = is_secret(field)
        found.append(
            {
                "variable": variable,
                **({"file": f"{variable}_FILE"} if secret else {}),
                "default": _default(field),
                "secret": secret,
                "description": field.description,
                "schema": schema,
            }
        )
    return found


def settings_as_markdown() -> str:
    """The whole page ``docs/configuration.md``."""
    rows = []
    for told, field in zip(settings_as_json(), Settings.model_fields.values(), strict=True):
        default = told["default"]
        shown = "empty" if default in ("", None) else f"`{_text(default)}`"
        cells = [f"`{told['variable']}`", shown, _values(field), str(told["description"])]
        rows.append(f"| {' | '.join(cells)} |")
    return _INTRODUCTION + "\n".join(rows) + "\n" + _END


def _default(field: FieldInfo) -> Any:
    value = field.get_default(call_default_factory=True, validated_data={})
    if isinstance(value, SecretStr):
        # A default is no secret.
        return value.get_secret_value()
    return TypeAdapter[Any](type(value)).dump_python(value, mode="json")


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, list):
        return json.dumps(value)
    if isinstance(value, dict):
        return "{" + ", ".join(f'"{k}": "{v}"' for k, v in value.items()) + "}"
    return str(value)


def _values(field: FieldInfo) -> str:
    """What is taken, in a few words."""
    kind: Any = field.annotation
    if is_secret(field):
        return "text, **secret**"
    choices = list(kind) if hasattr(kind, "__members__") else _literals(kind)
    if choices:
        return ", ".join(f"`{choice}`" for choice in choices)
    words = {
        bool: "`true`, `false`",
        int: "whole number",
        Decimal: "number",
        float: "number",
        str: "text",
    }
    word = words.get(kind, "JSON" if get_origin(kind) in (dict, list) else "file")
    bounds = [
        f"{name} {value}"
        for part in field.metadata
        for name, attribute in (("from", "ge"), ("to", "le"))
        if (value := getattr(part, attribute, None)) is not None
    ]
    return " ".join([word, *bounds])


def _literals(kind: Any) -> list[str]:
    return [value for value in get_args(kind) if isinstance(value, str)]
