"""Parties to begin with: a buyer ``b1`` and a supplier ``s1``, and one of everything that belongs
to them."""

from collections.abc import Iterable
from typing import Any

from tests.support.api import TestApi

COMPANIES = (("/buyers", {"ID": "b1", "Name": "Buyer"}), ("/suppliers", {"ID": "s1", "Name": "S"}))


def user(id: str = "u1", username: str = "", **more: Any) -> dict[str, Any]:
    """A user's body."""
    return {
        "ID": id,
        "Username": username or id,
        "FirstName": "Ada",
        "LastName": "Byron",
        "Email": "ada@example.org",
        "Active": True,
        **more,
    }


def address(id: str = "a1", **more: Any) -> dict[str, Any]:
    """An address's body."""
    return {"ID": id, "Street1": "Ring 1", "City": "Wien", "Country": "AT", **more}


GROUP = {"ID": "g1", "Name": "Group"}
EVERYTHING = (
    *COMPANIES,
    ("/buyers/b1/users", user(username="buyers-u1")),
    ("/buyers/b1/usergroups", GROUP),
    ("/buyers/b1/addresses", address()),
    ("/buyers/b1/costcenters", {"ID": "cc1", "Name": "Cost"}),
    ("/buyers/b1/creditcards", {"ID": "card1", "Token": "tok"}),
    ("/buyers/b1/spendingaccounts", {"ID": "sa1", "Name": "Money", "Balance": 10}),
    ("/suppliers/s1/users", user(username="suppliers-u1")),
    ("/suppliers/s1/usergroups", GROUP),
    ("/suppliers/s1/addresses", address()),
    ("/adminusers", user(username="admins-u1")),
    ("/usergroups", GROUP),
    ("/addresses", address()),
)


async def create_all(
    api: TestApi, things: Iterable[tuple[str, dict[str, Any]]] = EVERYTHING
) -> None:
    """Creates ``things``: paths and bodies."""
    async with api.as_admin() as client:
        for path, body in things:
            made = await client.post(path, json=body)
            assert made.status_code == 201, made.text


async def stored_user(api: TestApi, key: str) -> dict[str, Any]:
    """What is stored of the user under ``key``."""
    document = await api.resources.database("accounts")["users"].find_one({"_id": key})
    assert document is not None
    state: dict[str, Any] = document["state"]
    return state


async def credentials(api: TestApi) -> dict[str, dict[str, Any]]:
    """What is kept of all users' passwords, by internal ID."""
    found = api.resources.database("accounts")["credentials"].find()
    return {each["_id"]: each async for each in found}
