"""Every query of every dashboard gives data, and the series do not follow the orders."""

import pytest

from tests.operations.conftest import Stage
from tests.operations.series import count_series, pass_orders
from tests.support.prometheus import alerts, panel_queries

pytestmark = pytest.mark.operations


async def test_every_panel_has_data_while_orders_flow(stage: Stage) -> None:
    empty = {}
    for title, query in panel_queries():
        # Understood in any case; those that need a fault are looked at when it is there.
        if not await stage.prometheus.query(query.expr) and not query.fault:
            empty[title] = query.expr
    for expr in empty.values():
        await stage.prometheus.until(expr, 60)

    assert await stage.prometheus.value("ordermesh:orders_flow:state") == 1


async def test_every_alert_is_understood_and_none_is_raised_while_orders_flow(
    stage: Stage,
) -> None:
    for alert in alerts():
        await stage.prometheus.query(alert.expr)

    assert await stage.prometheus.firing() == []


async def test_series_do_not_follow_the_orders(stage: Stage) -> None:
    await pass_orders(stage.traffic, 400)
    before = await count_series(stage.prometheus)

    await pass_orders(stage.traffic, 400)

    after = await count_series(stage.prometheus)
    assert {name: count for name, count in after.items() if count > before.get(name, 0)} == {}
    assert sum(after.values()) < 6 * 1_500
