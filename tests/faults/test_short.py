"""The short selection that `make test` runs too: one trial, a fault of each kind."""

from tests.faults.test_services import die_at
from tests.faults.trial import Trials


async def test_nothing_is_lost_or_doubled_when_servers_and_services_are_killed(
    trials: Trials,
) -> None:
    async with trials(rate=6) as trial:
        await trial.load.under_way(10)

        async with trial.fault("kill -9 of mongod"):
            await trial.cluster.down("mongodb")
        async with trial.fault("kill -9 of checkout between its write and its publishing"):
            await die_at(trial, "checkout", "after_write")
        async with trial.fault("kill -9 of the broker"):
            await trial.cluster.down("kafka")

        await trial.end()
