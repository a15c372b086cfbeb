"""The settings of a Kafka connection, as each client library gets them."""

import ssl
from pathlib import Path

import pytest
from faststream.kafka.security import parse_security
from pydantic import SecretStr

from shared.messaging.connection import (
    ConnectionSettingsError,
    KafkaConnection,
    connection,
    kafka_connection,
)
from shared.settings import SecurityProtocol, Settings
from tests.support.certificates import make_certificates


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("certificates")
    make_certificates(folder)
    return folder


@pytest.mark.parametrize("protocol", SecurityProtocol)
@pytest.mark.parametrize("mechanism", ["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512"])
def test_faststream_speaks_to_kafka_as_all_other_clients_do(
    protocol: SecurityProtocol, mechanism: str
) -> None:
    sasl = {"user": "pricing", "password": SecretStr("secret")} if protocol.sasl else {}
    kafka = KafkaConnection("kafka:9092", protocol, mechanism, **sasl)

    given = {"security_protocol": "PLAINTEXT", **parse_security(kafka.faststream_security())}

    expected = kafka.client_arguments()
    assert expected.pop("bootstrap_servers") == "kafka:9092"
    contexts = given.pop("ssl_context", None), expected.pop("ssl_context", None)
    assert given == expected
    assert [context is not None for context in contexts] == [protocol.tls] * 2


def test_brokers_must_prove_who_they_are(certificates: Path) -> None:
    kafka = KafkaConnection(
        "kafka:9092", SecurityProtocol.SASL_SSL, ca_file=certificates / "ca.pem"
    )

    context = kafka.ssl_context()

    assert (context.check_hostname, context.verify_mode) == (True, ssl.CERT_REQUIRED)
    assert context.minimum_version == ssl.TLSVersion.TLSv1_2


def test_a_client_may_have_a_certificate(certificates: Path) -> None:
    kafka = KafkaConnection(
        "kafka:9092", SecurityProtocol.SSL, certificate_file=certificates / "client.pem"
    )

    assert isinstance(kafka.ssl_context(), ssl.SSLContext)


@pytest.mark.parametrize(
    ("name", "reason"),
    [("missing.pem", "No such file or directory"), ("empty.pem", "is no PEM file of that kind")],
)
def test_a_certificate_file_that_cannot_be_used_is_named(
    certificates: Path, name: str, reason: str
) -> None:
    (certificates / "empty.pem").touch()
    file = certificates / name

    with pytest.raises(ConnectionSettingsError) as refused:
        KafkaConnection("kafka:9092", SecurityProtocol.SSL, certificate_file=file).ssl_context()

    assert str(refused.value) == f"ORDERMESH_KAFKA_CERTIFICATE_FILE names {file}, which {reason}"


def test_the_password_shows_in_no_representation() -> None:
    settings = Settings(
        kafka_security_protocol="SASL_SSL", kafka_user="pricing", kafka_password="not-to-be-seen"
    )

    kafka = kafka_connection(settings)

    assert kafka.client_arguments()["sasl_plain_password"] == "not-to-be-seen"
    assert "not-to-be-seen" not in repr(kafka)


def test_an_address_alone_is_a_kafka_without_security() -> None:
    assert connection("kafka:9092").client_arguments() == {
        "bootstrap_servers": "kafka:9092",
        "security_protocol": "PLAINTEXT",
    }
