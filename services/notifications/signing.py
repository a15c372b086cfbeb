"""Signatures of webhook requests.

``X-oc-hash`` is the Base64 of the HMAC-SHA256 of the raw body under the webhook's first hash key,
as OrderCloud's middleware checks it. While a key is rotated the webhook has two, and
``X-oc-hash-next`` is the same under the second one: save ``[old, new]``, teach the receiver the
new key, then save ``[new]``. A receiver that checks either header against its one key misses
nothing on the way.
"""

import base64
import hashlib
import hmac
from collections.abc import Sequence

SIGNATURE_HEADERS = ("X-oc-hash", "X-oc-hash-next")


def signature(key: str, body: bytes) -> str:
    """Base64(HMAC-SHA256(UTF-8 of ``key``, ``body``))."""
    return base64.b64encode(hmac.digest(key.encode(), body, hashlib.sha256)).decode()


def signatures(keys: Sequence[str], body: bytes) -> dict[str, str]:
    """The signature headers for one or two keys."""
    return {
        header: signature(key, body) for header, key in zip(SIGNATURE_HEADERS, keys, strict=False)
    }
