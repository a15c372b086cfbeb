"""The API client of whoever runs a deployment on this machine: FullAccess, kept with the data."""

import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path

from shared.settings import Settings

FILE = "admin-client.json"
_ID = "ordermesh-admin"


@dataclass(frozen=True, slots=True)
class AdminClient:
    """``fresh``: its secret was made just now. ``file`` is where it is kept, if it is."""

    id: str
    secret: str
    fresh: bool = False
    file: Path | None = None


def admin_client(data: Path, settings: Settings) -> AdminClient:
    """The client that the settings name; without a secret there, the one that ``data`` has, and
    on the first start a new one, which is then kept in ``data`` for its owner alone to read."""
    given = settings.admin_client_secret.get_secret_value()
    if given:
        return AdminClient(settings.admin_client_id or _ID, given)
    file = data / FILE
    if file.exists():
        kept = json.loads(file.read_text())
        return AdminClient(kept["ClientID"], kept["ClientSecret"], file=file)
    client = AdminClient(
        settings.admin_client_id or _ID, secrets.token_urlsafe(32), fresh=True, file=file
    )
    descriptor = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w") as stream:
        json.dump({"ClientID": client.id, "ClientSecret": client.secret}, stream)
    return client
