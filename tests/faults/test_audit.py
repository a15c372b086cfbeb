"""Who audits the audit: whatever could go wrong is forged, and it has to notice."""

import json
from collections.abc import Callable
from dataclasses import replace

import pytest

from services.checkout.domain.state import OrderState
from tests.faults.audit import Audit
from tests.faults.load import Accepted
from tests.faults.topics import Stored
from tests.faults.trial import Trials
from tests.support.outside import Body


def completed(audit: Audit) -> OrderState:
    """An order that was shipped whole."""
    return next(x for x in audit.documents.orders.values() if x.status == "Completed")


def put(audit: Audit, state: OrderState) -> None:
    audit.documents.orders[state.order.id] = state


def event(audit: Audit, type: str, topic: str = "orders.events") -> Stored:
    return next(record for record in audit.log.records[topic] if record.type == type)


def again(audit: Audit, record: Stored, *, id: str | None = None, **body: Body) -> None:
    """Puts ``record`` on its topic once more, changed."""
    headers = [
        (name, id.encode() if name == "ce_id" and id else value) for name, value in record.headers
    ]
    value = json.dumps({**record.body, **body}).encode() if body else record.value
    audit.log.records[record.topic].append(replace(record, headers=headers, value=value))


def lose_an_order(audit: Audit) -> None:
    del audit.documents.orders[completed(audit).order.id]


def never_complete_an_order(audit: Audit) -> None:
    state = completed(audit)
    order = state.order.model_copy(update={"status": "Open"})
    put(audit, state.model_copy(update={"order": order}))


def change_a_total(audit: Audit) -> None:
    state = completed(audit)
    order = state.order.model_copy(update={"total": state.order.total + 1})
    put(audit, state.model_copy(update={"order": order}))


def count_a_unit_twice(audit: Audit) -> None:
    state = completed(audit)
    line = state.line_items[0]
    more = line.model_copy(update={"quantity_shipped": line.quantity_shipped + 1})
    put(audit, state.model_copy(update={"line_items": [more, *state.line_items[1:]]}))


def forget_a_shipment(audit: Audit) -> None:
    del audit.documents.shipments[next(iter(audit.documents.shipments))]


def promise_a_unit_twice(audit: Audit) -> None:
    stock = audit.documents.allotments["inventory/lamp"]
    more = {"*": stock.records["*"] + 1}
    audit.documents.allotments["inventory/lamp"] = stock.model_copy(update={"records": more})


def submit_an_order_twice(audit: Audit) -> None:
    paid = next(
        record
        for record in audit.log.records["orders.events"]
        if record.type == "OrderSubmitted" and record.body["Payments"]
    )
    again(audit, paid, id="another")


def tell_two_things_under_one_id(audit: Audit) -> None:
    again(audit, event(audit, "OrderSubmitted"), Order={"ID": "changed"})


def forward_a_part_twice(audit: Audit) -> None:
    part = event(audit, "SupplierOrderForwarded", "supplier-orders.events")
    again(audit, part, id="another")


def lose_a_webhook_call(audit: Audit) -> None:
    del audit.calls[len(audit.calls) // 2]


def change_a_signed_body(audit: Audit) -> None:
    audit.calls[0] = replace(audit.calls[0], body=audit.calls[0].body + b" ")


def call_a_webhook_again_under_another_id(audit: Audit) -> None:
    call = audit.calls[0]
    audit.calls.append(replace(call, headers={**call.headers, "x-ordermesh-delivery": "another"}))


def lose_a_mail(audit: Audit) -> None:
    del audit.mails[0]


def set_a_good_command_aside(audit: Audit) -> None:
    placed = audit.log.records["orders.commands"][0]
    audit.log.records["orders.commands.dead-letters"].append(
        replace(placed, topic="orders.commands.dead-letters")
    )


def ignore_a_command(audit: Audit) -> None:
    order = completed(audit).order.id
    audit.ledger.accepted["x"] = Accepted("x", "CancelOrder", order, {"OrderID": order})


FORGERIES: dict[Callable[[Audit], None], str] = {
    lose_an_order: "ended as nowhere",
    never_complete_an_order: "no supplier has anything left to ship",
    change_a_total: "by its messages",
    count_a_unit_twice: "shipped by the order",
    forget_a_shipment: "is missing",
    promise_a_unit_twice: "inventory/lamp:",
    submit_an_order_twice: "was captured 2 times",
    tell_two_things_under_one_id: "came twice with different bodies",
    forward_a_part_twice: "was forwarded 2 times",
    lose_a_webhook_call: "1 x webhook call missing",
    change_a_signed_body: "has a wrong signature",
    call_a_webhook_again_under_another_id: "1 x webhook call too many",
    lose_a_mail: "1 x mail missing",
    set_a_good_command_aside: "dead letter orders.commands.dead-letters PlaceOrder",
    ignore_a_command: "was accepted and had no effect",
}
"""What is forged, and words of the difference that it has to make."""


@pytest.mark.faults
async def test_whatever_is_forged_is_noticed(trials: Trials) -> None:
    async with trials() as trial:
        await trial.load.under_way(60)
        await trial.end()

        for forge, words in FORGERIES.items():
            audit = await trial.audit()
            forge(audit)
            report = await audit.report()
            found = [difference for difference in report.differences if words in difference]
            assert found, f"{forge.__name__}: {report}"
