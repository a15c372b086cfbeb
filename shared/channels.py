"""Metric labels for what callers name: the channels that orders come through, currencies.

A channel is the ``ce_source`` of the command that placed an order.
"""

_MOST = 20


class FirstLabels:
    """Labels must be bounded: the first 20 names get their own, later ones are ``other``."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def of(self, name: str) -> str:
        """The label of what is called ``name``."""
        label = name[:60] or "unnamed"
        if label not in self._known:
            if len(self._known) >= _MOST:
                return "other"
            self._known.add(label)
        return label
