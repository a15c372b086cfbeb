"""The image's health check: which port and path it asks, and how it ends."""

import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

SCRIPT = Path("container/health.py")


class _Answers(BaseHTTPRequestHandler):
    """A process whose API is ready while a service is not."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/readyz/api" else 503)
        self.end_headers()
        self.wfile.write(b"forwarding is not ready")

    def log_message(self, format: str, *args: object) -> None:
        """Says nothing."""


@pytest.fixture
def port() -> Iterator[int]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_port
    server.shutdown()
    thread.join()
    server.server_close()


def check(*arguments: str, **environment: str) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-I", SCRIPT, *arguments],
        check=False,
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    return done.returncode, done.stdout.strip()


def test_it_asks_the_port_of_metrics_without_any_word(port: int) -> None:
    assert check(ORDERMESH_METRICS=f"0.0.0.0:{port}") == (1, "forwarding is not ready")


def test_it_asks_the_port_that_is_given(port: int) -> None:
    assert check(str(port)) == (1, "forwarding is not ready")


def test_it_asks_the_path_that_is_given(port: int) -> None:
    assert check(str(port), "/readyz/api") == (0, "")
