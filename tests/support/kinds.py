"""What every declared resource does, walked through over HTTP.

A :class:`Sample` says what a kind's bodies are like; the rest follows from its declaration. The
walks expect the parents that a sample names to be there, and the caller to be an administrator.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.http.kinds import Kind
from shared.http.present import is_write_only, wire_alias
from shared.http.principal import UserType
from shared.http.query import ANY
from tests.support.api import TestApi, errors_of, principal

Body = dict[str, Any]

_NEW_ID = re.compile(r"[A-Za-z0-9_-]{22}")


@dataclass(frozen=True)
class Sample:
    """Bodies of one kind. ``body`` is whole but for the ID; ``other`` is too, and differs in all
    that is unique; ``change`` is part of one, and ``wrong`` a part that cannot be, with its
    error's code. ``parents`` are the values of the path's parameters. ``computed`` fields are not
    as they were sent, such as those that a rule sets."""

    body: Body
    other: Body
    change: Body
    wrong: Body
    code: str = "ValidationFailure"
    parents: Mapping[str, str] = field(default_factory=dict)
    computed: frozenset[str] = frozenset()


async def walk_kind(api: TestApi, kind: Kind, sample: Sample) -> None:
    """Creates, gets, lists, saves, patches, renames and deletes; and what is refused."""
    walk = _Walk(api, kind, sample, kind.path.format_map(sample.parents))
    async with api.as_admin() as client:
        await walk.creates(client)
        await walk.refuses_bodies(client)
        await walk.lists(client)
        await walk.saves(client)
        await walk.patches(client)
        await walk.renames(client)
        await walk.deletes(client)
        await walk.needs_parents(client)
    await walk.needs_roles()
    await walk.is_for_its_users()


@dataclass
class _Walk:
    api: TestApi
    kind: Kind
    sample: Sample
    path: str

    def shown(self, id: str, sent: Body, answer: Body) -> Body:
        """The answer that ``sent`` should have, with what the engine sets as it is."""
        wanted: Body = {}
        for name, each in self.kind.model.model_fields.items():
            alias = wire_alias(name, each)
            if is_write_only(each):
                continue
            default = None if each.is_required() else each.get_default(call_default_factory=True)
            wanted[alias] = sent.get(alias, self.kind.defaults.get(alias, default))
        engines = {"DateCreated", "LastUpdated", "OwnerID"} | self.sample.computed
        return {
            **wanted,
            **{name: answer[name] for name in engines if name in answer},
            "ID": id,
        }

    def lasting(self, answer: Body) -> Body:
        """What the engine does not set anew by itself."""
        changing = {"LastUpdated", *self.sample.computed}
        return {name: value for name, value in answer.items() if name not in changing}

    async def creates(self, client: httpx.AsyncClient) -> None:
        anonymous = await client.post(self.path, json=self.sample.other)
        assert anonymous.status_code == 201, anonymous.text
        id = anonymous.json()["ID"]
        assert _NEW_ID.fullmatch(id)
        assert anonymous.json() == self.shown(id, self.sample.other, anonymous.json())
        assert (await client.delete(f"{self.path}/{id}")).status_code == 204

        made = await client.post(self.path, json={"ID": "one", **self.sample.body})
        assert made.status_code == 201, made.text
        assert made.json() == self.shown("one", self.sample.body, made.json())
        assert (await self.get(client, "one")) == made.json()
        again = await client.post(self.path, json={"ID": "one", **self.sample.other})
        assert (again.status_code, errors_of(again)) == (409, ["IdExists"])
        assert (await self.get(client, "one")) == made.json()
        assert await self.events("one") == [f"{self.kind.name}Saved"]

    async def refuses_bodies(self, client: httpx.AsyncClient) -> None:
        for wrong, code in (
            (self.sample.wrong, self.sample.code),
            ({"NoSuchField": 1}, "ValidationFailure"),
            ({"xp": {"x": "y" * 8_000}}, "ValidationFailure"),
            ({"ID": "no/id"}, "ValidationFailure"),
            ({"ID": "assignments"}, "ValidationFailure"),
        ):
            refused = await client.post(self.path, json={**self.sample.other, "ID": "x", **wrong})
            assert (refused.status_code, errors_of(refused)) == (400, [code]), refused.text
        no_json = await client.post(self.path, content=b"{")
        assert (no_json.status_code, errors_of(no_json)) == (400, ["Request.InvalidRequestBody"])
        assert await self.missing(client, "x")

    async def lists(self, client: httpx.AsyncClient) -> None:
        one = await self.get(client, "one")
        assert await self.listed(client, "ID=one") == [one]
        assert await self.listed(client, "ID=ONE") == [one]
        assert await self.listed(client, "ID=two") == []
        if "xp" in self.sample.body:
            (key, value), *_ = self.sample.body["xp"].items()
            assert one in await self.listed(client, f"xp.{key}={value}")
            assert one not in await self.listed(client, f"xp.{key}=!{value}")
        for name in ("ID", "Name") if self.kind.sortable == ANY else self.kind.sortable:
            assert one in await self.listed(client, f"sortBy=!{name}")
        for name in self.kind.searchable:
            if isinstance(word := one.get(name), str) and word.isalnum():
                assert one in await self.listed(client, f"search={word}&searchOn={name}")
        nothing = await client.get(self.path, params={"search": "no-such-thing"})
        assert nothing.json() == {
            "Meta": {
                "Page": 1,
                "PageSize": 20,
                "TotalCount": 0,
                "TotalPages": 0,
                "ItemRange": [1, 0],
                "NextPageKey": None,
                **({"Facets": []} if self.kind.facets else {}),
            },
            "Items": [],
        }
        unknown = await client.get(self.path, params={"NoSuchField": "x"})
        assert (unknown.status_code, errors_of(unknown)) == (400, ["List.InvalidProperty"])

    async def saves(self, client: httpx.AsyncClient) -> None:
        before = await self.get(client, "one")
        replaced = await client.put(f"{self.path}/one", json=self.sample.other)
        assert replaced.status_code == 200, replaced.text
        assert replaced.json() == self.shown("one", self.sample.other, replaced.json())
        assert replaced.json().get("DateCreated") == before.get("DateCreated")
        back = await client.put(f"{self.path}/one", json={"ID": "one", **self.sample.body})
        assert self.lasting(back.json()) == self.lasting(before)
        made = await client.put(f"{self.path}/two", json=self.sample.other)
        assert (made.status_code, made.json()["ID"]) == (200, "two")
        other = await client.put(f"{self.path}/two", json={"ID": "one", **self.sample.other})
        assert (other.status_code, errors_of(other)) == (400, ["ValidationFailure"])

    async def patches(self, client: httpx.AsyncClient) -> None:
        before = await self.get(client, "one")
        patched = await client.patch(f"{self.path}/one", json=self.sample.change)
        assert patched.status_code == 200, patched.text
        assert patched.json() == self.shown(
            "one", {**self.sample.body, **self.sample.change}, patched.json()
        )
        assert patched.json() != before
        if "xp" in before:
            merged = await client.patch(f"{self.path}/one", json={"xp": {"More": {"a": None}}})
            assert merged.json()["xp"] == {**(before["xp"] or {}), "More": {"a": None}}
        after = await self.get(client, "one")
        refused = await client.patch(f"{self.path}/one", json=self.sample.wrong)
        assert (refused.status_code, errors_of(refused)) == (400, [self.sample.code])
        assert await self.get(client, "one") == after
        nobody = await client.patch(f"{self.path}/three", json=self.sample.change)
        assert (nobody.status_code, errors_of(nobody)) == (404, ["NotFound"])

    async def renames(self, client: httpx.AsyncClient) -> None:
        before = await self.get(client, "one")
        taken = await client.patch(f"{self.path}/one", json={"ID": "two"})
        if self.kind.fixed_id:
            assert (taken.status_code, errors_of(taken)) == (400, ["ValidationFailure"])
            return
        assert (taken.status_code, errors_of(taken)) == (409, ["IdExists"])
        renamed = await client.patch(f"{self.path}/one", json={"ID": "three"})
        assert renamed.status_code == 200, renamed.text
        assert await self.get(client, "three") == renamed.json()
        assert self.lasting(renamed.json()) == self.lasting({**before, "ID": "three"})
        assert await self.missing(client, "one")
        assert (await self.events("one"))[-1] == f"{self.kind.name}Deleted"
        back = await client.patch(f"{self.path}/three", json={"ID": "one"})
        assert self.lasting(back.json()) == self.lasting(before)

    async def deletes(self, client: httpx.AsyncClient) -> None:
        for id in ("one", "two"):
            deleted = await client.delete(f"{self.path}/{id}")
            assert (deleted.status_code, deleted.content) == (204, b"")
            assert await self.missing(client, id)
        assert (await self.events("one"))[-1] == f"{self.kind.name}Deleted"
        again = await client.delete(f"{self.path}/one")
        assert (again.status_code, errors_of(again)) == (404, ["NotFound"])

    async def needs_parents(self, client: httpx.AsyncClient) -> None:
        if not self.kind.parents:
            return
        path = self.kind.path.format_map(dict.fromkeys(self.sample.parents, "nobody"))
        for refused in (
            await client.get(path),
            await client.get(f"{path}/one"),
            await client.post(path, json=self.sample.body),
            await client.put(f"{path}/one", json=self.sample.body),
            await client.patch(f"{path}/one", json=self.sample.change),
            await client.delete(f"{path}/one"),
        ):
            assert (refused.status_code, errors_of(refused)) == (404, ["NotFound"])

    async def needs_roles(self) -> None:
        roles = self.kind.roles
        for writer in roles.write:
            async with self.api.as_admin(writer) as client:
                made = await client.post(self.path, json={"ID": "r", **self.sample.body})
                assert made.status_code == 201
                assert (await client.get(f"{self.path}/r")).status_code == 200
        for reader in roles.read:
            async with self.api.as_admin(reader) as client:
                assert (await client.get(f"{self.path}/r")).status_code == 200
                assert (await client.get(self.path)).status_code == 200
                for refused in await self._writes(client):
                    assert (refused.status_code, errors_of(refused)) == (
                        403,
                        ["Auth.InsufficientRoles"],
                    )
        async with self.api.as_admin("NoSuchRole") as client:
            assert (await client.get(f"{self.path}/r")).status_code == 403
            assert (await client.get(self.path)).status_code == 403
        async with self.api.client(None) as client:
            assert (await client.get(f"{self.path}/r")).status_code == 401

    async def is_for_its_users(self) -> None:
        """Users of other companies see nothing, and change nothing."""
        async with self.api.as_admin() as admin:
            before = await self.get(admin, "r")
            for user_type in (UserType.BUYER, UserType.SUPPLIER):
                caller = principal(user_type, "stranger")
                async with self.api.client(caller) as client:
                    answers = [await client.get(f"{self.path}/r"), *await self._writes(client)]
                    if self.kind.owned and user_type is UserType.SUPPLIER:
                        # It may have one of its own, and cannot have this one's ID.
                        made, taken = answers.pop(1), answers.pop(1)
                        assert made.json()["OwnerID"] == "stranger"
                        assert (taken.status_code, errors_of(taken)) == (409, ["IdExists"])
                    assert {each.status_code for each in answers} <= {403, 404}
            assert await self.get(admin, "r") == before
            assert (await admin.delete(f"{self.path}/r")).status_code == 204

    async def _writes(self, client: httpx.AsyncClient) -> list[httpx.Response]:
        return [
            await client.post(self.path, json=self.sample.other),
            await client.put(f"{self.path}/r", json=self.sample.other),
            await client.patch(f"{self.path}/r", json=self.sample.change),
            await client.delete(f"{self.path}/r"),
        ]

    async def get(self, client: httpx.AsyncClient, id: str) -> Body:
        found = await client.get(f"{self.path}/{id}")
        assert found.status_code == 200, found.text
        body: Body = found.json()
        return body

    async def missing(self, client: httpx.AsyncClient, id: str) -> bool:
        answer = await client.get(f"{self.path}/{id}")
        return (answer.status_code, answer.json()["Errors"][0]["Data"]) == (
            404,
            {"ObjectType": self.kind.type_name, "ObjectID": id},
        )

    async def listed(self, client: httpx.AsyncClient, query: str) -> list[Body]:
        answer = await client.get(f"{self.path}?{query}&pageSize=100")
        assert answer.status_code == 200, answer.text
        items: list[Body] = answer.json()["Items"]
        assert answer.json()["Meta"]["TotalCount"] == len(items)
        return items

    async def events(self, id: str) -> list[str]:
        service = self.api.service_of(self.kind.collection)
        key = self.kind.key(list(self.sample.parents.values()), id)
        return await self.api.events(service, self.kind.collection, key)
