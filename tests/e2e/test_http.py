"""The HTTP API of a whole deployment: real tokens, real processes, and Kafka on the other side."""

import asyncio
import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tests.e2e.conftest import NewID
from tests.e2e.goods import line, order_body
from tests.support.deployment import Deployment
from tests.support.outside import OutsideSystem

EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


async def put(client: httpx.AsyncClient, path: str, body: dict[str, Any]) -> dict[str, Any]:
    answer = await client.put(f"/v1{path}", json=body)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


async def test_what_is_made_over_http_can_be_ordered_over_kafka_in_the_next_moment(
    engine: Deployment, outside: OutsideSystem, own: NewID
) -> None:
    product, buyer, supplier, order = own("p"), own("b"), own("s"), own("o")
    async with engine.admin() as client:
        await put(client, f"/suppliers/{supplier}", {"Name": "S", "AllBuyersCanOrder": True})
        await put(client, f"/buyers/{buyer}", {"Name": "B"})
        breaks = [{"Quantity": 1, "Price": 10}, {"Quantity": 5, "Price": 8.5}]
        await put(client, f"/priceschedules/{product}", {"Name": "P", "PriceBreaks": breaks})
        await put(
            client,
            f"/products/{product}",
            {
                "Name": "P",
                "DefaultSupplierID": supplier,
                "DefaultPriceScheduleID": product,
                "Inventory": {"Enabled": True, "QuantityAvailable": 7},
            },
        )

        body = order_body(order, buyer, line("L", product, 5))
        await outside.command("PlaceOrder", body)
        event = await outside.event("OrderSubmitted", order)

        shown = (await client.get(f"/v1/products/{product}")).json()
    assert event["LineItems"][0]["UnitPrice"] == 8.5
    assert event["LineItems"][0]["SupplierID"] == supplier
    assert shown["Inventory"]["QuantityAvailable"] == 2


async def test_a_change_over_http_is_told_on_its_topic(
    engine: Deployment, outside: OutsideSystem, own: NewID
) -> None:
    buyer = own("b")
    async with engine.admin() as client:
        await put(client, f"/buyers/{buyer}", {"Name": "B"})
        await put(client, f"/buyers/{buyer}/costcenters/cc", {"Name": "Centre"})

        event = await outside.event("CostCenterSaved", f"{buyer}/cc")

    assert event == {"BuyerID": buyer, "ID": "cc", "Name": "Centre"}


@pytest.mark.parametrize(
    ("command", "printed"),
    [
        (["sh", str(EXAMPLES / "shell" / "catalogue.sh")], '["Oak table",129.9,50]'),
        ([sys.executable, str(EXAMPLES / "python" / "catalogue.py")], "Elm table 129.9 50"),
    ],
    ids=["shell", "python"],
)
async def test_the_examples_of_the_documentation_do_what_they_say(
    command: list[str], printed: str, engine: Deployment, own: NewID
) -> None:
    if command[0] == "sh":
        missing = [tool for tool in ("curl", "jq") if shutil.which(tool) is None]
        if missing:
            pytest.skip(f"docs/examples/shell was NOT RUN: not on PATH: {', '.join(missing)}")
    id, secret = engine.admin_client()
    process = await asyncio.create_subprocess_exec(
        *command,
        env={
            **os.environ,
            "API": engine.http,
            "CLIENT_ID": id,
            "CLIENT_SECRET": secret,
            "RUN": own("run"),
            "NO_PROXY": "*",
            "no_proxy": "*",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )

    out, err = await process.communicate()

    assert process.returncode == 0, err.decode()
    assert out.decode().strip() == printed


async def test_what_was_made_is_there_after_the_api_was_killed(
    engine: Deployment, own: NewID
) -> None:
    buyer = own("b")
    async with engine.admin() as client:
        await put(client, f"/buyers/{buyer}", {"Name": "B"})

        os.kill(engine.description["pids"]["api"], 9)

        async with asyncio.timeout(60):
            while True:
                try:
                    answer = await client.get(f"/v1/buyers/{buyer}")
                    break
                except httpx.TransportError:
                    await asyncio.sleep(0.2)
    assert answer.json()["Name"] == "B", json.dumps(answer.json())
