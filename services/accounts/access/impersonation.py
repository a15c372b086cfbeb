"""Acting as a buyer's user: ``POST /buyers/{b}/users/{u}/accesstoken``."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from services.accounts.access.grants import Grants, TokenAnswer
from services.accounts.access.ports import Account, Directory, ImpersonationRule
from services.accounts.access.refusals import OAuthError
from services.accounts.access.roles import granted
from shared.http.errors import ApiError, bad_request, forbidden, insufficient_roles, not_found
from shared.http.principal import Principal, UserType
from shared.messaging.processor import Clock

ROLE = "BuyerImpersonation"


@dataclass(frozen=True, slots=True)
class ImpersonationRequest:
    """With which client, and with which of the rule's roles; without any, with all of them."""

    client_id: str
    roles: frozenset[str] = frozenset()


class Impersonation:
    """Gives tokens of other users, as far as impersonation configs allow."""

    def __init__(self, directory: Directory, grants: Grants, clock: Clock) -> None:
        self._directory = directory
        self._grants = grants
        self._clock = clock

    async def impersonate(
        self, caller: Principal, buyer_id: str, user_id: str, request: ImpersonationRequest
    ) -> TokenAnswer:
        """A token with which ``caller`` acts as the user, with the roles of the rule's profile
        that were asked for and no refresh token. Of several rules the most specific one holds.

        Raises ApiError: 403 ``Auth.InsufficientRoles`` without the role BuyerImpersonation,
        ``Auth.AnonUserProhibited``, ``Impersonation.ConfigError`` without a rule; 404 without the
        user; 400 ``Impersonation.ClientIDNotFound``, ``.BadApiClient``, ``.BuyerNotAssigned``, and
        what keeps the user itself from a token.
        """
        now = self._clock()
        if not caller.has_any([ROLE]):
            raise insufficient_roles([ROLE], caller.roles)
        if caller.anonymous_order is not None:
            raise forbidden("Auth.AnonUserProhibited", "Log in: this is for users with a name.")
        if caller.impersonator is not None:
            raise forbidden(
                "Impersonation.ConfigError", "Use your own token: this one acts as a user already."
            )
        impersonator = await self._directory.user(caller.internal_id)
        rules = [
            rule
            for rule in await self._directory.impersonation_rules(request.client_id)
            if impersonator is not None
            and rule.client_id == request.client_id
            and rule.buyer_id in (None, buyer_id)
            and _is_for(rule, impersonator)
        ]
        if not rules:
            # Before anything is looked up in a buyer that is none of the caller's business.
            raise _no_rule()
        user = await self._directory.buyer_user(buyer_id, user_id)
        if user is None:
            raise not_found("User", user_id)
        rule = _most_specific(rule for rule in rules if _covers(rule, user))
        try:
            return await self._token(caller, user, rule, request, now)
        except OAuthError as refusal:
            raise ApiError(refusal.status, refusal.errors) from refusal

    async def _token(
        self,
        caller: Principal,
        user: Account,
        rule: ImpersonationRule,
        request: ImpersonationRequest,
        now: datetime,
    ) -> TokenAnswer:
        client = await self._directory.client(request.client_id)
        if client is None:
            raise bad_request(
                "Impersonation.ClientIDNotFound",
                "There is no API client with this ClientID; check it.",
            )
        if not client.active:
            raise bad_request(
                "Impersonation.BadApiClient",
                "This API client is not active: set Active, or name another ClientID.",
            )
        if not await self._grants.may_use(user, client):
            raise bad_request(
                "Impersonation.BuyerNotAssigned",
                "The buyer's users may not use this API client: assign it to the buyer, or set"
                " AllowAnyBuyer.",
            )
        await self._grants.admit(user, client)
        profile = await self._directory.profile(rule.profile_id)
        if profile is None:
            raise bad_request(
                "Impersonation.ConfigError",
                f"The security profile of the impersonation config {rule.id} is gone; name"
                " another one there.",
            )
        roles = granted(profile.roles, request.roles or None, client)
        return await self._grants.answer(user, client, roles, now, impersonator=caller.internal_id)


def _is_for(rule: ImpersonationRule, user: Account) -> bool:
    """Whether ``user`` may act by this rule: one of the seller, or of the buyer that it names."""
    if rule.impersonator_buyer_id is None:
        company = user.user_type is UserType.ADMIN
    else:
        company = user.user_type is UserType.BUYER and user.company_id == rule.impersonator_buyer_id
    return (
        company
        and rule.impersonator_user_id in (None, user.id)
        and (rule.impersonator_group_id is None or rule.impersonator_group_id in user.group_ids)
    )


def _covers(rule: ImpersonationRule, user: Account) -> bool:
    return rule.user_id in (None, user.id) and (
        rule.group_id is None or rule.group_id in user.group_ids
    )


def _most_specific(rules: Iterable[ImpersonationRule]) -> ImpersonationRule:
    def rank(rule: ImpersonationRule) -> tuple[bool, ...]:
        names = (
            rule.user_id,
            rule.group_id,
            rule.buyer_id,
            rule.impersonator_user_id,
            rule.impersonator_group_id,
        )
        return tuple(name is not None for name in names)

    best = max(sorted(rules, key=lambda rule: rule.id), key=rank, default=None)
    if best is None:
        raise _no_rule()
    return best


def _no_rule() -> ApiError:
    return forbidden(
        "Impersonation.ConfigError",
        "No impersonation config lets you act as this user with this API client; make one with"
        " POST /impersonationconfig.",
    )
