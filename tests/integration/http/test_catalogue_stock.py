"""Stock of products and inventory records: what is saved here is what orders take from."""

import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from services.pricing.allotments import ANYWHERE, Allotment
from services.pricing.http.places import location_id
from services.pricing.http.stock import Stock
from shared.messaging.outbox import entries_in
from tests.support.api import TestApi, api_under_test, errors_of
from tests.support.goods import GOODS, create_goods

R1 = location_id("p1", "r1")


@pytest.fixture
async def api(
    mongo: AsyncMongoClient[dict[str, Any]], database_prefix: str
) -> AsyncIterator[TestApi]:
    async with api_under_test(mongo, database_prefix) as api:
        await create_goods(api, GOODS)
        yield api


async def ledger(api: TestApi, product: str) -> dict[str, Any] | None:
    found = await Stock(api.resources).of([product])
    return dict(found[product]) if product in found else None


async def take(api: TestApi, product: str, place: str, units: int) -> None:
    """What an order does."""

    def decide(state: Allotment | None) -> Allotment:
        assert state is not None
        records = {**state.records, place: state.records[place] - units}
        return state.model_copy(update={"records": records})

    await Stock(api.resources).change(product, decide)


def shown(body: dict[str, Any]) -> int | None:
    quantity: int | None = body["Inventory"]["QuantityAvailable"]
    return quantity


async def test_what_an_order_took_is_gone_whatever_else_is_saved(api: TestApi) -> None:
    tracked = {"Enabled": True, "QuantityAvailable": 10, "NotificationPoint": 2}
    async with api.as_admin() as client:
        made = await client.post("/products", json={"ID": "p2", "Name": "A", "Inventory": tracked})
        await take(api, "p2", ANYWHERE, 3)

        got = await client.get("/products/p2")
        named = await client.patch("/products/p2", json={"Name": "B"})
        told = await client.patch("/products/p2", json={"Inventory": {"OrderCanExceed": True}})
        put = await client.put("/products/p2", json={"Name": "C"})
        listed = await client.get("/products?ID=p2")

        assert shown(made.json()) == 10
        assert [shown(each.json()) for each in (got, named, told, put)] == [7, 7, 7, 7]
        assert listed.json()["Items"][0]["Inventory"] == {
            "Enabled": True,
            "QuantityAvailable": 7,
            "OrderCanExceed": True,
            "NotificationPoint": 2,
            "VariantLevelTracking": False,
            "LastUpdated": "2026-01-02T03:04:05.000+00:00",
        }
        stored = await api.resources.database("pricing")["products"].find_one({"_id": "p2"})
        assert stored is not None
        told = json.loads(entries_in(stored)[-1].body)
        assert told["Inventory"]["QuantityAvailable"] == 7


async def test_a_quantity_that_is_sent_is_set_and_null_ends_tracking(api: TestApi) -> None:
    tracked = {"Enabled": True, "QuantityAvailable": 10}
    async with api.as_admin() as client:
        await client.post("/products", json={"ID": "p2", "Name": "A", "Inventory": tracked})
        await take(api, "p2", ANYWHERE, 3)

        patched = await client.patch("/products/p2", json={"Inventory": {"QuantityAvailable": 4}})
        after_patch = await ledger(api, "p2")
        ended = await client.patch("/products/p2", json={"Inventory": None})

        assert shown(patched.json()) == 4
        assert after_patch is not None
        assert after_patch["Records"] == {ANYWHERE: 4}
        assert ended.json()["Inventory"]["Enabled"] is False


async def test_a_product_without_inventory_has_no_ledger(api: TestApi) -> None:
    async with api.as_admin() as client:
        made = await client.post("/products", json={"ID": "p2", "Name": "A"})

    assert made.json()["Inventory"] is None
    assert await ledger(api, "p2") is None


async def test_stock_goes_with_its_product(api: TestApi) -> None:
    async with api.as_admin() as client:
        assert (await client.delete("/products/p1")).status_code == 204

    assert await ledger(api, "p1") is None


async def test_a_record_is_a_place_that_orders_take_from(api: TestApi) -> None:
    async with api.as_admin() as client:
        await take(api, "p1", R1, 2)
        record = (await client.get("/products/p1/inventoryrecords/r1")).json()
        renamed = await client.patch("/products/p1/inventoryrecords/r1", json={"xp": {"a": 1}})
        product = await client.patch("/products/p1", json={"Inventory": {"QuantityAvailable": 99}})
        pricing = api.resources.database("pricing")
        place = await pricing["locations"].find_one({"_id": R1})

        assert record["QuantityAvailable"] == 3
        assert renamed.json()["QuantityAvailable"] == 3
        assert shown(product.json()) == 3
        assert place is not None
        assert "OwnerID" not in place["state"]
        assert place["state"]["Address"]["City"] == "Wien"
        assert [entry["Type"] for entry in place["outbox"]] == ["LocationSaved"]
        assert await ledger(api, "p1") == {
            "Enabled": True,
            "OrderCanExceed": False,
            "Records": {R1: 3},
            "Pending": {},
        }


async def test_a_product_has_the_sum_of_its_records(api: TestApi) -> None:
    async with api.as_admin() as client:
        path = "/products/p1/inventoryrecords"
        await client.post(path, json={"ID": "r2", "AddressID": "a1", "QuantityAvailable": 7})
        both = (await client.get("/products/p1")).json()
        await client.patch(f"{path}/r2", json={"ID": "r3", "QuantityAvailable": 1})
        changed = (await client.get("/products/p1")).json()
        await client.delete(f"{path}/r1")
        one = (await client.get("/products/p1")).json()
        await client.delete(f"{path}/r3")
        none = (await client.get("/products/p1")).json()

        assert [shown(each) for each in (both, changed, one, none)] == [12, 6, 1, 0]


async def test_a_suppliers_record_is_at_its_own_address_and_its_own_place(api: TestApi) -> None:
    async with api.as_admin() as admin:
        await admin.patch("/products/p1", json={"DefaultSupplierID": "s1"})
        path = "/products/p1/inventoryrecords"
        made = await admin.post(path, json={"ID": "r2", "AddressID": "a2", "QuantityAvailable": 1})
        nowhere = await admin.post(path, json={"AddressID": "a2", "OwnerID": "marketplace"})
        place = await api.resources.database("pricing")["locations"].find_one(
            {"_id": location_id("p1", "r2")}
        )

        assert (made.status_code, made.json()["OwnerID"]) == (201, "s1")
        assert (nowhere.status_code, errors_of(nowhere)) == (404, ["NotFound"])
        assert place is not None
        assert place["state"]["OwnerID"] == "s1"


async def test_addresses_are_shown_where_they_are_asked_for(api: TestApi) -> None:
    async with api.as_admin() as client:
        path = "/products/p1/inventoryrecords"
        plain = (await client.get(path)).json()["Items"][0]
        whole = (await client.get(f"{path}?includeAddress=true")).json()["Items"][0]

        assert plain["Address"] is None
        assert (whole["Address"]["ID"], whole["Address"]["City"]) == ("a1", "Wien")


async def test_records_are_on_the_level_that_stock_is_tracked_on(api: TestApi) -> None:
    record = {"AddressID": "a1"}
    async with api.as_admin() as client:
        await client.post("/products", json={"ID": "p2", "Name": "Untracked"})
        untracked = await client.post("/products/p2/inventoryrecords", json=record)
        of_product = await client.post("/products/shirt/inventoryrecords", json=record)
        level = await client.patch(
            "/products/shirt", json={"Inventory": {"VariantLevelTracking": False}}
        )
        disabled = await client.patch(
            "/products/p2", json={"Inventory": {"Enabled": False, "VariantLevelTracking": True}}
        )

        assert errors_of(untracked) == ["InventoryConfiguration.ProductInventoryMustExist"]
        assert errors_of(of_product) == ["InventoryConfiguration.CannotCreateInventoryRecord"]
        assert errors_of(level) == ["InventoryConfiguration.CannotChangeVariantLevelTracking"]
        assert errors_of(disabled) == ["Inventory.MustEnable"]


async def test_a_product_has_what_its_variants_have(api: TestApi) -> None:
    async with api.as_admin() as client:
        begin = (await client.get("/products/shirt")).json()
        path = "/products/shirt/variants/shirt-red/inventoryrecords"
        await client.post(path, json={"ID": "r2", "AddressID": "a1", "QuantityAvailable": 4})
        variant = (await client.get("/products/shirt/variants/shirt-red")).json()
        more = (await client.get("/products/shirt")).json()
        await client.delete(f"{path}/r1")
        less = (await client.get("/products/shirt")).json()

        assert [shown(each) for each in (begin, more, less)] == [3, 7, 4]
        assert variant["Inventory"]["QuantityAvailable"] == 7


async def test_a_renamed_product_takes_its_stock_along(api: TestApi) -> None:
    async with api.as_admin() as client:
        renamed = await client.patch("/products/p1", json={"ID": "crane"})
        records = (await client.get("/products/crane/inventoryrecords")).json()["Items"]

        assert shown(renamed.json()) == 5
        assert [(each["ID"], each["QuantityAvailable"]) for each in records] == [("r1", 5)]
        moved = await ledger(api, "crane")
        assert moved is not None
        assert moved["Records"] == {location_id("crane", "r1"): 5}
        assert await ledger(api, "p1") is None
