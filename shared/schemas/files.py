"""The committed form of the contract: ``docs/asyncapi.json``, ``docs/schemas/`` and, under
``docs/schemas/released/``, what was promised with the last release.

The first two follow the code; the released ones move only on purpose. What breaks is found by
comparing the code with the released ones, so updating the others in the same commit hides nothing.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from shared.schemas.asyncapi import asyncapi_document
from shared.schemas.compatibility import Breaking, contract_changes
from shared.schemas.messages import CONTRACT, message_schemas

_BROKEN = """# What releases broke on purpose

Written by `ordermesh schemas --release --accept-breaking`.
"""

Documents = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Folder:
    """The documentation's folder."""

    docs: Path

    @property
    def asyncapi(self) -> Path:
        return self.docs / "asyncapi.json"

    @property
    def schemas(self) -> Path:
        return self.docs / "schemas"

    @property
    def released(self) -> Path:
        return self.schemas / "released"

    def write(self) -> None:
        """Writes what the code says now; the released schemas stay."""
        self.schemas.mkdir(parents=True, exist_ok=True)
        self.asyncapi.write_text(as_text(asyncapi_document()))
        _write(self.schemas, message_schemas())

    def drift(self) -> list[str]:
        """What of the committed files is not what the code says: file names, sorted."""
        wanted = {
            "asyncapi.json": as_text(asyncapi_document()),
            **{
                f"schemas/{name}.json": as_text(schema)
                for name, schema in message_schemas().items()
            },
        }
        there = {
            str(path.relative_to(self.docs)): path.read_text()
            for path in [*self.docs.glob("asyncapi.json"), *self.schemas.glob("*.json")]
        }
        names = wanted.keys() | there.keys()
        return sorted(name for name in names if wanted.get(name) != there.get(name))

    def breaking(self) -> dict[str, list[Breaking]]:
        """What the code breaks of what was released, by message."""
        return contract_changes(self.promised(), message_schemas())

    def promised(self) -> Documents:
        """The released schemas by name."""
        return {
            path.stem: json.loads(path.read_text()) for path in sorted(self.released.glob("*.json"))
        }

    @property
    def broken(self) -> Path:
        """What releases broke on purpose, and why: for those who have to follow."""
        return self.released / "breaking.md"

    def release(self, reason: str = "") -> None:
        """Makes what the code says now the promise: the public messages only. What that breaks
        is written down with ``reason``."""
        self.released.mkdir(parents=True, exist_ok=True)
        if breaking := self.breaking():
            faults = [f"- {name}: {each}" for name, found in breaking.items() for each in found]
            told = "\n".join([f"## {version('ordermesh')}", "", reason, "", *faults, ""])
            before = self.broken.read_text() if self.broken.exists() else _BROKEN
            self.broken.write_text(f"{before}\n{told}")
        public = {n: s for n, s in message_schemas().items() if s[CONTRACT]["public"]}
        _write(self.released, public)


def as_text(document: Mapping[str, Any]) -> str:
    """``document`` as its file has it: JSON, two spaces, UTF-8, with a newline at the end."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _write(folder: Path, schemas: Documents) -> None:
    for stale in {path.stem for path in folder.glob("*.json")} - schemas.keys():
        (folder / f"{stale}.json").unlink()
    for name, schema in schemas.items():
        (folder / f"{name}.json").write_text(as_text(schema))
