"""Every declared part of the catalogue, walked through by what is declared of it."""

from typing import Any

import pytest
from pymongo import AsyncMongoClient

from services.pricing.http import ASSIGNMENTS, KINDS
from shared.http.kinds import Assignment, Kind
from tests.support.api import api_under_test
from tests.support.assignments import Tie, walk_assignment
from tests.support.goods import GOODS, create_goods
from tests.support.kinds import Sample, walk_kind

_BREAKS = [
    {"Quantity": 1, "Price": 10.5, "SalePrice": 9, "SubscriptionPrice": 8, "BundlePrice": 7},
    {
        "Quantity": 10,
        "Price": 9.25,
        "SalePrice": None,
        "SubscriptionPrice": None,
        "BundlePrice": None,
    },
]
_NAMED = {"Name": "Alpha", "Description": "First", "xp": {"Code": "a1"}}
_LEAST = {"Name": "Other"}
_LONG = {"Name": "x" * 101}
_RECORD = {
    "AddressID": "a1",
    "AllowAllBuyers": False,
    "OrderCanExceed": True,
    "QuantityAvailable": 5,
    "NotificationPoint": 1,
    "xp": {"Shelf": "7"},
}

SAMPLES = {
    "Product": Sample(
        body={
            **_NAMED,
            "DefaultPriceScheduleID": "ps1",
            "DefaultSupplierID": "s1",
            "ShipFromAddressID": "a1",
            "AllSuppliersCanSell": True,
            "QuantityMultiplier": 6,
            "ShipWeight": 1.5,
            "Returnable": True,
        },
        other=_LEAST,
        change={"Name": "Changed", "ShipWidth": 2.25},
        wrong={"QuantityMultiplier": 0},
        computed=frozenset({"SpecCount", "VariantCount"}),
    ),
    "PriceSchedule": Sample(
        body={
            "Name": "Alpha",
            "Currency": "USD",
            "MinQuantity": 2,
            "MaxQuantity": 20,
            "PriceBreaks": _BREAKS,
            "xp": {"Season": "spring"},
        },
        other={**_LEAST, "PriceBreaks": _BREAKS},
        change={"Name": "Changed", "MaxQuantity": 30},
        wrong={"PriceBreaks": []},
        code="PriceSchedule.NoPriceBreaks",
        computed=frozenset({"IsOnSale"}),
    ),
    "Spec": Sample(
        body={
            "Name": "Color",
            "ListOrder": 3,
            "DefaultValue": "Red",
            "Required": True,
            "AllowOpenText": True,
            "xp": {"Kind": "paint"},
        },
        other=_LEAST,
        change={"Name": "Changed", "ListOrder": 4},
        wrong=_LONG,
        computed=frozenset({"OptionCount", "Options"}),
    ),
    "SpecOption": Sample(
        body={
            "Value": "Red",
            "ListOrder": 2,
            "PriceMarkupType": "AmountPerQuantity",
            "PriceMarkup": 2.5,
            "xp": {"Hex": "f00"},
        },
        other={"Value": "Blue"},
        change={"Value": "Green", "IsOpenText": True},
        wrong={"PriceMarkupType": "Some"},
        parents={"specID": "spec1"},
    ),
    "InventoryRecord": Sample(
        body=_RECORD,
        other={"AddressID": "a1"},
        change={"QuantityAvailable": 6, "NotificationPoint": 2},
        wrong={"QuantityAvailable": "some"},
        parents={"productID": "p1"},
        computed=frozenset({"Address"}),
    ),
    "VariantInventoryRecord": Sample(
        body=_RECORD,
        other={"AddressID": "a1"},
        change={"QuantityAvailable": 6, "NotificationPoint": 2},
        wrong={"QuantityAvailable": "some"},
        parents={"productID": "shirt", "variantID": "shirt-red"},
        computed=frozenset({"Address"}),
    ),
    "Catalog": Sample(
        body=_NAMED,
        other={**_LEAST, "Active": False},
        change={"Name": "Changed"},
        wrong=_LONG,
        computed=frozenset({"CategoryCount"}),
    ),
    "Category": Sample(
        body={**_NAMED, "ListOrder": 2},
        other={**_LEAST, "Active": False},
        change={"Name": "Changed", "ListOrder": 3},
        wrong=_LONG,
        parents={"catalogID": "spring"},
        computed=frozenset({"ChildCount"}),
    ),
    "Promotion": Sample(
        body={
            "Code": "SPRING",
            "AllowAllBuyers": True,
            "Name": "Alpha",
            "DiscountType": "Amount",
            "Value": 2.5,
            "Priority": 3,
            "xp": {"Season": "spring"},
        },
        other={
            "Code": "SUMMER",
            "AllowAllBuyers": True,
            "LineItemLevel": True,
            "DiscountType": "Percentage",
            "Value": 5,
        },
        change={"Name": "Changed", "AutoApply": True},
        wrong={"Name": "x" * 101},
        computed=frozenset({"RedemptionCount"}),
    ),
}
IN_CATALOG = {"catalogID": "spring"}
OF_PRODUCT = {"productID": "p1"}
OF_VARIANT = {"productID": "shirt", "variantID": "shirt-red"}
TIES = {
    "ProductAssignment": Tie(
        {"ProductID": "p1", "BuyerID": "b1", "UserGroupID": "g1", "PriceScheduleID": "ps1"}
    ),
    "ProductSupplier": Tie({}, {**OF_PRODUCT, "supplierID": "s1"}),
    "SpecProductAssignment": Tie({"SpecID": "spec1", "ProductID": "p1", "DefaultValue": "Big"}),
    "InventoryRecordAssignment": Tie(
        {"InventoryRecordID": "r1", "BuyerID": "b1", "UserGroupID": "g1"}, OF_PRODUCT
    ),
    "VariantInventoryRecordAssignment": Tie(
        {"InventoryRecordID": "r1", "BuyerID": "b1"}, OF_VARIANT
    ),
    "CatalogAssignment": Tie({"CatalogID": "spring", "BuyerID": "b1", "ViewAllProducts": True}),
    "ProductCatalogAssignment": Tie({"CatalogID": "spring", "ProductID": "shirt"}),
    "CategoryAssignment": Tie(
        {"CategoryID": "top", "BuyerID": "b1", "UserGroupID": "g1", "Visible": True}, IN_CATALOG
    ),
    "CategoryProductAssignment": Tie(
        {"CategoryID": "top", "ProductID": "p1", "ListOrder": 4}, IN_CATALOG
    ),
    "PromotionAssignment": Tie({"PromotionID": "promo", "BuyerID": "b1"}),
}


def without(assignment: Assignment) -> list[tuple[str, dict[str, Any]]]:
    """The goods, but for such assignments, and for what follows from them."""
    of_specs = assignment.name == "SpecProductAssignment"
    return [
        (path, body)
        for path, body in GOODS
        if path != assignment.save and not (of_specs and "/variants/" in path)
    ]


CREATED = [kind for kind in KINDS if "Create" in kind.operations]


@pytest.mark.parametrize("kind", CREATED, ids=lambda kind: kind.name)
async def test_a_part_of_the_catalogue_does_what_its_declaration_says(
    mongo: AsyncMongoClient[dict[str, Any]], database_prefix: str, kind: Kind
) -> None:
    async with api_under_test(mongo, database_prefix) as api:
        await create_goods(api, GOODS)

        await walk_kind(api, kind, SAMPLES[kind.name])


@pytest.mark.parametrize("assignment", ASSIGNMENTS, ids=lambda each: each.name)
async def test_an_assignment_does_what_its_declaration_says(
    mongo: AsyncMongoClient[dict[str, Any]], database_prefix: str, assignment: Assignment
) -> None:
    async with api_under_test(mongo, database_prefix) as api:
        await create_goods(api, without(assignment))

        await walk_assignment(api, assignment, TIES[assignment.name])
