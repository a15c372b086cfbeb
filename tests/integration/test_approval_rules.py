"""Approval rules as checkout reads them."""

from decimal import Decimal
from typing import Any

from pymongo.asynchronous.database import AsyncDatabase

from services.checkout.domain.state import ApprovalTerms
from services.checkout.store import ApprovalRuleStore
from shared.aggregates import Aggregate
from shared.contracts.catalog import ApprovalRule


async def test_of_a_buyers_active_rules_the_lowest_total_and_all_expressions_count(
    database: AsyncDatabase[dict[str, Any]],
) -> None:
    rules = ApprovalRuleStore(database)
    await rules.save(
        [
            Aggregate("r1", state=_rule("r1", order_total_above=Decimal(50))),
            Aggregate("r2", state=_rule("r2", order_total_above=Decimal(20))),
            Aggregate("r3", state=_rule("r3", order_total_above=Decimal(10), active=False)),
            Aggregate("r4", state=_rule("r4", rule_expression="order.Total > 5")),
            Aggregate("r5", state=_rule("r5", buyer_id="other", rule_expression="true")),
        ]
    )

    found = await rules.terms(["acme", "other"])

    assert found == {
        "acme": ApprovalTerms(total_above=Decimal(20), expressions=["order.Total > 5"]),
        "other": ApprovalTerms(expressions=["true"]),
    }


def _rule(id: str, **fields: Any) -> ApprovalRule:
    return ApprovalRule(**{"id": id, "buyer_id": "acme", **fields})
