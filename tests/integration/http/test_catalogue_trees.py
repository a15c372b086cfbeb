"""Catalogs and categories: trees, their order, and what goes with them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from services.pricing.http.default_catalogs import default_catalogs
from shared.contracts.catalog import Buyer
from shared.http.operations import Call
from tests.support.api import TestApi, api_under_test, errors_of
from tests.support.goods import create_goods
from tests.support.parties import COMPANIES

CATEGORIES = "/catalogs/spring/categories"
TREE: tuple[tuple[str, dict[str, Any]], ...] = (
    *COMPANIES,
    ("/catalogs", {"ID": "spring", "Name": "Spring"}),
    *(
        (CATEGORIES, {"ID": id, "Name": id, "ParentID": parent})
        for id, parent in (("top", None), ("middle", "top"), ("leaf", "middle"), ("other", None))
    ),
    ("/products", {"ID": "p1", "Name": "Crane"}),
    ("/catalogs/productassignments", {"CatalogID": "spring", "ProductID": "p1"}),
    (f"{CATEGORIES}/productassignments", {"CategoryID": "leaf", "ProductID": "p1"}),
)


@pytest.fixture
async def api(
    mongo: AsyncMongoClient[dict[str, Any]], database_prefix: str
) -> AsyncIterator[TestApi]:
    async with api_under_test(mongo, database_prefix, ("accounts", "pricing")) as api:
        await create_goods(api, TREE)
        yield api


async def test_a_list_is_as_deep_as_it_is_asked_for(api: TestApi) -> None:
    async with api.as_admin() as client:

        async def listed(query: str) -> list[str]:
            answer = await client.get(f"{CATEGORIES}?{query}")
            return sorted(each["ID"] for each in answer.json()["Items"])

        assert await listed("") == ["other", "top"]
        assert await listed("depth=2") == ["middle", "other", "top"]
        assert await listed("depth=all") == ["leaf", "middle", "other", "top"]
        assert await listed("ParentID=middle") == ["leaf"]
        wrong = await client.get(f"{CATEGORIES}?depth=deep")
        assert (wrong.status_code, errors_of(wrong)) == (400, ["Category.InvalidDepth"])
        top = (await client.get(f"{CATEGORIES}/top")).json()
        assert (top["ChildCount"], top["ParentID"]) == (1, None)
        assert (await client.get("/catalogs/spring")).json()["CategoryCount"] == 4


async def test_a_tree_has_no_circles_and_no_strangers(api: TestApi) -> None:
    async with api.as_admin() as client:
        before = (await client.get(f"{CATEGORIES}/top")).json()
        below = await client.patch(f"{CATEGORIES}/top", json={"ParentID": "leaf"})
        itself = await client.patch(f"{CATEGORIES}/top", json={"ParentID": "top"})
        nobody = await client.patch(f"{CATEGORIES}/top", json={"ParentID": "nobody"})

        assert errors_of(below) == errors_of(itself) == ["Category.CircularReference"]
        assert (nobody.status_code, errors_of(nobody)) == (404, ["NotFound"])
        assert (await client.get(f"{CATEGORIES}/top")).json() == before


async def test_a_tree_has_twenty_levels(api: TestApi) -> None:
    async with api.as_admin() as client:
        parent = "leaf"
        for level in range(4, 21):
            made = await client.post(
                CATEGORIES, json={"ID": f"l{level}", "Name": "L", "ParentID": parent}
            )
            assert made.status_code == 201
            parent = f"l{level}"
        deeper = await client.post(CATEGORIES, json={"Name": "L", "ParentID": parent})
        under = await client.patch(f"{CATEGORIES}/top", json={"ParentID": "other"})

        assert errors_of(deeper) == errors_of(under) == ["Category.InvalidDepth"]


async def test_the_others_make_room(api: TestApi) -> None:
    async with api.as_admin() as client:
        for id, order in (("one", 1), ("two", 2), ("nine", 9)):
            body = {"ID": id, "Name": id, "ParentID": "other", "ListOrder": order}
            await client.post(CATEGORIES, json=body)

        body = {"ID": "new", "Name": "new", "ParentID": "other", "ListOrder": 1}
        await client.post(f"{CATEGORIES}?adjustListOrders=true", json=body)

        items = (await client.get(f"{CATEGORIES}?ParentID=other")).json()["Items"]
        assert [(each["ID"], each["ListOrder"]) for each in items] == [
            ("new", 1),
            ("one", 2),
            ("two", 3),
            ("nine", 9),
        ]


async def test_what_is_below_a_category_goes_and_follows(api: TestApi) -> None:
    async with api.as_admin() as client:
        await client.patch(f"{CATEGORIES}/leaf", json={"ID": "leaves"})
        in_leaves = await client.get("/products?catalogID=spring&categoryID=leaves")
        await client.patch(f"{CATEGORIES}/middle", json={"ID": "center"})
        followed = (await client.get(f"{CATEGORIES}/leaves")).json()["ParentID"]
        deleted = await client.delete(f"{CATEGORIES}/top")

        assert [each["ID"] for each in in_leaves.json()["Items"]] == ["p1"]
        assert followed == "center"
        assert deleted.status_code == 204
        left = (await client.get(f"{CATEGORIES}?depth=all")).json()["Items"]
        assert [each["ID"] for each in left] == ["other"]
        ties = await client.get(f"{CATEGORIES}/productassignments")
        assert ties.json()["Items"] == []
        nothing = await client.get("/products?catalogID=spring&categoryID=leaves")
        assert nothing.json()["Items"] == []


async def test_what_is_in_a_category_is_in_its_catalog(api: TestApi) -> None:
    async with api.as_admin() as client:
        await client.post("/products", json={"ID": "p2", "Name": "Other"})
        body = {"CategoryID": "top", "ProductID": "p2"}
        refused = await client.post(f"{CATEGORIES}/productassignments", json=body)

        assert (refused.status_code, errors_of(refused)) == (400, ["Catalog.CannotAssignProduct"])


async def test_a_catalog_takes_its_tree_along(api: TestApi) -> None:
    async with api.as_admin() as client:
        await client.post("/catalogs/assignments", json={"CatalogID": "spring", "BuyerID": "b1"})
        await client.patch("/catalogs/spring", json={"ID": "autumn"})
        listed = await client.get("/products?catalogID=autumn&categoryID=leaf")
        tree = await client.get("/catalogs/autumn/categories?depth=all")
        deleted = await client.delete("/catalogs/autumn")

        assert [each["ID"] for each in listed.json()["Items"]] == ["p1"]
        assert tree.json()["Meta"]["TotalCount"] == 4
        assert deleted.status_code == 204
        pricing = api.resources.database("pricing")
        for name in (
            "catalogs",
            "categories",
            "catalog_assignments",
            "product_catalog_assignments",
            "category_product_assignments",
        ):
            left = await pricing[name].count_documents({"state": {"$ne": None}})
            assert (name, left) == (name, 0)
        assert (await client.get("/products?catalogID=autumn")).json()["Items"] == []


async def test_a_buyers_default_catalog_stays(api: TestApi) -> None:
    async with api.as_admin() as client:
        await client.patch("/buyers/b1", json={"DefaultCatalogID": "spring"})
        refused = await client.delete("/catalogs/spring")

        assert (refused.status_code, errors_of(refused)) == (400, ["Catalog.CannotDelete"])
        tree = await client.get(f"{CATEGORIES}?depth=all")
        assert tree.json()["Meta"]["TotalCount"] == 4


async def test_a_default_catalog_is_made_once(api: TestApi) -> None:
    catalogs = default_catalogs(api.resources, api.announcer)
    call = Call(api.operations[0], {}, "", b"", "call", api.clock())

    await catalogs.create_default(call, Buyer(id="b1", name="Buyer"))
    await catalogs.create_default(call, Buyer(id="b1", name="Renamed"))

    async with api.as_admin() as client:
        made = (await client.get("/catalogs/b1")).json()
        ties = (await client.get("/catalogs/assignments?buyerID=b1")).json()["Items"]
    assert (made["Name"], made["OwnerID"], made["Active"]) == ("Buyer", "marketplace", True)
    assert [each["CatalogID"] for each in ties] == ["b1"]
    assert await api.events("pricing", "catalogs", "b1") == ["CatalogSaved"]
