"""Who mails come from."""

from dataclasses import dataclass
from email.utils import formataddr, parseaddr

from shared.mail.addresses import mailbox


@dataclass(frozen=True, slots=True)
class MailFrom:
    """The sender: what the From header shows, and the bare address for the envelope."""

    header: str
    address: str

    @classmethod
    def parse(cls, text: str) -> "MailFrom":
        """Reads ``Name <address>`` or an address. Raises ValueError."""
        name, spec = parseaddr(text)
        address = mailbox(spec)
        if address is None:
            raise ValueError("ORDERMESH_MAIL_FROM has no e-mail address; set 'Name <address>'")
        return cls(formataddr((name, address), "utf-8"), address)
