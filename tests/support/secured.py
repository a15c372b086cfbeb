"""A Kafka and a MongoDB as in production: TLS, a user for each service, nothing allowed that is not
granted; and services started on them as an operator starts them."""

import asyncio
import base64
import os
import secrets
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
from confluent_kafka.admin import (
    AclBinding,
    AclOperation,
    AclPermissionType,
    AdminClient,
    ResourcePatternType,
    ResourceType,
    ScramCredentialInfo,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from pymongo import AsyncMongoClient

from services import rights
from shared.embedded import EmbeddedKafka, EmbeddedMongoDB, free_port
from shared.messaging.acls import Acl
from shared.settings import Settings
from tests.support.certificates import make_certificates

MECHANISM = "SCRAM-SHA-512"
OUTSIDE = "acme"
"""The user of the outside system of the tests."""

_ROOT = "root"
_READY_LIMIT = 120.0


@dataclass(frozen=True, slots=True)
class SecuredServers:
    """Both servers and the passwords of their users."""

    folder: Path
    kafka: str
    """Where clients with a user and TLS connect to."""
    superuser: str
    """An address of the same Kafka where everything is allowed, for what prepares a test."""
    mongodb: str
    """``HOST:PORT``."""
    passwords: Mapping[str, str]

    @property
    def ca_file(self) -> Path:
        return self.folder / "ca.pem"

    def mongodb_url(self, user: str, password: str | None = None) -> str:
        """The URL of a user; TLS is the settings' to turn on."""
        password = self.passwords[user] if password is None else password
        return f"mongodb://{user}:{password}@{self.mongodb}/?replicaSet=ordermesh&authSource=admin"

    def environment(self, user: str, **changes: str) -> dict[str, str]:
        """The environment of a process of ``user``; its Kafka password comes from a file.
        ``changes`` are settings by field; an empty one takes a variable away."""
        file = self.folder / f"{user}.password"
        file.write_text(f"{self.passwords[user]}\n")
        settings = {
            "kafka": self.kafka,
            "kafka_security_protocol": "SASL_SSL",
            "kafka_user": user,
            "kafka_password_file": str(file),
            "kafka_ca_file": str(self.ca_file),
            "mongodb": self.mongodb_url(user),
            "mongodb_ca_file": str(self.ca_file),
            "log_format": "json",
            **changes,
        }
        own = {key: value for key, value in os.environ.items() if not key.startswith("ORDERMESH_")}
        return own | {f"ORDERMESH_{name.upper()}": value for name, value in settings.items()}

    def librdkafka(self, user: str) -> dict[str, str]:
        """librdkafka's settings of ``user``."""
        return {
            "security.protocol": "SASL_SSL",
            "sasl.mechanism": MECHANISM,
            "sasl.username": user,
            "sasl.password": self.passwords[user],
            "ssl.ca.location": str(self.ca_file),
            "log_level": "0",
        }

    def settings(self, user: str) -> Settings:
        """The settings of a client of ``user`` in this process."""
        return Settings(
            kafka=self.kafka,
            kafka_security_protocol="SASL_SSL",
            kafka_user=user,
            kafka_password=self.passwords[user],
            kafka_ca_file=self.ca_file,
            mongodb=self.mongodb_url(user),
            mongodb_ca_file=self.ca_file,
        )


@asynccontextmanager
async def secured_servers(folder: Path) -> AsyncIterator[SecuredServers]:
    """Both servers with every user of the deployment and its rights, and no topic yet."""
    make_certificates(folder)
    users = [*dict.fromkeys(acl.user for acl in rights.all_acls()), OUTSIDE]
    passwords = {user: secrets.token_urlsafe(12) for user in users}
    port = free_port()
    kafka = EmbeddedKafka(
        folder / "kafka",
        free_port(),
        properties=_kafka_properties(folder),
        listeners={"CLIENTS": (port, "SASL_SSL")},
    )
    mongodb = EmbeddedMongoDB(
        folder / "mongodb",
        free_port(),
        cache_mb=256,
        arguments=_mongod_arguments(folder),
        url_options=f"tls=true&tlsCAFile={folder / 'ca.pem'}",
    )
    async with mongodb, kafka:
        servers = SecuredServers(
            folder, f"127.0.0.1:{port}", kafka.address, mongodb.address, passwords
        )
        await asyncio.to_thread(_make_kafka_users, servers)
        await _make_mongodb_users(mongodb.url, passwords)
        yield servers


def _kafka_properties(folder: Path) -> dict[str, str]:
    listener = "listener.name.clients"
    module = "org.apache.kafka.common.security.scram.ScramLoginModule required;"
    return {
        f"{listener}.sasl.enabled.mechanisms": MECHANISM,
        f"{listener}.{MECHANISM.lower()}.sasl.jaas.config": module,
        f"{listener}.ssl.keystore.type": "PEM",
        f"{listener}.ssl.keystore.location": str(folder / "server.pem"),
        "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
        "allow.everyone.if.no.acl.found": "false",
        # The broker itself, and what prepares the tests: the listener without users.
        "super.users": "User:ANONYMOUS",
    }


def _mongod_arguments(folder: Path) -> list[str]:
    key = folder / "replica-set.key"
    key.write_text(base64.b64encode(secrets.token_bytes(96)).decode())
    key.chmod(0o600)
    return [
        *("--auth", "--keyFile", str(key)),
        *("--tlsMode", "requireTLS", "--tlsCertificateKeyFile", str(folder / "server.pem")),
        *("--tlsCAFile", str(folder / "ca.pem"), "--tlsAllowConnectionsWithoutCertificates"),
    ]


def _make_kafka_users(servers: SecuredServers) -> None:
    admin = AdminClient({"bootstrap.servers": servers.superuser, "log_level": "0"})
    info = ScramCredentialInfo(ScramMechanism.SCRAM_SHA_512, 4_096)
    made = admin.alter_user_scram_credentials(
        [
            UserScramCredentialUpsertion(user, info, password.encode())
            for user, password in servers.passwords.items()
        ]
    )
    for future in made.values():
        future.result(60)
    grant(admin, [*rights.all_acls(), *rights.outside(OUTSIDE, "outside-")])


def grant(admin: AdminClient, acls: Iterable[Acl]) -> None:
    """Gives users their rights."""
    for future in admin.create_acls(
        [
            AclBinding(
                ResourceType[acl.resource.upper()],
                acl.name,
                ResourcePatternType.PREFIXED if acl.prefix else ResourcePatternType.LITERAL,
                f"User:{acl.user}",
                "*",
                _operation(operation),
                AclPermissionType.ALLOW,
            )
            for acl in acls
            for operation in acl.operations
        ]
    ).values():
        future.result(60)


def _operation(name: str) -> AclOperation:
    return next(each for each in AclOperation if each.name.replace("_", "") == name.upper())


async def _make_mongodb_users(url: str, passwords: Mapping[str, str]) -> None:
    """The first user is made as one without users may on the machine itself; the others by it."""
    password = secrets.token_urlsafe(12)
    direct = url.replace("replicaSet=ordermesh", "directConnection=true")
    client: AsyncMongoClient[dict[str, Any]]
    async with AsyncMongoClient(direct) as client:
        await client.admin.command("createUser", _ROOT, pwd=password, roles=["root"])
    async with AsyncMongoClient(direct, username=_ROOT, password=password) as client:
        for user in rights.mongo_users(Settings()):
            roles = [{"role": role, "db": database} for role, database in user.roles]
            await client.admin.command(
                "createUser", user.name, pwd=passwords[user.name], roles=roles
            )


async def command(environment: Mapping[str, str], *words: str) -> tuple[int, str, str]:
    """Runs `ordermesh` to its end: exit code, standard output, standard error."""
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "services.cli", *words),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
        env=environment,
    )
    try:
        async with asyncio.timeout(_READY_LIMIT):
            out, err = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, out.decode(), err.decode()


@asynccontextmanager
async def running_service(
    name: str, environment: Mapping[str, str], log: Path
) -> AsyncIterator[None]:
    """`ordermesh run name` from the time it is ready; it must end with 0 on SIGTERM."""
    port = free_port()
    with log.open("wb") as file:
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "services.cli", "run", name),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**environment, "ORDERMESH_METRICS": f"127.0.0.1:{port}"},
        )
    try:
        await _until_ready(process, port, log)
        yield
        process.terminate()
        try:
            async with asyncio.timeout(_READY_LIMIT):
                assert await process.wait() == 0, log.read_text()
        except TimeoutError:
            raise AssertionError(f"{name} did not end on SIGTERM:\n{log.read_text()}") from None
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _until_ready(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    url = f"http://127.0.0.1:{port}/readyz"
    try:
        async with asyncio.timeout(_READY_LIMIT), httpx.AsyncClient(trust_env=False) as client:
            while True:
                assert process.returncode is None, log.read_text()
                try:
                    if (await client.get(url, timeout=2)).status_code == 200:
                        return
                except httpx.HTTPError:
                    pass
                await asyncio.sleep(0.1)
    except TimeoutError:
        raise AssertionError(f"not ready:\n{log.read_text()}") from None
