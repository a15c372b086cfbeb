"""Rights in Kafka, and the ways to write them down: a table, commands, Strimzi's resources."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import Literal

Resource = Literal["topic", "group"]


@dataclass(frozen=True, slots=True, order=True)
class Acl:
    """One right: ``user`` may do ``operations`` (Kafka's names) on a topic or a consumer group.

    Kafka takes Read, Write, Alter and Delete for Describe, too. Everything that no right allows is
    refused, where the brokers have an authorizer.
    """

    user: str
    resource: Resource
    operations: tuple[str, ...]
    name: str
    prefix: bool = False
    """Whether ``name`` is the beginning of many names."""


def as_table(acls: Iterable[Acl]) -> str:
    """A table in Markdown, a row for each user and what it may do."""
    lines = ["| user | may | of |", "|---|---|---|"]
    for user, resource, operations, names in _grouped(acls):
        of = ", ".join(f"`{name}`" for name in names)
        lines.append(f"| `{user}` | {', '.join(operations)} | {resource}s {of} |")
    return "\n".join(lines) + "\n"


def as_commands(acls: Iterable[Acl]) -> str:
    """A shell script of ``kafka-acls.sh``, from Kafka's distribution. ``KAFKA`` is the brokers'
    address, ``ADMIN_CONFIG`` the properties of a client that may make rights."""
    lines = [
        "#!/bin/sh",
        "# Made by `ordermesh acls --format commands`.",
        "set -eu",
        "acls() {",
        '  kafka-acls.sh --bootstrap-server "$KAFKA" --command-config "$ADMIN_CONFIG" "$@"',
        "}",
    ]
    for user, resource, operations, names in _grouped(acls):
        words = ["acls", "--add", "--allow-principal", f"User:{user}"]
        for operation in operations:
            words += ["--operation", operation]
        for name in names:
            words += [f"--{resource}", name.removesuffix("*")]
        if any(name.endswith("*") for name in names):
            words += ["--resource-pattern-type", "prefixed"]
        lines.append(" ".join(words))
    return "\n".join(lines) + "\n"


def as_strimzi(acls: Iterable[Acl], cluster: str) -> str:
    """A Strimzi ``KafkaUser`` for each user of the Kafka resource named ``cluster``. Its operator
    makes a secret of the user's name, whose key ``password`` is the password."""
    documents = []
    for user, rights in groupby(sorted(acls), lambda acl: acl.user):
        lines = [
            "apiVersion: kafka.strimzi.io/v1",
            "kind: KafkaUser",
            "metadata:",
            f"  name: {user}",
            "  labels:",
            f"    strimzi.io/cluster: {cluster}",
            "spec:",
            "  authentication:",
            "    type: scram-sha-512",
            "  authorization:",
            "    type: simple",
            "    acls:",
        ]
        for acl in rights:
            lines += [
                "      - resource:",
                f"          type: {acl.resource}",
                f"          name: {acl.name}",
                f"          patternType: {'prefix' if acl.prefix else 'literal'}",
                f"        operations: [{', '.join(acl.operations)}]",
            ]
        documents.append("\n".join(lines))
    return "# Made by `ordermesh acls --format strimzi`.\n" + "\n---\n".join(documents) + "\n"


def _grouped(acls: Iterable[Acl]) -> Iterable[tuple[str, Resource, Sequence[str], list[str]]]:
    """User, kind, operations, and the names they are for; a name that ends in * is a beginning."""
    ordered = sorted(acls, key=lambda a: (a.user, a.resource != "topic", a.operations, a.prefix))
    for (user, resource, operations, _), rights in groupby(
        ordered, lambda a: (a.user, a.resource, a.operations, a.prefix)
    ):
        names = sorted(acl.name + ("*" if acl.prefix else "") for acl in rights)
        yield user, resource, operations, names
