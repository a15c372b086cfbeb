"""What events tell of the HTTP API's resources, and what commands leave alone."""

import json
from operator import attrgetter
from typing import Any

import pytest

from shared.catalog import fold_catalog
from shared.contracts import resources
from shared.contracts.base import Resource, write_only_fields
from shared.contracts.catalog import ApprovalRule, Buyer, Promotion
from shared.contracts.registry import (
    APPROVAL_RULE,
    BUYER,
    PROMOTION,
    Topics,
    declare,
    find_type,
)
from shared.contracts.resource_events import RESOURCES, ResourceEvents
from tests.support.fakes import START, message

every_kind = pytest.mark.parametrize("events", RESOURCES.values(), ids=attrgetter("name"))


def told(message: tuple[Any, Resource]) -> tuple[str, str, str, dict[str, Any]]:
    """An event as its topic, its type, its key and its body."""
    type, body = message
    return (
        type.topic,
        type.name,
        type.key(body),
        json.loads(body.model_dump_json(exclude_none=True)),
    )


@every_kind
def test_a_kind_has_both_events(events: ResourceEvents) -> None:
    assert find_type(events.saved.topic, f"{events.name}Saved") is events.saved
    assert find_type(events.saved.topic, f"{events.name}Deleted") is events.deleted


@every_kind
def test_what_is_stored_has_the_key_and_no_secret(events: ResourceEvents) -> None:
    stored = events.stored.model_fields.keys()

    assert set(events.key) | set(events.parents) <= stored
    assert stored & set(write_only_fields(events.model)) == set()
    assert events.model.model_fields.keys() - write_only_fields(events.model) <= stored


@every_kind
def test_no_event_has_a_secret(events: ResourceEvents) -> None:
    names = {
        field.alias
        for type in (events.saved, events.deleted)
        for field in type.body.model_fields.values()
    }

    assert names & {"Password", "ClientSecret", "Token", "HashKeys"} == set()


def test_a_resource_is_told_with_its_parents() -> None:
    events = resources.COST_CENTER
    stored = events.stored.model_validate(
        {"BuyerID": "acme", "ID": "cc", "Name": "Travel", "xp": {"a": 1}}
    )

    assert events.id_of(stored) == "acme/cc"
    assert told(events.saved_message(stored)) == (
        "accounts.events",
        "CostCenterSaved",
        "acme/cc",
        {"BuyerID": "acme", "ID": "cc", "Name": "Travel", "xp": {"a": 1}},
    )
    assert told(events.deleted_message(stored)) == (
        "accounts.events",
        "CostCenterDeleted",
        "acme/cc",
        {"BuyerID": "acme", "ID": "cc"},
    )


def test_an_assignment_is_told_whole_when_it_ends() -> None:
    events = resources.ADDRESS_ASSIGNMENT
    body = {"BuyerID": "acme", "AddressID": "a", "UserGroupID": "g", "IsShipping": True}
    stored = events.stored.model_validate({**body, "IsBilling": False})

    assert events.id_of(stored) == "acme/a//g"
    assert told(events.deleted_message(stored)) == (
        "accounts.events",
        "AddressAssignmentDeleted",
        "acme/a//g",
        {**body, "IsBilling": False},
    )


def test_the_token_of_a_card_is_stored_and_not_told() -> None:
    events = resources.CREDIT_CARD
    stored = events.stored.model_validate({"BuyerID": "acme", "ID": "c", "Token": "tok_1"})

    assert stored.model_dump(exclude_none=True) == {"BuyerID": "acme", "ID": "c", "Token": "tok_1"}
    assert told(events.saved_message(stored)) == (
        "accounts.events",
        "CreditCardSaved",
        "acme/c",
        {"BuyerID": "acme", "ID": "c"},
    )


def test_what_was_taken_under_other_rules_is_still_read() -> None:
    incomplete = {"BuyerID": "b", "ID": "a", "Street1": "1 Main St", "City": "X", "Country": "US"}

    stored = resources.ADDRESS.stored.model_validate(incomplete)

    assert stored.model_dump(exclude_none=True) == incomplete


FIXED = Promotion.model_validate({"ID": "p", "Code": "P", "DiscountType": "Amount", "Value": 5})
BY_EXPRESSION = Promotion.model_validate(
    {"ID": "p", "Code": "P", "EligibleExpression": "true", "ValueExpression": "5"}
)
THRESHOLD = ApprovalRule.model_validate({"ID": "r", "BuyerID": "acme", "OrderTotalAbove": 1})
BY_RULE = ApprovalRule.model_validate({"ID": "r", "BuyerID": "acme", "RuleExpression": "true"})


@pytest.mark.parametrize(
    ("events", "stored", "type"),
    [
        (resources.PROMOTION, FIXED, "PromotionSaved"),
        (resources.PROMOTION, BY_EXPRESSION, "ExpressionPromotionSaved"),
        (resources.APPROVAL_RULE, THRESHOLD, "ApprovalRuleSaved"),
        (resources.APPROVAL_RULE, BY_RULE, "ExpressionApprovalRuleSaved"),
    ],
    ids=["fixed", "by expression", "threshold", "by rule"],
)
def test_what_an_expression_decides_has_an_event_of_its_own(
    events: ResourceEvents, stored: Resource, type: str
) -> None:
    topic, name, key, body = told(events.saved_message(stored))

    assert (topic, name, key) == ("catalog.events", type, events.id_of(stored))
    assert body == json.loads(stored.model_dump_json(exclude_none=True))


@pytest.mark.parametrize(
    ("kind", "saved", "type"),
    [
        (PROMOTION, BY_EXPRESSION, "ExpressionPromotionSaved"),
        (PROMOTION, FIXED, "PromotionSaved"),
        (APPROVAL_RULE, BY_RULE, "ExpressionApprovalRuleSaved"),
    ],
    ids=["promotion by expression", "fixed promotion", "approval rule"],
)
def test_a_command_is_told_by_the_same_event(kind: Any, saved: Resource, type: str) -> None:
    decision = fold_catalog(kind)(None, message(kind.save, saved), None)

    assert decision.state == saved
    assert [(event.type.name, event.body) for event in decision.events] == [(type, saved)]


def test_a_command_leaves_alone_what_only_the_engine_sets() -> None:
    before = Buyer(id="acme", name="Acme", default_catalog_id="acme", date_created=START)
    sent = Buyer(id="acme", name="ACME", date_created=START.replace(year=1999))

    replaced = fold_catalog(BUYER)(before, message(BUYER.save, sent), None)
    created = fold_catalog(BUYER)(None, message(BUYER.save, sent), None)

    assert replaced.state == Buyer(id="acme", name="ACME", date_created=START)
    assert created.state == Buyer(id="acme", name="ACME")
    assert [event.body for event in replaced.events] == [replaced.state]
    assert [event.body for event in created.events] == [created.state]


def test_a_message_is_declared_once() -> None:
    with pytest.raises(ValueError, match="declared twice"):
        declare(Topics.CATALOG_EVENTS, "BuyerSaved", Buyer, attrgetter("id"))
