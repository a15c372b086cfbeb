"""What shipments are refused for, each error saying what to do."""

from datetime import datetime, timedelta

from shared.contracts.base import Error


def shipment_not_found(id: str) -> Error:
    return Error(
        error_code="NotFound",
        message=f"There is no shipment {id}; send CreateShipment first, or check the ID.",
        data={"ObjectType": "Shipment", "ObjectID": id},
    )


def id_exists(id: str) -> Error:
    return Error(
        error_code="IdExists",
        message=f"Shipment {id} exists with other content; change it with UpdateShipment, or "
        "create a shipment with another ID.",
        data={"ObjectType": "Shipment", "ObjectID": id},
    )


def line_not_found(order_id: str, line_id: str) -> Error:
    return Error(
        error_code="NotFound",
        message=f"Order {order_id} has no line {line_id}; check OrderID and LineItemID.",
        data={"ObjectType": "LineItem", "ObjectID": line_id, "OrderID": order_id},
    )


def quantity_exceeded(
    order_id: str, line_id: str, *, ordered: int, already: int, requested: int
) -> Error:
    return Error(
        error_code="ShipmentItem.QuantityExceeded",
        message=f"Line {line_id} of order {order_id}: {ordered} ordered, {already} on other "
        f"shipments, {requested} more asked for; ship at most {max(0, ordered - already)}.",
        data={
            "OrderID": order_id,
            "LineItemID": line_id,
            "Ordered": ordered,
            "AlreadyShipped": already,
            "Requested": requested,
        },
    )


def order_canceled(order_id: str, line_id: str) -> Error:
    return Error(
        error_code="Order.CannotShipBadStatus",
        message=f"Order {order_id} is canceled; leave its line {line_id} out of the shipment.",
        data={"OrderID": order_id, "LineItemID": line_id, "Status": "Canceled"},
    )


def quantity_missing(order_id: str, line_id: str) -> Error:
    return Error(
        error_code="ValidationFailure",
        message=f"Line {line_id} of order {order_id} has quantity 0; a new shipment's items need "
        "at least 1. Leave the item out.",
        data={"OrderID": order_id, "LineItemID": line_id, "QuantityShipped": 0},
    )


def line_twice(order_id: str, line_id: str) -> Error:
    return Error(
        error_code="ValidationFailure",
        message=f"Line {line_id} of order {order_id} is named more than once (the buyer's and the "
        "supplier's order ID are the same order); send one item with the whole quantity.",
        data={"OrderID": order_id, "LineItemID": line_id},
    )


def other_supplier(
    order_id: str, line_id: str, *, supplier_id: str, forwarded_to: list[str]
) -> Error:
    return Error(
        error_code="ValidationFailure",
        message=f"Line {line_id} of order {order_id} was forwarded to {', '.join(forwarded_to)}, "
        f"not to {supplier_id}; correct SupplierID or leave the line out.",
        data={
            "OrderID": order_id,
            "LineItemID": line_id,
            "SupplierID": supplier_id,
            "ForwardedTo": forwarded_to,
        },
    )


def already_shipped(id: str, date_shipped: datetime) -> Error:
    return Error(
        error_code="ValidationFailure",
        message=f"Shipment {id} has left; DateShipped can be corrected but not cleared. Remove "
        "what did not leave by items with quantity 0.",
        data={"DateShipped": date_shipped.isoformat()},
    )


def delivered_before_shipped(date_shipped: datetime, date_delivered: datetime) -> Error:
    return Error(
        error_code="ValidationFailure",
        message="DateDelivered is before DateShipped; correct one of them.",
        data={
            "DateShipped": date_shipped.isoformat(),
            "DateDelivered": date_delivered.isoformat(),
        },
    )


def order_never_came(order_id: str, waited: timedelta) -> Error:
    seconds = round(waited.total_seconds())
    return Error(
        error_code="NotFound",
        message=f"There is no order {order_id}; the shipment waited {seconds} seconds for it. "
        "Check OrderID, or send the command again when the order is submitted.",
        data={"ObjectType": "Order", "ObjectID": order_id, "WaitedSeconds": seconds},
    )


def too_many_wait(order_id: str, limit: int, what: str) -> Error:
    return Error(
        error_code="NotFound",
        message=f"There is no order {order_id} yet, and no more than {limit} {what} may wait; "
        "send the command again when the order is submitted.",
        data={"ObjectType": "Order", "ObjectID": order_id, "WaitingLimit": limit},
    )
