"""Which roles a token has: what profiles give, what the client lets through, what was asked for."""

from collections.abc import Iterable

from services.accounts.access.ports import Client, Profile, Roles
from services.accounts.access.refusals import OAuthName, refuse
from shared.http.principal import FULL_ACCESS


def union(profiles: Iterable[Profile]) -> Roles:
    """The roles of several profiles together."""
    all_ = list(profiles)
    return Roles(
        standard=frozenset().union(*(profile.roles.standard for profile in all_)),
        custom=frozenset().union(*(profile.roles.custom for profile in all_)),
    )


def asked_for(scope: str | None) -> frozenset[str] | None:
    """The roles that a ``scope`` names; None, which stands for all, where it names none.

    The SDK writes the literal ``undefined`` where it was given custom roles alone.
    """
    roles = frozenset((scope or "").split()) - {"undefined"}
    return roles or None


def granted(held: Roles, asked: frozenset[str] | None, client: Client) -> frozenset[str]:
    """The roles of a token: those that the user holds, that the client lets through and that were
    asked for. FullAccess is every role that anyone asks for.

    Roles that were asked for in vain are left out, as OrderCloud's storefronts expect: they ask
    for all that any of their users may have. Raises OAuthError with ``Auth.InsufficientRoles``
    where nothing is left, or the user lacks a role that the client requires.
    """
    have = held.standard | held.custom
    required = client.at_least.standard | client.at_least.custom
    if not _satisfies(have, required):
        raise refuse(
            OAuthName.INVALID_SCOPE,
            "Auth.InsufficientRoles",
            "This API client requires roles that the user lacks: assign a security profile that"
            " has them, or lower the client's MinimumRequiredRoles.",
            SufficientRoles=sorted(required),
            AssignedRoles=sorted(have),
        )
    allowed = _within(held.standard, client.at_most.standard, held.standard) | _within(
        held.custom, client.at_most.custom, held.standard
    )
    if asked is None:
        result = allowed
    elif FULL_ACCESS in allowed:
        result = asked
    else:
        result = allowed & asked
    if not result:
        raise refuse(
            OAuthName.INVALID_SCOPE,
            "Auth.InsufficientRoles",
            "No role is left: assign the user, one of its groups or its company a security"
            " profile, and ask in the scope for roles that it has and the API client allows.",
            SufficientRoles=sorted(asked or ()),
            AssignedRoles=sorted(have),
        )
    return result


def _satisfies(have: frozenset[str], required: frozenset[str]) -> bool:
    return FULL_ACCESS in have or required <= have


def _within(
    held: frozenset[str], at_most: frozenset[str], standard: frozenset[str]
) -> frozenset[str]:
    if not at_most:
        return held
    return at_most if FULL_ACCESS in standard else held & at_most
