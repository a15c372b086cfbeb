"""How clients reach Kafka: the settings, turned into what each client library wants.

Every client is made from a ``KafkaConnection``: services, tools and checks. A plain address stands
for a Kafka without security.
"""

import ssl
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from faststream.security import BaseSecurity, SASLPlaintext, SASLScram256, SASLScram512
from pydantic import SecretStr

from shared.settings import SecurityProtocol, Settings

METADATA_MS = 30_000
"""After so long at the latest, clients of services learn of partitions that were added."""

_NONE = SecretStr("")


class ConnectionSettingsError(ValueError):
    """A file of the connection's settings cannot be used; the message says what to do."""


@dataclass(frozen=True, slots=True)
class KafkaConnection:
    """Where Kafka is, and who asks. The password shows in no representation."""

    servers: str
    """Bootstrap servers, ``HOST:PORT``, comma-separated."""
    protocol: SecurityProtocol = SecurityProtocol.PLAINTEXT
    mechanism: str = "SCRAM-SHA-512"
    user: str = ""
    password: SecretStr = _NONE
    ca_file: Path | None = None
    certificate_file: Path | None = None
    key_file: Path | None = None
    key_password: SecretStr = _NONE

    def client_arguments(self) -> dict[str, Any]:
        """Keyword arguments of aiokafka's clients.

        Raises ConnectionSettingsError when a certificate file cannot be used.
        """
        arguments: dict[str, Any] = {
            "bootstrap_servers": self.servers,
            "security_protocol": self.protocol.value,
        }
        if self.protocol.tls:
            arguments["ssl_context"] = self.ssl_context()
        if self.protocol.sasl:
            arguments |= {
                "sasl_mechanism": self.mechanism,
                "sasl_plain_username": self.user,
                "sasl_plain_password": self.password.get_secret_value(),
            }
        return arguments

    def faststream_security(self) -> BaseSecurity | None:
        """The same for FastStream's broker, which knows no protocol: it takes SASL without an SSL
        context for SASL_PLAINTEXT, so the context is always there where the protocol has TLS.

        Raises ConnectionSettingsError when a certificate file cannot be used.
        """
        context = self.ssl_context() if self.protocol.tls else None
        if not self.protocol.sasl:
            return None if context is None else BaseSecurity(ssl_context=context)
        kind = {
            "PLAIN": SASLPlaintext,
            "SCRAM-SHA-256": SASLScram256,
            "SCRAM-SHA-512": SASLScram512,
        }[self.mechanism]
        return kind(
            username=self.user, password=self.password.get_secret_value(), ssl_context=context
        )

    def ssl_context(self) -> ssl.SSLContext:
        """TLS 1.2 or newer, with the broker's certificate and name checked.

        Raises ConnectionSettingsError when a certificate file cannot be used.
        """
        try:
            context = ssl.create_default_context(cafile=self.ca_file)
        except OSError as error:
            raise _unusable("KAFKA_CA_FILE", self.ca_file, error) from error
        context.minimum_version = ssl.TLSVersion.TLSv1_2
        if self.certificate_file is not None:
            try:
                context.load_cert_chain(
                    self.certificate_file, self.key_file, self.key_password.get_secret_value()
                )
            except OSError as error:
                raise _unusable("KAFKA_CERTIFICATE_FILE", self.certificate_file, error) from error
        return context


Kafka = KafkaConnection | str
"""A connection, or the address of a Kafka without security."""


def connection(kafka: Kafka) -> KafkaConnection:
    return KafkaConnection(kafka) if isinstance(kafka, str) else kafka


def kafka_connection(settings: Settings) -> KafkaConnection:
    """The connection that ``settings`` tell of."""
    return KafkaConnection(
        servers=settings.kafka,
        protocol=settings.kafka_security_protocol,
        mechanism=settings.kafka_sasl_mechanism,
        user=settings.kafka_user,
        password=settings.kafka_password,
        ca_file=settings.kafka_ca_file,
        certificate_file=settings.kafka_certificate_file,
        key_file=settings.kafka_key_file,
        key_password=settings.kafka_key_password,
    )


def _unusable(setting: str, path: Path | None, error: OSError) -> ConnectionSettingsError:
    # An SSLError's own words name the part of OpenSSL that gave up, not what is wrong.
    reason = "is no PEM file of that kind" if isinstance(error, ssl.SSLError) else error.strerror
    return ConnectionSettingsError(f"ORDERMESH_{setting} names {path}, which {reason}")
