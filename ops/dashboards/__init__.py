"""The Grafana dashboards, described in Python and written to ops/grafana/dashboards.

``python -m ops.dashboards`` writes them anew; a test fails when they are out of date.
"""

from ops.dashboards import (
    api,
    business,
    consumers,
    dead_letters,
    fulfillment,
    infrastructure,
    notifications,
    outbox,
)
from ops.dashboards.model import Board

BOARDS: tuple[Board, ...] = (
    business.BOARD,
    consumers.BOARD,
    outbox.BOARD,
    dead_letters.BOARD,
    fulfillment.BOARD,
    notifications.BOARD,
    api.BOARD,
    infrastructure.BOARD,
)
