"""Load by wrk (https://github.com/wg/wrk): requests as Lua, figures as JSON."""

import asyncio
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from services.checks import DeploymentError

CONNECTIONS = 16

# wrk counts every status from 400 on as an error of status.
_FIGURES = """
done = function(summary, latency, requests)
  io.write(string.format(
    '\\n{"requests": %d, "microseconds": %d, "refused": %d, "p50": %d, "p99": %d}\\n',
    summary.requests, summary.duration,
    summary.errors.status + summary.errors.connect + summary.errors.read
      + summary.errors.write + summary.errors.timeout,
    latency:percentile(50), latency:percentile(99)))
end
"""


@dataclass(frozen=True, slots=True)
class Figures:
    """What a load showed; times in milliseconds."""

    requests_per_second: float
    p50_ms: float
    p99_ms: float
    refused: int


def wrk_program() -> str:
    """Where wrk is. Raises DeploymentError where it is not."""
    found = shutil.which("wrk")
    if found is None:
        raise DeploymentError(
            "The benchmark of the HTTP API needs wrk: apt-get install wrk on Debian and Ubuntu,"
            " brew install wrk on macOS."
        )
    return found


async def load(
    url: str, lua: str, *, seconds: int, headers: Mapping[str, str] | None = None
) -> Figures:
    """Asks ``url`` for ``seconds``, with as many connections as CONNECTIONS, for what the function
    ``request`` in ``lua`` says. Raises DeploymentError where wrk fails."""
    with tempfile.NamedTemporaryFile("w", suffix=".lua") as script:
        Path(script.name).write_text(lua + _FIGURES)
        named = [
            part for name, value in (headers or {}).items() for part in ("-H", f"{name}: {value}")
        ]
        process = await asyncio.create_subprocess_exec(
            *(wrk_program(), "-t", "1", "-c", str(CONNECTIONS), "-d", f"{seconds}s", "--latency"),
            *("-s", script.name, *named, url),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.STDOUT,
        )
        try:
            out, _ = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
                await process.wait()
    if process.returncode:
        raise DeploymentError(f"wrk failed: {out.decode()[-500:]}")
    told = json.loads(out.decode().strip().rpartition("\n")[2])
    return Figures(
        round(told["requests"] / told["microseconds"] * 1_000_000, 1),
        round(told["p50"] / 1_000, 2),
        round(told["p99"] / 1_000, 2),
        told["refused"],
    )
