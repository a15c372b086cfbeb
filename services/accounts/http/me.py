"""What a user has at /me: addresses, cards, cost centers, spending accounts, groups, sellers."""

from collections.abc import Awaitable, Callable
from typing import Any

from services.accounts.http.addresses import BUYER_ADDRESSES
from services.accounts.http.addresses import SEARCHABLE as ADDRESS_SEARCHABLE
from services.accounts.http.addresses import SORTABLE as ADDRESS_SORTABLE
from services.accounts.http.assigned import assigned_to
from services.accounts.http.buyers import SELLERS
from services.accounts.http.companies import sellers_to
from services.accounts.http.cost_centers import COST_CENTER_KIND
from services.accounts.http.credit_cards import CREDIT_CARD_KIND
from services.accounts.http.credit_cards import SEARCHABLE as CARD_SEARCHABLE
from services.accounts.http.credit_cards import SORTABLE as CARD_SORTABLE
from services.accounts.http.door import AccountsDoor
from services.accounts.http.private import MyResources, Shared, is_editable
from services.accounts.http.spending_accounts import SPENDING_ACCOUNT_KIND
from services.accounts.http.user_groups import ADMIN_GROUPS, BUYER_GROUPS, SUPPLIER_GROUPS
from services.accounts.http.user_rules import groups_of
from shared.contracts.parties import BuyerSupplier, UserGroup
from shared.contracts.resources import PRIVATE_ADDRESS, PRIVATE_CREDIT_CARD
from shared.http.documents import with_ids
from shared.http.errors import not_found
from shared.http.kinds import Kind, Roles
from shared.http.operations import BUYER, EVERYONE, Call, ListOf, Operation
from shared.http.present import presenter_of
from shared.http.principal import UserType
from shared.http.query import ListShape, index, parse_list
from shared.http.resources import scope_of

_SHOPPER = ("Shopper",)

MY_ADDRESSES = Kind(
    events=PRIVATE_ADDRESS,
    sdk="Me",
    object_type="Address",
    path="/me/addresses",
    id="addressID",
    collection="private_addresses",
    roles=Roles(_SHOPPER, ("MeAddressAdmin",)),
    users=BUYER,
    searchable=ADDRESS_SEARCHABLE,
    sortable=ADDRESS_SORTABLE,
    default_sort=("AddressName", "ID"),
    compute=is_editable,
    operations=frozenset(),
    indexes=(index("InternalID", "AddressName", "ID"),),
)
MY_CARDS = Kind(
    events=PRIVATE_CREDIT_CARD,
    sdk="Me",
    object_type="CreditCard",
    path="/me/creditcards",
    id="creditcardID",
    collection="private_credit_cards",
    roles=Roles(_SHOPPER, ("MeCreditCardAdmin",)),
    users=BUYER,
    searchable=(*CARD_SEARCHABLE, "Editable"),
    sortable=CARD_SORTABLE,
    default_sort=("ID",),
    compute=is_editable,
    operations=frozenset(),
    indexes=(index("InternalID", "ID"),),
)

KINDS = (MY_ADDRESSES, MY_CARDS)

_ADDRESSES = Shared(
    kind=BUYER_ADDRESSES,
    by="AddressAssignment",
    field="AddressID",
    code="Address.CannotEditPublic",
    flags={
        "Shipping": lambda assignment: bool(assignment["IsShipping"]),
        "Billing": lambda assignment: bool(assignment["IsBilling"]),
    },
)
_CARDS = Shared(
    kind=CREDIT_CARD_KIND,
    by="CreditCardAssignment",
    field="CreditCardID",
    code="CreditCard.CannotEditPublic",
    flags={},
)
_GROUPS = {
    UserType.BUYER: (BUYER_GROUPS, "BuyerID"),
    UserType.SUPPLIER: (SUPPLIER_GROUPS, "SupplierID"),
    UserType.ADMIN: (ADMIN_GROUPS, None),
}


def operations(door: AccountsDoor) -> list[Operation]:
    """All of these."""
    assigned = _Assigned(door)
    accounts = "SpendingAccountAssignment", "SpendingAccountID"
    return [
        *_of_mine(door, MY_ADDRESSES, _ADDRESSES, "Address", "Addresses"),
        *_of_mine(door, MY_CARDS, _CARDS, "CreditCard", "CreditCards"),
        assigned.listing(
            COST_CENTER_KIND, "/me/costcenters", "CostCenterAssignment", "CostCenterID"
        ),
        assigned.listing(SPENDING_ACCOUNT_KIND, "/me/spendingAccounts", *accounts),
        assigned.getting(SPENDING_ACCOUNT_KIND, "/me/spendingaccounts", *accounts),
        _my_groups(door),
        _my_sellers(door),
    ]


def _of_mine(
    door: AccountsDoor, kind: Kind, shared: Shared, one: str, many: str
) -> list[Operation]:
    """The operations of what is partly the user's own."""
    mine = MyResources(door, kind, shared)
    path = f"{kind.path}/{{{kind.id}}}"

    def made(
        name: str, method: str, handler: Callable[[Call], Awaitable[Any]], summary: str, **more: Any
    ) -> Operation:
        reads = method == "GET"
        return Operation(
            name=f"Me.{name}",
            method=method,
            path=kind.path if name in (f"List{many}", f"Create{one}") else path,
            handler=handler,
            users=BUYER,
            roles=kind.roles.readers if reads else kind.roles.write,
            summary=summary,
            **more,
        )

    return [
        made(
            f"List{many}",
            "GET",
            mine.page,
            "Lists one's own, and what is assigned to one.",
            answer=ListOf(kind.model),
            list=mine.shape,
        ),
        made(
            f"Create{one}",
            "POST",
            mine.create,
            "Creates one of one's own.",
            body=kind.model,
            answer=kind.model,
            status=201,
        ),
        made(
            f"Get{one}",
            "GET",
            mine.get,
            "Gets one's own, or one that is assigned to one.",
            answer=kind.model,
        ),
        made(
            f"Save{one}",
            "PUT",
            mine.save,
            "Creates or replaces one of one's own.",
            body=kind.model,
            answer=kind.model,
        ),
        made(
            f"Patch{one}",
            "PATCH",
            mine.patch,
            "Changes fields of one of one's own.",
            body=kind.model,
            partial=True,
            status=204,
        ),
        made(f"Delete{one}", "DELETE", mine.delete, "Deletes one of one's own.", status=204),
    ]


class _Assigned:
    """Lists and gets what is assigned to the user."""

    def __init__(self, door: AccountsDoor) -> None:
        self._door = door

    def listing(self, kind: Kind, path: str, by: str, field: str) -> Operation:
        """The list of the resources of ``kind`` that assignments ``by`` name in ``field``."""
        shape = ListShape(kind.model, kind.searchable, kind.sortable, kind.default_sort)
        present = presenter_of(kind.model)

        async def page(call: Call) -> object:
            principal = call.principal
            found = await assigned_to(self._door, by, principal)
            scope = {"BuyerID": principal.company_id, **with_ids({each[field] for each in found})}
            query = parse_list(call.query, shape)
            page = await self._door.documents[kind.name].page(scope_of(scope), query)
            return {"Meta": page.meta(), "Items": [present(each) for each in page.documents]}

        return Operation(
            name=f"Me.List{kind.name}s",
            method="GET",
            path=path,
            handler=page,
            users=BUYER,
            roles=_SHOPPER,
            answer=ListOf(kind.model),
            list=shape,
            summary="Lists what is assigned to one.",
        )

    def getting(self, kind: Kind, path: str, by: str, field: str) -> Operation:
        """One of them."""
        present = presenter_of(kind.model)

        async def get(call: Call) -> object:
            principal, id = call.principal, call.path[kind.id]
            found = await assigned_to(self._door, by, principal)
            state = None
            if any(each[field] == id for each in found):
                key = kind.key([principal.company_id], id)
                state = await self._door.documents[kind.name].get(key)
            if state is None:
                raise not_found(kind.type_name, id)
            return present(state)

        return Operation(
            name=f"Me.Get{kind.name}",
            method="GET",
            path=f"{path}/{{{kind.id}}}",
            handler=get,
            users=BUYER,
            roles=_SHOPPER,
            answer=kind.model,
            summary="Gets one that is assigned to one.",
        )


def _my_groups(door: AccountsDoor) -> Operation:
    shape = ListShape(
        UserGroup, BUYER_GROUPS.searchable, BUYER_GROUPS.sortable, BUYER_GROUPS.default_sort
    )
    present = presenter_of(UserGroup)

    async def groups(call: Call) -> object:
        principal = call.principal
        kind, company = _GROUPS[principal.user_type]
        found = await groups_of(door, principal.user_type, principal.company_id, principal.user_id)
        of_company = kind.among if company is None else {company: principal.company_id}
        scope = scope_of({**of_company, **with_ids(found)})
        page = await door.documents[kind.name].page(scope, parse_list(call.query, shape))
        return {"Meta": page.meta(), "Items": [present(each) for each in page.documents]}

    return Operation(
        name="Me.ListUserGroups",
        method="GET",
        path="/me/usergroups",
        handler=groups,
        users=EVERYONE,
        answer=ListOf(UserGroup),
        list=shape,
        summary="Lists the groups that one is in.",
    )


def _my_sellers(door: AccountsDoor) -> Operation:
    present = presenter_of(BuyerSupplier)

    async def sellers(call: Call) -> object:
        scope = {"Active": True, **await sellers_to(door, call.principal.company_id)}
        query = parse_list(call.query, SELLERS)
        page = await door.documents["Supplier"].page(scope_of(scope), query)
        return {"Meta": page.meta(), "Items": [present(each) for each in page.documents]}

    return Operation(
        name="Me.ListBuyerSellers",
        method="GET",
        path="/me/sellers",
        handler=sellers,
        users=BUYER,
        roles=_SHOPPER,
        answer=ListOf(BuyerSupplier),
        list=SELLERS,
        summary="Lists the active suppliers that one may order from.",
    )
