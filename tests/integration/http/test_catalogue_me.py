"""What a buyer's user sees of the catalogue, and at which price."""

from collections.abc import AsyncIterator
from typing import Any

import httpx
import pytest
from pymongo import AsyncMongoClient

from tests.support.api import TestApi, api_under_test, errors_of
from tests.support.goods import PRICE, create_goods
from tests.support.parties import COMPANIES, GROUP, address, user

SPRING, AUTUMN = "/catalogs/spring/categories", "/catalogs/autumn/categories"
IN_SPRING = "/catalogs/productassignments"


def product(id: str, **more: Any) -> tuple[str, dict[str, Any]]:
    return "/products", {"ID": id, "Name": id, **more}


def placed(id: str, catalog: str = "spring") -> tuple[str, dict[str, Any]]:
    return IN_SPRING, {"CatalogID": catalog, "ProductID": id}


SHOP: tuple[tuple[str, dict[str, Any]], ...] = (
    *COMPANIES,
    ("/buyers", {"ID": "b2", "Name": "Other"}),
    ("/buyers/b1/users", user("tester")),
    ("/buyers/b1/usergroups", GROUP),
    ("/buyers/b1/usergroups", {"ID": "g2", "Name": "Not mine"}),
    ("/buyers/b1/usergroups/assignments", {"UserGroupID": "g1", "UserID": "tester"}),
    ("/addresses", address()),
    ("/catalogs", {"ID": "spring", "Name": "Spring"}),
    ("/catalogs", {"ID": "autumn", "Name": "Autumn", "Active": False}),
    ("/catalogs/assignments", {"CatalogID": "spring", "BuyerID": "b1"}),
    (
        "/catalogs/assignments",
        {"CatalogID": "autumn", "BuyerID": "b1", "ViewAllProducts": True},
    ),
    *(
        (SPRING, {"ID": id, "Name": id, "ParentID": parent})
        for id, parent in (("top", None), ("under", "top"), ("hidden", "top"), ("closed", None))
    ),
    *(product(id) for id in ("inTop", "inUnder", "inHidden", "inClosed", "mine", "ours", "theirs")),
    *(placed(id) for id in ("inTop", "inUnder", "inHidden", "inClosed", "mine", "ours", "theirs")),
    *(
        (f"{SPRING}/productassignments", {"CategoryID": category, "ProductID": id})
        for category, id in (
            ("top", "inTop"),
            ("under", "inUnder"),
            ("hidden", "inHidden"),
            ("closed", "inClosed"),
        )
    ),
    product("late"),
    placed("late", "autumn"),
)


@pytest.fixture
async def api(
    mongo: AsyncMongoClient[dict[str, Any]], database_prefix: str
) -> AsyncIterator[TestApi]:
    async with api_under_test(mongo, database_prefix, ("accounts", "pricing")) as api:
        await create_goods(api, SHOP)
        yield api


async def seen(client: httpx.AsyncClient, query: str = "") -> list[str]:
    answer = await client.get(f"/me/products?{query}")
    assert answer.status_code == 200, answer.text
    return sorted(each["ID"] for each in answer.json()["Items"])


async def test_products_are_seen_through_catalogs_categories_and_assignments(
    api: TestApi,
) -> None:
    async with api.as_admin() as admin, api.as_buyer("b1", "Shopper") as me:
        assert await seen(me) == []
        for body in (
            {"ProductID": "mine", "BuyerID": "b1", "UserGroupID": "g1"},
            {"ProductID": "ours", "BuyerID": "b1"},
            {"ProductID": "theirs", "BuyerID": "b1", "UserGroupID": "g2"},
            {"ProductID": "late", "BuyerID": "b1"},
        ):
            assert (await admin.post("/products/assignments", json=body)).status_code == 204
        assert await seen(me) == ["mine", "ours"]

        for category, shows in (("top", True), ("hidden", False)):
            tie = {"CategoryID": category, "BuyerID": "b1", "ViewAllProducts": shows}
            assert (await admin.post(f"{SPRING}/assignments", json=tie)).status_code == 204
        assert await seen(me) == ["inTop", "inUnder", "mine", "ours"]
        await admin.patch(f"{SPRING}/under", json={"Active": False})
        assert await seen(me) == ["inTop", "mine", "ours"]
        await admin.patch("/products/mine", json={"Active": False})
        assert await seen(me) == ["inTop", "ours"]
        group = {"CategoryID": "top", "BuyerID": "b1", "UserGroupID": "g1"}
        await admin.post(f"{SPRING}/assignments", json={**group, "ViewAllProducts": False})
        assert await seen(me) == ["ours"]

        whole = {"CatalogID": "spring", "BuyerID": "b1", "ViewAllProducts": True}
        await admin.post("/catalogs/assignments", json=whole)
        every = ["inClosed", "inHidden", "inTop", "inUnder", "ours", "theirs"]
        assert await seen(me) == every
        assert await seen(me, "Name=in*&pageSize=2") == ["inClosed", "inHidden"]
        await admin.delete("/products/ours/assignments/b1")
        assert (await me.get("/me/products/ours")).status_code == 200
        await admin.delete("/catalogs/spring/productassignments/ours")
        gone = await me.get("/me/products/ours")
        assert (gone.status_code, errors_of(gone)) == (404, ["NotFound"])
        await admin.patch("/catalogs/spring", json={"Active": False})
        assert await seen(me) == []

    async with api.as_buyer("b2", "Shopper") as other:
        assert await seen(other) == []
        assert (await other.get("/me/products/ours")).status_code == 404
        assert (await other.get("/me/catalogs/spring")).status_code == 404


async def test_products_of_a_category_as_deep_as_asked(api: TestApi) -> None:
    whole = {"CatalogID": "spring", "BuyerID": "b1", "ViewAllProducts": True}
    async with api.as_admin() as admin, api.as_buyer("b1", "Shopper") as me:
        await admin.post("/catalogs/assignments", json=whole)

        unnamed = await me.get("/me/products?categoryID=top")
        assert errors_of(unnamed) == ["Product.CategoryFilterRequiresCatalogID"]
        await admin.patch("/buyers/b1", json={"DefaultCatalogID": "spring"})
        assert await seen(me, "categoryID=top") == ["inHidden", "inTop", "inUnder"]
        assert await seen(me, "categoryID=top&depth=1") == ["inTop"]
        assert await seen(me, "catalogID=spring&categoryID=closed") == ["inClosed"]
        for query in ("categoryID=nobody", "catalogID=autumn", "catalogID=nobody"):
            assert (await me.get(f"/me/products?{query}")).status_code == 404


async def test_categories_are_seen_where_they_are_shown(api: TestApi) -> None:
    async with api.as_admin() as admin, api.as_buyer("b1", "Shopper") as me:

        async def listed(query: str) -> list[str]:
            answer = await me.get(f"/me/categories?catalogID=spring&{query}")
            return sorted(each["ID"] for each in answer.json()["Items"])

        assert await listed("depth=all") == []
        for category, visible in (("top", True), ("hidden", False)):
            tie = {"CategoryID": category, "BuyerID": "b1", "Visible": visible}
            await admin.post(f"{SPRING}/assignments", json=tie)
        assert await listed("depth=all") == ["top", "under"]
        assert await listed("") == ["top"]
        assert await listed("ParentID=top") == ["under"]
        assert await listed("productID=inUnder") == ["under"]
        got = await me.get("/me/categories/under?catalogID=spring")
        assert (got.status_code, got.json()["ParentID"]) == (200, "top")
        hidden = await me.get("/me/categories/hidden?catalogID=spring")
        assert (hidden.status_code, errors_of(hidden)) == (404, ["NotFound"])
        catalogs = (await me.get("/me/catalogs")).json()["Items"]
        assert [(each["ID"], each["OwnerID"]) for each in catalogs] == [("spring", None)]


async def test_prices_go_from_group_to_buyer_to_default_and_by_seller(api: TestApi) -> None:
    async with api.as_admin() as admin, api.as_buyer("b1", "Shopper") as me:
        for id, owner in (("own", None), ("company", None), ("group", None), ("theirs", "s1")):
            body = {"ID": id, "Name": id, "OwnerID": owner, **PRICE}
            assert (await admin.post("/priceschedules", json=body)).status_code == 201
        tie = {"ProductID": "ours", "BuyerID": "b1"}
        await admin.post("/products/assignments", json=tie)

        async def price(query: str = "") -> str | None:
            one = (await me.get(f"/me/products/ours{query}")).json()["PriceSchedule"]
            many = (await me.get(f"/me/products{query}")).json()["Items"][0]["PriceSchedule"]
            assert one == many
            return None if one is None else str(one["ID"])

        assert await price() is None
        await admin.patch("/products/ours", json={"DefaultPriceScheduleID": "own"})
        assert await price() == "own"
        await admin.post("/products/assignments", json={**tie, "PriceScheduleID": "company"})
        assert await price() == "company"
        await admin.post(
            "/products/assignments", json={**tie, "UserGroupID": "g1", "PriceScheduleID": "group"}
        )
        assert await price() == "group"
        await admin.put("/products/ours/suppliers/s1?defaultPriceScheduleID=theirs")
        assert await price("?sellerID=s1") == "theirs"
        sellers = (await me.get("/me/products/ours/sellers")).json()["Items"]
        assert [(each["ID"], each["PriceSchedule"]["ID"]) for each in sellers] == [
            ("marketplace", "group"),
            ("s1", "theirs"),
        ]
        assert (await me.get("/me/products/ours?sellerID=s2")).status_code == 404


async def test_stock_for_other_buyers_is_not_counted(api: TestApi) -> None:
    async with api.as_admin() as admin, api.as_buyer("b1", "Shopper") as me:
        await admin.post("/products/assignments", json={"ProductID": "ours", "BuyerID": "b1"})
        await admin.patch("/products/ours", json={"Inventory": {"Enabled": True}})
        path = "/products/ours/inventoryrecords"
        for id, open in (("open", True), ("given", False), ("closed", False)):
            body = {"ID": id, "AddressID": "a1", "AllowAllBuyers": open, "QuantityAvailable": 5}
            assert (await admin.post(path, json=body)).status_code == 201
        given = {"InventoryRecordID": "given", "BuyerID": "b1"}
        await admin.post(f"{path}/assignments", json=given)

        records = (await me.get("/me/products/ours/inventoryrecords")).json()["Items"]
        mine = (await me.get("/me/products/ours")).json()["Inventory"]["QuantityAvailable"]
        all_of_it = (await admin.get("/products/ours")).json()["Inventory"]["QuantityAvailable"]

        assert [each["ID"] for each in records] == ["given", "open"]
        assert (mine, all_of_it) == (10, 15)


async def test_promotions_that_may_be_used_now(api: TestApi) -> None:
    rule = {"EligibleExpression": "1 = 1", "ValueExpression": "1"}
    async with api.as_admin() as admin, api.as_buyer("b1", "Shopper") as me:
        for id, more in (
            ("all", {"AllowAllBuyers": True}),
            ("given", {"AllowAllBuyers": False}),
            ("others", {"AllowAllBuyers": False}),
            ("idle", {"AllowAllBuyers": True, "Active": False}),
            ("over", {"AllowAllBuyers": True, "ExpirationDate": "2026-01-01T00:00:00Z"}),
            ("soon", {"AllowAllBuyers": True, "StartDate": "2026-02-01T00:00:00Z"}),
        ):
            made = await admin.post("/promotions", json={"ID": id, "Code": id, **rule, **more})
            assert made.status_code == 201, made.text
        for body in (
            {"PromotionID": "given", "BuyerID": "b1", "UserGroupID": "g1"},
            {"PromotionID": "others", "BuyerID": "b2"},
        ):
            await admin.post("/promotions/assignments", json=body)

        listed = (await me.get("/me/promotions")).json()["Items"]
        others = await me.get("/me/promotions/others")

        assert [each["ID"] for each in listed] == ["all", "given"]
        assert (await me.get("/me/promotions/given")).json() == listed[1]
        assert (others.status_code, errors_of(others)) == (404, ["NotFound"])


async def test_me_is_for_buyers_with_a_role(api: TestApi) -> None:
    async with api.as_admin() as admin, api.as_buyer("b1", "MeAdmin") as roleless:
        refused = await admin.get("/me/products")
        without = await roleless.get("/me/products")

        assert (refused.status_code, errors_of(refused)) == (
            403,
            ["Auth.UserNotAuthorizedToAdmin"],
        )
        assert (without.status_code, errors_of(without)) == (403, ["Auth.InsufficientRoles"])
