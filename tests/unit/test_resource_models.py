"""The models of the HTTP API's resources: what they take, what they refuse, what is kept."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from shared.contracts import access, assortment, catalog, parties
from shared.contracts.base import (
    XP_BYTES,
    LimitedXp,
    Resource,
    read_only_fields,
    write_only_fields,
)
from shared.contracts.cards import has_card_number
from shared.contracts.roles import Role

PROMOTION = {"ID": "p", "Code": "P"}
FIXED = {**PROMOTION, "DiscountType": "Amount", "Value": 5}
BY_EXPRESSION = {**PROMOTION, "EligibleExpression": "true", "ValueExpression": "5"}
RULE = {"ID": "r", "BuyerID": "acme", "OrderTotalAbove": 100}
ADDRESS = {"ID": "a", "Street1": "Via Po 1", "City": "Turin", "Country": "IT"}
IN_US = {**ADDRESS, "Country": "US", "State": "NY", "Zip": "10001"}
USER = {
    "ID": "ada",
    "Username": "ada",
    "FirstName": "Ada",
    "LastName": "Lovelace",
    "Email": "ada@example.com",
    "Active": True,
}
BREAK = {"Quantity": 1, "Price": 10}
SCHEDULE = {"ID": "s", "Name": "Prices", "PriceBreaks": [BREAK]}
CLIENT = {"ID": "c", "AppName": "Shop", "AccessTokenDuration": 60}


def faults(model: type[Resource], body: dict[str, Any]) -> list[tuple[str, str]]:
    """What ``model`` finds wrong with ``body``: where, and of which type."""
    try:
        model.model_validate_json(json.dumps(body))
    except ValidationError as error:
        return [(".".join(map(str, each["loc"])), each["type"]) for each in error.errors()]
    return []


@pytest.mark.parametrize(
    ("model", "body"),
    [
        (catalog.Promotion, FIXED),
        (catalog.Promotion, BY_EXPRESSION),
        (catalog.Promotion, {**PROMOTION, "EligibleExpression": "true", "UseIntegration": True}),
        (catalog.Promotion, {**FIXED, "LineItemLevel": True, "ItemLimitPerOrder": 2}),
        (
            catalog.Promotion,
            {**FIXED, "LineItemLevel": True, "QuantityLimitPerOrder": 2, "ItemSortBy": "!xp.A"},
        ),
        (catalog.ApprovalRule, RULE),
        (catalog.ApprovalRule, {"ID": "r", "BuyerID": "acme", "RuleExpression": "true"}),
        (catalog.BuyerApprovalRule, {"ID": "r", "RuleExpression": "true"}),
        (parties.PostalAddress, ADDRESS),
        (parties.PostalAddress, IN_US),
        (parties.BuyerAddress, {**ADDRESS, "Billing": True}),
        (parties.AddressAssignment, {"AddressID": "a", "IsShipping": True}),
        (parties.User, USER),
        (parties.CreditCard, {"ID": "c", "Token": "tok_4111111111111112"}),
        (assortment.ConsistentPriceSchedule, {**SCHEDULE, "MinQuantity": 2, "MaxQuantity": 2}),
        (access.ApiClient, CLIENT),
        (access.SecurityProfile, {"ID": "s", "Name": "S", "Roles": ["FullAccess"]}),
        (access.SecurityProfile, {"ID": "s", "Name": "S", "CustomRoles": ["Shop:Owner"]}),
    ],
)
def test_what_fits_is_taken(model: type[Resource], body: dict[str, Any]) -> None:
    assert faults(model, body) == []


@pytest.mark.parametrize(
    ("model", "body", "where", "type"),
    [
        (catalog.Promotion, PROMOTION, "", "Promotion.ValueExpressionCannotBeNull"),
        (catalog.Promotion, {**PROMOTION, "Value": 5}, "", "value_error"),
        (catalog.Promotion, {**PROMOTION, "DiscountType": "Amount"}, "", "value_error"),
        (catalog.Promotion, {**BY_EXPRESSION, **FIXED}, "", "value_error"),
        (catalog.Promotion, {**FIXED, "UseIntegration": True}, "", "value_error"),
        (catalog.Promotion, {**BY_EXPRESSION, "EligibleExpression": "x" * 401},
         "EligibleExpression", "string_too_long"),
        (catalog.Promotion, {**BY_EXPRESSION, "ValueExpression": None}, "",
         "Promotion.ValueExpressionCannotBeNull"),
        (catalog.Promotion, {**FIXED, "StartDate": "2026-01-02", "ExpirationDate": "2026-01-02"},
         "", "Promotion.ExpirationPrecedsStart"),
        (catalog.Promotion, {**FIXED, "ItemLimitPerOrder": 1}, "",
         "Promotion.CannotSetItemLimitPerOrder"),
        (catalog.Promotion, {**FIXED, "QuantityLimitPerOrder": 1}, "",
         "Promotion.CannotSetQuantityLimitPerOrder"),
        (catalog.Promotion,
         {**FIXED, "LineItemLevel": True, "ItemLimitPerOrder": 1, "QuantityLimitPerOrder": 1}, "",
         "Promotion.CannotSetQuantityAndItemLimitPerOrder"),
        (catalog.Promotion, {**FIXED, "ItemSortBy": "ID"}, "", "Promotion.CannotSetItemSortBy"),
        (catalog.ApprovalRule, {**RULE, "OrderTotalAbove": None}, "", "value_error"),
        (catalog.ApprovalRule, {**RULE, "RuleExpression": "true"}, "", "value_error"),
        (parties.PostalAddress, {**ADDRESS, "Street1": None}, "Street1", "string_type"),
        (parties.PostalAddress, {**ADDRESS, "Country": "ITA"}, "Country",
         "string_pattern_mismatch"),
        (parties.PostalAddress, {**IN_US, "Zip": ""}, "", "value_error"),
        (parties.PostalAddress, {**IN_US, "Country": "ca", "State": None}, "", "value_error"),
        (parties.BuyerAddress, ADDRESS, "", "BuyerAddress.MustBeBillingOrShipping"),
        (parties.AddressAssignment, {"AddressID": "a"}, "",
         "AddressAssignment.MustBeBillingOrShipping"),
        (parties.User, {**USER, "Email": "ada"}, "Email", "string_pattern_mismatch"),
        (parties.User, {**USER, "Email": "a@b\r\nBcc: c@d"}, "Email", "string_pattern_mismatch"),
        (parties.User, {**USER, "Active": None}, "Active", "bool_type"),
        (parties.CreditCard, {"ID": "c", "Token": "4111 1111 1111 1111"}, "Token", "value_error"),
        (parties.CreditCard, {"ID": "c", "xp": {"n": [4111111111111111]}}, "xp", "value_error"),
        (parties.CreditCard, {"ID": "c", "PartialAccountNumber": "111111"},
         "PartialAccountNumber", "string_too_long"),
        (assortment.ConsistentPriceSchedule,
         {**SCHEDULE, "PriceBreaks": [BREAK, BREAK]}, "",
         "PriceSchedule.DuplicatePriceBreaks"),
        (assortment.ConsistentPriceSchedule, {**SCHEDULE, "MinQuantity": 2, "MaxQuantity": 1}, "",
         "PriceSchedule.MinGreaterThanMax"),
        (assortment.ConsistentPriceSchedule,
         {**SCHEDULE, "SaleStart": "2026-01-02", "SaleEnd": "2026-01-01"}, "",
         "PriceSchedule.InvalidSaleStartOrSaleEnd"),
        (access.ApiClient, {**CLIENT, "AccessTokenDuration": 9}, "AccessTokenDuration",
         "greater_than_equal"),
        (access.ApiClient, {**CLIENT, "AccessTokenDuration": 601}, "AccessTokenDuration",
         "less_than_equal"),
        (access.ApiClient, {**CLIENT, "RefreshTokenDuration": 524_161}, "RefreshTokenDuration",
         "less_than_equal"),
        (access.SecurityProfile, {"ID": "s", "Name": "S", "Roles": ["Everything"]}, "Roles.0",
         "enum"),
        (access.SecurityProfile, {"ID": "s", "Name": "S", "CustomRoles": ["two words"]},
         "CustomRoles.0", "string_pattern_mismatch"),
        (assortment.Category, {"ID": "c", "Name": "C", "ListOrder": 2**31}, "ListOrder",
         "less_than_equal"),
    ],
)  # fmt: skip
def test_what_does_not_fit_is_refused(
    model: type[Resource], body: dict[str, Any], where: str, type: str
) -> None:
    assert faults(model, body) == [(where, type)]


def test_a_price_schedule_that_kafka_took_is_still_read() -> None:
    taken = {**SCHEDULE, "MinQuantity": 2, "MaxQuantity": 1}

    assert faults(catalog.PriceSchedule, taken) == []


@pytest.mark.parametrize(
    ("model", "names"),
    [
        (access.AccessToken, ["access_token", "expires_in", "token_type", "refresh_token"]),
        (access.AccessTokenBasic, ["access_token"]),
        (access.PublicKey, ["kty", "n", "e", "alg", "use", "kid"]),
        (access.PasswordResetRequest, ["ClientID", "Email", "Username", "URL"]),
        (access.ApiClientAssignment, ["ApiClientID", "BuyerID", "SupplierID"]),
        (parties.CostCenter, ["ID", "Name", "Description", "xp"]),
        (parties.CreditCardAssignment, ["CreditCardID", "UserID", "UserGroupID"]),
    ],
)
def test_names_on_the_wire_are_the_sdks(model: type[Resource], names: list[str]) -> None:
    assert [field.alias or name for name, field in model.model_fields.items()] == names


def test_what_only_one_side_writes_is_marked() -> None:
    assert write_only_fields(parties.User) == ("password",)
    assert write_only_fields(access.ApiClient) == ("client_secret",)
    assert write_only_fields(parties.CreditCard) == ()
    assert read_only_fields(catalog.Buyer) == ("date_created",)
    assert read_only_fields(assortment.Spec) == ("option_count", "options")
    assert set(read_only_fields(parties.MeUser)) == {
        "company_id", "available_roles", "locale", "date_created", "last_active",
        "password_last_set_date", "buyer", "supplier", "seller",
    }  # fmt: skip


def test_roles_are_called_as_the_api_calls_them() -> None:
    assert len(Role) == 92
    assert Role("FullAccess") is Role.FULL_ACCESS
    assert [role for role in Role if role.name.replace("_", "") != role.upper()] == []


@pytest.mark.parametrize(("length", "fits"), [(XP_BYTES, True), (XP_BYTES + 1, False)])
def test_an_xp_has_at_most_so_many_bytes(length: int, fits: bool) -> None:
    # {"a":"ü…"}, of two bytes each.
    text = "ü" * ((length - 8) // 2) + "x" * (length % 2)

    assert (faults(parties.CostCenter, {"ID": "c", "Name": "C", "xp": {"a": text}}) == []) is fits


def test_an_xp_that_is_no_text_is_refused() -> None:
    with pytest.raises(ValidationError, match="no Unicode"):
        TypeAdapter(LimitedXp).validate_python({"a": "\ud800"})


@pytest.mark.parametrize(
    "value",
    [
        "4111111111111111",
        "4111-1111-1111-1111",
        "card 4111 1111 1111 1111 12/29",
        "12 4111 1111 1111 1111",
        "378282246310005",
        "6304000000000000000",
        {"a": [{"b": "5500005555555559"}]},
        {"4111111111111111": 1},
        [4111111111111111],
        4111111111111111.0,
    ],
    ids=str,
)
def test_a_card_number_is_found(value: Any) -> None:
    assert has_card_number(value) is True


@pytest.mark.parametrize(
    "value",
    [
        "4111111111111112",
        "411111111111111",
        "4111  1111  1111  1111",
        "00041111111111111111111",
        "tok_visa",
        "",
        None,
        True,
        1.5,
        {"a": ["2026-01-02T03:04:05", 12]},
    ],
    ids=str,
)
def test_what_is_no_card_number_is_not_found(value: Any) -> None:
    assert has_card_number(value) is False


@given(digits=st.text("0123456789", min_size=12, max_size=18), place=st.integers(0, 18))
def test_of_the_last_digits_one_makes_a_card_number(digits: str, place: int) -> None:
    numbers = [digits + last for last in "0123456789"]

    found = [number for number in numbers if has_card_number(number)]

    assert len(found) == 1
    parted = f"{found[0][:place]} {found[0][place:]}".strip()
    assert has_card_number(parted) is True
