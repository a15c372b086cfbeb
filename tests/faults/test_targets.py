"""Webhooks whose receivers are ill: the others hear of everything in time, and they later."""

import asyncio
from collections.abc import Mapping

import pytest

from tests.faults.documents import read_documents
from tests.faults.orders import HOOK_PATH, email_of
from tests.faults.trial import Trial, Trials
from tests.support.receivers import Answer, Request

_PRIVATE = "/private"
_HANGING = [f"/hangs-{number}" for number in range(26)]
"""Eight attempts go to each at once, so that together they take up all that may be under way."""

_REFUSED = "HTTP 302: redirects are not followed"


class Illness:
    """How the targets behave until they are ``well``."""

    def __init__(self, private_url: str) -> None:
        self.well = asyncio.Event()
        self._private = private_url
        self.answers: dict[str, Answer] = {
            **dict.fromkeys(_HANGING, self._hang),
            "/fails": self._fail,
            "/closes": self._close,
            "/redirects": self._redirect,
        }

    async def _hang(self, request: Request) -> tuple[int, Mapping[str, str]]:
        await self.well.wait()
        return 200, {}

    async def _fail(self, request: Request) -> tuple[int, Mapping[str, str]]:
        return (200 if self.well.is_set() else 500), {}

    async def _close(self, request: Request) -> tuple[int, Mapping[str, str]]:
        if not self.well.is_set():
            raise ConnectionResetError
        return 200, {}

    async def _redirect(self, request: Request) -> tuple[int, Mapping[str, str]]:
        return (200, {}) if self.well.is_set() else (302, {"Location": self._private})


ILL = (*_HANGING, "/fails", "/closes", "/redirects")


@pytest.mark.faults
async def test_targets_that_hang_fail_close_and_redirect(trials: Trials) -> None:
    async with trials(rate=4, targets=ILL) as trial:
        hooks = trial.hooks
        await trial.load.under_way(10)
        illness = Illness(hooks.url(_PRIVATE))

        async with trial.fault("26 targets hang, one each fails, closes early and redirects, 30 s"):
            before = {path: len(hooks.taken_at(path)) for path in ILL}
            tried = {path: len(hooks.at(path)) for path in ILL}
            hooks.answers.update(illness.answers)
            known = set(submitted(trial))
            await trial.load.under_way(40)
            fresh = set(submitted(trial)) - known
            await heard(trial, fresh)
            await asyncio.sleep(20)
            taken = {path: len(hooks.taken_at(path)) for path in ILL}
            documents = await read_documents(trial.cluster.mongodb_url)
            illness.well.set()

        errors = {
            delivery.error
            for delivery in documents.deliveries.values()
            if delivery.target == "redirects" and delivery.attempts
            if delivery.status != "Delivered"
        }
        await trial.end()
        # The well ones were told while the ill ones took nothing, though all of them were tried.
        assert fresh
        assert taken == before
        assert all(len(hooks.at(path)) > tried[path] for path in ILL)
        assert {error.partition(";")[0] for error in errors if error} == {_REFUSED}
        assert hooks.at(_PRIVATE) == []


def submitted(trial: Trial) -> list[str]:
    """The orders that were told as submitted."""
    return [order for order in trial.load.plans if trial.outside.all("OrderSubmitted", order)]


async def heard(trial: Trial, orders: set[str]) -> None:
    """Returns when the webhook that is well and the buyers have been told of ``orders``."""

    def missing() -> set[str]:
        called = b"".join(
            call.body
            for call in trial.hooks.taken_at(HOOK_PATH)
            if call.headers["x-ordermesh-event"] == "OrderSubmitted"
        )
        written = {str(mail["To"]) for mail in trial.mails.mails}
        return {
            order
            for order in orders
            if email_of(order) not in written or f'"OrderID": "{order}"'.encode() not in called
        }

    await trial.outside.until(lambda: not missing(), lambda: f"not told: {missing()}", 60)
