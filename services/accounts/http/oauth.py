"""The routes under ``/oauth``, and acting as another user."""

from typing import Any

from services.accounts.access.form import parse_form
from services.accounts.access.impersonation import ROLE, ImpersonationRequest
from services.accounts.access.refusals import OAuthName, refuse
from services.accounts.access.wiring import Access
from services.accounts.http.directory import MongoDirectory
from shared.contracts.access import AccessToken, IdentityToken, ImpersonateTokenRequest, PublicKey
from shared.http.errors import forbidden, not_found
from shared.http.operations import ADMIN_BUYER, Call, Operation

_FORM = "application/x-www-form-urlencoded"


class OAuth:
    """The handlers."""

    def __init__(self, access: Access, directory: MongoDirectory, issuer: str) -> None:
        self._access = access
        self._directory = directory
        self._issuer = issuer

    async def token(self, call: Call) -> dict[str, Any]:
        if call.content_type.partition(";")[0].strip().lower() != _FORM:
            raise refuse(
                OAuthName.INVALID_REQUEST,
                "Request.InvalidContentType",
                f"Send the fields as a form, with the header Content-Type: {_FORM}.",
            )
        answer = await self._access.endpoint.grant(parse_form(call.body), call.address)
        return answer.body()

    async def certificate(self, call: Call) -> dict[str, Any]:
        found = await self._access.public_keys.jwk(call.path["ID"])
        if found is None:
            raise not_found("PublicKey", call.path["ID"])
        return found

    async def user_info(self, call: Call) -> dict[str, Any]:
        principal = call.principal
        if principal.anonymous_order is not None:
            raise forbidden("Auth.AnonUserProhibited", "Log in: this is for users with a name.")
        state = await self._directory.user_state(principal.internal_id)
        if state is None:
            raise not_found("User", principal.user_id)
        seconds = int((principal.expires - call.now).total_seconds())
        # Its audience is the client, so no one can take it for an access token.
        token = await self._access.keys.sign(
            {
                "iss": self._issuer,
                "aud": principal.client_id,
                "sub": principal.internal_id,
                "iat": int(call.now.timestamp()),
                "exp": int(principal.expires.timestamp()),
                "preferred_username": state["Username"],
                "given_name": state["FirstName"],
                "family_name": state["LastName"],
                "email": state["Email"],
            }
        )
        return {"identity_token": token, "expires_in": max(seconds, 0)}

    async def impersonate(self, call: Call) -> dict[str, Any]:
        sent = call.sent(ImpersonateTokenRequest)
        request = ImpersonationRequest(
            sent.client_id, frozenset([*(role.value for role in sent.roles), *sent.custom_roles])
        )
        answer = await self._access.impersonation.impersonate(
            call.principal, call.path["buyerID"], call.path["userID"], request
        )
        return answer.body()


def oauth_operations(access: Access, directory: MongoDirectory, issuer: str) -> list[Operation]:
    """The routes under ``/oauth``, and the one that lets act as another user."""
    oauth = OAuth(access, directory, issuer)
    return [
        Operation(
            name="Auth.Token",
            method="POST",
            path="/oauth/token",
            handler=oauth.token,
            public=True,
            versioned=False,
            form=(
                "grant_type",
                "client_id",
                "client_secret",
                "username",
                "password",
                "refresh_token",
                "scope",
                "anonuserid",
            ),
            answer=AccessToken,
            summary="Gives a token for a password, a client's secret or a refresh token.",
        ),
        Operation(
            name="Certs.GetPublicKey",
            method="GET",
            path="/oauth/certs/{ID}",
            handler=oauth.certificate,
            public=True,
            versioned=False,
            answer=PublicKey,
            summary="The key by which the tokens are checked that name it as their kid.",
        ),
        Operation(
            name="UserInfo.GetToken",
            method="GET",
            path="/oauth/userinfo",
            handler=oauth.user_info,
            versioned=False,
            answer=IdentityToken,
            summary="A signed token that says who the user is, for the application that asks.",
        ),
        Operation(
            name="Users.GetAccessToken",
            method="POST",
            path="/buyers/{buyerID}/users/{userID}/accesstoken",
            handler=oauth.impersonate,
            users=ADMIN_BUYER,
            roles=(ROLE,),
            body=ImpersonateTokenRequest,
            answer=AccessToken,
            summary="Gives a token to act as a buyer's user, as an impersonation config allows.",
        ),
    ]
