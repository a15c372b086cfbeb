"""The body of ``POST /oauth/token``."""

from urllib.parse import parse_qsl

from services.accounts.access.refusals import OAuthName, refuse

LONGEST_BODY = 32_768
"""Bytes of a form that are read."""

_MOST_FIELDS = 50


def parse_form(body: bytes) -> dict[str, str]:
    """The fields of an ``application/x-www-form-urlencoded`` body, UTF-8; those without a value
    are left out.

    Raises OAuthError, ``invalid_request``, for a body that is too long, is no such form, or has a
    field twice (RFC 6749, section 3.2), and so 413 or 400.
    """
    if len(body) > LONGEST_BODY:
        raise refuse(
            OAuthName.INVALID_REQUEST,
            "Request.InvalidRequestBody",
            f"The form has more than {LONGEST_BODY:,} bytes; send less.",
            status=413,
        )
    try:
        fields = parse_qsl(
            body.decode(), strict_parsing=bool(body), errors="strict", max_num_fields=_MOST_FIELDS
        )
    except ValueError:
        raise refuse(
            OAuthName.INVALID_REQUEST,
            "Request.InvalidRequestBody",
            "The body is no form: send application/x-www-form-urlencoded with grant_type,"
            " client_id and what the grant type needs.",
        ) from None
    form = dict(fields)
    if len(form) < len(fields):
        raise refuse(
            OAuthName.INVALID_REQUEST,
            "Request.InvalidRequestBody",
            "A field is there twice; send each of them once.",
        )
    return form
