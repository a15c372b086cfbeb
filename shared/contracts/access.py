"""Who may come in, and what they may do: clients, profiles, tokens, passwords; and what serves
all resources: sequences of IDs and indexed properties."""

from enum import StrEnum
from typing import Annotated

from pydantic import ConfigDict, Field

from shared.contracts.base import ID, READ_ONLY, WRITE_ONLY, Count, LimitedXp, Resource, Time
from shared.contracts.parties import Email, Password
from shared.contracts.roles import Role

CustomRole = Annotated[str, Field(pattern=r"^[!#-\[\]-~]{1,100}$")]
"""A role of the marketplace's own: what may stand in a token's scope (RFC 6749, section 3.3)."""


class ApiClient(Resource):
    """An application that asks for tokens. Durations are in minutes. With a ``client_secret`` no
    token is given without it; ``default_context_user_name`` is who a token without a user acts
    as. ``minimum_required_…`` a user must have to come in, ``maximum_granted_…`` is the most that
    a token gets; empty lists ask and bound nothing."""

    id: Annotated[ID, READ_ONLY]
    client_secret: Annotated[str | None, Field(min_length=1, max_length=200), WRITE_ONLY] = None
    access_token_duration: int = Field(ge=10, le=600)
    active: bool = True
    app_name: str = Field(min_length=1, max_length=100)
    refresh_token_duration: int = Field(0, ge=0, le=524_160)
    anonymous_token_duration: int = Field(10_080, ge=1, le=524_160)
    default_context_user_name: str | None = Field(None, max_length=100)
    xp: LimitedXp | None = None
    allow_any_buyer: bool = False
    allow_any_supplier: bool = False
    allow_seller: bool = False
    is_anon_buyer: bool = False
    assigned_buyer_count: Annotated[Count | None, READ_ONLY] = None
    assigned_supplier_count: Annotated[Count | None, READ_ONLY] = None
    order_checkout_integration_event_id: ID | None = None
    order_checkout_integration_event_name: Annotated[str | None, READ_ONLY] = None
    order_return_integration_event_id: ID | None = None
    order_return_integration_event_name: Annotated[str | None, READ_ONLY] = None
    add_to_cart_integration_event_id: ID | None = None
    add_to_cart_integration_event_name: Annotated[str | None, READ_ONLY] = None
    minimum_required_roles: list[Role] = Field(default_factory=list, max_length=200)
    minimum_required_custom_roles: list[CustomRole] = Field(default_factory=list, max_length=200)
    maximum_granted_roles: list[Role] = Field(default_factory=list, max_length=200)
    maximum_granted_custom_roles: list[CustomRole] = Field(default_factory=list, max_length=200)


class ApiClientAssignment(Resource):
    """Whose users may come in through a client: a buyer's or a supplier's."""

    api_client_id: ID
    buyer_id: ID | None = None
    supplier_id: ID | None = None


class ApiClientSecret(Resource):
    """One of a client's secrets. The secret itself is told once, when it is made."""

    id: ID
    name: str = Field(min_length=1, max_length=100)
    expiration: Time | None = None


class ApiClientSecretCreateResponse(ApiClientSecret):
    client_secret: Annotated[str | None, READ_ONLY] = None


class PasswordConfig(Resource):
    """What passwords must be like. ``limit_password_reuse`` is how many, the present one among
    them, may not come again. ``maximum_password_age`` is in days, ``minimum_password_age`` and
    ``lockout_duration`` are in minutes; a lockout of 0 lasts until somebody ends it."""

    limit_password_reuse: int | None = Field(None, ge=0, le=100)
    max_consecutive_dupe_chars: int | None = Field(None, ge=1, le=200)
    maximum_password_age: int | None = Field(None, ge=1, le=36_500)
    minimum_password_age: int | None = Field(None, ge=0, le=5_256_000)
    allowed_failed_attempts: int | None = Field(None, ge=1, le=1000)
    lockout_duration: int | None = Field(None, ge=0, le=5_256_000)
    upper_case_required: bool = False
    lower_case_required: bool = False
    special_character_required: bool = False
    numeric_required: bool = False
    minimum_character_count: int | None = Field(None, ge=1, le=200)


class SecurityProfile(Resource):
    """Roles that are given together, and what the passwords of those who have them must be like."""

    id: ID
    name: str = Field(min_length=1, max_length=100)
    roles: list[Role] = Field(default_factory=list, max_length=200)
    custom_roles: list[CustomRole] = Field(default_factory=list, max_length=200)
    password_config: PasswordConfig | None = None
    is_external_role_group: Annotated[bool, READ_ONLY] = False


class SecurityProfileAssignment(Resource):
    """Who has a profile: a user, a group, a whole buyer or supplier, or, without any, the
    marketplace's owner."""

    security_profile_id: ID
    buyer_id: ID | None = None
    supplier_id: ID | None = None
    user_id: ID | None = None
    user_group_id: ID | None = None


class ImpersonationConfig(Resource):
    """Who (``impersonation_…``) may act as whom (the others), through which client and with
    which profile's roles. What is absent bounds nothing."""

    id: ID
    impersonation_buyer_id: ID | None = None
    impersonation_group_id: ID | None = None
    impersonation_user_id: ID | None = None
    buyer_id: ID | None = None
    group_id: ID | None = None
    user_id: ID | None = None
    security_profile_id: ID
    client_id: ID


class ImpersonateTokenRequest(Resource):
    client_id: ID
    roles: list[Role] = Field(max_length=200)
    custom_roles: list[CustomRole] = Field(default_factory=list, max_length=200)


class _OAuth(Resource):
    """Named as OAuth 2.0 (RFC 6749) and JSON Web Key (RFC 7517) name it."""

    model_config = ConfigDict(alias_generator=None)


class AccessToken(_OAuth):
    """A token. ``expires_in`` is in seconds."""

    access_token: str
    expires_in: int
    token_type: str = "bearer"  # noqa: S105 - RFC 6749's word, no secret
    refresh_token: str | None = None


class AccessTokenBasic(_OAuth):
    access_token: str


class IdentityToken(_OAuth):
    """Who the user is, as a signed token of OpenID Connect. ``expires_in`` is in seconds."""

    identity_token: str
    expires_in: int


class PublicKey(_OAuth):
    """The key that a token's signature is checked with."""

    kty: str
    n: str
    e: str
    alg: str
    use: str
    kid: str


class PasswordResetRequest(Resource):
    """Asks for a code to reset a password with; ``email`` or ``username`` says whose."""

    client_id: ID
    email: Email | None = None
    username: str | None = Field(None, max_length=100)
    url: str | None = Field(None, alias="URL", max_length=2000)


class PasswordReset(Resource):
    client_id: ID
    username: str = Field(min_length=1, max_length=100)
    password: Annotated[Password | None, WRITE_ONLY] = None


class TokenPasswordReset(Resource):
    new_password: Password


class OneTimePasswordRequest(Resource):
    client_id: ID
    username: str | None = Field(None, max_length=100)
    email: Email | None = None


class Incrementor(Resource):
    """A sequence of IDs: ``{id}`` in a new ID becomes ``last_number`` + 1, with zeros in front up
    to ``left_padding_count`` digits."""

    id: ID
    name: str | None = Field(None, max_length=100)
    last_number: int = Field(ge=0, lt=2**63 - 1)
    left_padding_count: int = Field(ge=0, le=50)


class XpThingType(StrEnum):
    """What has an ``xp`` that can be indexed."""

    ADDRESS = "Address"
    VARIANT = "Variant"
    ORDER = "Order"
    ORDER_RETURN = "OrderReturn"
    LINE_ITEM = "LineItem"
    COST_CENTER = "CostCenter"
    CREDIT_CARD = "CreditCard"
    PAYMENT = "Payment"
    SPEC = "Spec"
    SPEC_OPTION = "SpecOption"
    USER_GROUP = "UserGroup"
    COMPANY = "Company"
    CATEGORY = "Category"
    PRICE_SCHEDULE = "PriceSchedule"
    SHIPMENT = "Shipment"
    SPENDING_ACCOUNT = "SpendingAccount"
    USER = "User"
    PROMOTION = "Promotion"
    APPROVAL_RULE = "ApprovalRule"
    SELLER_APPROVAL_RULE = "SellerApprovalRule"
    CATALOG = "Catalog"
    PRODUCT_FACET = "ProductFacet"
    MESSAGE_SENDER = "MessageSender"
    INVENTORY_RECORD = "InventoryRecord"
    PRODUCT_COLLECTION = "ProductCollection"
    SUBSCRIPTION = "Subscription"
    GROUP_ORDER_INVITATION = "GroupOrderInvitation"


class XpIndex(Resource):
    """``key`` in the ``xp`` of a kind of resource, by which lists are filtered quickly."""

    thing_type: XpThingType
    key: str = Field(min_length=1, max_length=100)
