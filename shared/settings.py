"""Settings, read once from the environment at start-up (prefix ``ORDERMESH_``).

One class holds them all: a field's name is the variable's name, its type is what the value is
checked against, its description is the line in ``docs/configuration.md``. A field of type
``SecretStr`` is a secret: it may come from a file instead, named by ``ORDERMESH_<NAME>_FILE``, and
shows in no representation, log or error.
"""

from decimal import Decimal
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, BeforeValidator, Field, SecretStr, model_validator
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict

from shared.secret_files import SecretFiles

PREFIX = "ORDERMESH_"
_SHORTEST_SECRET = 15


class SecurityProtocol(StrEnum):
    """How clients speak to Kafka: Kafka's ``security.protocol``."""

    PLAINTEXT = "PLAINTEXT"
    SSL = "SSL"
    SASL_PLAINTEXT = "SASL_PLAINTEXT"
    SASL_SSL = "SASL_SSL"

    @property
    def sasl(self) -> bool:
        """Whether clients give a user and a password."""
        return self.startswith("SASL_")

    @property
    def tls(self) -> bool:
        """Whether connections are encrypted, and the broker shows a certificate."""
        return self.endswith("SSL")


def is_address(value: str) -> bool:
    """Whether ``value`` is HOST:PORT; an IPv6 address stands in brackets."""
    host, _, port = value.rpartition(":")
    bare = host[1:-1] if host.startswith("[") and host.endswith("]") else host
    bracketed = bare is not host
    return (
        bool(bare)
        and (bracketed or ":" not in bare)
        and not any(c.isspace() or c in "/@[]" for c in bare)
        and port.isascii()
        and port.isdecimal()
        and int(port) <= 65_535
    )


def _address(value: str) -> str:
    if not is_address(value):
        raise ValueError("not HOST:PORT, for example 127.0.0.1:9464")
    return value


def _addresses(value: str) -> str:
    if not all(is_address(each.strip()) for each in value.split(",")):
        raise ValueError("not HOST:PORT, or several separated by commas: kafka-1:9092,kafka-2:9092")
    return value


def _mongodb_url(value: SecretStr) -> SecretStr:
    if not value.get_secret_value().startswith(("mongodb://", "mongodb+srv://")):
        raise ValueError("not a MongoDB URL, for example mongodb://HOST:27017/?replicaSet=NAME")
    return value


def _mail_server(value: SecretStr) -> SecretStr:
    url = value.get_secret_value()
    if url not in ("", "discard:") and not url.startswith(("smtp://", "smtps://")):
        raise ValueError("not smtp://[USER:PASSWORD@]HOST[:PORT], smtps://…, discard: or empty")
    return value


def _client_secret(value: SecretStr) -> SecretStr:
    if 0 < len(value.get_secret_value()) < _SHORTEST_SECRET:
        raise ValueError(f"shorter than {_SHORTEST_SECRET} characters")
    return value


def _upper(value: object) -> object:
    return value.upper() if isinstance(value, str) else value


LogLevel = Annotated[
    Literal["DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"], BeforeValidator(_upper)
]
File = Annotated[Path | None, BeforeValidator(lambda value: value or None)]
"""A file, or none: an empty variable names none."""


class Settings(BaseSettings):
    """Everything a deployment can set. Each field is the environment variable
    ``ORDERMESH_<FIELD>``.

    Raises pydantic's ValidationError, which names what is wrong and holds no values.
    """

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="ignore", hide_input_in_errors=True
    )

    kafka: Annotated[str, AfterValidator(_addresses)] = Field(
        "127.0.0.1:9092",
        description="Kafka bootstrap servers, `HOST:PORT`, comma-separated. `up` starts an embedded"
        " Kafka where neither this nor `--kafka` is set",
    )
    kafka_security_protocol: Annotated[SecurityProtocol, BeforeValidator(_upper)] = Field(
        SecurityProtocol.PLAINTEXT,
        description="`SASL_SSL` for a Kafka that others can reach. `SASL_PLAINTEXT` shows every"
        " message, and with the mechanism `PLAIN` the password, to the network",
    )
    kafka_sasl_mechanism: Annotated[
        Literal["SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN"], BeforeValidator(_upper)
    ] = Field("SCRAM-SHA-512", description="how user and password are shown to Kafka")
    kafka_user: str = Field("", description="Kafka user of a `SASL_…` protocol, one a service")
    kafka_password: SecretStr = Field(SecretStr(""), description="password of the Kafka user")
    kafka_ca_file: File = Field(
        None,
        description="PEM file of the authorities that sign the brokers' certificates; without it,"
        " those that the system trusts",
    )
    kafka_certificate_file: File = Field(
        None, description="PEM file of the client's certificate, where Kafka asks for one"
    )
    kafka_key_file: File = Field(None, description="PEM file of that certificate's key")
    kafka_key_password: SecretStr = Field(
        SecretStr(""), description="password of the key file, where it has one"
    )
    topic_partitions: int = Field(
        3,
        ge=1,
        description="partitions of each topic, which is also the most processes of one service"
        " that share the work. May grow, never shrink",
    )
    topic_replication: int = Field(
        0, ge=0, description="copies of each topic; 0 is one a broker, at most 3"
    )

    mongodb: Annotated[SecretStr, AfterValidator(_mongodb_url)] = Field(
        SecretStr("mongodb://127.0.0.1:27017/?replicaSet=ordermesh"),
        description="MongoDB URL of a replica set or a sharded cluster, 6.0 or newer. `up` starts"
        " an embedded MongoDB where neither this nor `--mongodb` is set",
    )
    mongodb_ca_file: File = Field(
        None,
        description="PEM file of the authorities that sign MongoDB's certificates; setting it"
        " turns TLS on. `tls=true` in the URL does too, with the authorities the system trusts",
    )
    mongodb_certificate_key_file: File = Field(
        None, description="PEM file of the client's certificate and key, where MongoDB asks for it"
    )
    database_prefix: str = Field(
        "ordermesh",
        min_length=1,
        max_length=40,
        pattern=r"^[A-Za-z0-9_-]+$",
        description="each service's database is `<prefix>_<service>`",
    )

    marketplace_id: str = Field(
        "marketplace",
        min_length=1,
        description="ID of the marketplace's owner, who may be a supplier too",
    )
    currency: Annotated[str, BeforeValidator(_upper)] = Field(
        "USD", pattern=r"^[A-Z]{3}$", description="currency where neither order nor buyer names one"
    )

    metrics: Annotated[str, AfterValidator(_address)] = Field(
        "127.0.0.1:9464",
        description="`HOST:PORT` of health and metrics of `ordermesh run`. `up` chooses the ports"
        " itself",
    )
    log_format: Literal["auto", "json", "console"] = Field(
        "auto", description="`auto` is `console` on a terminal and `json` elsewhere"
    )
    log_level: LogLevel = Field("INFO", description="the lowest level that is logged")

    otlp: str = Field(
        "",
        description="where traces are sent: the OTLP/HTTP URL of a collector, such as "
        "http://127.0.0.1:4318; empty for no traces",
    )
    trace_ratio: float = Field(
        0.01, ge=0, le=1, description="which part of the traces that begin here is recorded"
    )

    batch_size: int = Field(500, ge=1, description="most messages taken from Kafka at once")
    poll_ms: int = Field(10, ge=1, description="rest after a poll that found nothing")
    max_message_bytes: int = Field(
        1_000_000, ge=1, description="a command with a larger body goes to the dead letters"
    )
    session_timeout_ms: int = Field(
        30_000,
        ge=1_000,
        description="after how long without a heartbeat a consumer's partitions go to others",
    )
    instance_id: str = Field(
        "",
        description="a name of this process that it keeps over restarts: it then gets its"
        " partitions back at once (Kafka's static membership). No two processes may have the same."
        " `up` sets one for each service when the broker is its own",
    )

    tax_rate: Decimal = Field(
        Decimal(0),
        ge=0,
        le=1,
        description="flat tax on taxable lines after discounts: `0.07` is 7 %",
    )
    shipping_rates: dict[str, Annotated[Decimal, Field(ge=0)]] = Field(
        default_factory=lambda: {"STANDARD": Decimal(0)},
        description="flat shipping cost for each supplier's part, by ship method, as JSON:"
        ' `{"STANDARD": "4.90"}`',
    )

    waiting_shipments_limit: int = Field(
        100_000, ge=0, description="most shipments kept waiting for their order"
    )
    waiting_shipments_seconds: int = Field(
        86_400, ge=0, description="how long a shipment waits for its order before it is rejected"
    )

    smtp: Annotated[SecretStr, AfterValidator(_mail_server)] = Field(
        SecretStr(""),
        description="`smtp://[USER:PASSWORD@]HOST[:PORT]`, `smtps://…`; empty: no mail;"
        " `discard:`: mails count as delivered and are not sent",
    )
    mail_from: str = Field("Ordermesh <orders@localhost>", description="sender of e-mails")
    allow_private_targets: bool = Field(
        False,
        description="let webhooks and SMTP go to loopback and private addresses, webhooks over"
        " plain HTTP, and the SMTP password over an unencrypted connection",
    )
    notification_seconds: int = Field(
        86_400, ge=0, description="how long a notification is retried before it has failed"
    )

    api_url: str = Field(
        "http://127.0.0.1:8080",
        pattern=r"^https?://[^\s/]+$",
        description="the URL by which clients reach the HTTP API, which tokens name as their"
        " issuer. Every process that serves it has the same. `up` sets it to its own",
    )
    admin_client_id: str = Field(
        "",
        pattern=r"^[A-Za-z0-9_-]{0,100}$",
        description="ID of the API client that is made on the first start, with the role"
        " FullAccess; `up` chooses one",
    )
    admin_client_secret: Annotated[SecretStr, AfterValidator(_client_secret)] = Field(
        SecretStr(""),
        description="its secret, at least 15 characters; `up` makes a random one, keeps it with the"
        " data and shows it once on a terminal",
    )
    http_origins: list[str] = Field(
        default_factory=lambda: ["*"],
        description='web origins whose pages may call the API, as JSON: `["https://shop.example"]`',
    )
    http_body_bytes: int = Field(
        1_000_000, ge=1_000, description="a request with a larger body is refused"
    )
    http_seconds: float = Field(
        30.0, gt=0, description="a request that takes longer is answered with 503"
    )

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return init_settings, env_settings, SecretFiles(settings_cls)

    @model_validator(mode="after")
    def _whole_kafka_security(self) -> Self:
        protocol = self.kafka_security_protocol
        password = self.kafka_password.get_secret_value()
        if protocol.sasl and not (self.kafka_user and password):
            raise ValueError(
                f"the Kafka security protocol {protocol} needs ORDERMESH_KAFKA_USER and"
                " ORDERMESH_KAFKA_PASSWORD (or ORDERMESH_KAFKA_PASSWORD_FILE)"
            )
        if not protocol.sasl and (self.kafka_user or password):
            raise ValueError(
                f"a Kafka user or password is given, but the security protocol {protocol} sends"
                " none: set ORDERMESH_KAFKA_SECURITY_PROTOCOL to SASL_SSL"
            )
        files = (self.kafka_ca_file, self.kafka_certificate_file, self.kafka_key_file)
        if not protocol.tls and any(files):
            raise ValueError(
                f"a certificate file for Kafka is given, but the security protocol {protocol} does"
                " not encrypt: set ORDERMESH_KAFKA_SECURITY_PROTOCOL to SSL or SASL_SSL"
            )
        if self.kafka_key_file and not self.kafka_certificate_file:
            raise ValueError("ORDERMESH_KAFKA_KEY_FILE needs ORDERMESH_KAFKA_CERTIFICATE_FILE")
        return self

    def database(self, service: str) -> str:
        """Name of the database that ``service`` alone writes."""
        return f"{self.database_prefix}_{service}"
