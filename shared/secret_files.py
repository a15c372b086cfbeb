"""Secrets from files, as container platforms mount them: ``ORDERMESH_<NAME>_FILE``."""

import os
from pathlib import Path
from typing import Any

from pydantic import SecretStr
from pydantic.fields import FieldInfo
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource


class SecretFileError(ValueError):
    """A variable names a file that cannot be used; the message says what to do."""


def secret_fields(model: type[BaseSettings]) -> list[str]:
    """The names of the settings that are secrets."""
    return [name for name, field in model.model_fields.items() if is_secret(field)]


def is_secret(field: FieldInfo) -> bool:
    """Whether a setting is a secret: it is of type ``SecretStr``."""
    return field.annotation is SecretStr


class SecretFiles(PydanticBaseSettingsSource):
    """Reads the settings that are secrets from the files named by ``<PREFIX><NAME>_FILE``.

    A line break at the file's end is no part of the secret. Raises SecretFileError where a secret
    is given both ways, or its file cannot be read or is empty.
    """

    def __call__(self) -> dict[str, Any]:
        found = {}
        for name in secret_fields(self.settings_cls):
            variable = f"{self.config.get('env_prefix', '')}{name}".upper()
            file = os.environ.get(f"{variable}_FILE")
            if not file:
                continue
            if os.environ.get(variable):
                raise SecretFileError(
                    f"{variable} and {variable}_FILE are both set: take one of them away"
                )
            found[name] = _read(Path(file), f"{variable}_FILE")
        return found

    def get_field_value(self, field: FieldInfo, field_name: str) -> tuple[Any, str, bool]:
        raise NotImplementedError("all fields are read at once")


def _read(path: Path, variable: str) -> str:
    try:
        text = path.read_text().rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise SecretFileError(f"{variable} names {path}, which cannot be read: {reason}") from error
    if not text:
        raise SecretFileError(f"{variable} names {path}, which is empty")
    return text
