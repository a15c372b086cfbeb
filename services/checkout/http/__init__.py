"""Checkout over HTTP: approval rules and incrementors."""

from services.checkout.http.approval_rules import APPROVAL_RULES
from services.checkout.http.incrementors import INCREMENTORS
from shared.http.door import Door
from shared.http.mount import Mount, Mounted


def mount(mount: Mount) -> Mounted:
    """Checkout's routes."""
    door = Door(
        "checkout",
        mount.resources,
        mount.announcer,
        mount.increment,
        kinds=(APPROVAL_RULES, INCREMENTORS),
    )
    return door.mounted(xp_things={"ApprovalRule": ("approval_rules",)})
