"""kill -9 of each service and of the whole deployment, and its restart in good order, while orders
are on their way."""

import asyncio
from collections import Counter
from pathlib import Path

from tests.e2e.conftest import NewID
from tests.e2e.load import Load
from tests.faults.documents import unsettled
from tests.support.deployment import SERVICES, Deployment, deployment
from tests.support.outside import OutsideSystem
from tests.support.receivers import HttpReceiver, MailReceiver


async def test_no_order_is_lost_or_doubled_when_each_service_is_killed_during_a_load(
    engine: Deployment,
    outside: OutsideSystem,
    own: NewID,
    mails: MailReceiver,
    hooks: HttpReceiver,
) -> None:
    load = Load(outside, own("load"), 150)
    hook, path = own("hook"), own("/hook")
    await load.prepare()
    await outside.save(
        "Webhook",
        {"ID": hook, "Url": hooks.url(path), "HashKeys": ["k"], "EventTypes": ["OrderCompleted"]},
    )

    restarted = []
    share = load.count // len(SERVICES)
    # Notifications first: what its death leaves unsaid is said half a minute later.
    for number, service in enumerate(reversed(SERVICES)):
        load.begin(load.orders[number * share : (number + 1) * share])
        # Into the middle of it: some of this share is through, most is on its way.
        await load.placed(number * share + share // 5)
        restarted.append(asyncio.create_task(engine.kill_service(service)))
        # Whoever needs it waits; the load goes on once its process is another.
        await asyncio.wait(restarted[-1:], timeout=2)
    await load.end()
    await asyncio.gather(*restarted)

    await load.audit()
    for order in load.orders:
        # Submitted, three shipments, completed; and the webhook.
        told = await outside.events("NotificationDelivered", order, 6, 60)
        assert Counter((x["Channel"], x["EventType"]) for x in told) == {
            ("Email", "OrderSubmitted"): 1,
            ("Email", "OrderShipmentsChanged"): 3,
            ("Email", "OrderCompleted"): 1,
            ("Webhook", "OrderCompleted"): 1,
        }
    delivered: dict[str, set[str]] = {}
    for mail in mails.mails:
        delivered.setdefault(mail["To"], set()).add(mail["X-Ordermesh-Notification"])
    for call in hooks.at(path):
        delivered.setdefault("hook", set()).add(call.headers["x-ordermesh-delivery"])
    # A notification that was under way when its process died may come twice, under its one ID.
    for order in load.orders:
        told_ids = {
            x["ID"] for x in outside.all("NotificationDelivered", order) if x["Channel"] == "Email"
        }
        assert delivered[load.email(order)] == told_ids
        assert len(told_ids) == 5
    assert len(delivered["hook"]) == load.count
    await outside.delete("Webhook", hook)


async def test_a_deployment_that_was_killed_goes_on_where_it_was(
    tmp_path: Path, own: NewID
) -> None:
    async with deployment(tmp_path / "data") as running, OutsideSystem(running.kafka) as outside:
        load = Load(outside, own("load"), 60)
        await load.prepare()
        load.begin(load.orders)
        await load.placed(15)

        await running.kill()
        assert load.completed() < load.count
        before = running.description
        await running.start()

        # The same addresses: the outside system just goes on.
        assert running.description["kafka"] == before["kafka"]
        assert running.description["pids"].keys() == before["pids"].keys()
        await load.end()
        await load.audit()


async def test_a_deployment_that_is_restarted_in_good_order_tells_nothing_twice(
    tmp_path: Path, own: NewID
) -> None:
    async with deployment(tmp_path / "data") as running, OutsideSystem(running.kafka) as outside:
        load = Load(outside, own("load"), 150)
        await load.prepare()
        async with running.admin() as client:
            load.begin(load.orders)
            await load.placed(15)
            for number in range(5):
                made = await client.put(f"/v1/products/new-{number}", json={"Name": "New"})
                assert made.status_code == 200, made.text

        await running.stop()
        assert load.completed() < load.count
        await running.start()

        await load.end()
        # What had been left in an outbox would be told again before it is cleared.
        async with asyncio.timeout(60):
            while await unsettled(running.mongodb):  # noqa: ASYNC110 - it is in the database
                await asyncio.sleep(0.5)
        await load.audit()
        assert all(outside.all("ProductSaved", f"new-{number}") for number in range(5))
        assert outside.repeats == []
