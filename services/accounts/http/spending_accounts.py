"""Spending accounts: money that a buyer's users may spend."""

from decimal import ROUND_HALF_UP, Decimal

from shared.contracts.resources import SPENDING_ACCOUNT, SPENDING_ACCOUNT_ASSIGNMENT
from shared.http.door import Door
from shared.http.kinds import Assignment, Cascade, Change, Kind, Reference, admin_reader
from shared.http.places import BUYER_USERS, BUYERS, SPENDING_ACCOUNTS, USER_GROUPS
from shared.http.query import index

_ASSIGNED = (Cascade("SpendingAccountAssignment", "SpendingAccountID"),)
_CENT = Decimal("0.01")


async def in_whole_cents(door: Door, change: Change) -> None:
    """A balance has two decimals, whatever the currency; the contract says so."""
    balance = change.after.balance.quantize(_CENT, ROUND_HALF_UP)
    change.after = change.after.model_copy(update={"balance": balance})


SPENDING_ACCOUNT_KIND = Kind(
    events=SPENDING_ACCOUNT,
    sdk="SpendingAccounts",
    path="/buyers/{buyerID}/spendingaccounts",
    id="spendingAccountID",
    collection="spending_accounts",
    roles=admin_reader("SpendingAccount"),
    searchable=("ID", "Name"),
    sortable=("Name", "ID"),
    default_sort=("Name", "ID"),
    parents=(BUYERS,),
    rules=(in_whole_cents,),
    on_delete=_ASSIGNED,
    renames=_ASSIGNED,
    indexes=(index("BuyerID", "Name", "ID"), index("BuyerID", "ID")),
)

ASSIGNED = Assignment(
    events=SPENDING_ACCOUNT_ASSIGNMENT,
    sdk="SpendingAccounts",
    list="/buyers/{buyerID}/spendingaccounts/assignments",
    save="/buyers/{buyerID}/spendingaccounts/assignments",
    delete="/buyers/{buyerID}/spendingaccounts/{spendingAccountID}/assignments",
    collection="spending_account_assignments",
    roles=SPENDING_ACCOUNT_KIND.roles,
    parameters=("spendingAccountID", "userID", "userGroupID"),
    levels=frozenset({"Company", "Group", "User"}),
    parents=(BUYERS,),
    references=(
        Reference("SpendingAccountID", SPENDING_ACCOUNTS, ("BuyerID",)),
        Reference("UserID", BUYER_USERS, ("BuyerID",)),
        Reference("UserGroupID", USER_GROUPS, ("BuyerID",)),
    ),
    indexes=(index("BuyerID", "SpendingAccountID", "UserID", "UserGroupID"),),
)

KINDS = (SPENDING_ACCOUNT_KIND,)
ASSIGNMENTS = (ASSIGNED,)
