"""Buyers and suppliers: default catalogs, who founds and closes them, what goes with them."""

from collections.abc import AsyncIterator
from typing import Any

import pytest
from pymongo import AsyncMongoClient

from shared.contracts.catalog import Buyer
from shared.http.operations import Call
from shared.http.principal import UserType
from tests.support.api import TestApi, api_under_test, errors_of, principal
from tests.support.parties import COMPANIES, EVERYTHING, create_all, user

Mongo = AsyncMongoClient[dict[str, Any]]


class FakeCatalogs:
    """Remembers the buyers that catalogs were asked for."""

    def __init__(self) -> None:
        self.made: list[tuple[str, str]] = []

    async def create_default(self, call: Call, buyer: Buyer) -> None:
        self.made.append((buyer.id, buyer.name))


@pytest.fixture
def catalogs() -> FakeCatalogs:
    return FakeCatalogs()


@pytest.fixture
async def api(mongo: Mongo, database_prefix: str, catalogs: FakeCatalogs) -> AsyncIterator[TestApi]:
    services = ("accounts", "checkout")
    async with api_under_test(mongo, database_prefix, services, catalogs) as api:
        yield api


async def put_catalog(api: TestApi, id: str) -> None:
    catalogs = api.resources.database("pricing")["catalogs"]
    await catalogs.insert_one({"_id": id, "state": {"ID": id}})


async def test_a_new_buyer_gets_a_catalog_of_its_own(api: TestApi, catalogs: FakeCatalogs) -> None:
    async with api.as_admin() as client:
        made = await client.post("/buyers", json={"ID": "b1", "Name": "One"})
        saved = await client.put("/buyers/b2", json={"Name": "Two"})

        assert made.json()["DefaultCatalogID"] == "b1"
        assert saved.json()["DefaultCatalogID"] == "b2"
        assert catalogs.made == [("b1", "One"), ("b2", "Two")]


async def test_a_put_makes_up_for_a_catalog_that_failed_and_a_patch_does_not_ask(
    api: TestApi, catalogs: FakeCatalogs
) -> None:
    async with api.as_admin() as client:
        made = (await client.post("/buyers", json={"ID": "b1", "Name": "One"})).json()
        await put_catalog(api, "b1")

        await client.patch("/buyers/b1", json={"Name": "Patched"})
        sent = {"Name": "Put", "DefaultCatalogID": made["DefaultCatalogID"]}
        saved = await client.put("/buyers/b1", json=sent)

        assert saved.status_code == 200
        assert catalogs.made == [("b1", "One"), ("b1", "Put")]


async def test_a_catalog_that_a_buyer_names_has_to_be_there(
    api: TestApi, catalogs: FakeCatalogs
) -> None:
    await put_catalog(api, "shared")
    async with api.as_admin() as client:
        body = {"ID": "b1", "Name": "One"}
        refused = await client.post("/buyers", json={**body, "DefaultCatalogID": "nowhere"})
        made = await client.post("/buyers", json={**body, "DefaultCatalogID": "shared"})

        assert (refused.status_code, errors_of(refused)) == (404, ["NotFound"])
        assert (made.status_code, made.json()["DefaultCatalogID"]) == (201, "shared")
        assert catalogs.made == []


async def test_a_new_buyer_takes_no_catalog_that_is_there(
    api: TestApi, catalogs: FakeCatalogs
) -> None:
    await put_catalog(api, "b1")
    async with api.as_admin() as client:
        refused = await client.post("/buyers", json={"ID": "b1", "Name": "One"})

        assert (refused.status_code, errors_of(refused)) == (
            409,
            ["Buyer.DefaultCatalogAlreadyExists"],
        )
        assert (await client.get("/buyers/b1")).status_code == 404
        assert catalogs.made == []


@pytest.mark.parametrize(("kind", "own"), [("buyers", "b1"), ("suppliers", "s1")])
async def test_a_company_administers_itself_alone(api: TestApi, kind: str, own: str) -> None:
    await create_all(api, [(f"/{kind}", {"ID": id, "Name": id}) for id in (own, "other")])
    client = api.as_buyer(own) if kind == "buyers" else api.as_supplier(own)
    async with client:
        listed = await client.get(f"/{kind}")
        patched = await client.patch(f"/{kind}/{own}", json={"Name": "Ours"})
        refused = [
            await client.post(f"/{kind}", json={"ID": "new", "Name": "New"}),
            await client.delete(f"/{kind}/{own}"),
        ]
        hidden = [
            await client.get(f"/{kind}/other"),
            await client.put(f"/{kind}/new", json={"Name": "New"}),
            await client.patch(f"/{kind}/other", json={"Name": "Theirs"}),
            await client.delete(f"/{kind}/other"),
        ]

    assert [item["ID"] for item in listed.json()["Items"]] == [own]
    assert (patched.status_code, patched.json()["Name"]) == (200, "Ours")
    assert [each.status_code for each in refused] == [403, 403]
    assert [errors_of(each) for each in refused] == [["Auth.UserNotAuthorizedToAdmin"]] * 2
    assert [each.status_code for each in hidden] == [404] * 4
    async with api.as_admin() as admin:
        names = {item["ID"]: item["Name"] for item in (await admin.get(f"/{kind}")).json()["Items"]}
    assert names == {own: "Ours", "other": "other"}


async def test_all_that_belongs_to_a_company_goes_with_it(api: TestApi) -> None:
    await create_all(api)
    ties = (
        ("/buyers/b1/usergroups/assignments", {"UserGroupID": "g1", "UserID": "u1"}),
        (
            "/buyers/b1/addresses/assignments",
            {"AddressID": "a1", "UserID": "u1", "IsShipping": True},
        ),
        ("/buyers/b1/costcenters/assignments", {"CostCenterID": "cc1"}),
        ("/buyers/b1/creditcards/assignments", {"CreditCardID": "card1"}),
        ("/buyers/b1/spendingaccounts/assignments", {"SpendingAccountID": "sa1"}),
        ("/suppliers/s1/usergroups/assignments", {"UserGroupID": "g1", "UserID": "u1"}),
    )
    async with api.as_admin() as client:
        for path, body in ties:
            assert (await client.post(path, json=body)).status_code == 204
        assert (await client.put("/suppliers/s1/buyers/b1")).status_code == 204

        for path in ("/buyers/b1", "/suppliers/s1"):
            assert (await client.delete(path)).status_code == 204

        database = api.resources.database("accounts")
        left = {
            name: sorted(
                [each["_id"] async for each in database[name].find({"state": {"$ne": None}})]
            )
            for name in api.parts[0].collections
        }
        assert {name: ids for name, ids in left.items() if ids} == {
            "users": ["u1"],
            "user_groups": ["g1"],
            "addresses": ["a1"],
        }


async def test_companies_whose_ids_differ_by_case_see_nothing_of_each_other(api: TestApi) -> None:
    await create_all(api, [("/buyers", {"ID": id, "Name": id}) for id in ("acme", "ACME")])
    async with api.as_admin() as client:
        for buyer in ("acme", "ACME"):
            path = f"/buyers/{buyer}/costcenters"
            await client.post(path, json={"ID": buyer, "Name": "Mine"})
            await client.post(f"{path}/assignments", json={"CostCenterID": buyer})

        for buyer in ("acme", "ACME"):
            async with api.as_buyer(buyer) as own:
                for path in (f"/buyers/{buyer}/costcenters", "/me/costcenters"):
                    listed = (await own.get(path)).json()["Items"]
                    assert [item["ID"] for item in listed] == [buyer]
                ties = await own.get(f"/buyers/{buyer}/costcenters/assignments")
                assert ties.json()["Items"] == [{"CostCenterID": buyer, "UserGroupID": None}]
        assert (await client.delete("/buyers/acme")).status_code == 204
        kept = (await client.get("/buyers/ACME/costcenters")).json()["Items"]
        assert [item["ID"] for item in kept] == ["ACME"]


async def test_sellers_are_those_that_sell_to_all_and_those_tied(api: TestApi) -> None:
    suppliers = (
        {"ID": "all", "Name": "All", "AllBuyersCanOrder": True},
        {"ID": "tied", "Name": "Tied", "AllBuyersCanOrder": False},
        {"ID": "asleep", "Name": "Asleep", "AllBuyersCanOrder": True, "Active": False},
        {"ID": "others", "Name": "Others", "AllBuyersCanOrder": False},
    )
    await create_all(api, [*COMPANIES[:1], *(("/suppliers", each) for each in suppliers)])
    async with api.as_admin() as client:
        assert (await client.put("/suppliers/tied/buyers/b1")).status_code == 204

        sellers = (await client.get("/buyers/b1/sellers")).json()["Items"]
        buyers = (await client.get("/suppliers/tied/buyers")).json()
        none = (await client.get("/suppliers/others/buyers")).json()["Items"]

        assert sellers == [
            {"ID": "all", "Name": "All"},
            {"ID": "asleep", "Name": "Asleep"},
            {"ID": "tied", "Name": "Tied"},
        ]
        assert buyers["Items"] == [{"ID": "b1", "Name": "Buyer"}]
        assert none == []
    async with api.as_buyer("b1", "Shopper") as shopper:
        mine = (await shopper.get("/me/sellers", params={"sortBy": "!Name"})).json()["Items"]
    assert [each["ID"] for each in mine] == ["tied", "all"]


async def test_what_kafka_and_http_write_of_a_company_is_one(api: TestApi) -> None:
    await create_all(api, COMPANIES)

    assert await api.events("accounts", "buyers", "b1") == ["BuyerSaved"]
    document = await api.resources.database("accounts")["buyers"].find_one({"_id": "b1"})
    assert document is not None
    assert [entry["Topic"] for entry in document["outbox"]] == ["catalog.events"]


async def test_a_group_that_approves_stays(api: TestApi) -> None:
    await create_all(api, EVERYTHING)
    rules = api.resources.database("checkout")["approval_rules"]
    await rules.insert_one({"_id": "r1", "state": {"BuyerID": "b1", "ApprovingGroupID": "g1"}})
    async with api.as_admin() as client:
        refused = await client.delete("/buyers/b1/usergroups/g1")

        assert (refused.status_code, errors_of(refused)) == (
            409,
            ["UserGroup.CannotDeleteApprovingGroup"],
        )
        assert (await client.get("/buyers/b1/usergroups/g1")).status_code == 200


async def test_users_of_a_company_reach_their_own_only(api: TestApi) -> None:
    await create_all(api, [*COMPANIES, ("/buyers/b1/users", user())])
    for caller in (principal(each, "x") for each in (UserType.BUYER, UserType.SUPPLIER)):
        async with api.client(caller) as client:
            answers = [
                await client.get("/buyers/b1/users/u1"),
                await client.get("/buyers/b1/users"),
                await client.get("/buyerusers"),
                await client.delete("/buyers/b1/users/u1/tokens"),
                await client.post("/buyers/b1/users/u1/unlock"),
            ]
        assert {each.status_code for each in answers} <= {403, 404}
