"""Lines: which product, from whom, at what price."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from services.pricing.domain.money import largest_amount
from services.pricing.domain.prices import quantity_errors, unit_price
from services.pricing.domain.reference import Reference, Terms
from shared.catalog import not_found
from shared.contracts.base import Error
from shared.contracts.catalog import PriceSchedule, Product
from shared.contracts.orders import LineItemDraft, PriceOrder
from shared.money import ZERO, decimals_of, fits_currency, round_money

MOST_UNITS = 2**31 - 1
"""How many units one line may ask for."""


@dataclass(slots=True)
class PricedLine:
    """A line on its way to its price. ``subtotal`` is ``unit_price`` x quantity; ``discount``
    what promotions of the line took off, and ``net`` what all promotions left of it."""

    id: str
    draft: LineItemDraft
    product: Product
    supplier_id: str | None
    schedule: PriceSchedule | None
    unit_price: Decimal
    is_on_sale: bool
    subtotal: Decimal
    discount: Decimal = ZERO
    net: Decimal = ZERO


def order_currency(request: PriceOrder, reference: Reference, terms: Terms) -> str:
    """The order's own currency, else that of its first line whose price schedule has one, else
    the deployment's."""
    if request.currency is not None:
        return request.currency
    for draft in request.line_items:
        schedule = _schedule_of(reference.products.get(draft.product_id), reference)
        if schedule is not None and schedule.currency is not None and draft.unit_price is None:
            return schedule.currency
    return terms.currency


def price_lines(
    request: PriceOrder, reference: Reference, terms: Terms, currency: str, now: datetime
) -> tuple[list[PricedLine], list[Error]]:
    """The lines of ``request``, priced in ``currency``, and everything that speaks against any of
    them. A line whose product is missing or whose quantity is no quantity is not among the lines;
    with other errors it is, at whatever price could be found."""
    errors = [*_product_errors(request.line_items, reference)]
    together: dict[str, int] = {}
    for draft in request.line_items:
        if draft.quantity > 0:
            together[draft.product_id] = together.get(draft.product_id, 0) + draft.quantity
    lines = []
    ruled: set[str] = set()
    for draft in request.line_items:
        errors += _draft_errors(draft, currency)
        product = reference.products.get(draft.product_id)
        if product is None or not 0 < draft.quantity <= MOST_UNITS:
            continue
        supplier_id = draft.supplier_id or product.default_supplier_id
        errors += _supplier_errors(draft, supplier_id, reference, terms)
        schedule = _schedule_of(product, reference)
        quantity = draft.quantity
        if schedule is not None:
            line_ids = [str(draft.id)]
            if schedule.use_cumulative_quantity:
                quantity = together[product.id]
                line_ids = [str(d.id) for d in request.line_items if d.product_id == product.id]
            # What counts all lines of a product together is said once for all of them.
            if not schedule.use_cumulative_quantity or product.id not in ruled:
                ruled.add(product.id)
                errors += quantity_errors(
                    schedule, product.id, quantity, line_ids, priced=draft.unit_price is None
                )
        price, on_sale = ZERO, False
        if draft.unit_price is not None:
            price = draft.unit_price
        elif schedule is None:
            errors.append(_no_price(draft))
        elif schedule.currency is not None and schedule.currency != currency:
            errors.append(_other_currency(draft, schedule, currency))
        else:
            price, on_sale = unit_price(schedule, quantity, now) or (ZERO, False)
        subtotal = round_money(price * draft.quantity, currency)
        if subtotal >= largest_amount(currency):
            errors.append(
                invalid(
                    f"The subtotal of line {draft.id} has too many digits; split the line.",
                    LineItemID=draft.id,
                )
            )
            subtotal = ZERO
        lines.append(
            PricedLine(
                str(draft.id), draft, product, supplier_id, schedule, price, on_sale, subtotal,
                net=subtotal,
            )
        )  # fmt: skip
    return lines, errors


def invalid(message: str, **data: object) -> Error:
    """An amount or number that cannot be what it says."""
    return Error(error_code="ValidationFailure", message=message, data=data)


def too_precise(what: str, amount: Decimal, currency: str, **data: object) -> Error:
    return invalid(
        f"{what} is {amount}, but {currency} has {decimals_of(currency)} decimals; round it.",
        Amount=float(amount),
        Currency=currency,
        **data,
    )


def _schedule_of(product: Product | None, reference: Reference) -> PriceSchedule | None:
    if product is None or product.default_price_schedule_id is None:
        return None
    return reference.schedules.get(product.default_price_schedule_id)


def _product_errors(drafts: Sequence[LineItemDraft], reference: Reference) -> Iterable[Error]:
    missing: dict[str, list[str]] = {}
    inactive: dict[str, list[str]] = {}
    for draft in drafts:
        product = reference.products.get(draft.product_id)
        if product is None:
            missing.setdefault(draft.product_id, []).append(str(draft.id))
        elif not product.active:
            inactive.setdefault(draft.product_id, []).append(str(draft.id))
    if missing:
        yield Error(
            error_code="Order.ProductsNotFound",
            message=f"There are no products {', '.join(missing)}; check the IDs or save them.",
            data=_by_product(missing),
        )
    if inactive:
        yield Error(
            error_code="Order.CannotSubmitWithInactiveProduct",
            message=f"Products {', '.join(inactive)} are not active; remove their lines.",
            data=_by_product(inactive),
        )


def _by_product(lines: dict[str, list[str]]) -> dict[str, object]:
    return {
        "Products": [
            {"ProductID": product_id, "LineItemIDs": ids} for product_id, ids in lines.items()
        ]
    }


def _draft_errors(draft: LineItemDraft, currency: str) -> Iterable[Error]:
    if draft.quantity <= 0:
        yield Error(
            error_code="LineItem.QuantityMustBePositive",
            message=f"The quantity of line {draft.id} is {draft.quantity}; order at least 1.",
            data={"LineItemID": draft.id, "Quantity": draft.quantity},
        )
    elif draft.quantity > MOST_UNITS:
        yield invalid(
            f"Line {draft.id} asks for more than {MOST_UNITS} units; split it.",
            LineItemID=draft.id,
        )
    for name, amount in (("UnitPrice", draft.unit_price), ("ShippingCost", draft.shipping_cost)):
        if amount is not None and not fits_currency(amount, currency):
            yield too_precise(f"{name} of line {draft.id}", amount, currency, LineItemID=draft.id)


def _supplier_errors(
    draft: LineItemDraft, supplier_id: str | None, reference: Reference, terms: Terms
) -> Iterable[Error]:
    if supplier_id is None or supplier_id == terms.marketplace_id:
        return
    supplier = reference.suppliers.get(supplier_id)
    if supplier is None:
        missing = not_found("Supplier", supplier_id)
        yield missing.model_copy(update={"data": {**(missing.data or {}), "LineItemID": draft.id}})
    elif not supplier.active:
        yield Error(
            error_code="LineItem.ProductNotAvailableFromSeller",
            message=f"Supplier {supplier_id} of line {draft.id} is not active; name another one.",
            data={
                "LineItemID": draft.id,
                "ProductID": draft.product_id,
                "SupplierID": supplier_id,
            },
        )


def _no_price(draft: LineItemDraft) -> Error:
    return Error(
        error_code="PriceSchedule.MissingOrConflicting",
        message=(
            f"Product {draft.product_id} has no price schedule; "
            "set its DefaultPriceScheduleID or give the line a UnitPrice."
        ),
        data={"LineItemID": draft.id, "ProductID": draft.product_id},
    )


def _other_currency(draft: LineItemDraft, schedule: PriceSchedule, currency: str) -> Error:
    return Error(
        error_code="PriceSchedule.CurrencyMismatch",
        message=(
            f"Product {draft.product_id} is priced in {schedule.currency}, the order is in "
            f"{currency}; order it apart or use a price schedule in {currency}."
        ),
        data={
            "LineItemID": draft.id,
            "ProductID": draft.product_id,
            "PriceScheduleID": schedule.id,
            "PriceScheduleCurrency": schedule.currency,
            "OrderCurrency": currency,
        },
    )
