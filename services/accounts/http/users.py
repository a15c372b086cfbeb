"""Users: a buyer's, a supplier's, the marketplace's. Their names are unique over all of them."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

from services.accounts.http.belongings import (
    IMPERSONATED_USER,
    OF_ADMIN_USER,
    OF_SUPPLIER_USER,
    OF_USER,
)
from services.accounts.http.door import AccountsDoor
from services.accounts.http.user_moves import Moves
from services.accounts.http.user_rules import (
    IDENTITY_INDEX,
    UNIQUE_USERNAME,
    USERNAME_INDEX,
    acts_for_no_client,
    gets_the_password,
    has_its_company,
    in_group,
    is_followed_by_clients,
    leaves_nothing,
    may_have_the_password,
    user_facts,
)
from shared.contracts.parties import User
from shared.contracts.resources import ADMIN_USER, SUPPLIER_USER, USER
from shared.http.kinds import Kind, admin_reader
from shared.http.operations import ADMIN, Call, ListOf, Operation, Parameter
from shared.http.places import BUYERS, SUPPLIERS
from shared.http.query import ListShape, index, parse_list
from shared.http.resources import ResourceOperations, scope_of

_SEARCHABLE = ("ID", "Username", "LastName", "FirstName", "Email")
_SORTABLE = (
    "LastName",
    "FirstName",
    "Username",
    "ID",
    "Email",
    "DateCreated",
    "LastActive",
    "PasswordLastSetDate",
)
_DEFAULT_SORT = ("LastName", "FirstName")
_RULES = (has_its_company, may_have_the_password)
_IN_GROUP = {"List": (Parameter("userGroupID"),)}

BUYER_USERS = Kind(
    events=USER,
    sdk="Users",
    path="/buyers/{buyerID}/users",
    id="userID",
    collection="users",
    prefix="buyers/",
    roles=admin_reader("BuyerUser"),
    searchable=_SEARCHABLE,
    sortable=_SORTABLE,
    default_sort=_DEFAULT_SORT,
    parents=(BUYERS,),
    rules=_RULES,
    after_write=(gets_the_password, is_followed_by_clients),
    before_delete=(acts_for_no_client,),
    after_delete=(leaves_nothing,),
    on_delete=(IMPERSONATED_USER, *OF_USER),
    renames=OF_USER,
    unique=(UNIQUE_USERNAME,),
    compute=user_facts,
    parameters=_IN_GROUP,
    narrow=in_group,
    indexes=(
        USERNAME_INDEX,
        IDENTITY_INDEX,
        index("BuyerID", "LastName", "FirstName", "ID"),
        index("LastName", "FirstName", "ID"),
    ),
)
SUPPLIER_USERS = Kind(
    events=SUPPLIER_USER,
    sdk="SupplierUsers",
    object_type="User",
    path="/suppliers/{supplierID}/users",
    id="userID",
    collection="users",
    prefix="suppliers/",
    roles=admin_reader("SupplierUser"),
    searchable=_SEARCHABLE,
    sortable=_SORTABLE,
    default_sort=_DEFAULT_SORT,
    parents=(SUPPLIERS,),
    rules=_RULES,
    after_write=(gets_the_password, is_followed_by_clients),
    before_delete=(acts_for_no_client,),
    after_delete=(leaves_nothing,),
    on_delete=OF_SUPPLIER_USER,
    renames=OF_SUPPLIER_USER,
    unique=(UNIQUE_USERNAME,),
    compute=user_facts,
    parameters=_IN_GROUP,
    narrow=in_group,
    indexes=(index("SupplierID", "LastName", "FirstName", "ID"),),
)
ADMIN_USERS = Kind(
    events=ADMIN_USER,
    sdk="AdminUsers",
    object_type="User",
    path="/adminusers",
    id="userID",
    collection="users",
    among={"BuyerID": None, "SupplierID": None},
    roles=admin_reader("AdminUser"),
    searchable=_SEARCHABLE,
    sortable=_SORTABLE,
    default_sort=_DEFAULT_SORT,
    rules=_RULES,
    after_write=(gets_the_password, is_followed_by_clients),
    before_delete=(acts_for_no_client,),
    after_delete=(leaves_nothing,),
    on_delete=OF_ADMIN_USER,
    renames=OF_ADMIN_USER,
    unique=(UNIQUE_USERNAME,),
    compute=user_facts,
    indexes=(index("BuyerID", "SupplierID", "LastName", "FirstName", "ID"),),
)

KINDS = (BUYER_USERS, SUPPLIER_USERS, ADMIN_USERS)

_ACROSS = ListShape(User, _SEARCHABLE, _SORTABLE, (*_DEFAULT_SORT, "ID", "CompanyID"))


def operations(door: AccountsDoor) -> list[Operation]:
    """What is special about users."""
    made = [each for kind in KINDS for each in _Standing(door, kind).operations()]
    buyers = ResourceOperations(door, BUYER_USERS)

    async def across(call: Call) -> object:
        scope = {"SupplierID": None, "BuyerID": {"$ne": None}}
        page = await door.documents["User"].page(scope_of(scope), parse_list(call.query, _ACROSS))
        return {"Meta": page.meta(), "Items": await buyers.shown(page.documents, call)}

    return [
        *made,
        Operation(
            name="Users.ListAcrossBuyers",
            method="GET",
            path="/buyerusers",
            handler=across,
            users=ADMIN,
            roles=BUYER_USERS.roles.readers,
            answer=ListOf(User),
            list=_ACROSS,
            summary="Lists the users of all buyers.",
        ),
        Operation(
            name="Users.Move",
            method="POST",
            path="/buyers/{buyerID}/users/{userID}/moveto/{newBuyerID}",
            handler=Moves(door, buyers).move,
            users=ADMIN,
            roles=BUYER_USERS.roles.write,
            answer=User,
            status=201,
            parameters=(Parameter("orders"),),
            summary="Moves a user to another buyer. What was assigned to it where it was is not"
            " taken along, and its tokens do not hold any longer.",
        ),
    ]


@dataclass(frozen=True, slots=True)
class _Standing:
    """Ends lock-outs and tokens of the users of one kind."""

    door: AccountsDoor
    kind: Kind

    def operations(self) -> list[Operation]:
        path = f"{self.kind.path}/{{{self.kind.id}}}"
        return [
            self._operation(
                "UnlockUserAccount",
                "POST",
                f"{path}/unlock",
                self._unlock,
                "Lets a user in again who was locked out for wrong passwords.",
            ),
            self._operation(
                "RevokeUserTokens",
                "DELETE",
                f"{path}/tokens",
                self._revoke,
                "Revokes all tokens of a user.",
            ),
        ]

    def _operation(
        self,
        name: str,
        method: str,
        path: str,
        handler: Callable[[Call], Awaitable[Any]],
        summary: str,
    ) -> Operation:
        return Operation(
            name=f"{self.kind.sdk}.{name}",
            method=method,
            path=path,
            handler=handler,
            users=self.kind.who(),
            roles=self.kind.roles.write,
            status=204,
            summary=summary,
        )

    async def _unlock(self, call: Call) -> None:
        await self.door.passwords.unlock(await self._internal_id(call))

    async def _revoke(self, call: Call) -> None:
        await self.door.passwords.revoke(await self._internal_id(call))

    async def _internal_id(self, call: Call) -> str:
        user = await ResourceOperations(self.door, self.kind).existing(call)
        return str(user["InternalID"])
