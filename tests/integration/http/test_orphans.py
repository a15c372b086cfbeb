"""What names a company or a group that is gone goes with it, in every service."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from pymongo import AsyncMongoClient

from services.pricing.orphans import GONE
from shared.contracts.registry import BUYER, MessageType
from shared.contracts.resources import USER_GROUP
from shared.http.orphans import OrphanProcessor
from shared.messaging.message import Message
from tests.support.api import TestApi, api_under_test

Mongo = AsyncMongoClient[dict[str, Any]]


def told(type: MessageType[Any], id: str, **body: Any) -> Message[Any]:
    return Message(
        type,
        type.body.model_validate(body),
        id,
        "/ordermesh/accounts",
        id,
        type.topic,
        0,
        0,
        datetime(2026, 1, 1, tzinfo=UTC),
    )


async def assigned(api: TestApi) -> None:
    """A product for the buyers ``b1`` and ``b2``, and for a group of each."""
    async with api.as_admin() as client:
        for buyer in ("b1", "b2"):
            for path, body in (
                ("/buyers", {"ID": buyer, "Name": buyer}),
                (f"/buyers/{buyer}/usergroups", {"ID": "g", "Name": "Group"}),
                ("/catalogs/productassignments", {"CatalogID": buyer, "ProductID": "p"}),
                ("/products/assignments", {"ProductID": "p", "BuyerID": buyer}),
                (
                    "/products/assignments",
                    {"ProductID": "p", "BuyerID": buyer, "UserGroupID": "g"},
                ),
            ):
                if buyer == "b1" and path == "/buyers":
                    made = await client.post("/products", json={"ID": "p", "Name": "P"})
                    assert made.status_code == 201
                response = await client.post(path, json=body)
                assert response.status_code in (201, 204), response.text


async def parties(api: TestApi) -> Sequence[tuple[str, str | None]]:
    async with api.as_admin() as client:
        page = (await client.get("/products/assignments")).json()["Items"]
    return [(each["BuyerID"], each["UserGroupID"]) for each in page]


async def test_assignments_go_with_their_buyer(mongo: Mongo, database_prefix: str) -> None:
    async with api_under_test(mongo, database_prefix, default_catalogs=True) as api:
        await assigned(api)
        async with api.as_admin() as client:
            assert (await client.delete("/buyers/b1")).status_code == 204
        processor = OrphanProcessor("pricing", api.resources, GONE)
        message = told(BUYER.deleted, "e1", ID="b1")

        await processor.process([message])
        again = len(api.publisher.entries)
        await processor.process([message])

        assert await parties(api) == [("b2", None), ("b2", "g")]
        assert len(api.publisher.entries) == again
        deleted = [each.key for each in api.publisher.entries if each.type.endswith("Deleted")]
        assert sorted(deleted) == ["b1/b1", "p/b1//", "p/b1/g/"]


async def test_assignments_go_with_their_group_alone(mongo: Mongo, database_prefix: str) -> None:
    async with api_under_test(mongo, database_prefix, default_catalogs=True) as api:
        await assigned(api)
        async with api.as_admin() as client:
            assert (await client.delete("/buyers/b1/usergroups/g")).status_code == 204
        processor = OrphanProcessor("pricing", api.resources, GONE)

        await processor.process([told(USER_GROUP.deleted, "e1", BuyerID="b1", ID="g")])

        assert await parties(api) == [("b1", None), ("b2", None), ("b2", "g")]


async def test_what_a_buyer_of_the_same_id_has_by_now_stays(
    mongo: Mongo, database_prefix: str
) -> None:
    async with api_under_test(mongo, database_prefix, default_catalogs=True) as api:
        await assigned(api)
        processor = OrphanProcessor("pricing", api.resources, GONE)

        await processor.process([told(BUYER.deleted, "e1", ID="b1")])

        assert len(await parties(api)) == 4
