"""Poison among good commands: it alone becomes dead letters, and nothing passes it by."""

import asyncio

import pytest

from shared.messaging.topics import create_topics
from tests.faults.administration import committed, configure_topics, delete_topics
from tests.faults.poisoning import SET_ASIDE_BY, Place, Poisoner, every_poison
from tests.faults.topics import read_all
from tests.faults.trial import Trial, Trials
from tests.support.outside import DEAD_LETTER_TOPICS

_GOOD = 19
"""Good commands for each bad record: one in twenty is poison."""

_NOTHING, _EVERYTHING = 64, 9 * 1024 * 1024
"""Bytes of a batch: less than any has, and more than any may have."""


async def until_accepted(trial: Trial, count: int) -> None:
    """Returns when Kafka has acknowledged so many commands of the load."""
    accepted = trial.load.ledger.accepted
    await trial.outside.until(
        lambda: len(accepted) >= count, lambda: f"{len(accepted)} commands were sent", 60
    )


@pytest.mark.faults
async def test_exactly_the_poison_becomes_dead_letters(trials: Trials) -> None:
    async with trials(rate=12) as trial:
        poisoner = Poisoner(trial)
        accepted = trial.load.ledger.accepted
        await trial.load.under_way(20)
        before = trial.cluster.pids()
        start = len(accepted)

        async with trial.fault("poison of every kind, one record in twenty"):
            for number, (topic, poison) in enumerate(every_poison(), 1):
                await until_accepted(trial, start + number * _GOOD)
                await poisoner.send(topic, poison)

        await trial.end()
        log = await asyncio.to_thread(read_all, trial.cluster.kafka.address)
        assert list(poisoner.differences(log)) == []
        assert trial.cluster.pids() == before


@pytest.mark.faults
async def test_nothing_passes_poison_that_cannot_be_set_aside(trials: Trials) -> None:
    async with trials(rate=4) as trial:
        kafka = trial.cluster.kafka.address
        poisoner = Poisoner(trial)
        kinds = every_poison()
        await trial.load.under_way(30)
        before = trial.cluster.pids()

        async with trial.fault("poison and no dead-letter topics, 20 s"):
            await asyncio.to_thread(delete_topics, kafka, DEAD_LETTER_TOPICS)
            first = [await poisoner.send(*next(kinds)) for _ in SET_ASIDE_BY]
            await asyncio.sleep(20)
            passed = await passed_by(kafka, first)
            await create_topics(kafka)

        await trial.load.under_way(10)
        async with trial.fault("poison and dead-letter topics that take nothing, 65 s"):
            await asyncio.to_thread(
                configure_topics, kafka, DEAD_LETTER_TOPICS, max_message_bytes=_NOTHING
            )
            second = [await poisoner.send(*next(kinds)) for _ in SET_ASIDE_BY]
            await asyncio.sleep(65)
            passed += await passed_by(kafka, second)
            unhealthy = await trial.cluster.unhealthy()
            await asyncio.to_thread(
                configure_topics, kafka, DEAD_LETTER_TOPICS, max_message_bytes=_EVERYTHING
            )

        await trial.load.under_way(20)
        await trial.end()
        assert passed == []
        log = await asyncio.to_thread(read_all, kafka)
        assert list(poisoner.differences(log)) == []
        assert trial.cluster.pids() == before
        assert unhealthy == []


async def passed_by(kafka: str, places: list[Place]) -> list[Place]:
    """Those of ``places`` that have been committed."""
    passed = []
    for place in places:
        topic, partition, offset = place
        group = f"ordermesh-{SET_ASIDE_BY[topic]}"
        if await asyncio.to_thread(committed, kafka, group, topic, partition) > offset:
            passed.append(place)
    return passed
