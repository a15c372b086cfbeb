"""Price schedules, specs, variants and promotions: what is special about each."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from services.pricing.allotments import ANYWHERE, Allotment
from shared.aggregates import Aggregate
from shared.mongo.aggregates import MongoAggregateStore
from tests.support.api import TestApi, api_under_test, errors_of
from tests.support.goods import GOODS, PRICE, create_goods


@pytest.fixture
async def api(
    mongo: AsyncMongoClient[dict[str, Any]], database_prefix: str
) -> AsyncIterator[TestApi]:
    async with api_under_test(mongo, database_prefix) as api:
        await create_goods(api, GOODS)
        yield api


async def test_price_breaks_are_added_replaced_and_deleted(api: TestApi) -> None:
    path = "/priceschedules/ps1/PriceBreaks"
    async with api.as_admin() as client:

        def told(answer: Any) -> list[tuple[int, float]]:
            return [(each["Quantity"], each["Price"]) for each in answer.json()["PriceBreaks"]]

        hundred = await client.post(path, json={"Quantity": 100, "Price": 7})
        ten = await client.post(path, json={"Quantity": 10, "Price": 9})
        again = await client.post(path, json={"Quantity": 10, "Price": 8.5})
        unknown = await client.delete(f"{path}?quantity=11")
        unsaid = await client.delete(path)
        deleted = [await client.delete(f"{path}?quantity={each}") for each in (1, 100)]
        last = await client.delete(f"{path}?quantity=10")

        assert (hundred.status_code, told(hundred)) == (201, [(1, 10), (100, 7)])
        assert told(ten) == [(1, 10), (10, 9), (100, 7)]
        assert told(again) == [(1, 10), (10, 8.5), (100, 7)]
        assert (unknown.status_code, errors_of(unknown)) == (400, ["PriceSchedule.QtyNotFound"])
        assert (unsaid.status_code, errors_of(unsaid)) == (400, ["ValidationFailure"])
        assert [each.status_code for each in deleted] == [204, 204]
        assert (last.status_code, errors_of(last)) == (
            400,
            ["PriceSchedule.CannotDeleteLastPriceBreak"],
        )
        assert told(await client.get("/priceschedules/ps1")) == [(10, 8.5)]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"PriceBreaks": []}, "PriceSchedule.NoPriceBreaks"),
        ({"PriceBreaks": None}, "PriceSchedule.NoPriceBreaks"),
        ({"PriceBreaks": PRICE["PriceBreaks"] * 2}, "PriceSchedule.DuplicatePriceBreaks"),
        ({"MinQuantity": 0}, "PriceSchedule.MinQtyMustBePositive"),
        ({"MinQuantity": 3, "MaxQuantity": 2}, "PriceSchedule.MinGreaterThanMax"),
        (
            {"SaleStart": "2026-02-01T00:00:00Z", "SaleEnd": "2026-01-01T00:00:00Z"},
            "PriceSchedule.InvalidSaleStartOrSaleEnd",
        ),
    ],
)
async def test_the_parts_of_a_price_schedule_fit(
    api: TestApi, wrong: dict[str, Any], code: str
) -> None:
    async with api.as_admin() as client:
        refused = await client.patch("/priceschedules/ps1", json=wrong)

        assert (refused.status_code, errors_of(refused)) == (400, [code])


async def test_a_schedule_is_on_sale_at_the_time_of_the_call(api: TestApi) -> None:
    breaks = [{"Quantity": 1, "Price": 10, "SalePrice": 8}]
    sale = {"SaleStart": "2026-01-02T03:00:00Z", "SaleEnd": "2026-01-02T04:00:00Z"}
    async with api.as_admin() as client:
        await client.patch("/priceschedules/ps1", json={**sale, "PriceBreaks": breaks})
        during = (await client.get("/priceschedules/ps1")).json()["IsOnSale"]
        api.clock.advance(3600)
        after = (await client.get("/priceschedules/ps1")).json()["IsOnSale"]

        assert (during, after) == (True, False)


async def test_a_deleted_schedule_prices_nothing(api: TestApi) -> None:
    async with api.as_admin() as client:
        await client.patch("/products/p1", json={"DefaultPriceScheduleID": "ps1"})
        tie = {"ProductID": "p1", "BuyerID": "b1", "PriceScheduleID": "ps1"}
        await client.post("/products/assignments", json=tie)

        assert (await client.delete("/priceschedules/ps1")).status_code == 204

        assert (await client.get("/products/p1")).json()["DefaultPriceScheduleID"] is None
        assert (await client.get("/products/assignments")).json()["Items"] == []


async def test_the_default_of_a_spec_is_one_of_its_options(api: TestApi) -> None:
    async with api.as_admin() as client:
        early = await client.patch("/specs/color", json={"DefaultOptionID": "blue"})
        await client.post(
            "/specs/color/options", json={"ID": "blue", "Value": "B", "ListOrder": -1}
        )
        patched = await client.patch("/specs/color", json={"DefaultOptionID": "blue"})
        override = {"SpecID": "color", "ProductID": "shirt", "DefaultOptionID": "red"}
        await client.post("/specs/productassignments", json=override)
        of_shirt = (await client.get("/products/shirt/specs")).json()["Items"]
        await client.patch("/specs/color/options/blue", json={"ID": "navy"})
        renamed = (await client.get("/specs/color")).json()
        await client.delete("/specs/color/options/navy")
        cleared = (await client.get("/specs/color")).json()

        assert (early.status_code, errors_of(early)) == (404, ["NotFound"])
        assert [each["ID"] for each in patched.json()["Options"]] == ["blue", "red"]
        assert [(each["ID"], each["DefaultOptionID"]) for each in of_shirt] == [("color", "red")]
        assert renamed["DefaultOptionID"] == "navy"
        assert (cleared["DefaultOptionID"], cleared["OptionCount"]) == (None, 1)


async def test_what_defines_variants_has_to_be_chosen(api: TestApi) -> None:
    async with api.as_admin() as client:
        optional = await client.post("/specs", json={"Name": "A", "DefinesVariant": True})
        free = await client.patch("/specs/color", json={"AllowOpenText": True})

        assert errors_of(optional) == ["Spec.MustBeRequired"]
        assert errors_of(free) == ["Spec.CannotAllowOpenText"]


async def test_variants_are_kept_unless_they_are_overwritten(api: TestApi) -> None:
    path = "/products/shirt/variants"
    async with api.as_admin() as client:

        async def variants() -> list[tuple[str, str, bool]]:
            items = (await client.get(path)).json()["Items"]
            return [(each["ID"], each["Name"], each["Active"]) for each in items]

        await client.patch(f"{path}/shirt-red", json={"ID": "mine", "Name": "Mine"})
        await client.post("/specs/color/options", json={"ID": "blue", "Value": "Blue"})
        made = await client.post(f"{path}/generate", json={"Active": False})
        added = await variants()
        unknown = await client.put(f"{path}/nobody", json={"Name": "A"})
        saved = await client.put(f"{path}/mine", json={"Name": "Saved"})
        await client.post(f"{path}/generate?overwriteExisting=true", json={})

        assert (made.status_code, made.json()["VariantCount"]) == (201, 2)
        assert added == [("mine", "Mine", True), ("shirt-blue", "Shirt Blue", False)]
        assert (unknown.status_code, errors_of(unknown)) == (404, ["NotFound"])
        assert saved.json()["Specs"] == [
            {
                "SpecID": "color",
                "Name": "Color",
                "OptionID": "red",
                "Value": "Red",
                "PriceMarkupType": None,
                "PriceMarkup": None,
            }
        ]
        assert await variants() == [
            ("shirt-blue", "Shirt Blue", True),
            ("shirt-red", "Shirt Red", True),
        ]
        assert (await client.get("/products/shirt")).json()["Inventory"]["QuantityAvailable"] == 0


async def test_a_variant_has_stock_where_it_is_tracked_by_variant(api: TestApi) -> None:
    path = "/products/shirt/variants/shirt-red"
    stock = {"Inventory": {"QuantityAvailable": 8}}
    async with api.as_admin() as client:
        await client.delete(f"{path}/inventoryrecords/r1")
        patched = await client.patch(path, json=stock)
        product = (await client.get("/products/shirt")).json()
        await client.patch("/products/shirt", json={"Inventory": {"VariantLevelTracking": False}})
        refused = await client.patch(path, json=stock)

        assert patched.json()["Inventory"]["QuantityAvailable"] == 8
        assert product["Inventory"]["QuantityAvailable"] == 8
        assert (refused.status_code, errors_of(refused)) == (400, ["Variant.MustEnableInventory"])


@pytest.mark.parametrize(
    ("fields", "code"),
    [
        ({"EligibleExpression": "order.total >"}, "Expression.InvalidSyntax"),
        ({"ValueExpression": "nothing(1)"}, "Expression.InvalidFunction"),
        ({"EligibleExpression": "item.Quantity > 1"}, "Expression.ItemNotAllowed"),
        ({"LineItemLevel": True}, "Expression.ItemRequired"),
        ({"UseIntegration": True}, "Promotion.UseIntegrationMustBeFalse"),
        ({"ValueExpression": None}, "Promotion.ValueExpressionCannotBeNull"),
        ({"ItemLimitPerOrder": 1}, "Promotion.CannotSetItemLimitPerOrder"),
        ({"EligibleExpression": "1 = 1 or " * 50 + "1 = 1"}, "ValidationFailure"),
    ],
)
async def test_a_promotion_says_what_can_be_read(
    api: TestApi, fields: dict[str, Any], code: str
) -> None:
    async with api.as_admin() as client:
        before = (await client.get("/promotions/promo")).json()
        refused = await client.patch("/promotions/promo", json=fields)

        assert (refused.status_code, errors_of(refused)) == (400, [code])
        assert (await client.get("/promotions/promo")).json() == before


async def test_a_code_is_of_one_promotion_also_when_it_is_renamed(api: TestApi) -> None:
    body = {"Code": "OTHER", "EligibleExpression": "1 = 1", "ValueExpression": "1"}
    async with api.as_admin() as client:
        await client.post("/promotions", json={"ID": "other", **body})
        same = await client.post("/promotions", json={**body, "Code": "PROMO"})
        patched = await client.patch("/promotions/other", json={"Code": "PROMO"})
        renamed = await client.patch("/promotions/other", json={"ID": "another"})
        taken = await client.post("/promotions", json=body)

        assert (same.status_code, errors_of(same)) == (409, ["Promotion.CodeInUse"])
        assert (patched.status_code, errors_of(patched)) == (409, ["Promotion.CodeInUse"])
        assert (renamed.status_code, renamed.json()["Code"]) == (200, "OTHER")
        assert (taken.status_code, errors_of(taken)) == (409, ["Promotion.CodeInUse"])
        assert (await client.get("/promotions/other")).status_code == 404


async def test_redemptions_are_shown_and_follow(api: TestApi) -> None:
    store = MongoAggregateStore(api.resources.database("pricing"), "allotments", Allotment)
    used = Aggregate("promotion/promo", state=Allotment(records={ANYWHERE: -3}))
    await store.save([used])
    async with api.as_admin() as client:
        before = (await client.get("/promotions/promo")).json()["RedemptionCount"]
        renamed = await client.patch("/promotions/promo", json={"ID": "renamed"})

        assert (before, renamed.json()["RedemptionCount"]) == (3, 3)


async def test_a_product_tells_how_many_specs_and_variants_it_has(api: TestApi) -> None:
    async with api.as_admin() as client:

        async def counts(id: str = "shirt") -> list[tuple[int, int]]:
            one = (await client.get(f"/products/{id}")).json()
            listed = (await client.get(f"/products?ID={id}")).json()["Items"]
            return [(each["SpecCount"], each["VariantCount"]) for each in (one, *listed)]

        begun = await counts()
        engravings = [f"engraving-{number}" for number in range(8)]
        for id in engravings:
            await client.put(f"/specs/{id}", json={"Name": id})
        # All at once: each counts what there is, and the last to write has them all.
        await asyncio.gather(
            *(
                client.post("/specs/productassignments", json={"SpecID": id, "ProductID": "shirt"})
                for id in engravings
            )
        )
        assigned = await counts()
        await client.post(
            "/specs/productassignments", json={"SpecID": engravings[0], "ProductID": "shirt"}
        )
        again = await counts()
        await client.delete(f"/specs/{engravings[0]}/productassignments/shirt")
        await client.delete(f"/specs/{engravings[1]}")
        deleted = await counts()
        renamed = await client.patch("/products/shirt", json={"ID": "blouse", "SpecCount": 99})
        followed = await counts("blouse")
        await client.post("/specs/color/options", json={"ID": "blue", "Value": "Blue"})
        await client.post("/products/blouse/variants/generate", json={})
        generated = await counts("blouse")
        await client.delete("/specs/color/options/red")
        await client.post("/products/blouse/variants/generate?overwriteExisting=true", json={})

        assert begun == [(1, 1)] * 2
        assert assigned == again == [(9, 1)] * 2
        assert deleted == [(7, 1)] * 2
        assert (renamed.json()["SpecCount"], renamed.json()["VariantCount"]) == (7, 1)
        assert followed == [(7, 1)] * 2
        assert generated == [(7, 2)] * 2
        assert await counts("blouse") == [(7, 1)] * 2
