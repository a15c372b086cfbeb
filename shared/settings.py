"""Settings, read once from the environment at start-up (prefix ``ORDERMESH_``)."""

from decimal import Decimal
from typing import Annotated

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Everything a deployment can set. Each field is the environment variable
    ``ORDERMESH_<FIELD>``."""

    model_config = SettingsConfigDict(env_prefix="ORDERMESH_", frozen=True, extra="ignore")

    kafka: str = Field("127.0.0.1:9092", description="Kafka bootstrap servers, comma-separated")
    mongodb: str = Field(
        "mongodb://127.0.0.1:27017/?replicaSet=ordermesh",
        description="MongoDB URL of a replica set or a sharded cluster, 6.0 or newer",
    )
    database_prefix: str = Field(
        "ordermesh", description="each service's database is <prefix>_<service>"
    )
    marketplace_id: str = Field(
        "marketplace", description="ID of the marketplace's owner, who may be a supplier too"
    )
    currency: str = Field("USD", description="currency where neither order nor buyer names one")

    metrics: str = Field("127.0.0.1:9464", description="HOST:PORT of health and metrics")
    log_format: str = Field("auto", description="json, console, or auto: console on a terminal")
    log_level: str = "INFO"

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
        1_000_000, description="a command larger than this goes to the dead letters"
    )
    session_timeout_ms: int = Field(
        30_000, description="after how long without a heartbeat a consumer's share goes to others"
    )
    instance_id: str = Field(
        "",
        description="a name of this process that it keeps over restarts: it then gets its share "
        "back at once (Kafka's static membership). No two processes may have the same",
    )

    tax_rate: Annotated[Decimal, Field(ge=0, le=1)] = Field(
        Decimal(0), description="flat tax on taxable lines after discounts: 0.07 is 7 %"
    )
    shipping_rates: dict[str, Decimal] = Field(
        default_factory=lambda: {"STANDARD": Decimal(0)},
        description="flat shipping cost for each supplier's part, by ship method",
    )

    waiting_shipments_limit: int = Field(
        100_000, description="most shipments kept waiting for their order"
    )
    waiting_shipments_seconds: int = Field(
        86_400, description="how long a shipment waits for its order before it is rejected"
    )

    smtp: str = Field(
        "", description="smtp://[USER:PASSWORD@]HOST:PORT, smtps://…, discard: or empty for no mail"
    )
    mail_from: str = Field("Ordermesh <orders@localhost>", description="sender of e-mails")
    allow_private_targets: bool = Field(
        False, description="let webhooks and SMTP go to loopback and private addresses"
    )
    notification_seconds: int = Field(
        86_400, description="how long a notification is retried before it has failed"
    )

    def database(self, service: str) -> str:
        """Name of the database that ``service`` alone writes."""
        return f"{self.database_prefix}_{service}"
