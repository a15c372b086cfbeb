"""What a buyer's user has at /me: its own addresses and cards, and what is assigned to it."""

from collections.abc import AsyncIterator, Iterable
from dataclasses import replace
from typing import Any

import httpx
import pytest
from pymongo import AsyncMongoClient

from shared.http.principal import Principal, UserType
from shared.messaging.outbox import entries_in
from tests.support.api import TestApi, api_under_test, errors_of, principal
from tests.support.parties import COMPANIES, address, create_all, user

Mongo = AsyncMongoClient[dict[str, Any]]
OWN = address("home", AddressName="Home", Shipping=True, xp={"floor": 2})
EDITABLE = {"addresses": "Address", "creditcards": "CreditCard"}


@pytest.fixture
async def api(mongo: Mongo, database_prefix: str) -> AsyncIterator[TestApi]:
    async with api_under_test(mongo, database_prefix, ("accounts", "checkout")) as api:
        users = (("/buyers/b1/users", user(id, id)) for id in ("ada", "bob"))
        await create_all(api, [*COMPANIES, *users])
        yield api


def shopper(user: str = "ada", *roles: str) -> Principal:
    return principal(UserType.BUYER, "b1", *roles, user=user)


async def assign(api: TestApi, path: str, *bodies: dict[str, Any]) -> None:
    async with api.as_admin() as admin:
        for body in bodies:
            tied = await admin.post(f"/buyers/b1/{path}/assignments", json=body)
            assert tied.status_code == 204, tied.text


async def ids(client: httpx.AsyncClient, path: str, **query: str) -> list[str]:
    listed = await client.get(path, params=query)
    assert listed.status_code == 200, listed.text
    items = listed.json()["Items"]
    assert listed.json()["Meta"]["TotalCount"] == len(items)
    return [item["ID"] for item in items]


async def with_assigned(api: TestApi) -> None:
    """Group ``g`` has ada; of everything ``a-user`` is assigned to ada, ``b-user`` to bob,
    ``group`` to g, ``other`` to another group, ``all`` to the buyer, ``none`` to nobody."""
    names = ("a-user", "b-user", "group", "other", "all", "none")
    bodies: dict[str, Iterable[dict[str, Any]]] = {
        "addresses": (address(name, AddressName=name) for name in names),
        "creditcards": ({"ID": name, "Token": name} for name in names),
        "costcenters": ({"ID": name, "Name": name} for name in names),
        "spendingaccounts": ({"ID": name, "Name": name, "Balance": 1} for name in names),
        "usergroups": ({"ID": name, "Name": name} for name in ("g", "h")),
    }
    for path, each in bodies.items():
        await create_all(api, [(f"/buyers/b1/{path}", body) for body in each])
    await assign(api, "usergroups", {"UserGroupID": "g", "UserID": "ada"})
    await assign(api, "usergroups", {"UserGroupID": "h", "UserID": "bob"})
    parties = {
        "a-user": {"UserID": "ada"},
        "b-user": {"UserID": "bob"},
        "group": {"UserGroupID": "g"},
        "other": {"UserGroupID": "h"},
        "all": {},
    }
    fields = {
        "addresses": ("AddressID", {"IsShipping": True}),
        "creditcards": ("CreditCardID", {}),
        "costcenters": ("CostCenterID", {}),
        "spendingaccounts": ("SpendingAccountID", {}),
    }
    for path, (field, more) in fields.items():
        for name, party in parties.items():
            if path != "costcenters" or "UserID" not in party:
                await assign(api, path, {field: name, **party, **more})


@pytest.mark.parametrize(
    ("path", "mine"),
    [
        ("addresses", ["a-user", "all", "group"]),
        ("creditcards", ["a-user", "all", "group"]),
        ("spendingAccounts", ["a-user", "all", "group"]),
        ("costcenters", ["all", "group"]),
        ("usergroups", ["g"]),
    ],
)
async def test_a_user_sees_what_is_assigned_to_it_its_groups_and_its_buyer(
    api: TestApi, path: str, mine: list[str]
) -> None:
    await with_assigned(api)
    async with api.client(shopper("ada", "Shopper")) as client:
        assert await ids(client, f"/me/{path}") == mine
        assert await ids(client, f"/me/{path}", sortBy="!ID") == mine[::-1]
        assert await ids(client, f"/me/{path}", ID="g*") == [
            each for each in mine if each.startswith("g")
        ]
        if path not in ("costcenters", "usergroups"):
            found = await client.get(f"/me/{path.lower()}/group")
            assert (found.status_code, found.json()["ID"]) == (200, "group")
            for hidden in ("b-user", "other", "none", "nowhere"):
                missing = await client.get(f"/me/{path.lower()}/{hidden}")
                assert (missing.status_code, errors_of(missing)) == (404, ["NotFound"])


async def test_what_an_address_is_assigned_for_is_shown_and_filtered_by(api: TestApi) -> None:
    await create_all(api, [("/buyers/b1/addresses", address(id)) for id in ("a1", "a2")])
    await assign(
        api,
        "addresses",
        {"AddressID": "a1", "IsShipping": True},
        {"AddressID": "a1", "UserID": "ada", "IsBilling": True},
        {"AddressID": "a2", "IsBilling": True},
    )
    async with api.client(shopper()) as client:
        listed = (await client.get("/me/addresses")).json()["Items"]
        got = (await client.get("/me/addresses/a1")).json()

        assert [(each["Shipping"], each["Billing"], each["Editable"]) for each in listed] == [
            (True, True, False),
            (False, True, False),
        ]
        assert got == listed[0]
        assert await ids(client, "/me/addresses", Shipping="true") == ["a1"]
        assert await ids(client, "/me/addresses", Shipping="false") == ["a2"]
        assert await ids(client, "/me/addresses", Editable="true") == []
    async with api.client(shopper("bob")) as client:
        (a1, _) = (await client.get("/me/addresses")).json()["Items"]
        assert (a1["Shipping"], a1["Billing"]) == (True, False)


async def test_a_users_own_address_is_made_changed_and_deleted(api: TestApi) -> None:
    async with api.client(shopper("ada", "MeAddressAdmin")) as client:
        made = await client.post("/me/addresses", json=OWN)
        assert made.status_code == 201
        assert {**made.json(), **OWN} == made.json()
        assert (made.json()["Editable"], made.json()["Billing"]) == (True, False)
        assert errors_of(await client.post("/me/addresses", json=OWN)) == ["IdExists"]
        assert (await client.get("/me/addresses")).json()["Items"] == [made.json()]

        patched = await client.patch("/me/addresses/home", json={"City": "Graz", "xp": {"a": 1}})
        assert (patched.status_code, patched.content) == (204, b"")
        after = (await client.get("/me/addresses/home")).json()
        assert after == {**made.json(), "City": "Graz", "xp": {"floor": 2, "a": 1}}
        saved = await client.put("/me/addresses/home", json={**OWN, "Billing": True})
        assert (saved.status_code, saved.json()) == (200, {**made.json(), "Billing": True})
        useless = await client.patch(
            "/me/addresses/home", json={"Shipping": False, "Billing": False}
        )
        assert errors_of(useless) == ["BuyerAddress.MustBeBillingOrShipping"]

        assert (await client.patch("/me/addresses/home", json={"ID": "moved"})).status_code == 204
        assert await ids(client, "/me/addresses") == ["moved"]
        assert (await client.delete("/me/addresses/moved")).status_code == 204
        assert await ids(client, "/me/addresses") == []
        for refused in (
            await client.get("/me/addresses/moved"),
            await client.patch("/me/addresses/moved", json={}),
            await client.delete("/me/addresses/moved"),
        ):
            assert (refused.status_code, errors_of(refused)) == (404, ["NotFound"])
    key = f"{shopper().internal_id}/moved"
    assert await api.events("accounts", "private_addresses", key) == [
        "PrivateAddressSaved",
        "PrivateAddressDeleted",
    ]


async def test_a_users_own_card_has_no_number_and_no_event_with_its_token(api: TestApi) -> None:
    card = {"ID": "mine", "Token": "tok_secret", "CardType": "Visa", "PartialAccountNumber": "1111"}
    async with api.client(shopper("ada", "MeCreditCardAdmin")) as client:
        refused = await client.post("/me/creditcards", json={"Token": "4111 1111 1111 1111"})
        made = await client.post("/me/creditcards", json=card)
        patched = await client.patch("/me/creditcards/mine", json={"CardholderName": "Ada"})
        listed = (await client.get("/me/creditcards")).json()["Items"]

    assert (refused.status_code, errors_of(refused)) == (400, ["ValidationFailure"])
    assert (made.status_code, made.json()["Editable"]) == (201, True)
    assert patched.status_code == 204
    assert listed == [{**made.json(), "CardholderName": "Ada"}]
    key = f"{shopper().internal_id}/mine"
    document = await api.resources.database("accounts")["private_credit_cards"].find_one(
        {"_id": key}
    )
    assert document is not None
    entries = entries_in(document)
    assert [entry.type for entry in entries] == ["PrivateCreditCardSaved"] * 2
    assert not any("tok_secret" in entry.body for entry in entries)


@pytest.mark.parametrize("path", EDITABLE)
async def test_what_is_the_companys_cannot_be_edited(api: TestApi, path: str) -> None:
    await with_assigned(api)
    body = address("all", Shipping=True) if path == "addresses" else {"ID": "all", "Token": "t"}
    async with api.client(shopper()) as client:
        before = (await client.get(f"/me/{path}")).json()
        refused = [
            await client.put(f"/me/{path}/all", json=body),
            await client.patch(f"/me/{path}/all", json={}),
            await client.delete(f"/me/{path}/all"),
        ]
        taken = await client.post(f"/me/{path}", json=body)

        assert [(each.status_code, errors_of(each)) for each in refused] == [
            (403, [f"{EDITABLE[path]}.CannotEditPublic"])
        ] * 3
        assert (taken.status_code, errors_of(taken)) == (409, ["IdExists"])
        assert (await client.get(f"/me/{path}")).json() == before


async def test_what_is_a_users_own_nobody_else_sees(api: TestApi) -> None:
    async with api.client(shopper()) as client:
        await client.post("/me/addresses", json=OWN)
        await client.post("/me/creditcards", json={"ID": "home", "Token": "t"})
    async with api.as_admin() as admin, api.client(shopper("bob")) as bob:
        for path in EDITABLE:
            for client, prefix in ((admin, "/buyers/b1"), (bob, "/me")):
                assert await ids(client, f"{prefix}/{path}") == []
                for refused in (
                    await client.get(f"{prefix}/{path}/home"),
                    await client.patch(f"{prefix}/{path}/home", json={}),
                    await client.delete(f"{prefix}/{path}/home"),
                ):
                    assert (refused.status_code, errors_of(refused)) == (404, ["NotFound"])
        # The same ID is free for each.
        assert (await bob.post("/me/addresses", json=OWN)).status_code == 201
        assert (await admin.post("/buyers/b1/addresses", json=address("home"))).status_code == 201


async def test_anonymous_shoppers_have_nothing_of_their_own(api: TestApi) -> None:
    await with_assigned(api)
    async with api.client(shopper()) as ada:
        await ada.post("/me/addresses", json=OWN)
    async with api.client(replace(shopper(), anonymous_order="o1")) as client:
        refused = [
            await client.post("/me/addresses", json=OWN),
            await client.put("/me/addresses/home", json=OWN),
            await client.patch("/me/addresses/home", json={}),
            await client.delete("/me/addresses/home"),
        ]
        assert [(each.status_code, errors_of(each)) for each in refused] == [
            (403, ["Auth.AnonUserProhibited"])
        ] * 4
        assert await ids(client, "/me/addresses") == ["a-user", "all", "group"]
        assert (await client.get("/me/addresses/home")).status_code == 404


async def test_both_are_one_list_in_one_order_page_by_page(api: TestApi) -> None:
    # Some names are there twice, and some IDs in both.
    for number in range(13):
        name = f"n{number // 3}"
        await create_all(api, [("/buyers/b1/addresses", address(f"a{number}", AddressName=name))])
        await assign(api, "addresses", {"AddressID": f"a{number}", "IsShipping": True})
    async with api.client(shopper()) as client:
        for number in range(12):
            body = address(f"p{number}", AddressName=f"N{number // 2}", Billing=True)
            assert (await client.post("/me/addresses", json=body)).status_code == 201
        whole = (await client.get("/me/addresses?pageSize=100&sortBy=!AddressName")).json()
        names = [item["AddressName"].lower() for item in whole["Items"]]
        assert (len(names), names) == (25, sorted(names, reverse=True))

        pages: list[Any] = []
        keyed: list[Any] = []
        key: str | None = ""
        for page in range(1, 5):
            query = f"pageSize=7&sortBy=!AddressName&page={page}"
            by_number = (await client.get(f"/me/addresses?{query}")).json()
            pages += by_number["Items"]
            assert by_number["Meta"]["TotalCount"] == 25
            assert by_number["Meta"]["TotalPages"] == 4
            after = f"&pageKey={key}" if key else ""
            by_key = (
                await client.get(f"/me/addresses?pageSize=7&sortBy=!AddressName{after}")
            ).json()
            keyed += by_key["Items"]
            assert by_key["Meta"]["ItemRange"] == by_number["Meta"]["ItemRange"]
            key = by_key["Meta"]["NextPageKey"]
        assert pages == whole["Items"] == keyed
        assert key is None

        found = await ids(client, "/me/addresses", search="n1", searchOn="AddressName")
        assert sorted(found) == ["a3", "a4", "a5", "p2", "p3"]
