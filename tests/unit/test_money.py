"""Exact money: one rounding rule, and decimals that survive JSON and BSON."""

from decimal import Decimal

import pytest
from bson.decimal128 import Decimal128
from hypothesis import example, given
from hypothesis import strategies as st
from pydantic import ValidationError

from shared.contracts.base import Resource
from shared.money import Money, MoneyInput, decimals_of, fits_currency, round_money
from shared.mongo.codec import to_decimal, to_decimal128

LARGEST = Decimal("99999999999.9999")

amounts = st.decimals(
    min_value=-LARGEST, max_value=LARGEST, allow_nan=False, allow_infinity=False, places=4
)


class Price(Resource):
    amount: Money


class Given(Resource):
    amount: MoneyInput


@pytest.mark.parametrize(
    ("amount", "currency", "rounded"),
    [
        ("1.005", "USD", "1.01"),
        ("1.004999", "USD", "1.00"),
        ("-1.005", "USD", "-1.01"),
        ("2.5", "JPY", "3"),
        ("-2.5", "JPY", "-3"),
        ("1.00049", "KWD", "1.000"),
        ("1.0005", "KWD", "1.001"),
        ("1.00005", "CLF", "1.0001"),
        ("1", "USD", "1.00"),
        ("0.125", "XXX", "0.13"),
    ],
)
def test_money_is_rounded_half_up_to_its_currency(amount: str, currency: str, rounded: str) -> None:
    assert str(round_money(Decimal(amount), currency)) == rounded


@pytest.mark.parametrize(("currency", "decimals"), [("USD", 2), ("JPY", 0), ("BHD", 3), ("CLF", 4)])
def test_a_currency_has_its_decimals(currency: str, decimals: int) -> None:
    assert decimals_of(currency) == decimals


@given(amounts, st.sampled_from(["USD", "JPY", "KWD", "CLF"]))
def test_rounding_moves_by_half_a_unit_at_most_and_only_once(
    amount: Decimal, currency: str
) -> None:
    rounded = round_money(amount, currency)

    assert abs(rounded - amount) <= Decimal(5).scaleb(-decimals_of(currency) - 1)
    assert round_money(rounded, currency) == rounded
    assert fits_currency(rounded, currency)


@pytest.mark.parametrize(
    ("amount", "currency", "fits"),
    [("1.50", "USD", True), ("1.500", "USD", True), ("1.501", "USD", False), ("1.5", "JPY", False)],
)
def test_what_fits_a_currency(amount: str, currency: str, fits: bool) -> None:
    assert fits_currency(Decimal(amount), currency) is fits


decimals = st.builds(
    lambda sign, digits, exponent: Decimal((sign, tuple(digits), exponent)),
    st.integers(0, 1),
    st.lists(st.integers(0, 9), min_size=1, max_size=34),
    st.integers(-40, 40),
)


@given(decimals)
@example(Decimal("-0"))
@example(Decimal("-0.00"))
@example(Decimal("1E+3"))
@example(Decimal("1E-30"))
@example(Decimal(999999999999999999))
@example(Decimal(9999999999999999999))
@example(Decimal(18446744073709551616))
@example(Decimal("0.000000000000000001"))
def test_a_decimal_survives_bson_digit_for_digit(value: Decimal) -> None:
    stored = to_decimal128(value)

    assert stored == Decimal128(value)
    assert to_decimal(stored).as_tuple() == value.as_tuple()


@given(decimals)
def test_what_others_wrote_is_read_as_the_driver_reads_it(value: Decimal) -> None:
    stored = Decimal128(value)

    assert to_decimal(stored).as_tuple() == stored.to_decimal().as_tuple()


@pytest.mark.parametrize("text", ["NaN", "Infinity", "-Infinity", "sNaN"])
def test_what_is_no_number_is_read_as_the_driver_reads_it(text: str) -> None:
    assert str(to_decimal(Decimal128(text))) == str(Decimal128(text).to_decimal())


@given(amounts)
def test_money_is_a_number_in_json_and_comes_back_exactly(amount: Decimal) -> None:
    wire = Price(amount=amount).model_dump_json()

    assert '"' not in wire.removeprefix('{"Amount":')
    assert Given.model_validate_json(wire).amount == amount


@given(amounts)
def test_money_is_a_decimal128_in_documents(amount: Decimal) -> None:
    document = Price(amount=amount).model_dump()

    assert isinstance(document["Amount"], Decimal128)
    assert Price.model_validate(document).amount.as_tuple() == amount.as_tuple()


@pytest.mark.parametrize("wire", ["0.1", "12.50", "99999999999.9999", "1e2", '"12.5"'])
def test_money_comes_in_exactly(wire: str) -> None:
    given_ = Given.model_validate_json(f'{{"Amount":{wire}}}')

    assert given_.amount == Decimal(wire.strip('"'))


@pytest.mark.parametrize(
    "wire", ["1.00001", "100000000000", "1e400", "NaN", "Infinity", '"x"', "null", "true", "[]"]
)
def test_what_is_no_exact_amount_is_refused(wire: str) -> None:
    with pytest.raises(ValidationError):
        Given.model_validate_json(f'{{"Amount":{wire}}}')
