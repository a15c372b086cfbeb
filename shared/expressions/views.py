"""Resources as expressions look at them."""

from typing import Any

from shared.contracts.base import Resource, wire_name


def view(resource: Resource) -> dict[str, Any]:
    """The fields of ``resource`` by the wire's names, with its own values: amounts stay exact."""
    return {wire_name(name): _viewed(value) for name, value in resource}


def _viewed(value: Any) -> Any:
    if isinstance(value, Resource):
        return view(value)
    if isinstance(value, list):
        return [_viewed(each) for each in value]
    return value
