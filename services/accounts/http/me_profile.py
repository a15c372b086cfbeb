"""Users about themselves: ``/me``, registering, passwords, tokens.

A change of one's own profile takes the way of an administrator's change of that user, with the
same rules, after what only concerns oneself.
"""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import orjson

from services.accounts.access.ports import Account
from services.accounts.access.refusals import OAuthError
from services.accounts.access.roles import granted, union
from services.accounts.access.wiring import Access
from services.accounts.http.directory import MongoDirectory, company_of
from services.accounts.http.user_facts import UserFacts
from shared.contracts.access import AccessTokenBasic, TokenPasswordReset
from shared.contracts.parties import MeUser
from shared.http.bodies import reader_of
from shared.http.documents import State
from shared.http.door import Door
from shared.http.errors import ApiError, bad_request, forbidden, not_found
from shared.http.operations import Call, Operation, Parameter
from shared.http.present import presenter_of
from shared.http.principal import Principal, UserType
from shared.http.resources import ResourceOperations

_KINDS = {UserType.BUYER: "User", UserType.SUPPLIER: "SupplierUser", UserType.ADMIN: "AdminUser"}
_COMPANIES = {UserType.BUYER: "Buyer", UserType.SUPPLIER: "Supplier", UserType.ADMIN: "Seller"}
_reader = reader_of(MeUser)


class Me:
    """The handlers."""

    def __init__(
        self, door: Door, access: Access, directory: MongoDirectory, facts: UserFacts
    ) -> None:
        self._door = door
        self._access = access
        self._directory = directory
        self._facts = facts

    async def get(self, call: Call) -> dict[str, Any]:
        return await self._shown(await self._state(call.principal))

    async def save(self, call: Call) -> dict[str, Any]:
        sent = _reader.clean(call.json())
        state = await self._state(call.principal)
        if not call.principal.has_any(["MeXpAdmin"]):
            # Who may not write it keeps it; sending it back as it was is no change.
            self._check_xp(sent, state, call)
            sent["xp"] = state.get("xp")
        return await self._change("save", sent, state, call)

    async def patch(self, call: Call) -> dict[str, Any]:
        sent = _reader.clean(call.json())
        state = await self._state(call.principal)
        self._check_xp(sent, state, call)
        return await self._change("patch", sent, state, call)

    async def register(self, call: Call) -> dict[str, Any]:
        """Makes an anonymous shopper a user of the same buyer, and gives that user's token."""
        shopper = await self._shopper(call)
        sent = _reader.clean(call.json())
        if sent.get("xp") is not None and not shopper.has_any(["MeXpAdmin"]):
            raise _no_xp()
        client = await self._access_client(shopper)
        # Nothing is made of somebody who could do nothing.
        future = Account("", "", "", UserType.BUYER, shopper.company_id, active=True)
        try:
            roles = granted(union(await self._directory.profiles(future)), None, client)
        except OAuthError as refusal:
            raise ApiError(403, refusal.errors) from refusal
        made = await ResourceOperations(self._door, self._door.kinds["User"]).create(
            _as(call, {"buyerID": shopper.company_id}, {**sent, "Active": True})
        )
        user = await self._directory.buyer_user(shopper.company_id, made["ID"])
        if user is None:
            raise not_found("User", made["ID"])
        answer = await self._access.grants.answer(user, client, roles, call.now)
        return {"access_token": answer.access_token}

    async def set_password(self, call: Call) -> None:
        """Sets one's own password by a token that was given for it; no token holds any longer."""
        principal = self._named(call)
        sent = call.sent(TokenPasswordReset)
        user = await self._account(principal)
        await self._access.logins.set(user, sent.new_password, own=True)
        await self._access.user_tokens.revoke(user.internal_id)

    async def revoke_tokens(self, call: Call) -> None:
        await self._access.user_tokens.revoke(self._named(call).internal_id)

    async def _change(
        self, how: str, sent: dict[str, Any], state: State, call: Call
    ) -> dict[str, Any]:
        principal = self._named(call)
        if sent.setdefault("ID", state["ID"]) != state["ID"]:
            raise bad_request(
                "ValidationFailure",
                "Users do not change their own ID: leave it out, or ask an administrator to.",
                Field="ID",
            )
        sent["Active"] = state["Active"]
        if principal.impersonator is not None and (
            sent.get("Password") is not None
            or sent.get("Username", state["Username"]) != state["Username"]
        ):
            raise forbidden(
                "Auth.UnauthorizedRole",
                "Who acts as a user changes neither its username nor its password: change the user"
                " as an administrator.",
            )
        if isinstance(sent.get("Password"), str):
            user = await self._account(principal)
            await self._access.logins.check(user, sent["Password"], own=True)
        kind = self._door.kinds[_KINDS[principal.user_type]]
        owner = [state[field] for field in kind.parent_fields]
        names = [*(f"parent{depth}" for depth in range(len(owner))), kind.id]
        path = dict(zip(names, [*owner, state["ID"]], strict=True))
        users = ResourceOperations(self._door, kind)
        await (users.save if how == "save" else users.patch)(_as(call, path, sent))
        return await self._shown(await self._state(principal))

    async def _shown(self, state: State) -> dict[str, Any]:
        facts = await self._facts.of([state["InternalID"]])
        marketplace = self._door.resources.settings.marketplace_id
        user_type, company = company_of(state, marketplace)
        shown = presenter_of(MeUser)(state) | facts.get(state["InternalID"], {})
        shown.pop("FailedLoginAttempts", None)
        shown["CompanyID"] = company
        shown[_COMPANIES[user_type]] = {"ID": company}
        if user_type is UserType.BUYER:
            buyer = await self._door.documents["Buyer"].get(company) or {}
            shown["Buyer"]["DefaultCatalogID"] = buyer.get("DefaultCatalogID")
        return shown

    async def _state(self, principal: Principal) -> State:
        state = await self._directory.user_state(principal.internal_id)
        if state is None:
            raise not_found("User", principal.user_id)
        return state

    async def _account(self, principal: Principal) -> Account:
        return await self._directory.account(await self._state(principal))

    async def _access_client(self, principal: Principal) -> Any:
        client = await self._directory.client(principal.client_id)
        if client is None or not client.active:
            raise bad_request(
                "Auth.ClientNotActive",
                "The API client of the token is gone or not active: use another one.",
            )
        return client

    async def _shopper(self, call: Call) -> Principal:
        """The anonymous shopper that registers: by the parameter, or else by the token."""
        token = call.parameter("anonUserToken")
        principal = call.principal
        if token is not None:
            principal = await self._access.verifier.verify_token(token)
        if principal.anonymous_order is None or principal.user_type is not UserType.BUYER:
            raise bad_request(
                "Auth.MustPassAnonUserToken",
                "Only anonymous shoppers register: set anonUserToken to the token of one.",
            )
        return principal

    @staticmethod
    def _named(call: Call) -> Principal:
        """The caller, who is not all anonymous shoppers together."""
        if call.principal.anonymous_order is not None:
            raise forbidden("Auth.AnonUserProhibited", "Log in: anonymous shoppers share one user.")
        return call.principal

    @staticmethod
    def _check_xp(sent: Mapping[str, Any], state: State, call: Call) -> None:
        if "xp" not in sent or sent["xp"] == state.get("xp"):
            return
        if not call.principal.has_any(["MeXpAdmin"]):
            raise _no_xp()

    def operations(self) -> list[Operation]:
        return [
            Operation(
                name="Me.Get",
                method="GET",
                path="/me",
                handler=self.get,
                answer=MeUser,
                summary="Who the token's user is.",
            ),
            Operation(
                name="Me.Save",
                method="PUT",
                path="/me",
                handler=self.save,
                roles=("MeAdmin",),
                body=MeUser,
                answer=MeUser,
                summary="Replaces one's own profile.",
            ),
            Operation(
                name="Me.Patch",
                method="PATCH",
                path="/me",
                handler=self.patch,
                roles=("MeAdmin",),
                body=MeUser,
                partial=True,
                answer=MeUser,
                summary="Changes the fields of one's own profile that are sent.",
            ),
            Operation(
                name="Me.Register",
                method="PUT",
                path="/me/register",
                handler=self.register,
                users=frozenset({UserType.BUYER}),
                roles=("Shopper",),
                body=MeUser,
                answer=AccessTokenBasic,
                parameters=(Parameter("anonUserToken"),),
                summary="Makes an anonymous shopper a user of the same buyer.",
            ),
            Operation(
                name="Me.ResetPasswordByToken",
                method="POST",
                path="/me/password",
                handler=self.set_password,
                roles=("PasswordReset",),
                body=TokenPasswordReset,
                status=204,
                summary="Sets one's own password, and revokes all tokens.",
            ),
            Operation(
                name="Me.RevokeTokens",
                method="DELETE",
                path="/me/tokens",
                handler=self.revoke_tokens,
                status=204,
                summary="Revokes all of one's own tokens, this one included.",
            ),
        ]


def _as(call: Call, path: Mapping[str, str], body: Mapping[str, Any]) -> Call:
    """The same call, as one of an administrator to the user's own resource."""
    return replace(call, path=path, body=orjson.dumps(body))


def _no_xp() -> ApiError:
    return forbidden(
        "User.XPNotAllowed",
        "Writing one's own xp needs the role MeXpAdmin: leave xp out, or ask for that role.",
    )
