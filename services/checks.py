"""Looks at the settings and the servers a deployment is given, before anything is started."""

from collections.abc import Iterable
from typing import Any

from aiokafka.conn import AIOKafkaConnection, create_conn
from aiokafka.errors import (
    IllegalSaslStateError,
    KafkaError,
    SaslAuthenticationFailed,
    TopicAuthorizationFailedError,
    UnsupportedSaslMechanismError,
    for_code,
)
from aiokafka.protocol.metadata import MetadataRequest
from pymongo.errors import OperationFailure, PyMongoError

from shared.embedded.ports import port_is_free
from shared.environment import SettingsError, load_settings
from shared.messaging.connection import (
    ConnectionSettingsError,
    Kafka,
    KafkaConnection,
    connection,
)
from shared.mongo.connection import mongo_client
from shared.settings import Settings

OLDEST_MONGODB = (6, 0)
_LIMIT = 10.0
_AUTHENTICATION_FAILED = 18


class DeploymentError(RuntimeError):
    """Ordermesh cannot run in this environment; the message says what to do."""


def settings_of(**given: Any) -> Settings:
    """The settings of this process; what is ``given`` goes before the environment.

    Raises:
        DeploymentError: a variable is unknown, or its value cannot be used.
    """
    try:
        return load_settings(**given)
    except SettingsError as error:
        raise DeploymentError(str(error)) from None


async def check_kafka(kafka: Kafka, topics: Iterable[str] = ()) -> None:
    """See that a Kafka broker answers, takes the user and shows it the ``topics`` that exist.

    Raises:
        DeploymentError: it does not.
    """
    target = connection(kafka)
    try:
        arguments = target.client_arguments()
    except ConnectionSettingsError as error:
        raise DeploymentError(f"{error}.") from error
    reason = ""
    for address in arguments.pop("bootstrap_servers").split(","):
        host, _, port = address.strip().rpartition(":")
        try:
            broker = await create_conn(
                host.strip("[]"), int(port), request_timeout_ms=_LIMIT * 1_000, **arguments
            )
        except SaslAuthenticationFailed as error:
            raise DeploymentError(
                f"Kafka at {address} refuses the user {target.user}: the password is wrong, or it"
                f" has no {target.mechanism} password there. Check ORDERMESH_KAFKA_USER,"
                " ORDERMESH_KAFKA_PASSWORD or the file of ORDERMESH_KAFKA_PASSWORD_FILE, and"
                " ORDERMESH_KAFKA_SASL_MECHANISM."
            ) from error
        except (UnsupportedSaslMechanismError, IllegalSaslStateError) as error:
            raise DeploymentError(
                f"Kafka at {address} does not take {target.mechanism} from its clients: {error}."
                " Set ORDERMESH_KAFKA_SASL_MECHANISM and ORDERMESH_KAFKA_SECURITY_PROTOCOL to what"
                " its listener has."
            ) from error
        except (KafkaError, OSError, ValueError) as error:
            reason = str(error)
            continue
        try:
            hidden = await _hidden(broker, sorted(topics))
        except (KafkaError, OSError) as error:
            reason = str(error)
            continue
        finally:
            broker.close()
        if hidden:
            raise DeploymentError(
                f"Kafka does not let the user {target.user or 'ANONYMOUS'} see"
                f" {', '.join(hidden)}. Give it its rights: `ordermesh acls` prints them."
            )
        return
    raise DeploymentError(_unreachable(target, reason))


async def _hidden(broker: AIOKafkaConnection, topics: list[str]) -> list[str]:
    """Those of ``topics`` that the user has no right to know of."""
    metadata = (await broker.send(MetadataRequest(topics))).to_object()
    return [
        topic["topic"]
        for topic in metadata["topics"]
        if for_code(topic["error_code"]) is TopicAuthorizationFailedError
    ]


def _unreachable(target: KafkaConnection, reason: str) -> str:
    how = f" with {target.protocol}" if target.protocol != "PLAINTEXT" else ""
    more = f" ({reason})" if reason else ""
    certificates = (
        " and that its certificate is of ORDERMESH_KAFKA_CA_FILE and names the host"
        if target.protocol.tls
        else " and that ORDERMESH_KAFKA_SECURITY_PROTOCOL is that of its listener"
    )
    return (
        f"Kafka does not answer at {target.servers}{how}{more}. Check the address given with"
        " --kafka or ORDERMESH_KAFKA (HOST:PORT, several separated by commas), that the broker"
        " runs, that its advertised.listeners name an address this machine can reach,"
        f"{certificates}."
    )


async def check_mongodb(settings: Settings) -> None:
    """See that a MongoDB of a usable kind and version answers.

    Raises:
        DeploymentError: none does, it refuses the user, is a stand-alone server or too old.
    """
    try:
        client = mongo_client(settings, serverSelectionTimeoutMS=int(_LIMIT * 1_000))
    except (PyMongoError, ValueError, OSError) as error:
        # What the driver says may quote the password.
        secret = "@" in settings.mongodb.get_secret_value()
        reason = type(error).__name__ if secret else str(error)
        raise DeploymentError(
            f"The MongoDB URL or a certificate file of it cannot be used: {reason}. Give a URL like"
            " mongodb://HOST:27017/?replicaSet=NAME with --mongodb or ORDERMESH_MONGODB, and PEM"
            " files with ORDERMESH_MONGODB_CA_FILE and ORDERMESH_MONGODB_CERTIFICATE_KEY_FILE."
        ) from error
    async with client:
        try:
            hello = await client.admin.command("hello")
            version = (await client.server_info())["versionArray"][:2]
        except OperationFailure as error:
            if error.code != _AUTHENTICATION_FAILED:
                raise DeploymentError(_no_answer(error)) from error
            raise DeploymentError(
                "MongoDB refuses the user or the password of the URL. Check them, and its"
                " authSource: the database that the user was made in. `ordermesh mongodb-users`"
                " prints how each service's user is made."
            ) from error
        except PyMongoError as error:
            raise DeploymentError(_no_answer(error)) from error
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


def _no_answer(error: PyMongoError) -> str:
    # The cause without the driver's own settings and its picture of the topology.
    cause = str(error).partition(" (configured timeouts")[0].partition(", Timeout:")[0]
    return (
        f"MongoDB does not answer: {cause.splitlines()[0]}. Check the URL given with --mongodb or"
        " ORDERMESH_MONGODB, that the server runs, the name of its replica set, the user and"
        " password if it wants one, and TLS (tls=true or ORDERMESH_MONGODB_CA_FILE) if it wants"
        " that."
    )


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
