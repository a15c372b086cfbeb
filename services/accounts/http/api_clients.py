"""API clients: applications that ask for tokens, their secrets, and whose users may use them."""

from collections.abc import Mapping
from typing import Any

from services.accounts.access.client_secrets import new_secret, stored_chosen, stored_new
from services.accounts.access.passwords import Passwords
from services.accounts.access.roles import union
from services.accounts.http.directory import (
    API_CLIENT_ASSIGNMENTS,
    API_CLIENT_SECRETS,
    API_CLIENTS,
    MongoDirectory,
    client_of,
    exact,
)
from services.accounts.http.security_profiles import check_may_give
from shared.contracts.access import ApiClientSecret, ApiClientSecretCreateResponse
from shared.contracts.resources import API_CLIENT, API_CLIENT_ASSIGNMENT, API_CLIENT_SECRET
from shared.http import places
from shared.http.bodies import reader_of, validated
from shared.http.documents import State, wire
from shared.http.door import Door
from shared.http.errors import bad_request, conflict, id_exists, not_found
from shared.http.ids import id_of
from shared.http.kinds import Assignment, Cascade, Change, Kind, Reference, Refuse, admin_reader
from shared.http.operations import ADMIN, Call, Operation
from shared.http.present import presenter_of
from shared.http.principal import FULL_ACCESS
from shared.http.query import index

MOST_SECRETS = 10
"""How many secrets a client may have beside its ClientSecret."""

_ROLES = admin_reader("ApiClient")


class ClientRules:
    """What is special about API clients, with what it takes to decide on it."""

    def __init__(self, directory: MongoDirectory, passwords: Passwords) -> None:
        self._directory = directory
        self._passwords = passwords

    async def keeps_a_hash(self, door: Door, change: Change) -> None:
        """Of a ClientSecret its hash is kept. One that is not sent stays, null takes it away."""
        if "ClientSecret" not in change.sent:
            return
        secret = change.sent["ClientSecret"]
        hash = None if secret is None else await stored_chosen(secret, self._passwords)
        change.after = change.after.model_copy(update={"secret_hash": hash})

    async def acts_as_a_user_that_there_is(self, door: Door, change: Change) -> None:
        """A client of nobody's, or of somebody whose rights the caller may give away."""
        name, before = change.after.default_context_user_name, change.before
        if name is not None and (before is None or before.default_context_user_name != name):
            user = await self._directory.user_by_username(name)
            if user is None:
                raise not_found("User", name)
        # Who changes what acts for another could take its rights.
        for state in (before, change.after):
            if state is not None:
                await self._check_may_give_what(wire(state), change.call)

    async def check_may_change(self, door: Door, client_id: str, call: Call) -> None:
        """Raises ApiError, 403, where the client acts for somebody with FullAccess and the caller
        has it not: with another secret the caller would have it."""
        state = await door.documents["ApiClient"].get(client_id)
        if state is not None:
            await self._check_may_give_what(state, call)

    async def _check_may_give_what(self, state: State, call: Call) -> None:
        if FULL_ACCESS not in call.principal.roles and await self._has_full_access(state):
            check_may_give((FULL_ACCESS,), call)

    async def is_not_the_last_with_full_access(
        self, door: Door, states: list[State], call: Call
    ) -> None:
        """Somebody has to be able to come in."""
        gone = {state["ID"] for state in states}
        if not any([await self._lets_in(door, state) for state in states]):
            return
        for other in await door.documents["ApiClient"].find({"Active": True, "AllowSeller": True}):
            if other["ID"] not in gone and await self._lets_in(door, other):
                return
        raise conflict(
            "ApiClient.CannotDeleteLastFullAccess",
            "This is the last API client by which one gets FullAccess: make another one first,"
            " active, with AllowSeller, a secret and a DefaultContextUserName that has FullAccess.",
        )

    async def may_be_deleted(self, door: Door, states: list[State], call: Call) -> None:
        for state in states:
            await self.check_may_change(door, state["ID"], call)

    async def _lets_in(self, door: Door, state: State) -> bool:
        """Whether one gets FullAccess with the client's own secret."""
        secrets = await door.documents["ApiClientSecret"].find({"ApiClientID": state["ID"]})
        client = client_of(state, secrets)
        now = door.resources.clock()
        live = [each for each in client.secrets if each.expires is None or now < each.expires]
        return client.active and client.seller and bool(live) and await self._has_full_access(state)

    async def _has_full_access(self, state: State) -> bool:
        name = state.get("DefaultContextUserName")
        user = None if name is None else await self._directory.user_by_username(name)
        if user is None or not user.active:
            return False
        most = state.get("MaximumGrantedRoles")
        held = union(await self._directory.profiles(user)).standard
        return FULL_ACCESS in held and (not most or FULL_ACCESS in most)


async def _counts_companies(
    door: Door, states: list[State], answers: list[dict[str, Any]], call: Call
) -> None:
    ids = [state["ID"] for state in states]
    counted = await door.documents["ApiClientAssignment"].collection.aggregate(
        [
            {"$match": {"state.ApiClientID": {"$in": ids}}},
            {
                "$group": {
                    "_id": "$state.ApiClientID",
                    "Buyers": {"$sum": {"$cond": [{"$gt": ["$state.BuyerID", None]}, 1, 0]}},
                    "Suppliers": {"$sum": {"$cond": [{"$gt": ["$state.SupplierID", None]}, 1, 0]}},
                }
            },
        ]
    )
    counts = {each["_id"]: each async for each in counted}
    for answer in answers:
        count: Mapping[str, int] = counts.get(answer["ID"], {})
        answer["AssignedBuyerCount"] = count.get("Buyers", 0)
        answer["AssignedSupplierCount"] = count.get("Suppliers", 0)


def clients(rules: ClientRules) -> Kind:
    """The resource ApiClient."""
    return Kind(
        events=API_CLIENT,
        sdk="ApiClients",
        path="/apiclients",
        id="apiClientID",
        collection=API_CLIENTS,
        roles=_ROLES,
        users=ADMIN,
        searchable=("ID", "AppName", "DefaultContextUserName"),
        sortable=("ID", "AppName", "DefaultContextUserName"),
        default_sort=("ID",),
        rules=(rules.acts_as_a_user_that_there_is, rules.keeps_a_hash),
        before_delete=(rules.may_be_deleted, rules.is_not_the_last_with_full_access),
        on_delete=(
            Refuse(
                "ImpersonationConfig",
                "ClientID",
                "ApiClient.UsedByImpersonationConfig",
                "An impersonation config names this API client; delete that, or let it name"
                " another one, first.",
            ),
            Cascade("ApiClientSecret", "ApiClientID"),
            Cascade("ApiClientAssignment", "ApiClientID"),
        ),
        compute=_counts_companies,
        indexes=(index("ID"), index("AppName", "ID"), index("DefaultContextUserName", "ID")),
    )


async def _expires_in_the_future(door: Door, change: Change) -> None:
    expiration = change.after.expiration
    if "Expiration" in change.sent and expiration is not None and expiration <= change.call.now:
        raise bad_request(
            "ApiClientSecret.InvalidExpirationDate",
            "Expiration is over already: choose a time to come, or leave it out.",
            Expiration=expiration.isoformat(),
        )


def secrets(rules: ClientRules) -> Kind:
    """The resource ApiClientSecret, but for its creation, which shows the secret."""

    async def may_be_changed(door: Door, change: Change) -> None:
        await rules.check_may_change(door, change.after.api_client_id, change.call)

    return Kind(
        events=API_CLIENT_SECRET,
        sdk="ApiClients",
        suffix="Secret",
        path="/apiclients/{apiClientID}/secrets",
        id="apiClientSecretID",
        collection=API_CLIENT_SECRETS,
        roles=_ROLES,
        users=ADMIN,
        parents=(places.API_CLIENTS,),
        searchable=("ID",),
        sortable=("ID",),
        default_sort=("ID",),
        operations=frozenset({"List", "Get", "Patch", "Delete"}),
        rules=(_expires_in_the_future, may_be_changed),
        indexes=(index("ApiClientID", "ID"), exact("ApiClientID")),
    )


async def _names_one_company(door: Door, change: Change) -> None:
    after = change.after
    if after.buyer_id and after.supplier_id:
        raise bad_request(
            "PartyAssignment.CannotSpecifyBuyerAndSupplier",
            "Name a buyer or a supplier, not both.",
        )
    if not after.buyer_id and not after.supplier_id:
        raise bad_request(
            "PartyAssignment.RequiresBuyer",
            "Name whose users may come in: set BuyerID or SupplierID.",
        )


ASSIGNMENTS = Assignment(
    events=API_CLIENT_ASSIGNMENT,
    sdk="ApiClients",
    list="/apiclients/assignments",
    save="/apiclients/assignments",
    collection=API_CLIENT_ASSIGNMENTS,
    roles=_ROLES,
    users=ADMIN,
    parameters=("apiClientID", "buyerID", "supplierID"),
    references=(
        Reference("ApiClientID", places.API_CLIENTS),
        Reference("BuyerID", places.BUYERS),
        Reference("SupplierID", places.SUPPLIERS),
    ),
    rules=(_names_one_company,),
    indexes=(index("ApiClientID", "BuyerID", "SupplierID"), exact("ApiClientID")),
)


class SecretOperations:
    """What is no declaration: making a secret, and taking assignments back by company."""

    def __init__(self, door: Door, rules: ClientRules) -> None:
        self._door = door
        self._rules = rules

    async def create(self, call: Call) -> dict[str, Any]:
        """Makes a secret and shows it, this once."""
        client_id = call.path["apiClientID"]
        door, documents = self._door, self._door.documents["ApiClientSecret"]
        sent = reader_of(ApiClientSecret).clean(call.json())
        await door.need(places.API_CLIENTS, client_id)
        await self._rules.check_may_change(door, client_id, call)
        sent["ID"] = await id_of(sent.get("ID"), door.increment)
        secret = new_secret()
        after = validated(
            API_CLIENT_SECRET.stored,
            {**sent, "ApiClientID": client_id, "SecretHash": stored_new(secret)},
        )
        await _expires_in_the_future(door, Change(None, after, sent, call))
        if await documents.count({"ApiClientID": client_id}) >= MOST_SECRETS:
            raise bad_request(
                "ApiClientSecret.MaximumClientSecretsReached",
                f"An API client has {MOST_SECRETS} secrets at most: delete one of them first.",
                Maximum=MOST_SECRETS,
            )

        def decide(before: Any) -> Any:
            if before is not None:
                raise id_exists("ApiClientSecret", after.id)
            return after

        await documents.change(f"{client_id}/{after.id}", decide, call)
        shown = presenter_of(ApiClientSecretCreateResponse)(wire(after))
        return {**shown, "ClientSecret": secret}

    async def unassign(self, call: Call) -> None:
        """Takes the assignment of the company that the path names back."""
        client_id = call.path["apiClientID"]
        key = f"{client_id}/{call.path.get('buyerID', '')}/{call.path.get('supplierID', '')}"
        documents = self._door.documents["ApiClientAssignment"]
        if await documents.get(key) is None:
            raise not_found("ApiClientAssignment", key.strip("/").replace("//", "/"))
        await documents.change(key, lambda before: None, call)

    def operations(self) -> list[Operation]:
        return [
            Operation(
                name="ApiClients.CreateSecret",
                method="POST",
                path="/apiclients/{apiClientID}/secrets",
                handler=self.create,
                users=ADMIN,
                roles=_ROLES.write,
                body=ApiClientSecret,
                answer=ApiClientSecretCreateResponse,
                status=201,
                summary="Makes a secret. This answer is the only one that shows it.",
            ),
            *(
                Operation(
                    name=f"ApiClients.Delete{party}Assignment",
                    method="DELETE",
                    path=f"/{party.lower()}s/{{{party.lower()}ID}}/ApiClients/Assignments"
                    "/{apiClientID}",
                    handler=self.unassign,
                    users=ADMIN,
                    roles=_ROLES.write,
                    status=204,
                    summary=f"Takes the assignment of an API client to a {party.lower()} back.",
                )
                for party in ("Buyer", "Supplier")
            ),
        ]
