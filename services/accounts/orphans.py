"""What belongs to a company that a command deleted goes with it.

Over HTTP the same is done before the company goes; a command says nothing of users and addresses.
"""

from shared.contracts import registry
from shared.contracts import resources as kept
from shared.contracts.resource_events import ResourceEvents
from shared.http.orphans import Gone, Naming
from shared.http.places import BUYERS, SUPPLIERS

_OF_BUYER = (
    (kept.USER, "users"),
    (kept.USER_GROUP, "user_groups"),
    (kept.USER_GROUP_ASSIGNMENT, "user_group_assignments"),
    (kept.ADDRESS, "addresses"),
    (kept.ADDRESS_ASSIGNMENT, "address_assignments"),
    (kept.COST_CENTER, "cost_centers"),
    (kept.COST_CENTER_ASSIGNMENT, "cost_center_assignments"),
    (kept.CREDIT_CARD, "credit_cards"),
    (kept.CREDIT_CARD_ASSIGNMENT, "credit_card_assignments"),
    (kept.SPENDING_ACCOUNT, "spending_accounts"),
    (kept.SPENDING_ACCOUNT_ASSIGNMENT, "spending_account_assignments"),
    (kept.API_CLIENT_ASSIGNMENT, "api_client_assignments"),
    (kept.SECURITY_PROFILE_ASSIGNMENT, "security_profile_assignments"),
    (kept.LOCALE_ASSIGNMENT, "locale_assignments"),
    (kept.SUPPLIER_BUYER, "supplier_buyers"),
)
_OF_SUPPLIER = (
    (kept.SUPPLIER_USER, "users"),
    (kept.SUPPLIER_USER_GROUP, "user_groups"),
    (kept.SUPPLIER_USER_GROUP_ASSIGNMENT, "supplier_user_group_assignments"),
    (kept.SUPPLIER_ADDRESS, "addresses"),
    (kept.API_CLIENT_ASSIGNMENT, "api_client_assignments"),
    (kept.SECURITY_PROFILE_ASSIGNMENT, "security_profile_assignments"),
    (kept.SUPPLIER_BUYER, "supplier_buyers"),
)


def _of(table: tuple[tuple[ResourceEvents, str], ...], field: str) -> tuple[Naming, ...]:
    return tuple(Naming(events, collection, {field: "id"}) for events, collection in table)


GONE = (
    Gone(registry.BUYER.deleted, BUYERS, ("id",), _of(_OF_BUYER, "BuyerID")),
    Gone(registry.SUPPLIER.deleted, SUPPLIERS, ("id",), _of(_OF_SUPPLIER, "SupplierID")),
)
