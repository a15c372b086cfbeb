"""The fields that an expression may name: those of OrderCloud's Order, LineItem and OrderReturn."""

from collections.abc import Mapping
from enum import StrEnum
from typing import TypeAlias, Union


class Kind(StrEnum):
    """What a value is, as far as it is known before there are values."""

    NUMBER = "a number"
    TEXT = "a text"
    FLAG = "true or false"
    DATE = "a date"
    LIST = "a list"
    ANY = "anything"
    """Of ``xp``, and of an item of a list."""


Fields: TypeAlias = Mapping[str, Union[Kind, "Fields"]]
"""The fields of an object by their names, each a kind or an object."""


def _fields(
    text: str = "",
    number: str = "",
    flag: str = "",
    date: str = "",
    lists: str = "",
    **objects: Fields,
) -> Fields:
    """Fields with ``xp``, named by kind, the names of a kind separated by spaces."""
    named = {Kind.TEXT: text, Kind.NUMBER: number, Kind.FLAG: flag, Kind.DATE: date}
    kinds = {name: kind for kind, names in named.items() for name in names.split()}
    return {**kinds, **dict.fromkeys(lists.split(), Kind.LIST), **objects, "xp": Kind.ANY}


_ADDRESS = _fields(
    "ID CompanyName FirstName LastName Street1 Street2 City State Zip Country Phone AddressName",
    date="DateCreated",
)

_USER = _fields(
    "ID CompanyID Username FirstName LastName Email Phone",
    flag="Active",
    date="TermsAccepted DateCreated LastActive PasswordLastSetDate",
    lists="AvailableRoles",
    Locale=_fields("ID OwnerID Currency Language"),
)

ORDER = _fields(
    "ID FromCompanyID ToCompanyID FromUserID BillingAddressID ShippingAddressID Comments Status"
    " Currency SubscriptionID",
    "LineItemCount Subtotal ShippingCost TaxCost Gratuity Fees PromotionDiscount Total",
    "IsSubmitted",
    "DateCreated DateSubmitted DateApproved DateDeclined DateCanceled DateCompleted LastUpdated",
    FromUser=_USER,
    BillingAddress=_ADDRESS,
)

PRODUCT = _fields(
    "ID Name Description DefaultSupplierID ParentID",
    "QuantityMultiplier ShipWeight ShipHeight ShipWidth ShipLength",
    "Returnable",
)

LINE_ITEM = _fields(
    "ID ProductID BundleItemID CostCenter ShippingAccount ShippingAddressID ShipFromAddressID"
    " SupplierID InventoryRecordID PriceScheduleID IncomingOrderID OutgoingOrderID InvitationID",
    "Quantity QuantityShipped UnitPrice PromotionDiscount LineTotal LineSubtotal",
    "IsBundle IsOnSale PriceOverridden",
    "DateAdded DateNeeded",
    "Specs",
    Product=PRODUCT,
    Variant=_fields("ID Name Description", "ShipWeight ShipHeight ShipWidth ShipLength"),
    ShippingAddress=_ADDRESS,
    ShipFromAddress=_ADDRESS,
)

ORDER_RETURN = _fields(
    "ID OrderID Status Comments",
    "RefundAmount",
    date="DateCreated DateSubmitted DateApproved DateDeclined DateCanceled DateCompleted"
    " LastUpdated",
    lists="PaymentIDs ItemsToReturn",
)

ROOTS = ("order", "items", "item", "orderreturn")


def _spellings(fields: Fields) -> dict[str, str]:
    found = {}
    for name, kind in fields.items():
        found[name.casefold()] = name
        if not isinstance(kind, Kind):
            found.update(_spellings(kind))
    return found


_SPELLINGS = {
    **_spellings(ORDER),
    **_spellings(LINE_ITEM),
    **_spellings(ORDER_RETURN),
    **{root: root for root in ROOTS},
}


def canonical(path: tuple[str, ...]) -> tuple[str, ...]:
    """``path`` with its names spelled as the fields are, as far as they are known; below ``xp``
    as it was written."""
    spelled = []
    for position, name in enumerate(path):
        spelled.append(_SPELLINGS.get(name.casefold(), name))
        if spelled[-1] == "xp":
            return (*spelled, *path[position + 1 :])
    return tuple(spelled)
