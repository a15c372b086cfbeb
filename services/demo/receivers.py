"""The outside world that is notified: a real mail server and a real web server on loopback."""

import base64
import hashlib
import hmac
from collections import Counter
from typing import Any

from aiosmtpd.controller import Controller
from fastapi import FastAPI, Request, Response


class Mailbox:
    """A mail server that counts messages by notification ID. An own thread, loopback only."""

    def __init__(self, port: int) -> None:
        self.received: Counter[str] = Counter()
        self._controller = Controller(self, hostname="127.0.0.1", port=port)

    def start(self) -> None:
        self._controller.start()

    def stop(self) -> None:
        self._controller.stop()

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        """aiosmtpd's hook for a message that came in whole."""
        for line in envelope.content.split(b"\r\n"):
            if line.lower().startswith(b"x-ordermesh-notification:"):
                self.received[line.split(b":", 1)[1].strip().decode()] += 1
                return "250 OK"
            if not line:
                break
        self.received["without an ID"] += 1
        return "250 OK"


class Hook:
    """A webhook receiver that checks each signature and counts deliveries by ID."""

    def __init__(self, hash_key: str) -> None:
        self.received: Counter[str] = Counter()
        self.forged = 0
        self._key = hash_key.encode()

    def app(self) -> FastAPI:
        """The web application, to be served on loopback."""
        app = FastAPI(openapi_url=None)

        @app.post("/hook")
        async def take(request: Request) -> Response:
            body = await request.body()
            digest = hmac.new(self._key, body, hashlib.sha256).digest()
            given = request.headers.get("X-oc-hash", "")
            if not hmac.compare_digest(base64.b64encode(digest).decode(), given):
                self.forged += 1
                return Response(status_code=401)
            self.received[request.headers["X-Ordermesh-Delivery"]] += 1
            return Response(status_code=204)

        return app
