"""Valid bodies of messages, for hypothesis."""

import types
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from enum import Enum
from typing import Annotated, Any, Union, get_args, get_origin

from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from shared.contracts.base import ID, CurrencyCode, Resource
from shared.contracts.catalog import BuyerApprovalRule, Promotion
from shared.contracts.orders import PriceOrder

# What is stored keeps no lone surrogates, as JSON has none.
texts = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=12)
ids = st.text("AZaz09_-", min_size=1, max_size=8)
currencies = st.sampled_from(["USD", "EUR", "JPY"])
xps = st.dictionaries(
    texts.filter(lambda key: "\0" not in key),
    st.recursive(
        st.none() | st.booleans() | st.integers(-(2**63), 2**63 - 1) | texts,
        lambda inner: st.lists(inner, max_size=2),
        max_leaves=3,
    ),
    max_size=2,
)
moments = st.integers(0, 7_000_000_000_000).map(
    lambda milliseconds: datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=milliseconds)
)

_ID, _CURRENCY = (get_args(each)[1].pattern for each in (ID, CurrencyCode))

_known: dict[Any, st.SearchStrategy[Resource]] = {}


def bodies(model: type[Resource]) -> st.SearchStrategy[Resource]:
    """Valid instances of ``model``, optional fields present or not."""
    if model not in _known:
        if issubclass(model, Promotion):
            _known[model] = _promotions(model)
        elif issubclass(model, BuyerApprovalRule):
            _known[model] = _approval_rules(model)
        elif model is PriceOrder:
            # This field refers back to its own module by name.
            _known[model] = _made(model, skip=frozenset({"priced"}))
        else:
            _known[model] = _made(model)
    return _known[model]


def _made(model: type[Resource], skip: frozenset[str] = frozenset()) -> st.SearchStrategy[Resource]:
    required: dict[str, st.SearchStrategy[Any]] = {}
    optional: dict[str, st.SearchStrategy[Any]] = {}
    for name, field in model.model_fields.items():
        if name not in skip:
            (required if field.is_required() else optional)[name] = _values(field)
    return st.fixed_dictionaries(required, optional=optional).map(model.model_validate)


def _promotions(model: type[Promotion]) -> st.SearchStrategy[Resource]:
    # Its fields bound each other.
    fields = {
        "id": ids,
        "code": texts,
        "start_date": st.none() | moments.filter(lambda moment: moment.year < 2100),
        "expiration_date": st.none() | st.just(datetime(2199, 1, 1, tzinfo=UTC)),
        "xp": st.none() | xps,
    }
    fixed = {
        "discount_type": st.sampled_from(["Percentage", "Amount"]),
        "value": st.integers(1, 1_000_000).map(_money),
    }
    by_expression = {
        "eligible_expression": st.none() | st.just("items.count() > 1"),
        "value_expression": st.just("5"),
    }
    made = st.fixed_dictionaries({**fields, **fixed})
    if not model.model_fields["value"].is_required():
        made |= st.fixed_dictionaries({**fields, **by_expression})
    return made.map(model.model_validate)


def _approval_rules(model: type[BuyerApprovalRule]) -> st.SearchStrategy[Resource]:
    # It has one of two.
    fields = {
        name: _values(field)
        for name, field in model.model_fields.items()
        if name not in ("order_total_above", "rule_expression")
    }
    total = st.integers(0, 1_000_000).map(_money)
    made = st.fixed_dictionaries({**fields, "order_total_above": total})
    if not model.model_fields["order_total_above"].is_required():
        expressions = st.sampled_from(["order.xp.Rush", "items.count() > 5"])
        made |= st.fixed_dictionaries({**fields, "rule_expression": expressions})
    return made.map(model.model_validate)


def _values(field: FieldInfo) -> st.SearchStrategy[Any]:
    annotation = field.annotation
    constrained: Any = annotation
    for constraint in field.metadata:
        constrained = Annotated[constrained, constraint]
    adapter: TypeAdapter[Any] = TypeAdapter(constrained)

    def fits(value: Any) -> bool:
        try:
            adapter.validate_python(value)
        except ValidationError:
            return False
        return True

    # Bounds that a field adds to its type's are left to itself.
    return _of(annotation, field.metadata).filter(fits)


def _of(annotation: Any, metadata: list[Any]) -> st.SearchStrategy[Any]:
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *more = get_args(annotation)
        return _of(inner, [*more, *metadata])
    if origin in (Union, types.UnionType):
        return st.one_of([_of(option, metadata) for option in get_args(annotation)])
    if origin is list:
        return st.lists(_of(get_args(annotation)[0], []), min_size=1, max_size=2)
    if origin is dict:
        return xps
    if annotation is type(None):
        return st.none()
    if annotation is str:
        return _strings(metadata)
    if annotation is Decimal:
        return st.integers(1, 10**15 - 1).map(_money)
    if annotation is datetime:
        return moments
    if annotation is bool:
        return st.booleans()
    if annotation is int:
        return st.integers(1, 2**31)
    if annotation is float:
        return st.floats(-90, 90)
    if isinstance(annotation, type) and issubclass(annotation, Enum):
        return st.sampled_from(list(annotation))
    assert issubclass(annotation, Resource), annotation
    return st.deferred(lambda: bodies(annotation))


def _money(units: int) -> Decimal:
    return Decimal(units).scaleb(-4)


def _strings(metadata: list[Any]) -> st.SearchStrategy[str]:
    for constraint in metadata:
        pattern = getattr(constraint, "pattern", None)
        if pattern == _ID:
            return ids
        if pattern == _CURRENCY:
            return currencies
        if pattern is not None:
            return st.from_regex(pattern, fullmatch=True, alphabet=st.characters(codec="ascii"))
    return texts
