"""The OpenAPI document, held to what the API answers: to calls as they should be, and to made-up
ones."""

import json
import os
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from jsonschema import Draft202012Validator

from shared.http.openapi import openapi_document
from shared.http.operations import Operation
from shared.http.present import to_json
from shared.http.principal import UserType
from tests.support.direct import Answer, Request, ask
from tests.support.samples import parameter_id
from tests.support.world import ONE, OWN, TWO, World

EXAMPLES = int(os.environ.get("ORDERMESH_OPENAPI_EXAMPLES", "4"))
"""Made-up requests for each operation."""

_ORDER = ("GET", "PUT", "PATCH", "POST", "DELETE")
_ANOTHER = {
    "Me.Register": "only anonymous shoppers register",
    "ApiClients.DeleteSupplierAssignment": "the assignment there is is a buyer's",
    "ImpersonationConfigs.Create": "there is one for the same parties",
    "Users.GetAccessToken": "an impersonation config has to let one",
    "UserGroups.Delete": "the approval rule that was created names it",
    "SupplierAddresses.Delete": "the inventory record that was created is there",
    "Catalogs.Delete": "buyers have it as their default",
}
"""Operations whose good call needs more than what there is one of; they have tests of their own."""


@pytest.fixture(scope="module")
def document(world: World) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(to_json(openapi_document(world.api.operations)))
    return found


def test_the_document_is_valid(document: dict[str, Any], world: World) -> None:
    schemathesis.openapi.from_dict(document).validate()
    for schema in document["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)
    ids = [each["operationId"] for path in document["paths"].values() for each in path.values()]

    assert document["openapi"] == "3.1.0"
    assert sorted(ids) == sorted({operation.name for operation in world.api.operations})
    assert all(_resolves(document, reference) for reference in _references(document))


def _references(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        if isinstance(value.get("$ref"), str):
            yield value["$ref"]
        for inner in value.values():
            yield from _references(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _references(inner)


def _resolves(document: dict[str, Any], reference: str) -> bool:
    found: Any = document
    for part in reference.removeprefix("#/").split("/"):
        found = found.get(part) if isinstance(found, dict) else None
    return found is not None


def wrong_with(document: dict[str, Any], operation: Operation, answer: Answer) -> str | None:
    """What is wrong with an answer by what the document says of its operation."""
    if answer.status_code >= 500:
        return f"{answer.status_code}: {answer.text[:300]}"
    described = document["paths"][operation.route][operation.method.lower()]["responses"]
    declared = described.get(str(answer.status_code))
    if declared is None:
        return f"{answer.status_code} is not declared: {answer.text[:300]}"
    if "content" not in declared:
        return f"has a body: {answer.text[:200]}" if answer.content else None
    schema = declared["content"]["application/json"]["schema"]
    validator = Draft202012Validator({**schema, "components": document["components"]})
    errors = [f"{each.json_path}: {each.message[:200]}" for each in
              validator.iter_errors(answer.json())]  # fmt: skip
    return f"{answer.status_code}: {'; '.join(errors[:3])}" if errors else None


def in_order(world: World) -> list[Operation]:
    """What reads before what changes, and what deletes last, parts before their wholes."""

    def place(operation: Operation) -> tuple[int, bool, int]:
        deletes = operation.method == "DELETE"
        depth = -operation.path.count("/") if deletes else 0
        mine = operation.path.startswith("/me")
        return _ORDER.index(operation.method), not mine, depth

    return sorted(world.operations, key=place)


def as_made_up(case: Any) -> Request:
    kwargs = case.as_transport_kwargs(base_url="http://api")
    kwargs.pop("cookies", None)
    sent = requests.Request(**kwargs).prepare()
    url = urlsplit(sent.url)
    body = sent.body if isinstance(sent.body, bytes) else (sent.body or "").encode()
    return Request(case.method.upper(), url.path, url.query.encode(), body)


async def test_good_calls_are_answered_as_the_document_says(
    world: World, document: dict[str, Any]
) -> None:
    findings = []
    every = in_order(world)
    companies = [each for each in every if each.name in ("Buyers.Delete", "Suppliers.Delete")]
    others = [each for each in every if each not in companies]
    refused = []
    for operation in others:
        answer = await good_call(world, operation)
        if wrong := wrong_with(document, operation, answer):
            findings.append(f"{operation.name}: {wrong}")
        elif answer.status_code != operation.status:
            refused.append(operation)
    # What others name can be deleted when those are gone, and companies with what is left.
    for operation in (*refused, *companies):
        answer = await good_call(world, operation)
        if answer.status_code != operation.status and operation.name not in _ANOTHER:
            findings.append(f"{operation.name}: {answer.status_code} {answer.text[:300]}")

    assert findings == [], "\n".join(["", *findings])


async def good_call(world: World, operation: Operation) -> Answer:
    """The answer to whom may call it, for what belongs to side one."""
    # Whoever moves is no longer there for what comes after.
    side = OWN if operation.name == "Users.Move" else ONE
    asked = world.asked(operation, side, text=f"sent-{operation.method}")
    if operation.method == "POST" and asked.body:
        # What is created is another one.
        body = {name: value for name, value in json.loads(asked.body).items() if name != "ID"}
        asked = replace(asked, body=json.dumps(body).encode())
    for caller in (world.rightful(operation, side), world.caller(UserType.ADMIN)):
        headers = {"authorization": world.mint.header(caller)}
        answer = await ask(world.app, asked, headers)
        if answer.status_code != 403:
            return answer
    return answer


async def test_made_up_calls_are_answered_as_the_document_says(
    world: World, document: dict[str, Any]
) -> None:
    loaded = schemathesis.openapi.from_dict(document)
    findings = []
    for operation in in_order(world):
        described = loaded[operation.route][operation.method]
        headers = {"authorization": world.mint.header(world.rightful(operation, TWO))}
        for asked in made_up(described, operation):
            answer = await ask(world.app, asked, headers)
            if wrong := wrong_with(document, operation, answer):
                told = f"{asked.method} {asked.path}?{asked.query.decode()} {asked.body[:400]!r}"
                findings.append(f"{operation.name}: {wrong}\n    {told}")

    assert findings == [], "\n".join(["", *findings])


def made_up(described: Any, operation: Operation) -> list[Request]:
    """Requests that the document allows, of things that there are: side two's, for the good calls
    delete those of side one."""
    there = {name: parameter_id(name, TWO) for name in re.findall(r"\{([^}]+)\}", operation.route)}
    found: list[Request] = []

    @seed(0)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(case=described.as_strategy(path_parameters=there))
    def make(case: Any) -> None:
        found.append(as_made_up(case))

    make()
    return found
