"""Starts `ordermesh up`, lets Node walk it with OrderCloud's SDK, and stops it again.

What `make test-sdk` runs; the names of scenarios as arguments walk these alone. Needs Node 20 and
what `npm install` puts into tests/sdk/node_modules.
"""

import asyncio
import os
import secrets
import shutil
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from uuid import uuid4

from shared.embedded.ports import LOOPBACK, free_port
from tests.support.deployment import deployment

_WALK = Path(__file__).with_name("walk.mjs")
_EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "javascript" / "catalogue.mjs"


async def main(scenarios: Sequence[str]) -> int:
    """The exit code of the walk: 0 when every operation in scope behaves."""
    node = shutil.which("node")
    if node is None:
        print("The SDK needs Node 20 or newer: install it first.", file=sys.stderr)
        return 2
    client = {
        "admin_client_id": str(uuid4()),
        "admin_client_secret": secrets.token_urlsafe(32),
    }
    mail = free_port()
    code = 1
    folder = Path(tempfile.mkdtemp(prefix="ordermesh-sdk-"))
    try:
        smtp = f"smtp://{LOOPBACK}:{mail}"
        # Links in mails lead to shops that are known.
        known = '["https://shop.example"]'
        async with deployment(folder / "data", smtp=smtp, http_origins=known, **client) as running:
            process = await asyncio.create_subprocess_exec(
                node, str(_WALK), *scenarios, env=_environment(running.http, mail, client)
            )
            code = await process.wait()
            if code == 0 and not scenarios:
                code = await _example(node, _environment(running.http, mail, client))
    finally:
        if code == 0:
            shutil.rmtree(folder)
        else:
            print(f"\nThe deployment's log is kept: {folder / 'data.log'}", file=sys.stderr)
            shutil.rmtree(folder / "data", ignore_errors=True)
    return code


async def _example(node: str, environment: Mapping[str, str]) -> int:
    """Runs the documentation's example; the exit code is 0 when it prints what it should."""
    # Node looks for the SDK beside the file that imports it.
    copy = _WALK.parent / "node_modules" / _EXAMPLE.name
    shutil.copyfile(_EXAMPLE, copy)
    own = {
        "API": environment["ORDERMESH_URL"],
        "CLIENT_ID": environment["ORDERMESH_ADMIN_CLIENT_ID"],
        "CLIENT_SECRET": environment["ORDERMESH_ADMIN_CLIENT_SECRET"],
    }
    process = await asyncio.create_subprocess_exec(
        node, str(copy), env={**environment, **own}, stdout=asyncio.subprocess.PIPE
    )
    out, _ = await process.communicate()
    good = process.returncode == 0 and out.decode().strip() == "Ash table 129.9 50"
    print(f"The example of the documentation {'behaves' if good else 'FAILED'}.")
    return 0 if good else 1


def _environment(url: str, mail: int, client: Mapping[str, str]) -> dict[str, str]:
    """This process's environment with what the walk has to know."""
    return {
        **os.environ,
        **{f"ORDERMESH_{name.upper()}": value for name, value in client.items()},
        "ORDERMESH_URL": url,
        "WALK_MAIL_PORT": str(mail),
        # The deployment is on this machine, whatever proxy leads out of it.
        "NO_PROXY": LOOPBACK,
        "no_proxy": LOOPBACK,
    }


if __name__ == "__main__":
    sys.exit(asyncio.run(main(sys.argv[1:])))
