"""Everything once more: topics replayed, records repeated, records of different orders shuffled."""

import asyncio
import random
from collections import defaultdict

import pytest

from tests.faults.again import Repeater, rewind, send_again
from tests.faults.documents import contents
from tests.faults.topics import Log, read_all
from tests.faults.trial import Trial, Trials
from tests.support.deployment import SERVICES

_GROUPS = [f"ordermesh-{service}" for service in SERVICES]


def identities(log: Log) -> dict[str, set[tuple[str, str]]]:
    """What was told on each topic, each once."""
    return {topic: {x.identity for x in records} for topic, records in log.records.items()}


class Standing:
    """All that a replay must leave as it is."""

    def __init__(self, trial: Trial) -> None:
        self._trial = trial

    async def note(self) -> None:
        """Takes everything down as it is now."""
        self.log = await asyncio.to_thread(read_all, self._trial.cluster.kafka.address)
        self._identities = identities(self.log)
        self._documents = await contents(self._trial.cluster.mongodb_url)
        self._told = self._counts()

    async def check(self) -> None:
        """Everything is as it was noted: documents, events, and what the receivers got."""
        now = await contents(self._trial.cluster.mongodb_url)
        changed = {
            place: (before, now.get(place))
            for place, before in self._documents.items()
            if now.get(place) != before
        }
        assert changed == {}
        assert now.keys() == self._documents.keys()
        log = await asyncio.to_thread(read_all, self._trial.cluster.kafka.address)
        assert identities(log) == self._identities
        assert self._counts() == self._told

    def _counts(self) -> tuple[int, int]:
        return len(self._trial.mails.mails), len(self._trial.hooks.requests)


class Shuffle:
    """Holds a share of the records back, so that what is sent after them overtakes them; never a
    record of the same key."""

    def __init__(self, *, share: float = 0.1, longest: float = 3.0, seed: int = 1) -> None:
        self._share = share
        self._longest = longest
        self._chance = random.Random(seed)
        self._keys: defaultdict[bytes | None, asyncio.Lock] = defaultdict(asyncio.Lock)
        self._came = 0
        self._sent: list[int] = []

    async def __call__(self, key: bytes | None) -> None:
        place = self._came
        self._came += 1
        async with self._keys[key]:
            if self._chance.random() < self._share:
                await asyncio.sleep(self._chance.uniform(0.2, self._longest))
        self._sent.append(place)

    @property
    def overtaken(self) -> int:
        """How many records were sent after one that came later."""
        latest = count = 0
        for place in self._sent:
            count += place < latest
            latest = max(latest, place)
        return count


@pytest.mark.faults
async def test_a_replay_of_every_topic_changes_nothing(trials: Trials) -> None:
    async with trials(rate=10) as trial:
        await trial.load.under_way(120, limit=180)
        await trial.load.finish()
        await trial.settled()
        before = Standing(trial)
        await before.note()

        async with trial.fault("every consumer group set back to offset 0"):
            await trial.cluster.stop(*SERVICES)
            back = await asyncio.to_thread(rewind, trial.cluster.kafka.address, _GROUPS)
            assert back > len(SERVICES)
            await trial.cluster.start(*SERVICES)
            await trial.settled()
        await before.check()

        async with trial.fault("every record of every topic produced again"):
            again = await asyncio.to_thread(send_again, trial.cluster.kafka.address, before.log)
            trial.injected[-1] += f", {again} of them"
            await trial.settled()
        await before.check()

        await trial.end()


@pytest.mark.faults
async def test_a_tenth_of_all_messages_comes_twice(trials: Trials) -> None:
    async with trials(rate=8) as trial:
        with Repeater(trial.cluster.kafka.address) as repeater:
            async with trial.fault("a tenth of all messages twice, at once and 20 s later"):
                await trial.load.under_way(300, limit=180)
            await trial.load.finish()
        trial.injected[-1] += f", {sum(repeater.counts.values())} of them"

        report = await trial.end()
        assert report.repeats >= sum(repeater.counts.values())
        assert {"orders.commands", "shipments.commands", "orders.events"} <= repeater.counts.keys()


@pytest.mark.faults
async def test_a_tenth_of_all_commands_is_overtaken(trials: Trials) -> None:
    async with trials(rate=8) as trial:
        await trial.load.under_way(10)
        trial.outside.before_sending = shuffle = Shuffle()

        async with trial.fault("a tenth of all commands overtaken by those of other orders"):
            await trial.load.under_way(300, limit=180)

        await trial.load.finish()
        trial.injected[-1] += f", {shuffle.overtaken} of them"
        assert shuffle.overtaken > 30
        await trial.end()
