"""Metric labels for the channels that orders come through."""

_MOST = 20


class ChannelLabels:
    """A channel is the ``ce_source`` of the command that placed an order. Labels must be bounded:
    the first 20 sources get their own, later ones are ``other``."""

    def __init__(self) -> None:
        self._known: set[str] = set()

    def of(self, source: str) -> str:
        label = source[:60] or "unnamed"
        if label not in self._known:
            if len(self._known) >= _MOST:
                return "other"
            self._known.add(label)
        return label
