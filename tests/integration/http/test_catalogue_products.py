"""Products: what they name, their families, who sells them, what goes with them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from tests.support.api import TestApi, api_under_test, errors_of
from tests.support.goods import GOODS, PRICE, create_goods


@pytest.fixture
async def api(
    mongo: AsyncMongoClient[dict[str, Any]], database_prefix: str
) -> AsyncIterator[TestApi]:
    async with api_under_test(mongo, database_prefix) as api:
        await create_goods(api, GOODS)
        yield api


async def test_what_a_product_names_is_there(api: TestApi) -> None:
    async with api.as_admin() as client:
        before = (await client.get("/products/p1")).json()
        for field in (
            "DefaultSupplierID",
            "DefaultPriceScheduleID",
            "ShipFromAddressID",
            "ParentID",
        ):
            refused = await client.patch("/products/p1", json={field: "nobody"})
            assert (refused.status_code, errors_of(refused)) == (404, ["NotFound"])
            assert refused.json()["Errors"][0]["Data"]["ObjectID"] == "nobody"
        owner = await client.post("/products", json={"Name": "A", "OwnerID": "nobody"})
        own = await client.patch("/products/p1", json={"DefaultSupplierID": "marketplace"})

        assert (owner.status_code, errors_of(owner)) == (404, ["NotFound"])
        assert own.status_code == 200
        after = (await client.patch("/products/p1", json={"DefaultSupplierID": None})).json()
        assert after == before


async def test_a_product_is_priced_by_its_owner_or_the_marketplace(api: TestApi) -> None:
    async with api.as_admin() as client:
        await client.post("/suppliers", json={"ID": "s2", "Name": "Two"})
        theirs = {"ID": "theirs", "Name": "Theirs", "OwnerID": "s2", **PRICE}
        await client.post("/priceschedules", json=theirs)
        product = {"Name": "A", "OwnerID": "s1"}
        foreign = await client.post(
            "/products", json={**product, "DefaultPriceScheduleID": "theirs"}
        )
        ours = await client.post("/products", json={**product, "DefaultPriceScheduleID": "ps1"})

        assert (foreign.status_code, errors_of(foreign)) == (
            400,
            ["PriceSchedule.InvalidDefaultPriceScheduleID"],
        )
        assert ours.status_code == 201


async def test_families_of_products(api: TestApi) -> None:
    async with api.as_admin() as client:

        async def refused(method: str, path: str, body: dict[str, Any]) -> tuple[int, list[str]]:
            answer = await client.request(method, path, json=body)
            return answer.status_code, errors_of(answer)

        await client.post("/products", json={"ID": "parent", "Name": "P", "IsParent": True})
        child = await client.post(
            "/products", json={"ID": "child", "Name": "C", "ParentID": "parent"}
        )
        assert (child.status_code, child.json()["ParentID"]) == (201, "parent")
        for method, path, body, code in (
            ("POST", "/products", {"Name": "A", "ParentID": "child"}, "Product.IsNotParent"),
            (
                "POST",
                "/products",
                {"Name": "A", "ParentID": "parent", "IsParent": True},
                "Product.ParentProductCannotHaveParent",
            ),
            (
                "POST",
                "/products",
                {"Name": "A", "ParentID": "parent", "OwnerID": "s1"},
                "Product.ParentChildProductOwnersShouldMatch",
            ),
            (
                "PATCH",
                "/products/parent",
                {"IsParent": False},
                "Product.CannotModifyIsParent",
            ),
            (
                "PATCH",
                "/products/shirt",
                {"IsParent": True},
                "Product.CannotModifyIsParentForVariant",
            ),
            (
                "PATCH",
                "/products/shirt",
                {"ParentID": "parent"},
                "Product.CannotModifyParentIDForVariant",
            ),
            (
                "POST",
                "/products/child/variants/generate",
                {},
                "Product.ParentChildProductsCannotHaveVariants",
            ),
            (
                "POST",
                "/specs/productassignments",
                {"SpecID": "color", "ProductID": "child"},
                "ProductAssigment.ParentChildProductCannotBeAssignedToVariantSpec",
            ),
            (
                "POST",
                "/catalogs/productassignments",
                {"CatalogID": "spring", "ProductID": "child"},
                "Catalog.CannotAssignChildProduct",
            ),
            (
                "POST",
                "/catalogs/spring/categories/productassignments",
                {"CategoryID": "top", "ProductID": "child"},
                "Category.CannotAssignChildProduct",
            ),
        ):
            assert await refused(method, path, body) == (400, [code])
        kept = await client.delete("/products/parent")
        assert (kept.status_code, errors_of(kept)) == (
            409,
            ["Product.CannotDeleteParentProduct"],
        )


async def test_suppliers_of_a_product_have_prices_of_their_own(api: TestApi) -> None:
    async with api.as_admin() as client:
        await client.post(
            "/priceschedules", json={"ID": "theirs", "Name": "T", "OwnerID": "s1", **PRICE}
        )
        path = "/products/p1/suppliers"
        foreign = await client.put(f"{path}/s1?defaultPriceScheduleID=ps1")
        saved = await client.put(f"{path}/s1?defaultPriceScheduleID=theirs")
        listed = (await client.get(f"{path}?Name=S")).json()
        by_supplier = (await client.get("/products?supplierID=s1")).json()
        removed = await client.delete(f"{path}/s1")

        assert errors_of(foreign) == ["PriceSchedule.InvalidDefaultPriceScheduleID"]
        assert saved.status_code == 204
        assert [(each["ID"], each["DefaultPriceScheduleID"]) for each in listed["Items"]] == [
            ("s1", "theirs")
        ]
        assert [each["ID"] for each in by_supplier["Items"]] == ["p1"]
        assert removed.status_code == 204
        assert (await client.get("/products?supplierID=s1")).json()["Items"] == []
        assert (await client.get(path)).json()["Meta"]["TotalCount"] == 0


async def test_a_seller_is_assigned_at_a_price_that_it_owns(api: TestApi) -> None:
    async with api.as_admin() as client:
        tie = {"ProductID": "p1", "BuyerID": "b1", "SellerID": "s1"}
        unpriced = await client.post("/products/assignments", json=tie)
        foreign = await client.post("/products/assignments", json={**tie, "PriceScheduleID": "ps1"})
        user = await client.get("/products/assignments?level=User")

        assert (unpriced.status_code, errors_of(unpriced)) == (
            400,
            ["ProductAssigment.MustSpecifyPriceScheduleID"],
        )
        assert (foreign.status_code, errors_of(foreign)) == (
            400,
            ["PriceSchedule.MissingOrConflicting"],
        )
        assert (user.status_code, errors_of(user)) == (
            400,
            ["PartyAssignment.UserLevelNotAllowed"],
        )


async def test_lists_by_catalog_and_category(api: TestApi) -> None:
    async with api.as_admin() as client:
        in_top = {"CategoryID": "top", "ProductID": "p1"}
        await client.post("/catalogs/spring/categories/productassignments", json=in_top)

        async def listed(query: str) -> list[str]:
            answer = await client.get(f"/products?{query}")
            assert answer.json()["Meta"]["Facets"] == []
            return [each["ID"] for each in answer.json()["Items"]]

        assert await listed("catalogID=spring") == ["p1"]
        assert await listed("catalogID=SPRING") == []
        assert await listed("catalogID=spring&categoryID=top") == ["p1"]
        alone = await client.get("/products?categoryID=top")
        assert errors_of(alone) == ["Product.CategoryFilterRequiresCatalogID"]
        await client.delete("/catalogs/spring/productassignments/p1")
        assert await listed("catalogID=spring") == []
        assert await listed("catalogID=spring&categoryID=top") == []
        assert await listed("sortBy=!Name") == ["shirt", "p1"]
        assert await listed("search=cran ship&searchType=AnyTerm") == ["p1"]


async def test_what_belongs_to_a_product_goes_with_it(api: TestApi) -> None:
    async with api.as_admin() as client:
        tie = {"ProductID": "p1", "BuyerID": "b1", "PriceScheduleID": "ps1"}
        await client.post("/products/assignments", json=tie)
        await client.put("/products/p1/suppliers/s1")
        assert (await client.delete("/products/p1")).status_code == 204
        assert (await client.delete("/products/shirt")).status_code == 204

        pricing = api.resources.database("pricing")
        for name in (
            "products",
            "inventory_records",
            "variant_inventory_records",
            "variants",
            "product_assignments",
            "product_suppliers",
            "product_catalog_assignments",
            "spec_product_assignments",
        ):
            left = await pricing[name].count_documents({"state": {"$ne": None}})
            assert (name, left) == (name, 0)


async def test_what_names_a_product_follows_when_it_is_renamed(api: TestApi) -> None:
    async with api.as_admin() as client:
        tie = {"ProductID": "p1", "BuyerID": "b1", "PriceScheduleID": "ps1"}
        await client.post("/products/assignments", json=tie)

        renamed = await client.patch("/products/p1", json={"ID": "crane"})

        assert (renamed.status_code, renamed.json()["ID"]) == (200, "crane")
        listed = (await client.get("/products?catalogID=spring")).json()["Items"]
        assert listed == [(await client.get("/products/crane")).json()]
        ties = (await client.get("/products/assignments?productID=crane")).json()["Items"]
        assert [each["PriceScheduleID"] for each in ties] == ["ps1"]
        assert (await client.get("/products/p1")).status_code == 404


async def test_a_supplier_changes_its_own_alone(api: TestApi) -> None:
    async with api.as_supplier("s1") as mine, api.as_supplier("s2") as other:
        made = await mine.post("/products", json={"ID": "mine", "Name": "Mine"})
        assert (made.status_code, made.json()["OwnerID"]) == (201, "s1")
        assert [each["ID"] for each in (await mine.get("/products")).json()["Items"]] == ["mine"]
        await mine.post("/specs", json={"ID": "sp", "Name": "Mine"})
        await mine.post("/catalogs", json={"ID": "cat", "Name": "Mine"})
        for path, body in (
            ("/specs/sp/options", {"Value": "a"}),
            ("/catalogs/cat/categories", {"Name": "a"}),
            ("/specs/productassignments", {"SpecID": "sp", "ProductID": "mine"}),
            ("/catalogs/productassignments", {"CatalogID": "cat", "ProductID": "mine"}),
        ):
            refused = await other.post(path, json=body)
            assert (refused.status_code, errors_of(refused)) == (404, ["NotFound"]), path
            saved = await mine.post(path, json=body)
            assert saved.status_code in (201, 204), saved.text
        for path in (
            "/products/mine",
            "/products/mine/variants",
            "/products/mine/inventoryrecords",
            "/products/mine/specs",
            "/products/mine/suppliers",
            "/specs/sp/options",
            "/catalogs/cat/categories",
            "/catalogs/cat/categories/productassignments",
        ):
            assert (await other.get(path)).status_code == 404, path
            assert (await mine.get(path)).status_code == 200, path
        for path in ("/specs/productassignments", "/catalogs/productassignments"):
            assert (await other.get(path)).json()["Meta"]["TotalCount"] == 0
            assert (await mine.get(path)).json()["Meta"]["TotalCount"] == 1
        theirs = await mine.post(
            "/catalogs/productassignments", json={"CatalogID": "cat", "ProductID": "p1"}
        )
        assert theirs.status_code == 404
