"""A marketplace's orders, replayed and audited: those of ``ORDERMESH_MARKETPLACE_ORDERS`` (a
.jsonl.gz, see ``tests.support.marketplace``), or made-up ones of the same shape."""

import os
from collections import Counter
from pathlib import Path

from tests.support import marketplace
from tests.support.deployment import deployment
from tests.support.outside import OutsideSystem

SEED = 20_160_905


async def test_every_order_ends_as_the_data_say_and_to_the_cent(tmp_path: Path) -> None:
    given = os.environ.get("ORDERMESH_MARKETPLACE_ORDERS")
    orders = marketplace.load(Path(given)) if given else marketplace.synthetic(SEED)

    # No tax, and shipping as the channel says.
    async with deployment(tmp_path / "data") as engine, OutsideSystem(engine.kafka) as outside:
        report = await marketplace.replay(outside, orders)

    assert report.differences == []
    assert report.statuses == Counter(map(marketplace.expected_status, orders))
    assert report.accepted_total == report.data_total
    assert report.overpaid > 0
    assert report.statuses.keys() == {"Completed", "Canceled", "Open", "Rejected"}
