"""API clients, security profiles, impersonation configs, locales and indexed properties."""

from datetime import timedelta
from typing import Any

from pymongo import AsyncMongoClient

from tests.support.api import errors_of
from tests.support.entering import ADA, APP, CLIENT, PASSWORD, SECRET, Shop, entrance

Mongo = AsyncMongoClient[dict[str, Any]]


async def codes(shop: Shop, *calls: tuple[str, str, dict[str, Any] | None]) -> list[Any]:
    """Status and codes of each call by an administrator."""
    answers = [await shop.admin(*call) for call in calls]
    return [(each.status_code, *errors_of(each)) for each in answers]


async def test_a_secret_is_shown_once_and_stands_in_no_event(
    mongo: Mongo, database_prefix: str
) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        chosen = "chosen-by-somebody"
        client = await shop.admin.done("PATCH", "/apiclients/app", {"ClientSecret": chosen})
        made = await shop.admin.done(
            "POST", "/apiclients/app/secrets", {"ID": "one", "Name": "of the server"}
        )
        listed = await shop.admin.done("GET", "/apiclients/app/secrets")
        without = await door.by_password("ada", PASSWORD, "app")
        by_chosen = await door.by_password("ada", PASSWORD, "app", client_secret=chosen)
        by_made = await door.by_password("ada", PASSWORD, "app", client_secret=made["ClientSecret"])
        await shop.admin.done("PATCH", "/apiclients/app", {"AppName": "Renamed"})
        kept = await door.by_password("ada", PASSWORD, "app", client_secret=chosen)
        await shop.admin.done("PATCH", "/apiclients/app", {"ClientSecret": None})
        taken = await door.by_password("ada", PASSWORD, "app", client_secret=chosen)
        await shop.admin.done("DELETE", "/apiclients/app/secrets/one")
        public = await door.by_password("ada", PASSWORD, "app")
        events = await door.events()
        stored = [
            each["state"]
            async for each in door.api.resources.database("accounts")["api_clients"].find()
        ]

    assert "ClientSecret" not in client
    assert listed["Items"] == [{"ID": "one", "Name": "of the server", "Expiration": None}]
    assert without.status_code == 401
    assert (by_chosen.status_code, by_made.status_code, kept.status_code) == (200, 200, 200)
    assert (taken.status_code, public.status_code) == (401, 200)
    assert all("ClientSecret" not in state for state in stored)
    for secret in (chosen, made["ClientSecret"], SECRET, PASSWORD, "Hash", "argon2", "sha256:"):
        assert secret not in events
    assert '"ApiClientSecretSaved"' in events


async def test_a_secret_expires(mongo: Mongo, database_prefix: str) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        now = door.api.clock.now
        past = await codes(
            shop,
            (
                "POST",
                "/apiclients/app/secrets",
                {"Name": "late", "Expiration": now.isoformat()},
            ),
        )
        made = await shop.admin.done(
            "POST",
            "/apiclients/app/secrets",
            {"Name": "soon", "Expiration": (now + timedelta(days=1)).isoformat()},
        )
        before = await door.by_password("ada", PASSWORD, "app", client_secret=made["ClientSecret"])
        door.api.clock.advance(timedelta(days=1))
        after = await door.by_password("ada", PASSWORD, "app", client_secret=made["ClientSecret"])

    assert past == [(400, "ApiClientSecret.InvalidExpirationDate")]
    assert (before.status_code, after.status_code) == (200, 401)


async def test_what_is_refused_of_clients(mongo: Mongo, database_prefix: str) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        await shop.admin.done("PUT", "/suppliers/acme", {"Name": "Acme", "Active": True})
        await shop.admin.done("PUT", "/apiclients/spare", APP)
        for number in range(10):
            await shop.admin.done(
                "POST", "/apiclients/spare/secrets", {"ID": f"s{number}", "Name": "one"}
            )
        refusals = await codes(
            shop,
            ("DELETE", f"/apiclients/{CLIENT}", None),
            ("POST", "/apiclients/spare/secrets", {"Name": "one more"}),
            ("POST", "/apiclients/spare/secrets", {"ID": "s1", "Name": "again"}),
            ("POST", "/apiclients/nobody/secrets", {"Name": "one"}),
            ("PATCH", "/apiclients/app", {"ClientSecret": "short"}),
            ("PATCH", "/apiclients/app", {"DefaultContextUserName": "nobody"}),
            ("PATCH", "/apiclients/app", {"AccessTokenDuration": 5}),
            ("POST", "/apiclients/assignments", {"ApiClientID": "app"}),
            (
                "POST",
                "/apiclients/assignments",
                {"ApiClientID": "app", "BuyerID": "acme", "SupplierID": "acme"},
            ),
            ("DELETE", "/buyers/acme/ApiClients/Assignments/app", None),
        )
        still = await door.by_secret()

    assert refusals == [
        (409, "ApiClient.CannotDeleteLastFullAccess"),
        (400, "ApiClientSecret.MaximumClientSecretsReached"),
        (400, "ApiClientSecret.MaximumClientSecretsReached"),
        (404, "NotFound"),
        (400, "ValidationFailure"),
        (404, "NotFound"),
        (400, "ValidationFailure"),
        (400, "PartyAssignment.RequiresBuyer"),
        (400, "PartyAssignment.CannotSpecifyBuyerAndSupplier"),
        (404, "NotFound"),
    ]
    assert still.status_code == 200


async def test_an_assigned_buyer_may_use_a_client(mongo: Mongo, database_prefix: str) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        await shop.admin.done("PATCH", "/apiclients/app", {"AllowAnyBuyer": False})
        await shop.admin.done(
            "POST", "/apiclients/assignments", {"ApiClientID": "app", "BuyerID": "acme"}
        )
        allowed = await door.by_password("ada", PASSWORD, "app")
        client = await shop.admin.done("GET", "/apiclients/app")
        listed = await shop.admin.done("GET", "/apiclients/assignments?apiClientID=app")
        await shop.admin.done("DELETE", "/buyers/acme/ApiClients/Assignments/app")
        refused = await door.by_password("ada", PASSWORD, "app")

    assert (allowed.status_code, refused.status_code) == (200, 400)
    assert (client["AssignedBuyerCount"], client["AssignedSupplierCount"]) == (1, 0)
    assert listed["Items"] == [{"ApiClientID": "app", "BuyerID": "acme", "SupplierID": None}]


async def test_nobody_gets_full_access_by_the_right_to_give_rights(
    mongo: Mongo, database_prefix: str
) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        await shop.admin.done(
            "PUT",
            "/apiclients/bound",
            APP
            | {"DefaultContextUserName": "default-admin", "MaximumGrantedRoles": ["OrderReader"]},
        )
        scope = "SetSecurityProfile SecurityProfileAdmin ApiClientAdmin"
        answer = await door.by_secret(scope=scope)
        clerk = door.caller(answer.json()["access_token"])
        calls: list[tuple[str, str, dict[str, Any]]] = [
            ("PUT", "/securityprofiles/all", {"Name": "All", "Roles": ["FullAccess"]}),
            ("PATCH", "/securityprofiles/shoppers", {"Roles": ["FullAccess"]}),
            (
                "POST",
                "/securityprofiles/assignments",
                {"SecurityProfileID": "full-access", "BuyerID": "acme"},
            ),
            (
                "PUT",
                "/impersonationconfig/all",
                {"SecurityProfileID": "full-access", "ClientID": "app"},
            ),
            ("PUT", "/apiclients/mine", APP | {"DefaultContextUserName": "default-admin"}),
            ("POST", f"/apiclients/{CLIENT}/secrets", {"Name": "mine"}),
            ("PATCH", f"/apiclients/{CLIENT}", {"ClientSecret": "mine-from-now-on"}),
            ("PATCH", "/apiclients/bound", {"MaximumGrantedRoles": []}),
        ]
        answers = [await clerk(*call) for call in calls]
        named = await clerk(
            "PUT", "/securityprofiles/all", {"Name": "All", "CustomRoles": ["FullAccess"]}
        )
        fine = await clerk("PUT", "/securityprofiles/some", {"Name": "Some", "Roles": ["Shopper"]})
        profiles = await shop.admin.done("GET", "/securityprofiles")

    assert [(each.status_code, errors_of(each)) for each in answers] == [
        (403, ["Auth.UnauthorizedRole"])
    ] * len(calls)
    assert (named.status_code, errors_of(named)) == (400, ["ValidationFailure"])
    assert fine.status_code == 200
    assert [each["ID"] for each in profiles["Items"]] == ["full-access", "shoppers", "some"]


async def test_profiles_are_assigned_on_every_level(mongo: Mongo, database_prefix: str) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        assignments = "/securityprofiles/assignments"
        await shop.admin.done(
            "POST",
            assignments,
            {"SecurityProfileID": "shoppers", "BuyerID": "acme", "UserID": "ada"},
        )
        lists = {
            query: [
                (each["SecurityProfileID"], each["UserID"])
                for each in (await shop.admin.done("GET", f"{assignments}?{query}"))["Items"]
            ]
            for query in (
                "commerceRole=Buyer",
                "commerceRole=Seller",
                "commerceRole=Supplier",
                "level=User",
                "level=Company",
                "buyerID=acme&userID=ada",
            )
        }
        refusals = await codes(
            shop,
            ("GET", f"{assignments}?commerceRole=Nobody", None),
            ("POST", assignments, {"SecurityProfileID": "none", "BuyerID": "acme"}),
            ("POST", assignments, {"SecurityProfileID": "shoppers", "UserID": "ada"}),
            (
                "POST",
                assignments,
                {"SecurityProfileID": "shoppers", "BuyerID": "acme", "UserID": "eve"},
            ),
            (
                "POST",
                assignments,
                {
                    "SecurityProfileID": "shoppers",
                    "BuyerID": "acme",
                    "UserID": "ada",
                    "UserGroupID": "all",
                },
            ),
        )
        await shop.admin.done("DELETE", "/securityprofiles/shoppers/assignments?buyerID=acme")
        left = await door.by_password("ada", PASSWORD, "app")
        await shop.admin.done("DELETE", "/securityprofiles/shoppers")
        none = await door.by_password("ada", PASSWORD, "app")

    buyer, user = ("shoppers", None), ("shoppers", "ada")
    admin = ("full-access", "default-admin")
    assert lists == {
        "commerceRole=Buyer": [buyer, user],
        "commerceRole=Seller": [admin],
        "commerceRole=Supplier": [],
        "level=User": [admin, user],
        "level=Company": [buyer],
        "buyerID=acme&userID=ada": [user],
    }
    assert refusals == [
        (400, "List.InvalidType"),
        (404, "NotFound"),
        (404, "NotFound"),
        (404, "NotFound"),
        (400, "PartyAssignment.CannotSpecifyGroupAndUser"),
    ]
    assert (left.status_code, none.status_code) == (200, 400)
    assert errors_of(none) == ["Auth.InsufficientRoles"]


async def test_password_rules_that_nobody_can_meet_are_refused(
    mongo: Mongo, database_prefix: str
) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        config = {"MaximumPasswordAge": 1, "MinimumPasswordAge": 1440}
        refusals = await codes(
            shop, ("PATCH", "/securityprofiles/shoppers", {"PasswordConfig": config})
        )

    assert refusals == [(400, "SecurityProfile.InvalidPasswordConfiguration")]


async def test_acting_as_a_user_by_a_config(mongo: Mongo, database_prefix: str) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        path, body = "/buyers/acme/users/ada/accesstoken", {"ClientID": "app", "Roles": []}
        before = await codes(shop, ("POST", path, body))
        config = {"SecurityProfileID": "shoppers", "ClientID": "app", "BuyerID": "acme"}
        await shop.admin.done("PUT", "/impersonationconfig/help", config)
        answer = await shop.admin("POST", path, body | {"Roles": ["Shopper"]})
        ada = door.caller(answer.json()["access_token"])
        me = await ada.done("GET", "/me")
        lacking = await ada("PATCH", "/me", {"FirstName": "Augusta"})
        whole = door.caller((await shop.admin.done("POST", path, body))["access_token"])
        password = await whole("PATCH", "/me", {"Password": "another password"})
        refusals = await codes(
            shop,
            ("POST", "/buyers/acme/users/eve/accesstoken", body),
            ("POST", "/impersonationconfig", config),
            ("POST", "/impersonationconfig", config | {"ClientID": "none"}),
            ("POST", "/impersonationconfig", config | {"BuyerID": None, "UserID": "ada"}),
            ("POST", "/impersonationconfig", config | {"UserID": "ada", "GroupID": "all"}),
            ("DELETE", "/securityprofiles/shoppers", None),
            ("DELETE", "/apiclients/app", None),
        )

    assert before == [(403, "Impersonation.ConfigError")]
    assert answer.status_code == 200
    assert answer.json()["refresh_token"] is None
    assert me["Username"] == "ada"
    assert (lacking.status_code, errors_of(lacking)) == (403, ["Auth.InsufficientRoles"])
    assert (password.status_code, errors_of(password)) == (403, ["Auth.UnauthorizedRole"])
    assert refusals == [
        (404, "NotFound"),
        (409, "ImpersonationConfig.ConflictingImpersonationConfigExists"),
        (400, "Impersonation.ClientIDNotFound"),
        (400, "Impersonation.BuyerNetworkBuyerIDRequired"),
        (404, "NotFound"),
        (409, "Impersonation.CannotDeleteSecurityProfile"),
        (409, "ApiClient.UsedByImpersonationConfig"),
    ]


async def test_a_locale_reaches_those_it_is_assigned_to(mongo: Mongo, database_prefix: str) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        await shop.admin.done("PUT", "/locales/uk", {"Currency": "GBP", "Language": "en-GB"})
        duplicate = await codes(
            shop, ("POST", "/locales", {"Currency": "GBP", "Language": "en-GB"})
        )
        await shop.admin.done("POST", "/locales/assignments", {"LocaleID": "uk", "BuyerID": "acme"})
        ada = await shop.ada()
        with_it = await ada.done("GET", "/me")
        await shop.admin.done("DELETE", "/locales/uk/assignments?buyerID=acme")
        without = await ada.done("GET", "/me")

    assert duplicate == [(409, "Locale.DuplicateLanguageAndCurrency")]
    assert with_it["Locale"] == {
        "ID": "uk",
        "OwnerID": "marketplace",
        "Currency": "GBP",
        "Language": "en-GB",
    }
    assert without["Locale"] is None


async def test_what_a_group_has_reaches_its_members(mongo: Mongo, database_prefix: str) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        put = shop.admin.done
        await put("PUT", "/buyers/acme/usergroups/night", {"Name": "Night shift"})
        member = {"UserGroupID": "night", "UserID": "ada"}
        await put("POST", "/buyers/acme/usergroups/assignments", member)
        await put("PUT", "/securityprofiles/guards", {"Name": "G", "Roles": ["OrderReader"]})
        to_group = {"BuyerID": "acme", "UserGroupID": "night"}
        await put(
            "POST", "/securityprofiles/assignments", {"SecurityProfileID": "guards", **to_group}
        )
        for id, currency in (("a", "EUR"), ("b", "USD")):
            await put("PUT", f"/locales/{id}", {"Currency": currency})
        await put("POST", "/locales/assignments", {"LocaleID": "a", "BuyerID": "acme"})
        await put("POST", "/locales/assignments", {"LocaleID": "b", **to_group})
        await put("PUT", "/buyers/acme/users/bob", ADA | {"Username": "bob"})
        users = (await put("GET", "/buyers/acme/users?sortBy=ID"))["Items"]
        token = await door.by_password("ada", PASSWORD, "app", scope="OrderReader")

    assert [(each["ID"], each["AvailableRoles"], each["Locale"]["ID"]) for each in users] == [
        ("ada", ["MeAdmin", "OrderReader", "PasswordReset", "Shopper", "Taster"], "b"),
        ("bob", ["MeAdmin", "PasswordReset", "Shopper", "Taster"], "a"),
    ]
    assert token.status_code == 200


async def test_an_indexed_property_has_an_index(mongo: Mongo, database_prefix: str) -> None:
    async with entrance(mongo, database_prefix) as door:
        shop = await door.shop()
        database = door.api.resources.database("accounts")
        await shop.admin.done("PUT", "/xpindices", {"ThingType": "Company", "Key": "Region.Code"})
        await shop.admin.done("PUT", "/xpindices", {"ThingType": "Order", "Key": "Channel"})
        made = {
            name: (await database[name].index_information()).get("xp_Region.Code")
            for name in ("buyers", "suppliers")
        }
        listed = await shop.admin.done("GET", "/xpindices")
        plan = (
            await database["buyers"]
            .find({"state.xp.Region.Code": "n"}, collation={"locale": "en", "strength": 2})
            .explain()
        )
        await shop.admin.done("DELETE", "/xpindices/Company/Region.Code")
        after = await database["buyers"].index_information()
        refusals = await codes(
            shop,
            ("PUT", "/xpindices", {"ThingType": "Company", "Key": "$where"}),
            ("PUT", "/xpindices", {"ThingType": "Company", "Key": "a..b"}),
            ("PUT", "/xpindices", {"ThingType": "Nothing", "Key": "a"}),
            ("DELETE", "/xpindices/Company/Region.Code", None),
        )

    for index in made.values():
        assert index is not None
        assert index["key"] == [("state.xp.Region.Code", 1)]
        assert index["collation"]["strength"] == 2
    assert listed["Items"] == [
        {"ThingType": "Company", "Key": "Region.Code"},
        {"ThingType": "Order", "Key": "Channel"},
    ]
    assert "xp_Region.Code" in str(plan["queryPlanner"]["winningPlan"])
    assert "xp_Region.Code" not in after
    assert refusals == [
        (400, "ValidationFailure"),
        (400, "ValidationFailure"),
        (400, "ValidationFailure"),
        (404, "NotFound"),
    ]
