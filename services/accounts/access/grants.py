"""What all ways to a token have in common: who may have one, with which client, for how long."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from services.accounts.access.keys import LONGEST_TOKEN, TokenIssuer
from services.accounts.access.ports import Account, Client, Directory, Roles
from services.accounts.access.refresh_tokens import RefreshToken, RefreshTokenStore
from services.accounts.access.refusals import OAuthName, refuse
from services.accounts.access.roles import union
from shared.http.principal import Principal, UserType


@dataclass(frozen=True, slots=True)
class TokenAnswer:
    """What the client gets. ``expires_in`` is in seconds."""

    access_token: str
    expires_in: int
    refresh_token: str | None = None

    def body(self) -> dict[str, Any]:
        return {
            "access_token": self.access_token,
            "token_type": "bearer",
            "expires_in": self.expires_in,
            "refresh_token": self.refresh_token,
        }


class Grants:
    """Gives tokens to those who have proved who they are."""

    def __init__(
        self, directory: Directory, issuer: TokenIssuer, refresh_tokens: RefreshTokenStore
    ) -> None:
        self._directory = directory
        self._issuer = issuer
        self._refresh_tokens = refresh_tokens

    async def held(self, user: Account) -> Roles:
        """The roles of all profiles assigned to the user, to its groups and to its company."""
        return union(await self._directory.profiles(user))

    async def admit(self, user: Account, client: Client) -> None:
        """Raises OAuthError unless the user and its company are active and may use the client."""
        if not user.active:
            raise refuse(
                OAuthName.INVALID_GRANT,
                "Auth.UserNotActive",
                "This user is not active: ask an administrator to set Active.",
            )
        if not await self._directory.company_active(user.user_type, user.company_id):
            seller = user.user_type is UserType.ADMIN
            raise refuse(
                OAuthName.INVALID_GRANT,
                "Auth.SellerNotActive" if seller else "Auth.CompanyNotActive",
                "The user's company is not active: ask the marketplace owner to activate it.",
            )
        if not await self.may_use(user, client):
            raise refuse(
                OAuthName.UNAUTHORIZED_CLIENT,
                "ApiClient.InvalidClientID",
                "Users of this company may not use this API client: assign it to the company, or"
                " set AllowAnyBuyer, AllowAnySupplier or AllowSeller.",
            )

    async def may_use(self, user: Account, client: Client) -> bool:
        """Whether the client is for users of this company."""
        if user.user_type is UserType.ADMIN:
            return client.seller
        if client.any_buyer if user.user_type is UserType.BUYER else client.any_supplier:
            return True
        return await self._directory.client_assigned(client.id, user.user_type, user.company_id)

    async def answer(
        self,
        user: Account,
        client: Client,
        roles: frozenset[str],
        now: datetime,
        *,
        minutes: int | None = None,
        impersonator: str | None = None,
        anonymous_order: str | None = None,
        refresh_token: str | None = None,
    ) -> TokenAnswer:
        """A token of ``user``, for ``minutes`` or as long as the client's tokens last."""
        lifetime = min(timedelta(minutes=minutes or client.access_minutes), LONGEST_TOKEN)
        principal = Principal(
            user_id=user.id,
            username=user.username,
            internal_id=user.internal_id,
            user_type=user.user_type,
            company_id=user.company_id,
            roles=roles,
            client_id=client.id,
            impersonator=impersonator,
            anonymous_order=anonymous_order,
            expires=now + lifetime,
        )
        return TokenAnswer(
            await self._issuer.issue(principal, now), int(lifetime.total_seconds()), refresh_token
        )

    async def refresh_token(
        self, user: Account, client: Client, scope: frozenset[str] | None, now: datetime
    ) -> str | None:
        """A refresh token, where the client's last for any time at all."""
        if client.refresh_minutes <= 0:
            return None
        return await self._refresh_tokens.issue(
            RefreshToken(
                internal_id=user.internal_id,
                client_id=client.id,
                scope=scope,
                issued=now,
                expires=now + timedelta(minutes=client.refresh_minutes),
            )
        )
