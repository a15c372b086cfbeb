"""A catalogue to begin with: a catalog ``spring`` with a product ``p1``, and what belongs to it."""

from collections.abc import Iterable
from typing import Any

from tests.support.api import TestApi
from tests.support.parties import COMPANIES, GROUP, address

PRICE = {"PriceBreaks": [{"Quantity": 1, "Price": 10}]}
GOODS: tuple[tuple[str, dict[str, Any]], ...] = (
    *COMPANIES,
    ("/buyers/b1/usergroups", GROUP),
    ("/addresses", address()),
    ("/suppliers/s1/addresses", address("a2")),
    ("/priceschedules", {"ID": "ps1", "Name": "Prices", **PRICE}),
    ("/catalogs", {"ID": "spring", "Name": "Spring"}),
    ("/catalogs/spring/categories", {"ID": "top", "Name": "Top"}),
    ("/products", {"ID": "p1", "Name": "Crane", "Inventory": {"Enabled": True}}),
    ("/catalogs/productassignments", {"CatalogID": "spring", "ProductID": "p1"}),
    ("/products/p1/inventoryrecords", {"ID": "r1", "AddressID": "a1", "QuantityAvailable": 5}),
    (
        "/products",
        {
            "ID": "shirt",
            "Name": "Shirt",
            "Inventory": {"Enabled": True, "VariantLevelTracking": True},
        },
    ),
    ("/specs", {"ID": "spec1", "Name": "Size"}),
    ("/specs", {"ID": "color", "Name": "Color", "DefinesVariant": True, "Required": True}),
    ("/specs/color/options", {"ID": "red", "Value": "Red"}),
    ("/specs/productassignments", {"SpecID": "color", "ProductID": "shirt"}),
    ("/products/shirt/variants/generate", {}),
    (
        "/products/shirt/variants/shirt-red/inventoryrecords",
        {"ID": "r1", "AddressID": "a1", "QuantityAvailable": 3},
    ),
    (
        "/promotions",
        {
            "ID": "promo",
            "Code": "PROMO",
            "EligibleExpression": "order.Subtotal > 10",
            "ValueExpression": "1",
        },
    ),
)


async def create_goods(api: TestApi, things: Iterable[tuple[str, dict[str, Any]]] = GOODS) -> None:
    """Creates and assigns ``things``: paths and bodies."""
    async with api.as_admin() as client:
        for path, body in things:
            made = await client.post(path, json=body)
            assert made.status_code in (201, 204), f"{path}: {made.text}"
