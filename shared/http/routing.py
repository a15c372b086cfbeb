"""Finding the operation of a request: in any case, literals before parameters.

The SDK writes some paths as ``/integrationEvents`` and ``/me/spendingAccounts``, so literal
segments match in any case; IDs keep theirs. Where a literal and a parameter both match, as in
``/products/assignments`` and ``/products/{productID}``, the literal wins.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from shared.http.operations import Operation


@dataclass(slots=True)
class _Node:
    literals: dict[str, "_Node"] = field(default_factory=dict)
    parameter: "_Node | None" = None
    operations: dict[str, tuple[Operation, tuple[str, ...]]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Match:
    """What a path leads to: its operations by method, and the values of its parameters."""

    operations: Mapping[str, tuple[Operation, tuple[str, ...]]]
    values: tuple[str, ...]

    def of(self, method: str) -> tuple[Operation, dict[str, str]] | None:
        found = self.operations.get(method)
        if found is None:
            return None
        operation, names = found
        return operation, dict(zip(names, self.values, strict=True))


class RouteTable:
    """All operations by their paths. Raises ValueError where two have the same."""

    def __init__(self, operations: Iterable[Operation]) -> None:
        self._root = _Node()
        for operation in operations:
            self._add(operation)

    def _add(self, operation: Operation) -> None:
        node = self._root
        names = []
        for segment in _segments(operation.route):
            if segment.startswith("{"):
                names.append(segment[1:-1])
                if node.parameter is None:
                    node.parameter = _Node()
                node = node.parameter
            else:
                node = node.literals.setdefault(segment.lower(), _Node())
        if operation.method in node.operations:
            other = node.operations[operation.method][0]
            raise ValueError(f"{operation.name} and {other.name} have the same route")
        node.operations[operation.method] = (operation, tuple(names))

    def find(self, path: str) -> Match | None:
        """What ``path`` leads to; None where nothing is there."""
        return _find(self._root, _segments(path), 0, ())


def _segments(path: str) -> list[str]:
    return path.strip("/").split("/")


def _find(node: _Node, segments: list[str], depth: int, values: tuple[str, ...]) -> Match | None:
    if depth == len(segments):
        return Match(node.operations, values) if node.operations else None
    segment = segments[depth]
    literal = node.literals.get(segment.lower())
    if literal is not None:
        found = _find(literal, segments, depth + 1, values)
        if found is not None:
            return found
    if node.parameter is not None and segment:
        return _find(node.parameter, segments, depth + 1, (*values, segment))
    return None
