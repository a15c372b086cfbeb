"""The body of the token endpoint."""

from urllib.parse import quote, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.accounts.access.form import parse_form
from services.accounts.access.refusals import OAuthError

_text = st.text(st.characters(codec="utf-8"), min_size=1, max_size=20)


@given(st.dictionaries(_text, _text, max_size=10))
def test_what_was_sent_is_read(form: dict[str, str]) -> None:
    assert parse_form(urlencode(form).encode()) == form
    assert parse_form(urlencode(form, quote_via=quote).encode()) == form


def test_a_field_without_a_value_is_not_there() -> None:
    assert parse_form(b"scope=&client_id=app") == {"client_id": "app"}


@pytest.mark.parametrize(
    ("body", "status"),
    [
        (b"a=" + b"x" * 32_767, 413),
        (b"&".join(b"f%d=1" % number for number in range(51)), 400),
        (b'{"grant_type": "password"}', 400),
        (b"client_id=a&client_id=b", 400),
        (b"username=%ff", 400),
        (b"username=\xff", 400),
    ],
)
def test_what_is_no_form_is_refused(body: bytes, status: int) -> None:
    with pytest.raises(OAuthError) as refused:
        parse_form(body)

    assert refused.value.status == status
    assert refused.value.body()["error"] == "invalid_request"
    assert refused.value.errors[0].error_code == "Request.InvalidRequestBody"


@given(st.binary(max_size=200))
def test_any_bytes_are_a_form_or_refused(body: bytes) -> None:
    """Nothing else is raised."""
    try:
        form = parse_form(body)
    except OAuthError:
        return
    assert all(isinstance(value, str) and value for value in form.values())
