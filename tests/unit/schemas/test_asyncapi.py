"""The AsyncAPI document is valid and complete."""

import hashlib
import json
import shutil
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from jsonschema import Draft7Validator

from shared.contracts.registry import message_types
from shared.embedded.jars import cache_folder
from shared.messaging.topics import declared_topics
from shared.schemas.asyncapi import asyncapi_document

SPECS = "@asyncapi/specs@6.11.1"
SPECS_SHA256 = "01af8744dc33c0c7eb2e908f6a955319ee58b70ecadc9387d1aeb16c0cd28928"

document = asyncapi_document()
channels = document["channels"]
messages = document["components"]["messages"]
operations = document["operations"]


def references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, inner in node.items():
            if key == "$ref":
                yield inner
            else:
                yield from references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from references(inner)


def resolve(reference: str) -> Any:
    """What ``reference`` leads to. KeyError where it leads nowhere."""
    part: Any = document
    for step in reference.removeprefix("#/").split("/"):
        part = part[step]
    return part


def official_schema() -> Any:
    """AsyncAPI's own schema of 3.0 documents, from its npm package, kept in the cache."""
    kept = cache_folder() / "asyncapi-specs-6.11.1.tgz"
    if not kept.exists():
        npm = shutil.which("npm")
        if npm is None:
            pytest.skip(f"AsyncAPI's official schema was NOT CHECKED: {SPECS} needs npm on PATH")
        kept.parent.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=kept.parent) as staging:
            fetched = subprocess.run(
                [npm, "pack", "--silent", SPECS, "--pack-destination", staging],
                capture_output=True, text=True, timeout=120, check=False,
            )  # fmt: skip
            if fetched.returncode:
                pytest.skip(f"AsyncAPI's official schema was NOT CHECKED: npm cannot get {SPECS}")
            (Path(staging) / kept.name).replace(kept)
    assert hashlib.sha256(kept.read_bytes()).hexdigest() == SPECS_SHA256
    with tarfile.open(kept) as archive:
        member = archive.extractfile("package/schemas/3.0.0.json")
        assert member is not None
        return json.load(member)


def test_the_document_is_valid_by_the_official_schema() -> None:
    validator = Draft7Validator(official_schema())

    found = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(document)]

    assert found == []


def test_every_reference_leads_somewhere() -> None:
    for reference in set(references(document)):
        assert resolve(reference)


def test_every_topic_is_a_channel_and_every_type_a_message() -> None:
    assert list(channels) == [topic.name for topic in declared_topics()]
    assert {f"{topic}.{name}" for topic, name in message_types()} == {
        name for name in messages if not name.endswith((".structured", ".DeadLetter"))
    }


def test_commands_are_taken_in_both_modes() -> None:
    assert list(channels["forwarding.commands"]["messages"]) == [
        "AssignSupplier",
        "AssignSupplier.structured",
    ]
    structured = messages["forwarding.commands.AssignSupplier.structured"]
    assert structured["contentType"] == "application/cloudevents+json"
    assert structured["payload"]["allOf"][1]["properties"] == {
        "type": {"const": "AssignSupplier"},
        "data": {"$ref": "#/components/schemas/forwarding.commands.AssignSupplier"},
    }


def test_a_type_must_be_named_only_where_there_are_several() -> None:
    one = messages["forwarding.commands.AssignSupplier"]["headers"]["allOf"][1]
    several = messages["orders.commands.PlaceOrder"]["headers"]["allOf"][1]

    assert "required" not in one
    assert several == {
        "properties": {"ce_type": {"const": "PlaceOrder"}},
        "required": ["ce_type"],
    }


def test_a_message_says_its_key_and_who_it_is_between() -> None:
    rejected = messages["commands.rejected.CommandRejected"]

    assert rejected["bindings"]["kafka"]["key"] == {
        "type": "string",
        "description": "The body's `OrderID`, else `Command.ID`.",
    }
    assert messages["shipments.events.ShipmentReconciled"]["x-ordermesh"] == {
        "topic": "shipments.events",
        "type": "ShipmentReconciled",
        "direction": "event",
        "public": True,
        "key": ["Shipment.ID"],
        "producers": ["shipments"],
        "consumers": ["checkout", "forwarding", "notifications", "outside"],
    }


def test_operations_are_what_each_service_receives_and_sends() -> None:
    received = operations["checkout.receives.orders.commands"]

    assert received["bindings"]["kafka"]["groupId"]["const"] == "ordermesh-checkout"
    assert len(received["messages"]) == 8
    assert [name for name in operations if name.startswith("pricing.")] == [
        "pricing.receives.accounts.events",
        "pricing.receives.catalog.commands",
        "pricing.receives.catalog.events",
        "pricing.sends.catalog.events",
        "pricing.sends.commands.rejected",
        "pricing.receives.pricing.requests",
        "pricing.sends.pricing.results",
        "pricing.sends.accounts.events.dead-letters",
        "pricing.sends.catalog.commands.dead-letters",
        "pricing.sends.catalog.events.dead-letters",
        "pricing.sends.pricing.requests.dead-letters",
    ]


def test_dead_letters_have_what_is_added() -> None:
    letter = messages["orders.commands.dead-letters.DeadLetter"]

    headers = resolve(letter["headers"]["$ref"])
    assert headers["required"] == [
        "dl_topic", "dl_partition", "dl_offset", "dl_error", "dl_attempts", "dl_time",
    ]  # fmt: skip
    assert (
        channels["orders.commands.dead-letters"]["bindings"]["kafka"]["topicConfiguration"][
            "retention.ms"
        ]
        == -1
    )
    assert "commands.rejected.dead-letters" not in channels


def test_what_is_between_the_services_is_tagged() -> None:
    tagged = [name for name, channel in channels.items() if {"name": "internal"} in channel["tags"]]

    assert tagged == [
        "pricing.requests", "pricing.results",
        "pricing.requests.dead-letters", "pricing.results.dead-letters",
    ]  # fmt: skip


def test_how_keys_are_partitioned_is_told() -> None:
    assert all("murmur2_random" in channel["description"] for channel in channels.values())
