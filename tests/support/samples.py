"""Bodies that operations take, made from their models: what a client would send.

Every text in one has a mark in it, so that whoever finds the mark somewhere knows where it is from.
"""

import types
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from shared.contracts.base import ID
from shared.http.present import is_read_only, wire_alias

_ID_PATTERN = get_args(ID)[1].pattern
_MOST = 100

_PARAMETERS = {
    "approvingGroupID": "userGroupID",
    "clientID": "apiClientID",
    "groupID": "userGroupID",
    "defaultSupplierID": "supplierID",
    "sellerID": "supplierID",
}
"""Fields and parameters that name what another parameter names, too."""

_TEXTS: Mapping[str, str] = {
    "Country": "DE",
    "Currency": "EUR",
    "ThingType": "Address",
}
_FIXED: Mapping[str, Mapping[str, Any]] = {
    "AddressAssignment": {"IsShipping": True},
    "ApiClient": {"AllowAnyBuyer": True},
    "ApiClientAssignment": {"BuyerID": "buyer-{side}"},
    "BuyerAddress": {"Shipping": True},
    "Supplier": {"AllBuyersCanOrder": False},
    "ProductSupplier": {"AllBuyersCanOrder": False},
    "InventoryRecord": {"AllowAllBuyers": False},
    "BuyerApprovalRule": {
        "RuleExpression": "order.Total > 1",
        "ApprovingGroupID": "userGroup-{side}",
        "OrderTotalAbove": None,
    },
    "Inventory": {"VariantLevelTracking": True},
    "ProductAssignment": {"PriceScheduleID": "priceSchedule-{side}"},
    "Buyer": {"DefaultCatalogID": "catalog-{side}"},
    "CatalogAssignment": {"ViewAllCategories": True, "ViewAllProducts": True},
    "CategoryAssignment": {"Visible": True},
    "PriceSchedule": {
        "PriceBreaks": [{"Quantity": 1, "Price": 2}, {"Quantity": 5, "Price": 1}],
    },
    "XpIndex": {"Key": "key-{side}"},
    "Spec": {"DefinesVariant": True, "Required": True},
    "Promotion": {
        "EligibleExpression": "order.Total > 1",
        "ValueExpression": "1",
        "AllowAllBuyers": False,
    },
}
"""What a model's own rules ask for beyond its fields' types; None leaves a field out."""


def parameter_id(parameter: str, side: str) -> str:
    """The ID that stands for a parameter on a side: ``costCenterID`` of ``one`` is
    ``costCenter-one``. The same parameter always has the same."""
    name = _PARAMETERS.get(parameter, parameter)
    if name == "thingType":
        return _TEXTS["ThingType"]
    if name == "newBuyerID":
        # Whoever moves, moves to another one.
        return "buyer-two" if side != "two" else "buyer-own"
    if name == "variantID":
        # Variants are generated, and named by what they are of.
        return f"{parameter_id('productID', side)}-{parameter_id('optionID', side)}"
    return f"{name.removesuffix('ID')}-{side}"


@dataclass(frozen=True, slots=True)
class Samples:
    """Makes bodies of one side. ``mark`` stands in every free text; ``place`` tells texts that have
    to be unique from those of other kinds."""

    side: str
    mark: str
    place: str = ""

    def body(self, model: type[BaseModel], parameter: str | None = None) -> dict[str, Any]:
        """A whole body. ``parameter`` is the path's name for the resource's own ID."""
        made: dict[str, Any] = {}
        for name, field in model.model_fields.items():
            alias = wire_alias(name, field)
            if alias == "ID" and parameter is not None:
                made["ID"] = parameter_id(parameter, self.side)
            elif not is_read_only(field) and (value := self._value(alias, field)) is not None:
                made[alias] = value
        return made | self._fixed(model, made)

    def _fixed(self, model: type[BaseModel], made: dict[str, Any]) -> dict[str, Any]:
        found: dict[str, Any] = {}
        for each in model.__mro__:
            for name, value in _FIXED.get(each.__name__, {}).items():
                if value is None:
                    made.pop(name, None)
                else:
                    found[name] = value.format(side=self.side) if isinstance(value, str) else value
        return found

    def _value(self, alias: str, field: FieldInfo) -> Any:
        return self._of(alias, field.annotation, list(field.metadata), needed=field.is_required())

    def _of(self, alias: str, annotation: Any, metadata: list[Any], *, needed: bool) -> Any:
        """A value, or None to leave the field out."""
        origin = get_origin(annotation)
        if origin is Annotated:
            inner, *more = get_args(annotation)
            return self._of(alias, inner, [*more, *metadata], needed=needed)
        if origin in (Union, types.UnionType):
            first = next(option for option in get_args(annotation) if option is not type(None))
            return self._of(alias, first, metadata, needed=needed)
        if annotation is str:
            return self._text(alias, metadata, needed=needed)
        if alias == "xp":
            return {"Kept": self.mark, "Deep": {"er": [self.mark]}}
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            return self.body(annotation)
        return self._other(alias, annotation, metadata) if needed else None

    def _other(self, alias: str, annotation: Any, metadata: list[Any]) -> Any:
        if get_origin(annotation) is list:
            return [self._of(alias, get_args(annotation)[0], [], needed=True)]
        if annotation is bool:
            return True
        if annotation in (int, float, Decimal):
            return max([1, *(bound for each in _flat(metadata) if (bound := _least(each)))])
        if annotation is datetime:
            return "2030-01-01T00:00:00+00:00"
        assert isinstance(annotation, type), annotation
        assert issubclass(annotation, Enum), annotation
        return next(iter(annotation)).value

    def _text(self, alias: str, metadata: list[Any], *, needed: bool) -> str | None:
        constraints = _flat(metadata)
        if any(getattr(each, "pattern", None) == _ID_PATTERN for each in constraints):
            return parameter_id(alias[:1].lower() + alias[1:], self.side) if needed else None
        if alias in _TEXTS:
            return _TEXTS[alias]
        if alias.endswith("Email"):
            return f"{self.mark}@example.com"
        if alias.endswith("UserName") or "Expression" in alias or alias == "ItemSortBy":
            return None
        text = f"{self.mark}-{self.place}-{alias}"
        most = [each.max_length for each in constraints if getattr(each, "max_length", None)]
        return text[: min([_MOST, *most])] if min([_MOST, *most]) > len(self.mark) else None


def _flat(metadata: list[Any]) -> list[Any]:
    """The constraints, with those that stand within a field's own."""
    found = []
    for each in metadata:
        found += each.metadata if isinstance(each, FieldInfo) else [each]
    return found


def _least(constraint: Any) -> Any:
    return getattr(constraint, "ge", None)
