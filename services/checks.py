"""Looks at the servers a deployment is given, before anything is started on them."""

import asyncio
import contextlib

from aiokafka.client import AIOKafkaClient
from aiokafka.errors import KafkaError
from pymongo import AsyncMongoClient
from pymongo.errors import PyMongoError

from shared.embedded.ports import port_is_free

OLDEST_MONGODB = (6, 0)
_LIMIT = 10.0


class DeploymentError(RuntimeError):
    """Ordermesh cannot run in this environment; the message says what to do."""


async def check_kafka(address: str) -> None:
    """See that a Kafka broker answers.

    Raises:
        DeploymentError: none does.
    """
    client = AIOKafkaClient(bootstrap_servers=address, request_timeout_ms=5_000)
    try:
        async with asyncio.timeout(_LIMIT):
            await client.bootstrap()
            reached = bool(client.cluster.brokers())
    except (KafkaError, OSError, ValueError, TimeoutError):
        reached = False
    finally:
        with contextlib.suppress(KafkaError, OSError):
            await client.close()
    if not reached:
        raise DeploymentError(
            f"Kafka does not answer at {address}. Check the address given with --kafka or"
            " ORDERMESH_KAFKA (HOST:PORT, several separated by commas), that the broker runs, and"
            " that its advertised.listeners name an address this machine can reach."
        )


async def check_mongodb(url: str) -> None:
    """See that a MongoDB of a usable kind and version answers.

    Raises:
        DeploymentError: none does, it is a stand-alone server, or it is too old.
    """
    try:
        client: AsyncMongoClient[dict[str, object]] = AsyncMongoClient(
            url, serverSelectionTimeoutMS=int(_LIMIT * 1_000)
        )
    except (PyMongoError, ValueError) as error:
        # What the driver says may quote the password.
        reason = type(error).__name__ if "@" in url else str(error)
        raise DeploymentError(
            f"The MongoDB URL is not one: {reason}. Give one like"
            " mongodb://HOST:27017/?replicaSet=NAME with --mongodb or ORDERMESH_MONGODB."
        ) from error
    async with client:
        try:
            hello = await client.admin.command("hello")
            version = (await client.server_info())["versionArray"][:2]
        except PyMongoError as error:
            raise DeploymentError(
                f"MongoDB does not answer: {_cause(error)}. Check the URL given with"
                " --mongodb or ORDERMESH_MONGODB, that the server runs, the name of its replica"
                " set, and the user and password if it wants one."
            ) from error
    if "setName" not in hello and hello.get("msg") != "isdbgrid":
        raise DeploymentError(
            "MongoDB runs as a stand-alone server, which cannot acknowledge by majority. Start it"
            " with --replSet NAME and run rs.initiate() once; one member is enough."
        )
    if tuple(version) < OLDEST_MONGODB:
        found, needed = ".".join(map(str, version)), ".".join(map(str, OLDEST_MONGODB))
        raise DeploymentError(
            f"MongoDB {found} is too old: Ordermesh needs {needed} or newer. Upgrade the server,"
            " or name another one with --mongodb."
        )


def _cause(error: Exception) -> str:
    """The cause without the driver's own settings and its picture of the topology."""
    text = str(error).partition(" (configured timeouts")[0].partition(", Timeout:")[0]
    return text.splitlines()[0]


def check_port(host: str, port: int, *, option: str) -> None:
    """See that ``port`` can be listened on; 0 is any free one. ``option`` names another.

    Raises:
        DeploymentError: it cannot.
    """
    if port and not port_is_free(port, host):
        raise DeploymentError(
            f"Cannot listen on {host}:{port}: the port is taken, or the address is not this"
            f" machine's. Stop what listens there, or name another with {option}."
        )
