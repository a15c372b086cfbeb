"""Lists use the indexes that are made for them: no sort in memory, no more read than asked for."""

from collections.abc import AsyncIterator, Iterator
from typing import Any
from uuid import uuid4

import pytest
from pymongo import AsyncMongoClient
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.monitoring import (
    CommandFailedEvent,
    CommandListener,
    CommandStartedEvent,
    CommandSucceededEvent,
)

from shared.http.query import index, parse_list, run_list
from tests.support.listing import SHAPE

COUNT = 3_000
PAGE = 10


class Commands(CommandListener):
    """Keeps the queries that MongoDB is given."""

    def __init__(self) -> None:
        self.seen: list[dict[str, Any]] = []

    def started(self, event: CommandStartedEvent) -> None:
        if event.command_name in ("find", "aggregate"):
            left_out = ("$db", "lsid", "$clusterTime", "$readPreference")
            self.seen.append({k: v for k, v in event.command.items() if k not in left_out})

    def succeeded(self, event: CommandSucceededEvent) -> None:
        pass

    def failed(self, event: CommandFailedEvent) -> None:
        pass


class Listed:
    """A collection of many things, and the plans of what is asked of it."""

    def __init__(self, collection: AsyncCollection[dict[str, Any]], commands: Commands) -> None:
        self.collection = collection
        self._commands = commands

    async def plans(
        self, asked: str, scope: dict[str, Any] | None = None
    ) -> list[tuple[set[str], int, int]]:
        """Of the page and of the total that a list finds with one command: the stages, keys and
        documents examined. Of the total MongoDB tells the stages alone."""
        self._commands.seen.clear()
        await run_list(self.collection, scope or {}, parse_list(asked, SHAPE))
        (command,) = self._commands.seen
        explained = await self.collection.database.command(
            "explain", command, verbosity="executionStats"
        )
        page, total = explained["stages"]
        return [_told(page), _told(total["$unionWith"]["pipeline"][0])]


def _told(stage: dict[str, Any]) -> tuple[set[str], int, int]:
    explained = stage["$cursor"]
    ran = explained["executionStats"]
    return (
        set(_stages(explained["queryPlanner"]["winningPlan"])),
        ran["totalKeysExamined"],
        ran["totalDocsExamined"],
    )


def _stages(plan: dict[str, Any]) -> Iterator[str]:
    plan = plan.get("queryPlan", plan)
    yield plan["stage"]
    for inner in [*plan.get("inputStages", []), *filter(None, [plan.get("inputStage")])]:
        yield from _stages(inner)


@pytest.fixture(scope="module")
async def listed(mongodb_url: str) -> AsyncIterator[Listed]:
    commands = Commands()
    client: AsyncMongoClient[dict[str, Any]]
    async with AsyncMongoClient(mongodb_url, event_listeners=[commands]) as client:
        name = f"test_{uuid4().hex[:12]}"
        things = client[name]["things"]
        await things.insert_many(
            {
                "_id": f"t{number:04}",
                "state": {
                    "ID": f"t{number:04}",
                    "Name": f"{'Red' if number % 3 else 'blue'} thing {number % 100:02}",
                    "Quantity": number % 50,
                    "BuyerID": f"b{number % 10}",
                    "xp": {"Color": f"c{number % 20}"},
                },
            }
            for number in range(COUNT)
        )
        await things.create_indexes(
            [
                index("ID"),
                index("Name", "ID"),
                index("Quantity", "Name", "ID"),
                index("BuyerID", "Name", "ID"),
                index("xp.Color", "Name", "ID"),
            ]
        )
        yield Listed(things, commands)
        await client.drop_database(name)


@pytest.mark.parametrize(
    ("asked", "scope", "most_keys"),
    [
        # Nothing but the order; with an order of the client's; backwards.
        ("", {}, PAGE + 2),
        ("sortBy=ID", {}, PAGE + 2),
        ("sortBy=!Name", {}, PAGE + 2),
        # Equality, of either case, then the order.
        ("ID=T0007&sortBy=ID", {}, 3),
        ("Name=RED%20thing%2007", {}, PAGE + 2),
        ("Quantity=7", {}, PAGE + 2),
        ("xp.Color=C3", {}, PAGE + 2),
        # What a name begins with.
        ("Name=RED%20*", {}, PAGE + 2),
        # Ranges.
        ("ID=%3Et0100&sortBy=ID", {}, PAGE + 2),
        ("Name=%3Eblue%20thing%2050", {}, PAGE + 2),
        # Within a company.
        ("", {"state.BuyerID": "b3"}, PAGE + 2),
        ("Name=red*", {"state.BuyerID": "b3"}, PAGE + 2),
    ],
)
async def test_a_page_comes_from_an_index(
    listed: Listed, asked: str, scope: dict[str, Any], most_keys: int
) -> None:
    stages, keys, documents = (await listed.plans(f"{asked}&pageSize={PAGE}", scope))[0]

    assert "IXSCAN" in stages
    assert not stages & {"SORT", "COLLSCAN"}
    assert keys <= most_keys
    assert documents <= PAGE + 1


@pytest.mark.parametrize("sort", ["Name", "!Name", "ID"])
async def test_a_page_key_skips_nothing(listed: Listed, sort: str) -> None:
    query = parse_list(f"sortBy={sort}&pageSize=100&page=20", SHAPE)
    key = (await run_list(listed.collection, {}, query)).next_page_key

    plans = await listed.plans(f"sortBy={sort}&pageSize={PAGE}&pageKey={key}")

    stages, keys, documents = plans[0]
    assert "IXSCAN" in stages
    assert not stages & {"SORT", "COLLSCAN", "SKIP"}
    # Those of the same name that were on earlier pages are read again; here at most 20 are.
    assert keys <= PAGE + 25
    assert documents <= PAGE + 25


@pytest.mark.parametrize(
    ("asked", "scope"),
    [("", {}), ("Quantity=7", {}), ("xp.Color=c3", {}), ("", {"state.BuyerID": "b3"})],
)
async def test_counting_reads_an_index_only(
    listed: Listed, asked: str, scope: dict[str, Any]
) -> None:
    plans = await listed.plans(f"{asked}&pageSize={PAGE}", scope)

    stages, _, _ = plans[1]
    assert stages & {"COUNT_SCAN", "IXSCAN"}
    assert not stages & {"FETCH", "COLLSCAN"}
