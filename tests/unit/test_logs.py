"""What log lines look like, and what they may not tell."""

import json
import subprocess
import sys

import pytest
from aiokafka.errors import KafkaConnectionError
from pymongo.errors import (
    AutoReconnect,
    BulkWriteError,
    DuplicateKeyError,
    OperationFailure,
    PyMongoError,
)

from shared.logs import identifier, told, without_credentials

_SECRET = "Ada Lovelace"

_LINES = """
import asyncio, logging, sys, structlog
from shared.logs import configure_logging
configure_logging(sys.argv[1], "INFO")
log = structlog.get_logger()
log.info("running", services=["checkout"])
def broken():
    secret = "Ada " + "Lovelace"
    try:
        raise ValueError(secret)
    except ValueError as error:
        raise RuntimeError(secret) from error
try:
    broken()
except RuntimeError as error:
    log.exception("message_failed")
    log.error("defect", exc_info=error)
    logging.getLogger("aiokafka.consumer").exception("Unexpected error")
    logging.getLogger("pymongo").warning("no answer from mongodb://ada:Lovelace@db")
    logging.getLogger("uvicorn.error").info("left out")
    async def main():
        async def fail():
            broken()
        task = asyncio.create_task(fail())
        await asyncio.sleep(0)
        del task
        import gc; gc.collect()
    asyncio.run(main())
import warnings
warnings.warn("old")
broken()
"""


def logged(log_format: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", _LINES, log_format],
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert done.returncode == 1
    return done.stderr


def test_every_line_is_json_and_exceptions_are_told_without_their_texts() -> None:
    text = logged("json")

    lines = [json.loads(line) for line in text.splitlines()]
    assert [line["event"] for line in lines] == [
        "running", "message_failed", "defect", "Unexpected error",
        "no answer from mongodb://db", "Task exception was never retrieved",
        "<string>:30: UserWarning: old", "crashed",
    ]  # fmt: skip
    assert "Lovelace" not in text
    assert all({"level", "timestamp"} <= line.keys() for line in lines)
    assert [line.get("logger") for line in lines[3:]] == [
        "aiokafka.consumer", "pymongo", "asyncio", "py.warnings", None,
    ]  # fmt: skip
    for line in (lines[1], lines[2], lines[3], lines[5], lines[7]):
        assert line["exception"].startswith("builtins.RuntimeError\n")
        assert "\nbecause of builtins.ValueError\n" in line["exception"]
        assert " in broken" in line["exception"]


def test_a_terminal_gets_readable_lines_that_tell_no_more() -> None:
    text = logged("console")

    assert "running" in text
    assert "because of builtins.ValueError" in text
    assert "Lovelace" not in text
    assert "secret" not in text


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (
            DuplicateKeyError(f"E11000 dup key: {_SECRET}", 11000, {"keyValue": _SECRET}),
            "DuplicateKeyError: code 11000",
        ),
        (
            BulkWriteError({"writeErrors": [{"code": 11000, "op": {"q": _SECRET}}]}),
            "BulkWriteError: codes [11000]",
        ),
        (
            OperationFailure(_SECRET, 13, {"codeName": "Unauthorized", "errmsg": _SECRET}),
            "OperationFailure: code 13 Unauthorized",
        ),
        (PyMongoError(_SECRET), "PyMongoError"),
        (AutoReconnect("db:27017: Connection refused"),
         "AutoReconnect: db:27017: Connection refused"),
        (KafkaConnectionError("no broker at kafka://ada:Lovelace@k:9092"),
         "KafkaConnectionError: KafkaConnectionError: no broker at kafka://k:9092"),
        (TimeoutError(), "TimeoutError"),
    ],
)  # fmt: skip
def test_a_fault_is_told_without_what_the_server_quotes(error: BaseException, text: str) -> None:
    assert told(error) == text


@pytest.mark.parametrize(
    "text", ["o-1", "4bf92f35-77b3", "orders.commands/2/17@1767323045000", "/shop|m-1"]
)
def test_ids_are_told(text: str) -> None:
    assert identifier(text) == text


@pytest.mark.parametrize("text", ["ada@example.com", "Ada Lovelace", "a" * 257, "", "4111 1111"])
def test_what_is_no_id_is_withheld(text: str) -> None:
    assert identifier(text) == "(withheld)"


def test_urls_lose_their_users_and_passwords() -> None:
    text = "smtps://ada:p%40ss@mail:465/ and mongodb://u:p@a,b/?x=1 and http://host/a@b"

    assert (
        without_credentials(text) == "smtps://mail:465/ and mongodb://a,b/?x=1 and http://host/a@b"
    )
