"""What has to hold of a product that is saved here, beside its model."""

from services.pricing.http.owners import owner_of
from shared.http.door import Door
from shared.http.errors import bad_request, not_found
from shared.http.kinds import Change, Reference
from shared.http.places import ADMIN_ADDRESSES, SUPPLIER_ADDRESSES, SUPPLIERS


async def references_fit(door: Door, change: Change) -> None:
    """What a product names is there; what has not changed since was checked then."""
    before, product = change.before, change.after
    marketplace = door.resources.settings.marketplace_id

    def is_new(field: str) -> bool:
        return getattr(product, field) is not None and (
            before is None or getattr(before, field) != getattr(product, field)
        )

    if is_new("default_supplier_id") and product.default_supplier_id != marketplace:
        await door.check_references(
            (Reference("DefaultSupplierID", SUPPLIERS),),
            {"DefaultSupplierID": product.default_supplier_id},
        )
    if is_new("default_price_schedule_id"):
        await _price_schedule_fits(door, change)
    if is_new("ship_from_address_id"):
        await _address_fits(door, change)


async def _price_schedule_fits(door: Door, change: Change) -> None:
    """A product is priced by a schedule of its owner, or by one of the marketplace's."""
    id, owner = change.after.default_price_schedule_id, owner_of(door, change.after)
    schedule = await door.documents["PriceSchedule"].get(id)
    if schedule is None:
        raise not_found("PriceSchedule", id)
    whose = owner_of(door, schedule)
    if whose not in (owner, door.resources.settings.marketplace_id):
        raise bad_request(
            "PriceSchedule.InvalidDefaultPriceScheduleID",
            f"DefaultPriceScheduleID names {id}, which is not the owner's of the product; name one"
            f" that {owner} owns.",
            Field="DefaultPriceScheduleID",
            PriceScheduleID=id,
        )


async def _address_fits(door: Door, change: Change) -> None:
    """A product ships from an address of the marketplace's, or of its owner or default
    supplier."""
    product = change.after
    id = product.ship_from_address_id
    if await door.exists(ADMIN_ADDRESSES, id):
        return
    for supplier in (product.default_supplier_id, product.owner_id):
        if supplier is not None and await door.exists(SUPPLIER_ADDRESSES, supplier, id):
            return
    raise not_found("Address", id)


async def family_fits(door: Door, change: Change) -> None:
    """Parents have children, of the same owner, and no parent; neither have variants."""
    before, product = change.before, change.after
    if product.parent_id is not None:
        await _child_fits(door, change)
    was_parent = before is not None and before.is_parent
    id = product.id if before is None else before.id
    if was_parent and not product.is_parent and await _children(door, id):
        raise bad_request(
            "Product.CannotModifyIsParent",
            "The product has child products: give those another ParentID, or delete them, first.",
            Field="IsParent",
        )
    became = []
    if product.is_parent and not was_parent:
        became.append(("Product.CannotModifyIsParentForVariant", "IsParent"))
    if product.parent_id is not None and (before is None or before.parent_id is None):
        became.append(("Product.CannotModifyParentIDForVariant", "ParentID"))
    if became and await door.documents["Variant"].count({"ProductID": id}):
        code, field = became[0]
        raise bad_request(
            code,
            "The product has variants, so it can be neither a parent nor a child; leave"
            f" {field} as it is.",
            Field=field,
        )


async def _child_fits(door: Door, change: Change) -> None:
    product = change.after
    if product.is_parent:
        raise bad_request(
            "Product.ParentProductCannotHaveParent",
            "A parent product has no parent itself: leave ParentID out, or set IsParent to false.",
            Field="ParentID",
        )
    parent = await door.documents["Product"].get(product.parent_id)
    if parent is None:
        raise not_found("Product", product.parent_id)
    if not parent.get("IsParent"):
        raise bad_request(
            "Product.IsNotParent",
            f"Product {product.parent_id} is no parent: set its IsParent to true first.",
            Field="ParentID",
            ProductID=product.parent_id,
        )
    if owner_of(door, parent) != owner_of(door, product):
        raise bad_request(
            "Product.ParentChildProductOwnersShouldMatch",
            f"Product {product.parent_id} is somebody else's: parent and child have one owner.",
            Field="ParentID",
            ProductID=product.parent_id,
        )


async def _children(door: Door, id: str) -> int:
    return await door.documents["Product"].count({"ParentID": id})


async def tracking_fits(door: Door, change: Change) -> None:
    """On which level stock is tracked cannot change under the records that there are."""
    before, product = change.before, change.after
    after = product.inventory
    tracks = after is not None and after.variant_level_tracking
    tracked = (
        before is not None
        and before.inventory is not None
        and before.inventory.variant_level_tracking
    )
    if tracks and not tracked and not after.enabled:
        raise bad_request(
            "Inventory.MustEnable",
            "Stock that is not tracked cannot be tracked by variant: set Inventory.Enabled to"
            " true.",
            Field="Inventory.Enabled",
        )
    if tracks == tracked or before is None:
        return
    if tracks and (product.is_parent or product.parent_id is not None):
        raise bad_request(
            "InventoryConfiguration.CannotSetVariantLevelTracking",
            "Parent and child products have no variants, so there is nothing to track by them;"
            " leave VariantLevelTracking false.",
            Field="Inventory.VariantLevelTracking",
        )
    for name in ("InventoryRecord", "VariantInventoryRecord"):
        count = await door.documents[name].count({"ProductID": before.id})
        if count:
            raise bad_request(
                "InventoryConfiguration.CannotChangeVariantLevelTracking",
                "The product has inventory records: delete those first.",
                Field="Inventory.VariantLevelTracking",
                Count=count,
            )
