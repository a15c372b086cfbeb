"""Resources as expressions look at them."""

from collections.abc import Sequence
from typing import Any

from shared.contracts.base import Resource, wire_name
from shared.contracts.orders import LineItem, Order


def view(resource: Resource) -> dict[str, Any]:
    """The fields of ``resource`` by the wire's names, with its own values: amounts stay exact."""
    return {wire_name(name): _viewed(value) for name, value in resource}


def _viewed(value: Any) -> Any:
    if isinstance(value, Resource):
        return view(value)
    if isinstance(value, list):
        return [_viewed(each) for each in value]
    return value


def order_view(order: Order) -> dict[str, Any]:
    """``order`` with the IDs of its user and its addresses beside them."""
    seen = view(order)
    for id, resource in (
        ("FromUserID", "FromUser"),
        ("BillingAddressID", "BillingAddress"),
        ("ShippingAddressID", "ShippingAddress"),
    ):
        seen[id] = (seen[resource] or {}).get("ID")
    return seen


def line_views(lines: Sequence[LineItem], order: dict[str, Any] | None) -> list[dict[str, Any]]:
    """``lines`` of the order that ``order`` is a view of, each with the shipping address that it
    has or inherits, and its ID."""
    inherited = None if order is None else order["ShippingAddress"]
    seen = []
    for line in lines:
        one = view(line)
        address = one["ShippingAddress"] or inherited
        seen.append(
            {**one, "ShippingAddress": address, "ShippingAddressID": (address or {}).get("ID")}
        )
    return seen
