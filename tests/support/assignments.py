"""What every declared assignment does, walked through over HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import httpx

from shared.http.kinds import Assignment
from tests.support.api import TestApi, errors_of

Body = dict[str, Any]


@dataclass(frozen=True)
class Tie:
    """Bodies of one kind of assignment: ``body`` is whole. Everything that it names is there.
    ``parameters`` are those of its list that find it, and of which each finds nothing where it
    has another value."""

    body: Body
    parents: Mapping[str, str] = field(default_factory=dict)


async def walk_assignment(api: TestApi, assignment: Assignment, tie: Tie) -> None:
    """Saves, lists and deletes; and what is refused."""
    save, body = assignment.save.format_map(tie.parents), tie.body
    delete = assignment.delete.format_map(_path_values(tie))
    listing = (assignment.list or "").format_map(tie.parents)
    rest = {
        _parameter(name): str(body[name])
        for name in assignment.keys
        if body.get(name) and f"{{{_parameter(name)}}}" not in assignment.delete
    }
    async with api.as_admin() as client:
        for name in (each.field for each in assignment.references if each.field in body):
            unknown = await client.request(
                assignment.save_method, save, json={**body, name: "nobody"}
            )
            assert (unknown.status_code, errors_of(unknown)) == (404, ["NotFound"]), unknown.text
        for _ in range(2):
            saved = await client.request(assignment.save_method, save, json=body)
            assert (saved.status_code, saved.content) == (204, b""), saved.text
        if listing:
            await _lists(client, assignment, tie, listing)
        deleted = await client.delete(delete, params=rest)
        assert (deleted.status_code, deleted.content) == (204, b""), deleted.text
        again = await client.delete(delete, params=rest)
        assert (again.status_code, errors_of(again)) == (404, ["NotFound"])
        if listing:
            assert (await client.get(listing)).json()["Items"] == []
    key = assignment.key({**_parent_fields(tie), **body})
    events = await api.events(api.service_of(assignment.collection), assignment.collection, key)
    assert events == [f"{assignment.name}Saved", f"{assignment.name}Deleted"]
    for reader in assignment.roles.read:
        async with api.as_admin(reader) as client:
            refused = [
                await client.request(assignment.save_method, save, json=body),
                await client.delete(delete, params=rest),
            ]
            assert [each.status_code for each in refused] == [403, 403]
            if listing:
                assert (await client.get(listing)).status_code == 200
    async with api.as_buyer("stranger") as stranger:
        answer = await stranger.request(assignment.save_method, save, json=body)
        assert answer.status_code in (403, 404)


async def _lists(client: httpx.AsyncClient, assignment: Assignment, tie: Tie, listing: str) -> None:
    found = (await client.get(listing)).json()
    assert found["Meta"]["TotalCount"] == 1
    (item,) = found["Items"]
    assert {name: value for name, value in item.items() if name in tie.body} == tie.body
    for name in assignment.parameters:
        value = item.get(name[:1].upper() + name[1:])
        told = str(value).lower() if isinstance(value, bool) else value
        if value is not None:
            same = await client.get(listing, params={name: told})
            assert same.json()["Items"] == [item]
        none = {"true": "false", "false": "true"}.get(str(told), "nobody")
        other = await client.get(listing, params={name: none})
        assert other.json()["Items"] == []
    if assignment.levels:
        level = "User" if tie.body.get("UserID") else "Group"
        level = level if tie.body.get("UserID") or tie.body.get("UserGroupID") else "Company"
        for each in sorted(assignment.levels & {"User", "Group", "Company"}):
            of_level = await client.get(listing, params={"level": each})
            assert of_level.json()["Items"] == ([item] if each == level else [])
        wrong = await client.get(listing, params={"level": "Planet"})
        assert (wrong.status_code, errors_of(wrong)) == (400, ["List.InvalidType"])


def _parameter(field: str) -> str:
    return field[:1].lower() + field[1:]


def _parent_fields(tie: Tie) -> dict[str, str]:
    return {name[:1].upper() + name[1:]: value for name, value in tie.parents.items()}


def _path_values(tie: Tie) -> dict[str, str]:
    return {**{_parameter(name): str(value) for name, value in tie.body.items()}, **tie.parents}
