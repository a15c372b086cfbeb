"""One trial: a cluster, a load on it, faults, and the audit after they heal.

A test of the suite is written like this::

    @pytest.mark.faults
    async def test_...(trials: Trials) -> None:
        async with trials(rate=10) as trial:
            await trial.load.under_way(40)

            async with trial.fault("kill -9 of the broker, down 5 s"):
                await trial.cluster.down("kafka", seconds=5)

            await trial.end()

``trials`` starts everything and the load with it. What is done inside ``fault`` is the fault, with
its healing as the last step; leaving it waits until every order that was accepted so far is
answered and notes how long that took: the recovery. :meth:`Trial.end` lets the load end, waits
until nothing is left to do, audits, prints one line and fails with all differences at once.

The engine's processes are ``trial.cluster``'s (kill, pause, resume, stop, start with settings or a
fail-point); ``trial.load.ledger`` is what was accepted, ``trial.load.plans`` how it may end;
``trial.outside`` sends anything else; ``trial.hooks`` and ``trial.mails`` are the receivers.
Records that belong into the dead letters are entered into ``trial.poisoned``.
"""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from types import MappingProxyType

from tests.faults.audit import Audit, Before, Report
from tests.faults.documents import read_documents, unsettled
from tests.faults.load import Ledger, Load
from tests.faults.orders import HOOK_PATH, order_id
from tests.faults.topics import ends, lags, read_all
from tests.support.cluster import Cluster
from tests.support.deployment import SERVICES
from tests.support.disks import SmallDisk, small_disk
from tests.support.outside import OutsideSystem
from tests.support.receivers import HttpReceiver, MailReceiver, http_receiver, mail_receiver

Trials = Callable[..., AbstractAsyncContextManager["Trial"]]
"""``trials(rate=10, members=3, ...)``: see :func:`running_trial`."""

_STANDSTILL = 60.0
"""Seconds; a notification whose sender died is sent again after half of it."""
_SETTLE_LIMIT = 600.0


@dataclass
class Trial:
    """See the module."""

    cluster: Cluster
    outside: OutsideSystem
    load: Load
    hooks: HttpReceiver
    mails: MailReceiver
    tell: Callable[[str], None]
    targets: Sequence[str] = ()
    disks: Mapping[str, SmallDisk] = field(default_factory=dict)
    poisoned: set[tuple[str, str]] = field(default_factory=set)
    injected: list[str] = field(default_factory=list)
    recoveries: list[float] = field(default_factory=list)
    before: Before = field(default_factory=Before)
    audited: Audit | None = None

    @asynccontextmanager
    async def fault(self, what: str, *, limit: float = 180.0) -> AsyncIterator[None]:
        """``what`` is done inside; on leaving, everything runs again. Waits for the recovery, at
        most ``limit`` seconds."""
        self.injected.append(what)
        yield
        self.recoveries.append(await self.load.caught_up(limit))

    async def settled(self) -> float:
        """Waits until consumers have no lag, outboxes are empty, nothing waits; the seconds it
        took. AssertionError, with what is left, when that stands still or goes on for too long."""
        began = changed = time.monotonic()
        before: dict[str, str] = {}
        groups = [f"ordermesh-{service}" for service in SERVICES]
        while True:
            behind = await asyncio.to_thread(lags, self.cluster.kafka.address, groups)
            left = {**behind, **await unsettled(self.cluster.mongodb_url)}
            now = time.monotonic()
            if not left:
                return now - began
            if left != before:
                before, changed = left, now
            assert now - changed < _STANDSTILL, f"nothing moves, {left} are still to be done"
            assert now - began < _SETTLE_LIMIT, f"{left} are still to be done"
            await asyncio.sleep(0.5)

    async def go_on(self) -> None:
        """After :meth:`end`: forgets what was accounted for, so that no trial is too long for the
        machine's memory, and lets the load go on with further orders."""
        assert self.audited is not None
        self.before = Before(
            first=self.before.first + len(self.load.plans),
            ends=await asyncio.to_thread(ends, self.cluster.kafka.address),
            promised=self.audited.promised(),
            redeemed=self.audited.redeemed(),
        )
        self.audited = None
        for heard in (self.outside, self.hooks, self.mails):
            heard.forget()
        self.injected.clear()
        self.recoveries.clear()
        self.load = self.load.next(self.before.first)
        self.load.begin()

    async def abandon(self) -> None:
        """Stops the load at once, after a test that failed."""
        await self.load.abandon()

    async def audit(self) -> Audit:
        """Reads everything there is to compare with what was accepted."""
        return Audit(
            Ledger(dict(self.load.ledger.accepted)),
            self.load.plans,
            self.load.stuck,
            await asyncio.to_thread(read_all, self.cluster.kafka.address, self.before.ends),
            await read_documents(
                self.cluster.mongodb_url,
                order_id(self.before.first) if self.before.ends else "",
            ),
            self.hooks.taken_at(HOOK_PATH),
            list(self.mails.mails),
            frozenset(self.poisoned),
            {path: self.hooks.taken_at(path) for path in self.targets},
            self.before,
        )

    async def end(self) -> Report:
        """Lets the load end, settles, audits, prints; AssertionError with all differences."""
        await self.load.finish()
        unsettled: list[str] = []
        began = time.monotonic()
        try:
            await self.settled()
        except AssertionError as error:
            unsettled.append(f"not settled: {error}")
        seconds = time.monotonic() - began
        self.audited = await self.audit()
        report = await self.audited.report()
        report.differences += unsettled
        dropped = await self.cluster.counters.total("duplicates_dropped")
        again = ", ".join(f"{seconds:.1f}" for seconds in self.recoveries) or "-"
        self.tell(
            f"{'; '.join(self.injected) or 'no fault'}: {report.outcomes.total()} orders, "
            f"recovered in {again} s, settled in {seconds:.1f} s, {dropped} duplicates dropped, "
            f"{report.repeats} repeats on topics, {report.dead_letters} dead letters, "
            f"lost = {report.lost}, differences = {len(report.differences)}"
        )
        assert not report.differences, str(report)
        return report


@asynccontextmanager
async def running_trial(
    logs: Path,
    tell: Callable[[str], None],
    *,
    seed: int = 1,
    rate: float = 10.0,
    at_once: int = 150,
    most: int = 2_000,
    hot: str | None = None,
    targets: Sequence[str] = (),
    disks: Mapping[str, int] = MappingProxyType({}),
    members: int = 1,
    proxied: bool = False,
    **settings: str,
) -> AsyncIterator[Trial]:
    """A trial whose load has begun: ``rate`` orders a second as long as fewer than ``at_once`` are
    on their way, and ``most`` in all, with the product ``hot`` in each. ``members`` servers make
    the MongoDB; ``targets`` are paths of further webhooks; ``disks`` are the sizes, in MB, of
    servers' own disks; ``settings`` are those of all services, without ``ORDERMESH_``."""
    async with AsyncExitStack() as stack:
        # The servers' files are large; the logs are kept with pytest's other temporary files.
        data = stack.enter_context(TemporaryDirectory(prefix="ordermesh-faults-"))
        small = {
            name: stack.enter_context(small_disk(Path(data) / name, size))
            for name, size in disks.items()
        }
        mails = await stack.enter_async_context(mail_receiver())
        hooks = await stack.enter_async_context(http_receiver())
        cluster = await stack.enter_async_context(
            Cluster(
                Path(data),
                logs,
                members=members,
                proxied=proxied,
                settings={
                    "smtp": mails.url,
                    "tax_rate": "0.07",
                    "shipping_rates": '{"STANDARD": "4.90"}',
                    **settings,
                },
            )
        )
        outside = await stack.enter_async_context(OutsideSystem(cluster.kafka.address))
        load = Load(outside, seed=seed, rate=rate, at_once=at_once, most=most, hot=hot)
        await load.prepare(
            hooks.url(HOOK_PATH), {path.strip("/"): hooks.url(path) for path in targets}
        )
        load.begin()
        trial = Trial(cluster, outside, load, hooks, mails, tell, targets, small)
        stack.push_async_callback(trial.abandon)
        yield trial
