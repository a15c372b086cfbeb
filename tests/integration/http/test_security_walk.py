"""Every operation that there is, tried with every token that must not do: nothing is told, nothing
is changed.

The cases follow from the operations, so that one that is added is walked, too. In every stored
text stands a mark of whom it belongs to; an answer that has one tells of what is stored.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from shared.http.operations import Operation
from shared.http.principal import FULL_ACCESS, Principal, UserType
from tests.support.direct import Answer
from tests.support.samples import parameter_id
from tests.support.world import ONE, OWN, SIDES, TWO, World, mark, names_many

COMPANIES = {UserType.BUYER: "{buyerID}", UserType.SUPPLIER: "{supplierID}"}


class Findings:
    """What was found, as a table of operations."""

    def __init__(self) -> None:
        self._rows: list[tuple[str, str, int | str, str]] = []

    def add(self, operation: Operation, caller: str, status: int | str, what: str) -> None:
        self._rows.append((operation.name, caller, status, what))

    def check(self) -> None:
        assert not self._rows, self._table()

    def _table(self) -> str:
        head = f"{len(self._rows)} findings in {len({row[0] for row in self._rows})} operations"
        return "\n".join([head, *(f"{n:<44} {c:<44} {s:<5} {w}" for n, c, s, w in self._rows)])


def wrong_with(answer: Answer, statuses: Iterable[int]) -> str | None:
    """What is wrong with the answer to a call that has to be refused with one of ``statuses``."""
    if answer.status_code not in statuses:
        return f"is not refused: {answer.text[:200]}"
    told = answer.text + str(answer.headers)
    if any(mark(side) in told for side in SIDES):
        return f"tells what is stored: {answer.text[:300]}"
    body = answer.json()
    if set(body) != {"Errors"} or any(
        set(each) != {"ErrorCode", "Message", "Data"} for each in body["Errors"]
    ):
        return f"is no envelope of errors: {answer.text[:200]}"
    if answer.status_code == 401 and "www-authenticate" not in answer.headers:
        return "does not say how to come in"
    return None


async def walk(world: World, callers: Mapping[Operation, Mapping[str, str | None]],
               statuses: frozenset[int]) -> None:  # fmt: skip
    """Calls each operation with each of its ``Authorization`` headers, all of which are refused,
    and compares all that is stored."""
    findings = Findings()
    before, hashes = await world.dump(), await world.hashes()
    for operation, headers in callers.items():
        for caller, header in headers.items():
            answer = await world.call(operation, ONE, header)
            if wrong := wrong_with(answer, statuses):
                findings.add(operation, caller, answer.status_code, wrong)
        after = await world.hashes()
        for name in sorted(after.keys() | hashes.keys()):
            if after.get(name) != hashes.get(name):
                findings.add(operation, "all of these", "", f"changes {name}")
        hashes = after

    findings.check()
    assert await world.dump() == before


async def test_only_a_token_that_holds_lets_in(world: World) -> None:
    callers = {
        operation: world.mint.forged(world.rightful(operation, ONE))
        for operation in world.operations
    }

    await walk(world, callers, frozenset({401}))


async def test_no_role_helps_a_user_of_another_type(world: World) -> None:
    every_role = sorted({role for each in world.operations for role in each.roles})

    def others(operation: Operation) -> dict[str, str | None]:
        return {
            f"{user_type} with {told}": world.mint.header(world.caller(user_type, ONE, roles))
            for user_type in UserType
            if user_type not in operation.users
            for told, roles in (("FullAccess", [FULL_ACCESS]), ("every role", every_role))
        }

    await walk(world, {each: others(each) for each in world.operations}, frozenset({403}))


async def test_every_role_but_the_right_ones_is_not_enough(world: World) -> None:
    every_role = {role for each in world.operations for role in each.roles}

    def without(operation: Operation) -> dict[str, str | None]:
        family = operation.name.partition(".")[0]
        readers = {
            role
            for each in world.operations
            if each.method == "GET" and each.name.partition(".")[0] == family
            for role in each.roles
        }
        needed = set(operation.roles)
        return {
            f"own {user_type} with {told}": world.mint.header(
                world.caller(user_type, ONE, sorted(roles))
            )
            for user_type in operation.users
            for told, roles in (
                ("no role", set()),
                ("the readers' roles", readers - needed),
                ("every other role", every_role - needed - {FULL_ACCESS}),
            )
        }

    callers = {each: without(each) for each in world.operations if each.roles}
    await walk(world, callers, frozenset({403}))


async def test_nothing_of_others_is_seen_or_changed(world: World) -> None:
    """Users with FullAccess in one company, everywhere that they may come in, ask for the things of
    another company and of the marketplace's own."""
    findings = Findings()
    stored, hashes = await world.dump(), await world.hashes()
    for operation in world.operations:
        for user_type in sorted(operation.users - {UserType.ADMIN}):
            caller = world.caller(user_type, ONE)
            for side in (TWO, OWN):
                for told, answer in (await answers(world, operation, caller, side)).items():
                    if wrong := wrong_for_others(operation, answer, side):
                        findings.add(
                            operation, f"{user_type}, {told}", answer.status_code, wrong
                        )  # fmt: skip
        if (after := await world.hashes()) != hashes:
            now = await world.dump()
            for what in changed(stored, now):
                findings.add(operation, "all of these", "", what)
            stored, hashes = now, after

    findings.check()


async def answers(
    world: World, operation: Operation, caller: Principal, side: str
) -> dict[str, Answer]:
    """What ``caller``, who is of side one, is answered about the things of ``side``."""
    header = world.mint.header(caller)
    found = {f"of {side}": await world.call(operation, side, header)}
    company = COMPANIES[caller.user_type]
    if company in operation.path and operation.path.count("{") > 1:
        told = f"of {side} by way of its own company"
        found[told] = await world.call(operation, side, header, company=ONE)
    if operation.list is not None:
        for name in (each.name for each in operation.parameters if each.name.endswith("ID")):
            query = ((name, parameter_id(name, side)),)
            found[f"with {name} of {side}"] = await world.call(operation, ONE, header, query=query)
    return found


def wrong_for_others(operation: Operation, answer: Answer, side: str) -> str | None:
    """A call about the things of another ``side`` is refused, or what it answers has none of them.
    That an ID is taken may be told to who wants to give it, and what is wrong with a body to who
    names nothing but in that."""
    if answer.is_success:
        leaks = mark(side) in answer.text
        return f"tells what is stored: {answer.text[:300]}" if leaks else None
    wrong_body = () if "{" in operation.path else (400,)
    return wrong_with(answer, (403, 404, 409, *wrong_body))


def changed(
    before: Mapping[str, Mapping[Any, Any]], after: Mapping[str, Mapping[Any, Any]]
) -> list[str]:
    """What has changed of documents that are not side one's."""
    found = []
    own_users = users_of(ONE, before) | users_of(ONE, after)
    for name in sorted(before.keys() | after.keys()):
        old, new = before.get(name, {}), after.get(name, {})
        for key in sorted(old.keys() | new.keys()):
            if old.get(key) == new.get(key) or key.partition("/")[0] in own_users:
                continue
            if f"-{ONE}" in key:
                continue
            if mark(ONE) not in str(old.get(key) or new[key]):
                found.append(f"changes {key} of {name}")
    return found


def users_of(side: str, stored: Mapping[str, Mapping[Any, Any]]) -> set[str]:
    """The IDs behind those of the users of the companies of ``side``."""
    return {
        document["state"]["InternalID"]
        for name, documents in stored.items()
        if name.endswith(".users")
        for key, document in documents.items()
        if f"-{side}/" in key and document["state"] is not None
    }


async def test_there_is_something_to_see_behind_every_operation(world: World) -> None:
    """Otherwise the walks would prove nothing."""
    assert "\n".join(f"{name}: {why}" for name, why in world.missing.items()) == ""

    findings = Findings()
    for operation in world.operations:
        if operation.method == "GET":
            for user_type in sorted(operation.users):
                header = world.mint.header(world.caller(user_type, ONE))
                answer = await world.call(operation, ONE, header)
                if answer.status_code != 200:
                    findings.add(operation, str(user_type), answer.status_code, answer.text[:200])
                elif names_many(operation) and not answer.json()["Items"]:
                    findings.add(operation, str(user_type), 200, "nothing in the list")

    findings.check()
