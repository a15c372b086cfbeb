"""Several processes of each service on one machine: they share the work, and do it once."""

from pathlib import Path

from tests.e2e.conftest import NewID
from tests.e2e.load import Load
from tests.support.deployment import SERVICES, Deployment, deployment
from tests.support.outside import OutsideSystem

SHARED = ("pricing", "checkout", "forwarding", "shipments", "notifications")
"""The services that every order passes."""


async def test_two_processes_of_each_service_share_the_orders(tmp_path: Path, own: NewID) -> None:
    async with (
        deployment(tmp_path / "data", "--instances", "2") as running,
        OutsideSystem(running.kafka) as outside,
    ):
        second = [f"{service}-2" for service in SERVICES]
        assert {*running.description["pids"]} == {
            "up", "kafka", "mongodb", *SERVICES, *second, "api"
        }  # fmt: skip
        load = Load(outside, own("load"), 60)
        await load.prepare()
        load.begin(load.orders)
        await load.end()

        await load.audit()
        for service in SHARED:
            assert await orders_taken(running, service) > 0
            assert await orders_taken(running, f"{service}-2") > 0


async def orders_taken(running: Deployment, process: str) -> float:
    """How many records a process took from topics that are about orders."""
    consumed = (await running.metrics(process))["ordermesh_messages_consumed"]
    return sum(
        sample.value
        for sample in consumed.samples
        if sample.name.endswith("_total") and not sample.labels["topic"].startswith("catalog.")
    )
