"""Credit cards of a buyer, each by the token that its processor knows it by."""

from shared.contracts.resources import CREDIT_CARD, CREDIT_CARD_ASSIGNMENT
from shared.http.kinds import Assignment, Cascade, Kind, Reference, admin_reader
from shared.http.places import BUYER_USERS, BUYERS, CREDIT_CARDS, USER_GROUPS
from shared.http.query import index

SEARCHABLE = ("ID", "CardholderName", "CardType", "ExpirationDate")
SORTABLE = ("ID", "CardholderName", "CardType", "ExpirationDate", "DateCreated")
_ASSIGNED = (Cascade("CreditCardAssignment", "CreditCardID"),)

CREDIT_CARD_KIND = Kind(
    events=CREDIT_CARD,
    sdk="CreditCards",
    path="/buyers/{buyerID}/creditcards",
    id="creditCardID",
    collection="credit_cards",
    roles=admin_reader("CreditCard"),
    searchable=SEARCHABLE,
    sortable=SORTABLE,
    default_sort=("ID",),
    parents=(BUYERS,),
    on_delete=_ASSIGNED,
    renames=_ASSIGNED,
    indexes=(index("BuyerID", "ID"),),
)

ASSIGNED = Assignment(
    events=CREDIT_CARD_ASSIGNMENT,
    sdk="CreditCards",
    list="/buyers/{buyerID}/creditcards/assignments",
    save="/buyers/{buyerID}/creditcards/assignments",
    delete="/buyers/{buyerID}/creditcards/{creditCardID}/assignments",
    collection="credit_card_assignments",
    roles=CREDIT_CARD_KIND.roles,
    parameters=("creditCardID", "userID", "userGroupID"),
    levels=frozenset({"Company", "Group", "User"}),
    parents=(BUYERS,),
    references=(
        Reference("CreditCardID", CREDIT_CARDS, ("BuyerID",)),
        Reference("UserID", BUYER_USERS, ("BuyerID",)),
        Reference("UserGroupID", USER_GROUPS, ("BuyerID",)),
    ),
    indexes=(index("BuyerID", "CreditCardID", "UserID", "UserGroupID"),),
)

KINDS = (CREDIT_CARD_KIND,)
ASSIGNMENTS = (ASSIGNED,)
