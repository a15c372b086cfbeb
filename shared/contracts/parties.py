"""The parties: users and their groups, where they are, and what they pay with.

Companies themselves, which Kafka's commands know too, are in ``catalog``.
"""

from enum import StrEnum
from typing import Annotated

from pydantic import Field, model_validator
from pydantic_core import PydanticCustomError

from shared.contracts.base import (
    ID,
    READ_ONLY,
    WRITE_ONLY,
    Address,
    Count,
    CurrencyCode,
    LimitedXp,
    Resource,
    Time,
)
from shared.contracts.cards import CardFreeXp, NoCardNumber
from shared.money import MoneyInput


class PartyType(StrEnum):
    """On which level something is assigned: the ``level`` of a list of assignments."""

    USER = "User"
    GROUP = "Group"
    COMPANY = "Company"


class CommerceRole(StrEnum):
    """Which side of a trade a company is on."""

    BUYER = "Buyer"
    SELLER = "Seller"
    SUPPLIER = "Supplier"


class UserOrderMoveOption(StrEnum):
    """Which orders go with a user who moves to another buyer."""

    NONE = "None"
    UNSUBMITTED = "Unsubmitted"
    ALL = "All"


class SupplierBuyer(Resource):
    """A buyer, as a supplier that may sell to it sees it."""

    id: ID
    name: str | None = Field(None, max_length=100)


class BuyerSupplier(Resource):
    """A seller, as a buyer that may order from it sees it."""

    id: ID
    name: str | None = Field(None, max_length=100)


class SupplierBuyerAssignment(Resource):
    """``supplier_id`` may sell to ``buyer_id``."""

    supplier_id: ID
    buyer_id: ID


class Locale(Resource):
    """A language, such as ``en-US``, and a currency."""

    id: ID
    owner_id: ID | None = None
    currency: CurrencyCode
    language: str | None = Field(None, max_length=100)


class LocaleAssignment(Resource):
    locale_id: ID
    buyer_id: ID
    user_group_id: ID | None = None


Email = Annotated[str, Field(max_length=200, pattern=r"^[^@\x00- ]+@[^@\x00- ]+$")]
"""Something, an ``@`` and something: whether there is such a mailbox, mail alone tells."""
Password = Annotated[str, Field(min_length=1, max_length=200), WRITE_ONLY]
"""A password as a client sends it. What is kept of it is a hash, elsewhere."""


class UserProfile(Resource):
    """What a user is to others and to itself. ``company_id`` is the buyer, the supplier or the
    marketplace's owner; ``available_roles`` are all that the user's profiles grant; ``locale`` is
    the most specific one assigned."""

    id: ID
    company_id: Annotated[ID | None, READ_ONLY] = None
    username: str = Field(min_length=1, max_length=100)
    password: Annotated[Password | None, WRITE_ONLY] = None
    first_name: str = Field(min_length=1, max_length=100)
    last_name: str = Field(min_length=1, max_length=100)
    email: Email
    phone: str | None = Field(None, max_length=100)
    terms_accepted: Time | None = None
    active: bool
    xp: LimitedXp | None = None
    available_roles: Annotated[list[str] | None, READ_ONLY] = None
    locale: Annotated[Locale | None, READ_ONLY] = None
    date_created: Annotated[Time | None, READ_ONLY] = None
    last_active: Annotated[Time | None, READ_ONLY] = None
    password_last_set_date: Annotated[Time | None, READ_ONLY] = None


class User(UserProfile):
    """A user, as administrators see one. ``failed_login_attempts`` counts since the last login
    or unlocking."""

    failed_login_attempts: Annotated[Count | None, READ_ONLY] = None


class MeBuyer(Resource):
    id: ID
    default_catalog_id: ID | None = None


class MeSupplier(Resource):
    id: ID


class MeSeller(Resource):
    id: ID


class MeUser(UserProfile):
    """A user, as it sees itself: with the one company that it belongs to."""

    buyer: Annotated[MeBuyer | None, READ_ONLY] = None
    supplier: Annotated[MeSupplier | None, READ_ONLY] = None
    seller: Annotated[MeSeller | None, READ_ONLY] = None


class UserGroup(Resource):
    id: ID
    name: str = Field(min_length=1, max_length=100)
    description: str | None = Field(None, max_length=2000)
    xp: LimitedXp | None = None


class UserGroupAssignment(Resource):
    user_group_id: ID
    user_id: ID


_WITH_STATES = ("US", "CA")


class PostalAddress(Address):
    """An address of a party: complete enough to send something to. ``country`` is ISO 3166-1
    alpha-2; in the United States and Canada ``state`` and ``zip`` are needed too."""

    id: ID
    street1: str = Field(min_length=1, max_length=100)
    city: str = Field(min_length=1, max_length=100)
    country: str = Field(pattern="^[A-Za-z]{2}$")
    date_created: Annotated[Time | None, READ_ONLY] = None
    xp: LimitedXp | None = None

    @model_validator(mode="after")
    def _has_state_and_zip(self) -> "PostalAddress":
        if self.country.upper() in _WITH_STATES:
            missing = [
                name for name, value in (("State", self.state), ("Zip", self.zip)) if not value
            ]
            if missing:
                raise ValueError(
                    f"an address in {self.country} needs {' and '.join(missing)}; add it"
                )
        return self


class AddressAssignment(Resource):
    """Who may use an address: a user, a group, or the whole buyer; for which of the two."""

    address_id: ID
    user_id: ID | None = None
    user_group_id: ID | None = None
    is_shipping: bool = False
    is_billing: bool = False

    @model_validator(mode="after")
    def _is_for_something(self) -> "AddressAssignment":
        if not (self.is_shipping or self.is_billing):
            raise PydanticCustomError(
                "AddressAssignment.MustBeBillingOrShipping",
                "an assignment is for shipping, for billing or both; set IsShipping or IsBilling",
            )
        return self


class BuyerAddress(PostalAddress):
    """An address, as a user sees it that may use it. Only one's own is ``editable``."""

    shipping: bool = False
    billing: bool = False
    editable: Annotated[bool | None, READ_ONLY] = None

    @model_validator(mode="after")
    def _is_for_something(self) -> "BuyerAddress":
        if not (self.shipping or self.billing):
            raise PydanticCustomError(
                "BuyerAddress.MustBeBillingOrShipping",
                "an address is for shipping, for billing or both; set Shipping or Billing",
            )
        return self


class CostCenter(Resource):
    id: ID
    name: str = Field(min_length=1, max_length=100)
    description: str | None = Field(None, max_length=2000)
    xp: LimitedXp | None = None


class CostCenterAssignment(Resource):
    cost_center_id: ID
    user_group_id: ID | None = None


class CreditCard(Resource):
    """A card that a processor keeps: ``token`` is its name for it. Of the number at most the last
    five digits are here."""

    id: ID
    token: NoCardNumber | None = Field(None, max_length=1000)
    card_type: NoCardNumber | None = Field(None, max_length=100)
    partial_account_number: str | None = Field(None, max_length=5)
    cardholder_name: NoCardNumber | None = Field(None, max_length=200)
    expiration_date: Time | None = None
    date_created: Annotated[Time | None, READ_ONLY] = None
    xp: CardFreeXp | None = None


class CreditCardAssignment(Resource):
    credit_card_id: ID
    user_id: ID | None = None
    user_group_id: ID | None = None


class BuyerCreditCard(CreditCard):
    """A card, as a user sees it that may pay with it. Only one's own is ``editable``."""

    editable: Annotated[bool | None, READ_ONLY] = None


class SpendingAccount(Resource):
    """Money that may be spent, in the marketplace's currency. ``allow_as_payment_method`` lets a
    payment name it; ``start_date`` and ``end_date`` bound when."""

    id: ID
    name: str = Field(min_length=1, max_length=100)
    balance: MoneyInput
    allow_as_payment_method: bool = False
    start_date: Time | None = None
    end_date: Time | None = None
    xp: LimitedXp | None = None


class SpendingAccountAssignment(Resource):
    """Who may spend; with ``allow_exceed`` more than there is."""

    spending_account_id: ID
    user_id: ID | None = None
    user_group_id: ID | None = None
    allow_exceed: bool = False
