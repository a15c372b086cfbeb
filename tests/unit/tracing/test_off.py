"""Without the setting nothing that records is in the process (OpenTelemetry's bare API is: FastAPI
depends on it, and records nothing through it); without the packages there is a
clear error."""

import subprocess
import sys

_OFF = """
import sys
from shared.settings import Settings
from shared.tracing.port import start_tracing
import services.runtime, services.notifications.app, services.shipments.app, services.checkout.app
assert start_tracing(Settings(otlp=""), "0") is None
recording = ("opentelemetry.sdk", "opentelemetry.exporter", "shared.tracing.otel",
             "shared.tracing.spans", "shared.tracing.mongodb")
assert not [name for name in sys.modules if name.startswith(recording)]
"""
_MISSING = """
import sys
sys.modules["opentelemetry.sdk"] = None  # as if it were not installed
from shared.settings import Settings
from services.runtime import run
run(["accounts"], Settings(otlp="http://127.0.0.1:1", metrics="127.0.0.1:0"))
"""


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=False
    )


def test_what_is_off_is_not_even_imported() -> None:
    done = python(_OFF)

    assert (done.returncode, done.stderr) == (0, "")


def test_without_the_packages_the_error_says_what_to_install() -> None:
    done = python(_MISSING)

    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("ORDERMESH_OTLP asks for traces")
    assert "pip install 'ordermesh[tracing]'" in done.stderr
    assert "Traceback" not in done.stderr
