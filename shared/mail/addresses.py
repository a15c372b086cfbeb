"""E-mail addresses: which ones can be written to."""

import re

_LOCAL = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*")
_LABEL = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?")
_LONGEST = 254


def mailbox(address: str | None) -> str | None:
    """``address`` as a mail server takes it, or None where it is no address.

    Takes what RFC 5321 calls a dot-string before the @, so no quotes, spaces, controls or lists
    of addresses; a domain in other letters than ASCII is turned into its ASCII form (IDNA).
    """
    if address is None:
        return None
    local, at, domain = address.strip().rpartition("@")
    if not at or len(local) > 64 or _LOCAL.fullmatch(local) is None:
        return None
    if not domain.isascii():
        try:
            domain = domain.encode("idna").decode("ascii")
        except UnicodeError:
            return None
    labels = domain.split(".")
    if any(len(label) > 63 or _LABEL.fullmatch(label) is None for label in labels):
        return None
    whole = f"{local}@{domain}"
    return whole if len(whole) <= _LONGEST else None
