"""`ordermesh settings`, `acls` and `mongodb-users`: what a deployment is set up from. Nothing here
asks a server."""

import json
from enum import StrEnum
from typing import Annotated

import typer

from services.cli_end import fail


class SettingsFormat(StrEnum):
    """How the settings are printed."""

    MARKDOWN = "markdown"
    JSON = "json"


class AclFormat(StrEnum):
    """How the rights are printed."""

    TABLE = "table"
    COMMANDS = "commands"
    STRIMZI = "strimzi"


class MongoFormat(StrEnum):
    """How MongoDB's users are printed."""

    MONGOSH = "mongosh"
    JSON = "json"


def register(app: typer.Typer) -> None:
    """Adds the commands to ``app``."""
    app.command("settings")(settings)
    app.command("acls")(acls)
    app.command("mongodb-users")(mongodb_users)


def settings(
    format: Annotated[
        SettingsFormat, typer.Option(help="docs/configuration.md, or JSON.")
    ] = SettingsFormat.MARKDOWN,
) -> None:
    """Print every setting with its variable, default and meaning; never its value."""
    from shared.settings_docs import settings_as_json, settings_as_markdown

    if format is SettingsFormat.JSON:
        print(json.dumps(settings_as_json(), indent=2))
    else:
        print(settings_as_markdown(), end="")


def acls(
    format: Annotated[
        AclFormat, typer.Option(help="A table, kafka-acls.sh, or Strimzi's KafkaUsers.")
    ] = AclFormat.TABLE,
    cluster: Annotated[str, typer.Option(help="Name of Strimzi's Kafka resource.")] = "ordermesh",
    outside: Annotated[
        str | None,
        typer.Option(
            metavar="USER",
            help="The rights of this outside system instead: it sends commands and follows events.",
        ),
    ] = None,
    groups: Annotated[
        str | None,
        typer.Option(
            metavar="PREFIX", help="How its consumer groups begin; default: USER and a dash."
        ),
    ] = None,
) -> None:
    """Print who may do what in Kafka: least privilege, a user for each service."""
    from services import rights
    from shared.messaging.acls import as_commands, as_strimzi, as_table

    if outside is None:
        granted = rights.all_acls()
    else:
        granted = rights.outside(outside, f"{outside}-" if groups is None else groups)
    if format is AclFormat.COMMANDS:
        print(as_commands(granted), end="")
    elif format is AclFormat.STRIMZI:
        print(as_strimzi(granted, cluster), end="")
    else:
        print(as_table(granted), end="")


def mongodb_users(
    format: Annotated[
        MongoFormat, typer.Option(help="Commands for mongosh, which asks for passwords, or JSON.")
    ] = MongoFormat.MONGOSH,
) -> None:
    """Print how MongoDB's users are made: one for each service, which writes its own database."""
    from services.checks import DeploymentError, settings_of
    from services.rights import mongo_users

    try:
        users = mongo_users(settings_of())
    except DeploymentError as error:
        fail(error)
    commands = [
        {
            "createUser": user.name,
            "roles": [{"role": role, "db": database} for role, database in user.roles],
        }
        for user in users
    ]
    if format is MongoFormat.JSON:
        print(json.dumps(commands, indent=2))
        return
    print("// Made by `ordermesh mongodb-users`, for mongosh as a user administrator.")
    print('use("admin");')
    for command in commands:
        roles = ",\n".join(f"    {json.dumps(role)}" for role in command["roles"])
        print(
            f"db.createUser({{\n  user: {json.dumps(command['createUser'])},\n"
            f"  pwd: passwordPrompt(),\n  roles: [\n{roles}\n  ]\n}});"
        )
