"""Users about themselves."""

from datetime import timedelta
from typing import Any

from pymongo import AsyncMongoClient

from tests.support.api import errors_of
from tests.support.entering import ADA, PASSWORD, entrance

Mongo = AsyncMongoClient[dict[str, Any]]


async def test_a_user_sees_itself_with_its_company_and_roles(
    mongo: Mongo, database_prefix: str
) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        me = await (await shop.ada()).done("GET", "/me")
        admin = await shop.admin.done("GET", "/me")
        listed = await shop.admin.done("GET", "/buyers/acme/users")

    now = door.api.clock.now.isoformat(timespec="milliseconds")
    assert me == {
        "ID": "ada",
        "CompanyID": "acme",
        "Username": "ada",
        "FirstName": "Ada",
        "LastName": "Lovelace",
        "Email": "ada@example.com",
        "Phone": None,
        "TermsAccepted": None,
        "Active": True,
        "xp": None,
        "AvailableRoles": ["MeAdmin", "PasswordReset", "Shopper", "Taster"],
        "Locale": None,
        "DateCreated": now,
        "LastActive": now,
        "PasswordLastSetDate": now,
        "Buyer": {"ID": "acme", "DefaultCatalogID": me["Buyer"]["DefaultCatalogID"]},
        "Supplier": None,
        "Seller": None,
    }
    assert (admin["Seller"], admin["Buyer"]) == ({"ID": "marketplace"}, None)
    assert admin["AvailableRoles"] == ["FullAccess"]
    (user,) = listed["Items"]
    assert user["AvailableRoles"] == me["AvailableRoles"]
    assert (user["LastActive"], user["FailedLoginAttempts"]) == (now, 0)


async def test_activity_is_noted_every_few_minutes(mongo: Mongo, database_prefix: str) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        ada = await shop.ada()
        began = door.api.clock.now
        seen = []
        for _ in range(3):
            seen.append((await ada.done("GET", "/me"))["LastActive"])
            door.api.clock.advance(timedelta(minutes=3))

    later = began + timedelta(minutes=6)
    assert seen == [each.isoformat(timespec="milliseconds") for each in (began, began, later)]


async def test_a_user_changes_its_own_profile_and_no_more(
    mongo: Mongo, database_prefix: str
) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        ada = await shop.ada()
        patched = await ada.done("PATCH", "/me", {"Phone": "1", "Active": False})
        saved = await ada.done("PUT", "/me", ADA | {"FirstName": "Augusta"})
        refusals = [
            await ada("PATCH", "/me", {"ID": "eve"}),
            await ada("PATCH", "/me", {"xp": {"Tier": 1}}),
            await ada("PATCH", "/me", {"Username": "default-admin"}),
            await ada("PATCH", "/me", {"Password": "short"}),
            await ada("PATCH", "/me", {"Nickname": "a"}),
            await (await shop.ada(scope="Shopper"))("PATCH", "/me", {"Phone": "2"}),
        ]
        after = await ada.done("GET", "/me")
        await shop.admin.done(
            "PATCH", "/securityprofiles/shoppers", {"Roles": ["Shopper", "MeAdmin", "MeXpAdmin"]}
        )
        with_xp = await (await shop.ada()).done("PATCH", "/me", {"xp": {"Tier": 1}})

    assert (patched["Phone"], patched["Active"]) == ("1", True)
    assert (saved["FirstName"], saved["Phone"]) == ("Augusta", None)
    assert [(each.status_code, errors_of(each)) for each in refusals] == [
        (400, ["ValidationFailure"]),
        (403, ["User.XPNotAllowed"]),
        (409, ["User.UsernameMustBeUnique"]),
        (400, ["PasswordReset.InsecurePassword"]),
        (400, ["ValidationFailure"]),
        (403, ["Auth.InsufficientRoles"]),
    ]
    assert after == saved
    assert with_xp["xp"] == {"Tier": 1}


async def test_a_new_password_ends_what_the_old_one_began(
    mongo: Mongo, database_prefix: str
) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        first = (await door.by_password("ada", PASSWORD, "app")).json()
        ada = door.caller(first["access_token"])
        weak = await ada("POST", "/me/password", {"NewPassword": "short"})
        door.api.clock.advance(1)
        changed = await ada("POST", "/me/password", {"NewPassword": "another password"})
        after = await ada("GET", "/me")
        refresh = await door.token(
            grant_type="refresh_token", client_id="app", refresh_token=first["refresh_token"]
        )
        door.api.clock.advance(1)
        old = await door.by_password("ada", PASSWORD, "app")
        new = await door.by_password("ada", "another password", "app")
        me = door.caller(new.json()["access_token"])
        door.api.clock.advance(1)
        by_profile = await me("PATCH", "/me", {"Password": "a third password"})
        ended = await me("GET", "/me")
        events = await door.events()
        await shop.admin.done("DELETE", "/buyers/acme/users/ada")
        credentials = await door.api.resources.database("accounts")["credentials"].count_documents(
            {"Hashes": {"$exists": True}}
        )

    assert (weak.status_code, errors_of(weak)) == (400, ["PasswordReset.InsecurePassword"])
    assert weak.json()["Errors"][0]["Data"]["MinimumCharacterCount"] == 8
    assert (changed.status_code, after.status_code, refresh.status_code) == (204, 401, 400)
    assert (old.status_code, new.status_code) == (400, 200)
    assert (by_profile.status_code, ended.status_code) == (200, 401)
    assert credentials == 0
    for secret in ("another password", "a third password", "argon2"):
        assert secret not in events


async def test_what_access_keeps_of_a_user_follows_and_goes(
    mongo: Mongo, database_prefix: str
) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        assignments = "/securityprofiles/assignments"
        await shop.admin.done(
            "POST",
            assignments,
            {"SecurityProfileID": "shoppers", "BuyerID": "acme", "UserID": "ada"},
        )
        config = {"SecurityProfileID": "shoppers", "ClientID": "app"}
        await shop.admin.done(
            "PUT",
            "/impersonationconfig/by",
            config | {"ImpersonationBuyerID": "acme", "ImpersonationUserID": "ada"},
        )
        await shop.admin.done(
            "PUT", "/impersonationconfig/as", config | {"BuyerID": "acme", "UserID": "ada"}
        )
        await shop.admin.done("PATCH", "/buyers/acme/users/ada", {"ID": "eda"})
        renamed = await shop.admin.done("GET", f"{assignments}?userID=eda")
        by = await shop.admin.done("GET", "/impersonationconfig/by")
        named = await shop.admin("DELETE", "/buyers/acme/users/eda")
        await shop.admin.done("DELETE", "/impersonationconfig/as")
        await shop.admin.done("DELETE", "/buyers/acme/users/eda")
        gone = await shop.admin.done("GET", f"{assignments}?userID=eda")
        nobody = await shop.admin("GET", "/impersonationconfig/by")
        context = await shop.admin("DELETE", "/adminusers/default-admin")

    assert [each["SecurityProfileID"] for each in renamed["Items"]] == ["shoppers"]
    assert by["ImpersonationUserID"] == "eda"
    assert (named.status_code, errors_of(named)) == (
        409,
        ["Impersonation.CannotDeleteImpersonateeParty"],
    )
    assert gone["Items"] == []
    assert nobody.status_code == 404
    assert (context.status_code, errors_of(context)) == (
        409,
        ["User.CannotDeleteDefaultContextUser"],
    )
