"""The course of the demo: start, load, order, ship, count."""

import asyncio
import contextlib
import os
import secrets
import signal
import sys
import time
from datetime import UTC, datetime

from rich.console import Console

from services.checks import DeploymentError
from services.demo.marketplace import Catalogue, catalogue, orders
from services.demo.outside import Body, OutsideSystem
from services.demo.progress import Progress
from services.demo.receivers import Hook, Mailbox
from services.demo.stage import CREATION, QUIET_SECONDS, Stage
from services.demo.summary import Facts, print_summary
from services.up import Deployment
from shared.embedded import free_ports
from shared.logs import configure_logging
from shared.serving import serving

SEED = 20_261_121
IN_FLIGHT = 400
"""Orders that are under way at once: enough to keep the machine busy, few enough that latencies
say something about the engine and not about a queue in front of it."""
_SETTINGS = {
    "ORDERMESH_ALLOW_PRIVATE_TARGETS": "true",
    "ORDERMESH_TAX_RATE": "0.07",
    "ORDERMESH_SHIPPING_RATES": '{"STANDARD": "4.90", "EXPRESS": "14.90"}',
    "ORDERMESH_LOG_LEVEL": "ERROR",
}


async def run(*, orders: int) -> None:
    """Runs the demo with so many orders. Raises DeploymentError when something did not arrive."""
    console = Console()
    configure_logging("console", "WARNING")
    task = asyncio.current_task()
    if task is not None:
        for number in (signal.SIGINT, signal.SIGTERM):
            asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    hash_key = secrets.token_urlsafe(24)
    smtp_port, hook_port = free_ports(2)
    os.environ.update(_SETTINGS, ORDERMESH_SMTP=f"smtp://127.0.0.1:{smtp_port}")
    mailbox, hook = Mailbox(smtp_port), Hook(hash_key)
    try:
        mailbox.start()
        async with (
            serving(hook.app(), "127.0.0.1", hook_port),
            contextlib.AsyncExitStack() as stack,
        ):
            console.print("Starting Kafka, MongoDB, six services and the HTTP API …")
            started = time.monotonic()
            deployment = await stack.enter_async_context(Deployment())
            console.print(f"Ready after {time.monotonic() - started:.1f} s.")
            console.print(f"The HTTP API is at {deployment.http}/docs while this runs.")
            if deployment.admin is not None and deployment.admin.fresh:
                client = deployment.admin
                told = f"Its API client is {client.id}, the secret {client.secret}"
                console.print(told, soft_wrap=True, highlight=False)
            stage = Stage(orders)
            outside = await stack.enter_async_context(
                OutsideSystem(deployment.kafka, "/demo/shop", stage.hear)
            )
            goods = catalogue(SEED, f"http://127.0.0.1:{hook_port}/hook", hash_key)
            await _play(stage, outside, goods, console)
            await stage.until_notified(outside)
            facts = await Facts.gather(stage, deployment.mongodb, mailbox, hook)
        print_summary(facts, console)
    except asyncio.CancelledError:
        console.print("Stopped; nothing is left running.")
        sys.exit(130)
    finally:
        mailbox.stop()
    if facts.faults:
        raise DeploymentError("The demo did not end as it should: " + "; ".join(facts.faults))


async def _play(stage: Stage, outside: OutsideSystem, goods: Catalogue, console: Console) -> None:
    await asyncio.gather(
        *(
            outside.send("catalog.commands", kind, body["ID"], body, f"catalogue-{number}")
            for number, (kind, body) in enumerate(goods.commands)
        )
    )
    while stage.saved < len(goods.commands):
        _check(outside, f"{stage.saved} of {len(goods.commands)} catalogue resources were saved")
        await asyncio.sleep(0.02)
    console.print(f"Catalogue of {len(goods.commands)} resources is in.")
    with Progress(stage, console):
        acting = [
            asyncio.create_task(_buy(stage, outside, goods)),
            asyncio.create_task(_supply(stage, outside)),
            asyncio.create_task(_judge(stage, outside)),
        ]
        try:
            while stage.done < stage.wanted:
                for actor in acting:
                    if actor.done():
                        actor.result()
                if time.monotonic() - outside.last_event > QUIET_SECONDS:
                    return
                _check(outside, "")
                await asyncio.sleep(0.05)
        finally:
            for actor in acting:
                actor.cancel()
            await asyncio.gather(*acting, return_exceptions=True)


def _check(outside: OutsideSystem, what: str) -> None:
    failure = outside.failed()
    if failure is not None:
        raise failure
    if what and time.monotonic() - outside.last_event > QUIET_SECONDS:
        raise DeploymentError(f"Nothing was heard for {QUIET_SECONDS:.0f} s; {what}.")


async def _buy(stage: Stage, outside: OutsideSystem, goods: Catalogue) -> None:
    """The shop: places orders, a bounded number under way at once, and cancels one in fifty."""
    pending: set[asyncio.Task[None]] = set()

    async def place(body: Body) -> None:
        order = body["Order"]["ID"]
        stage.accepted[order] = await outside.send(
            "orders.commands", "PlaceOrder", order, body, f"place-{order}"
        )
        if int(order[-6:]) % 50 == 0:
            cancel = {"OrderID": order, "Comments": "Ordered by mistake."}
            await outside.send("orders.commands", "CancelOrder", order, cancel, f"cancel-{order}")

    for body in orders(SEED, stage.wanted, goods):
        while len(stage.accepted) + len(pending) - stage.done >= IN_FLIGHT:
            stage.moved.clear()
            await stage.moved.wait()
        task = asyncio.create_task(place(body))
        pending.add(task)
        task.add_done_callback(pending.discard)
        await asyncio.sleep(0)
    while pending:
        await asyncio.gather(*pending)
    await asyncio.Event().wait()


async def _judge(stage: Stage, outside: OutsideSystem) -> None:
    """The approver: approves three of four."""
    count = 0
    while True:
        order = await stage.to_judge.get()
        count += 1
        verdict = "DeclineOrder" if count % 4 == 0 else "ApproveOrder"
        body = {"OrderID": order, "ApprovingUser": "chief", "Comments": "Checked."}
        await outside.send("orders.commands", verdict, order, body, f"judge-{order}")


async def _supply(stage: Stage, outside: OutsideSystem) -> None:
    """The suppliers: each fills its order in two shipments where it can, one of which is
    announced first and leaves with an update."""
    pending: set[asyncio.Task[None]] = set()
    while True:
        body = await stage.to_ship.get()
        task = asyncio.create_task(_fill(stage, outside, body))
        pending.add(task)
        task.add_done_callback(pending.discard)


async def _fill(stage: Stage, outside: OutsideSystem, body: Body) -> None:
    supplier_order = body["Order"]["ID"]
    now = datetime.now(UTC).isoformat(timespec="milliseconds")
    first: list[Body] = []
    second: list[Body] = []
    for line in body["LineItems"]:
        half = (line["Quantity"] + 1) // 2
        for items, quantity in ((first, half), (second, line["Quantity"] - half)):
            if quantity:
                items.append({"OrderID": supplier_order, "LineItemID": line["ID"],
                              "QuantityShipped": quantity})  # fmt: skip
    for part, items in enumerate((first, second), 1):
        if not items:
            continue
        shipment = f"{supplier_order}-S{part}"
        create: Body = {
            "ID": shipment, "SupplierID": body["Order"]["ToCompanyID"], "Shipper": "Demo Parcel",
            "TrackingNumber": f"DP{abs(hash(shipment)) % 10**10:010d}", "Items": items,
        }  # fmt: skip
        announced = part == 2
        if not announced:
            create["DateShipped"] = now
        stage.shipments[shipment] = sum(item["QuantityShipped"] for item in items)
        await outside.send(
            "shipments.commands", "CreateShipment", shipment, create, f"{CREATION}{shipment}"
        )
        if announced:
            update = {"ID": shipment, "DateShipped": now}
            await outside.send(
                "shipments.commands", "UpdateShipment", shipment, update, f"leave-{shipment}"
            )
