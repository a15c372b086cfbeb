"""Every message that the documentation and the end-to-end tests write is of its schema."""

import ast
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from shared.schemas.messages import message_schemas
from tests.e2e.goods import SHIPPED_AT, line, order_body, priced_product, shipment_body
from tests.support.contract import faults
from tests.support.outside import Body

ROOT = Path(__file__).parents[3]
README = (ROOT / "README.md").read_text()
INTEGRATE = (ROOT / "docs" / "integrate.md").read_text()
MESSAGES = (ROOT / "docs" / "messages.md").read_text()

Message = tuple[str, str, Body]


def blocks(text: str, language: str) -> list[str]:
    """The code of ``language`` in a Markdown text."""
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.DOTALL | re.MULTILINE)


def in_python(code: str) -> Iterator[Message]:
    """The messages that calls of ``save(type, body)`` and ``send(topic, type, key, body, id)``
    write out."""
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            given = [argument for argument in node.args if not isinstance(argument, ast.Name)]
            if node.func.id == "save" and len(given) == 2:
                type, body = map(ast.literal_eval, given)
                yield "catalog.commands", type, body
            elif node.func.id == "send" and len(given) == 5:
                topic, type, _, body, _ = map(ast.literal_eval, given)
                yield topic, type, body


def in_java(code: str) -> Iterator[Message]:
    (topic,) = re.findall(r'ProducerRecord<>\("([a-z.-]+)"', code)
    (type,) = re.findall(r'"ce_type", "(\w+)"', code)
    for body in re.findall(r'"""\n(.*?)"""', code, re.DOTALL):
        yield topic, type, json.loads(body)


def in_shell(code: str) -> Iterator[Message]:
    for body, command in re.findall(r"echo '(\{.*?\})' \|\n(.*?\n)(?=\S|\Z)", code, re.DOTALL):
        (topic,) = re.findall(r"-t (\S+)", command)
        (type,) = re.findall(r"ce_type=(\w+)", command)
        yield topic, type, json.loads(body)


def documented() -> list[Message]:
    found = [message for code in blocks(README, "python") for message in in_python(code)]
    found += [message for code in blocks(README, "java") for message in in_java(code)]
    found += [message for code in blocks(README, "sh") for message in in_shell(code)]
    for type, body in re.findall(
        r"`(\w+)`:\n\n```json\n(.*?)^```", INTEGRATE, re.DOTALL | re.MULTILINE
    ):
        found.append(("catalog.commands", type, json.loads(body)))
    return found


def fields(node: Any) -> Iterator[str]:
    """The names of all fields in a schema."""
    if isinstance(node, dict):
        yield from node.get("properties", {})
        for inner in node.values():
            yield from fields(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from fields(inner)


@pytest.mark.parametrize(
    ("name", "schema"),
    [(n, s) for n, s in message_schemas().items() if s["x-ordermesh"]["public"]],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_every_field_is_in_the_reference(name: str, schema: Body) -> None:
    assert sorted(field for field in set(fields(schema)) if f"`{field}`" not in MESSAGES) == []


def of_the_tests() -> list[Message]:
    order = order_body(
        "o", "b", line("L1", "p", 2), line("L2", "p", UnitPrice=9.5, xp={"Engraving": "A"}),
        order={"FromUser": {"ID": "ada", "Email": "ada@example.com"}},
        Payments=[{"ID": "card", "Type": "CreditCard", "Amount": 29.5}], Promotions=["TEN"],
    )  # fmt: skip
    shipped = shipment_body("s", ("o", "L1", 2), DateShipped=SHIPPED_AT, SupplierID="sup")
    return [
        ("orders.commands", "PlaceOrder", order),
        ("shipments.commands", "CreateShipment", shipped),
        ("shipments.commands", "UpdateShipment", shipped),
        *(("catalog.commands", f"Save{kind}", body) for kind, body in priced_product("p", "s", 10)),
        *(("catalog.commands", f"Save{kind}", body) for kind, body in priced_product("q", None, 1)),
    ]


def named(message: Message) -> str:
    return message[1]


@pytest.mark.parametrize("message", documented(), ids=named)
def test_a_message_of_the_documentation_is_of_its_schema(message: tuple[Any, Any, Any]) -> None:
    assert faults(*message) == []


@pytest.mark.parametrize("message", of_the_tests(), ids=named)
def test_a_message_of_the_tests_is_of_its_schema(message: tuple[Any, Any, Any]) -> None:
    assert faults(*message) == []


def test_the_examples_of_the_documentation_are_found() -> None:
    assert {named(message) for message in documented()} == {
        "SaveSupplier", "SaveBuyer", "SavePriceSchedule", "SaveProduct", "PlaceOrder",
        "CreateShipment", "SaveWebhook",
    }  # fmt: skip
    assert len(documented()) == 9
