"""Stock as the catalogue sets it."""

from typing import Any

from services.pricing.allotments import Allotment, Movement
from services.pricing.inventory import fold_inventory, inventory_keys
from shared.contracts.registry import INVENTORY, PRODUCT
from tests.support.fakes import START, message
from tests.support.folding import Folding, error_codes, names


def folding() -> Folding[Allotment, None]:
    return Folding("inventory/mug", fold_inventory, None)


def product(**fields: Any) -> dict[str, Any]:
    return {"ID": "mug", "Name": "Mug", **fields}


def test_stock_is_set_as_a_whole_and_by_location() -> None:
    stock = folding()

    events = stock.take(INVENTORY.save, {"ID": "mug", "QuantityAvailable": 5})
    stock.take(INVENTORY.save, {"ID": "mug", "QuantityAvailable": 3, "LocationID": "W1"})
    stock.take(INVENTORY.save, {"ID": "mug", "QuantityAvailable": 4, "OrderCanExceed": True})

    assert names(events) == ["InventorySaved"]
    assert stock.state == Allotment(records={"*": 4, "W1": 3}, order_can_exceed=True)


def test_what_is_under_way_stays_under_way() -> None:
    stock = folding()
    movement = Movement(request="r", base=0, mark=3, at=START, units={"*": 2})
    stock.state = Allotment(records={"*": 1}, pending={"O-1": movement})

    stock.take(INVENTORY.save, {"ID": "mug", "QuantityAvailable": 9})

    assert stock.state == Allotment(records={"*": 9}, pending={"O-1": movement})


def test_deleting_ends_the_tracking() -> None:
    stock = folding()
    stock.take(INVENTORY.save, {"ID": "mug", "QuantityAvailable": 5})

    events = stock.take(INVENTORY.delete, {"ID": "mug"})
    again = stock.take(INVENTORY.delete, {"ID": "mug"})

    assert names(events) == ["InventoryDeleted"]
    assert error_codes(again) == ["NotFound"]
    assert stock.state is None


def test_a_product_may_carry_its_stock() -> None:
    stock = folding()

    events = stock.take(PRODUCT.save, product(Inventory={"QuantityAvailable": 5}))
    stock.take(PRODUCT.save, product(Inventory={"Enabled": False, "NotificationPoint": 2}))

    assert events == []
    assert stock.state == Allotment(enabled=False, notification_point=2, records={"*": 5})


def test_a_product_that_says_nothing_of_stock_leaves_it() -> None:
    assert [*inventory_keys(message(PRODUCT.save, product()))] == []
    assert [*inventory_keys(message(PRODUCT.save, product(Inventory={})))] == ["inventory/mug"]
    assert [*inventory_keys(message(INVENTORY.delete, {"ID": "mug"}))] == ["inventory/mug"]
