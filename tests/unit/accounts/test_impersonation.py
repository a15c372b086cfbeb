"""Acting as a buyer's user."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from services.accounts.access.impersonation import ImpersonationRequest
from services.accounts.access.ports import ImpersonationRule, Roles
from shared.http.errors import ApiError
from shared.http.principal import Principal, UserType
from tests.support.fakes import START
from tests.unit.accounts.world import World, client, profile, user

REQUEST = ImpersonationRequest("app")


def rule(id: str = "r", profile_id: str = "agent", **more: Any) -> ImpersonationRule:
    return ImpersonationRule(id, "app", profile_id, **more)


def caller(id: str = "root", kind: UserType = UserType.ADMIN, company: str = "mp") -> Principal:
    return Principal(
        user_id=id,
        username=id,
        internal_id=f"u-{id}",
        user_type=kind,
        company_id=company,
        roles=frozenset({"BuyerImpersonation"}),
        client_id="admin-app",
        impersonator=None,
        anonymous_order=None,
        expires=START + timedelta(hours=1),
    )


@pytest.fixture
async def world() -> World:
    world = World()
    world.directory.add(
        client(refresh_minutes=600),
        user("root", UserType.ADMIN, "mp", group_ids=frozenset({"helpers"})),
        user("ada", group_ids=frozenset({"shoppers"})),
        user("bob", company="other"),
        user("eve", company="acme"),
        user("sue", UserType.SUPPLIER, "sup"),
        profile("agent", "Shopper", "OrderReader", custom=["Agent"]),
        profile("lesser", "OrderReader"),
    )
    return world


async def acting(
    world: World, who: Principal, request: ImpersonationRequest = REQUEST
) -> Principal:
    answer = await world.impersonation.impersonate(who, "acme", "ada", request)
    assert (answer.refresh_token, answer.expires_in) == (None, 3600)
    return await world.verifier.verify_token(answer.access_token)


async def refusal(
    world: World,
    who: Principal,
    buyer: str = "acme",
    id: str = "ada",
    request: ImpersonationRequest = REQUEST,
) -> str:
    with pytest.raises(ApiError) as refused:
        await world.impersonation.impersonate(who, buyer, id, request)
    assert set(refused.value.body()) == {"Errors"}
    return f"{refused.value.status} {refused.value.errors[0].error_code}"


async def test_a_rule_lets_the_seller_act_with_the_roles_of_its_profile(world: World) -> None:
    world.directory.add(rule())

    principal = await acting(world, caller())

    assert (principal.username, principal.company_id) == ("ada", "acme")
    assert principal.roles == {"Shopper", "OrderReader", "Agent"}
    assert principal.impersonator == "u-root"
    assert principal.client_id == "app"


async def test_roles_are_cut_to_those_asked_for_and_the_clients(world: World) -> None:
    world.directory.add(rule())
    asked = frozenset({"Shopper", "OrderAdmin"})

    cut = await acting(world, caller(), ImpersonationRequest("app", asked))
    refused = await refusal(
        world, caller(), request=ImpersonationRequest("app", frozenset({"OrderAdmin"}))
    )
    world.directory.change_client("app", at_most=Roles(frozenset({"OrderReader"})))

    assert cut.roles == {"Shopper"}
    assert refused == "400 Auth.InsufficientRoles"
    assert (await acting(world, caller())).roles == {"OrderReader", "Agent"}


@pytest.mark.parametrize(
    "fields",
    [
        {"buyer_id": "acme"},
        {"user_id": "ada", "buyer_id": "acme"},
        {"group_id": "shoppers"},
        {"impersonator_group_id": "helpers"},
        {"impersonator_user_id": "root"},
    ],
)
async def test_a_rule_that_names_who_and_whom_matches(world: World, fields: dict[str, str]) -> None:
    world.directory.add(rule(**fields))

    assert (await acting(world, caller())).username == "ada"


@pytest.mark.parametrize(
    "fields",
    [
        {"buyer_id": "other"},
        {"user_id": "eve"},
        {"group_id": "nobodies"},
        {"impersonator_group_id": "nobodies"},
        {"impersonator_user_id": "ada"},
        {"impersonator_buyer_id": "acme"},
    ],
)
async def test_a_rule_for_others_does_not(world: World, fields: dict[str, str]) -> None:
    world.directory.add(rule(**fields))

    assert await refusal(world, caller()) == "403 Impersonation.ConfigError"


async def test_a_buyers_user_acts_only_by_a_rule_that_names_the_buyer(world: World) -> None:
    eve = caller("eve", UserType.BUYER, "acme")
    world.directory.add(rule("for-seller"))
    assert await refusal(world, eve) == "403 Impersonation.ConfigError"

    world.directory.add(rule("for-acme", "lesser", impersonator_buyer_id="acme"))

    assert (await acting(world, eve)).roles == {"OrderReader"}
    bob = caller("bob", UserType.BUYER, "other")
    assert await refusal(world, bob) == "403 Impersonation.ConfigError"


async def test_a_supplier_never_acts_as_another(world: World) -> None:
    world.directory.add(rule(), rule("odd", impersonator_buyer_id="sup"))

    sue = caller("sue", UserType.SUPPLIER, "sup")

    assert await refusal(world, sue) == "403 Impersonation.ConfigError"


async def test_the_most_specific_rule_holds(world: World) -> None:
    world.directory.add(rule("a"), rule("b", "lesser", user_id="ada"), rule("c", buyer_id="acme"))

    assert (await acting(world, caller())).roles == {"OrderReader"}


async def test_only_named_users_with_the_role_and_their_own_token_may(world: World) -> None:
    world.directory.add(rule())

    without = await refusal(world, replace(caller(), roles=frozenset({"Shopper"})))
    nameless = await refusal(world, replace(caller(), anonymous_order="o"))
    second_hand = await refusal(world, replace(caller(), impersonator="u-x"))

    assert without == "403 Auth.InsufficientRoles"
    assert nameless == "403 Auth.AnonUserProhibited"
    assert second_hand == "403 Impersonation.ConfigError"


async def test_whether_a_user_exists_learns_only_who_may_act_in_the_buyer(world: World) -> None:
    assert await refusal(world, caller(), id="nobody") == "403 Impersonation.ConfigError"
    world.directory.add(rule())

    assert await refusal(world, caller(), id="nobody") == "404 NotFound"
    assert await refusal(world, caller(), "other", "ada") == "404 NotFound"


async def test_what_is_wrong_with_client_user_or_profile_is_said(world: World) -> None:
    world.directory.add(rule(), ImpersonationRule("gone", "missing", "agent"))
    missing = await refusal(world, caller(), request=ImpersonationRequest("missing"))

    world.directory.change_client("app", active=False)
    inactive = await refusal(world, caller())
    world.directory.change_client("app", active=True, any_buyer=False)
    unassigned = await refusal(world, caller())
    world.directory.change_client("app", any_buyer=True)
    world.directory.change_user("u-ada", active=False)
    asleep = await refusal(world, caller())
    world.directory.change_user("u-ada", active=True)
    del world.directory.all_profiles["agent"]
    no_profile = await refusal(world, caller())

    assert missing == "400 Impersonation.ClientIDNotFound"
    assert inactive == "400 Impersonation.BadApiClient"
    assert unassigned == "400 Impersonation.BuyerNotAssigned"
    assert asleep == "400 Auth.UserNotActive"
    assert no_profile == "400 Impersonation.ConfigError"


async def test_a_token_ends_with_the_one_who_acts(world: World) -> None:
    world.directory.add(rule())
    answer = await world.impersonation.impersonate(caller(), "acme", "ada", REQUEST)

    world.directory.change_user("u-root", active=False)

    with pytest.raises(ApiError) as refused:
        await world.verifier.verify_token(answer.access_token)
    assert refused.value.errors[0].error_code == "Auth.TokenRevoked"
