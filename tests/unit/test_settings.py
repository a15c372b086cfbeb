"""Settings: what they take, where secrets come from, and what is said of a mistake."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from shared.environment import (
    OTHER_VARIABLES,
    SettingsError,
    load_settings,
    setting_variables,
    unknown_variables,
)
from shared.settings import SecurityProtocol, Settings, is_address
from shared.settings_docs import settings_as_json, settings_as_markdown

SetVariables = Callable[..., None]

SECRET = "not-to-be-seen-by-anybody"


@pytest.fixture
def given() -> Iterator[SetVariables]:
    """Sets variables for one test, by field; no other of ours is set meanwhile."""
    before = dict(os.environ)
    for name in list(os.environ):
        if name.startswith("ORDERMESH_"):
            del os.environ[name]

    def set_variables(**fields: str) -> None:
        os.environ.update({f"ORDERMESH_{name.upper()}": value for name, value in fields.items()})

    yield set_variables
    os.environ.clear()
    os.environ.update(before)


def test_the_page_of_all_settings_is_made_from_their_definitions() -> None:
    page = Path("docs/configuration.md").read_text()

    assert page == settings_as_markdown(), "run: ordermesh settings > docs/configuration.md"


def test_every_setting_says_what_it_means() -> None:
    described = [told["variable"] for told in settings_as_json() if told["description"]]

    assert described == [f"ORDERMESH_{name.upper()}" for name in Settings.model_fields]


def test_every_password_and_every_url_that_may_hold_one_is_a_secret() -> None:
    secrets = [told["variable"] for told in settings_as_json() if told["secret"]]

    assert secrets == [
        "ORDERMESH_KAFKA_PASSWORD",
        "ORDERMESH_KAFKA_KEY_PASSWORD",
        "ORDERMESH_MONGODB",
        "ORDERMESH_SMTP",
        "ORDERMESH_ADMIN_CLIENT_SECRET",
    ]


def test_no_setting_has_the_name_of_a_secrets_file() -> None:
    variables = setting_variables()

    assert len(variables) == len(set(variables))


def test_a_misspelt_variable_is_named_with_the_one_it_is_near_to(given: SetVariables) -> None:
    given(databse_prefix="shop")

    with pytest.raises(SettingsError) as refused:
        load_settings()

    assert str(refused.value) == (
        "ORDERMESH_DATABSE_PREFIX is no setting; the nearest is ORDERMESH_DATABASE_PREFIX."
        " Correct or remove it: `ordermesh settings` lists them all."
    )


def test_a_variable_near_to_nothing_is_named_alone() -> None:
    assert unknown_variables({"ORDERMESH_XYZZY": "1"}) == {"ORDERMESH_XYZZY": None}


def test_what_is_read_elsewhere_is_not_unknown() -> None:
    environment = dict.fromkeys((*OTHER_VARIABLES, *setting_variables(), "PATH"), "1")

    assert unknown_variables(environment) == {}


def test_what_kubernetes_says_of_services_is_passed_over() -> None:
    links = {
        "ORDERMESH_CHECKOUT_SERVICE_HOST": "10.0.0.7",
        "ORDERMESH_CHECKOUT_SERVICE_PORT": "9464",
        "ORDERMESH_CHECKOUT_SERVICE_PORT_METRICS": "9464",
        "ORDERMESH_CHECKOUT_PORT": "tcp://10.0.0.7:9464",
        "ORDERMESH_CHECKOUT_PORT_9464_TCP_ADDR": "10.0.0.7",
        # No service of this name was announced.
        "ORDERMESH_OTHER_PORT": "1",
    }

    assert list(unknown_variables(links)) == ["ORDERMESH_OTHER_PORT"]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("kafka", "localhost"),
        ("kafka", "kafka-1:9092,kafka-2"),
        ("kafka", "http://kafka:9092"),
        ("kafka_security_protocol", "TLS"),
        ("kafka_sasl_mechanism", "GSSAPI"),
        ("metrics", "9464"),
        ("metrics", "127.0.0.1:70000"),
        ("mongodb", "127.0.0.1:27017"),
        ("smtp", "mail.example.com"),
        ("database_prefix", "a.b"),
        ("currency", "EURO"),
        ("log_level", "LOUD"),
        ("log_format", "xml"),
        ("batch_size", "0"),
        ("tax_rate", "1.2"),
        ("shipping_rates", '{"STANDARD": "-1"}'),
        ("shipping_rates", "4.90"),
        ("shipping_rates", "STANDARD=4.90"),
        ("api_url", "shop.example.com"),
        ("api_url", "https://shop.example.com/api"),
        ("admin_client_id", "night shift"),
        ("admin_client_secret", "too-short-by-1"),
        ("http_origins", "https://shop.example.com"),
        ("http_body_bytes", "10"),
        ("http_seconds", "0"),
        ("topic_partitions", "0"),
    ],
)
def test_a_value_that_cannot_be_used_is_named_by_its_variable(
    given: SetVariables, field: str, value: str
) -> None:
    given(**{field: value})

    with pytest.raises(SettingsError, match=f"^ORDERMESH_{field.upper()} cannot be used: "):
        load_settings()


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("127.0.0.1:0", True),
        ("kafka.example.com:9092", True),
        ("[::1]:9092", True),
        ("::1:9092", False),
        (":9092", False),
        ("host:", False),
        ("host:٣", False),
        ("user@host:1", False),
        ("", False),
    ],
)
def test_an_address_is_a_host_and_a_port(text: str, taken: bool) -> None:
    assert is_address(text) is taken


def test_words_are_taken_in_any_case(given: SetVariables) -> None:
    given(log_level="debug", currency="eur", kafka_security_protocol="ssl")

    settings = load_settings()

    assert (settings.log_level, settings.currency) == ("DEBUG", "EUR")
    assert settings.kafka_security_protocol is SecurityProtocol.SSL


def test_what_the_command_line_says_goes_before_the_environment(given: SetVariables) -> None:
    given(kafka="one:9092", metrics="127.0.0.1:1")

    settings = load_settings(kafka="two:9092", metrics=None)

    assert (settings.kafka, settings.metrics) == ("two:9092", "127.0.0.1:1")


def test_an_empty_file_setting_names_no_file(given: SetVariables) -> None:
    given(kafka_ca_file="", mongodb_file="")

    assert load_settings().kafka_ca_file is None


def test_a_secret_comes_from_its_file_without_the_line_break(
    given: SetVariables, tmp_path: Path
) -> None:
    file = tmp_path / "mongodb"
    file.write_text("mongodb://user:pass@db/?replicaSet=x\n")
    given(mongodb_file=str(file))

    settings = load_settings()

    assert settings.mongodb.get_secret_value() == "mongodb://user:pass@db/?replicaSet=x"
    assert "mongodb" in settings.model_fields_set


def test_the_admin_clients_secret_comes_from_its_file_too(
    given: SetVariables, tmp_path: Path
) -> None:
    file = tmp_path / "client-secret"
    file.write_text(f"{SECRET}\n")
    given(admin_client_id="night-shift", admin_client_secret_file=str(file))

    settings = load_settings()

    assert settings.admin_client_id == "night-shift"
    assert settings.admin_client_secret.get_secret_value() == SECRET


def test_a_secret_given_both_ways_is_refused(given: SetVariables, tmp_path: Path) -> None:
    file = tmp_path / "smtp"
    file.write_text("discard:")
    given(smtp_file=str(file), smtp=f"smtp://user:{SECRET}@mail:25")

    with pytest.raises(SettingsError) as refused:
        load_settings()

    assert str(refused.value) == (
        "ORDERMESH_SMTP and ORDERMESH_SMTP_FILE are both set: take one of them away."
    )


@pytest.mark.parametrize(
    ("content", "reason"),
    [(None, "which cannot be read: No such file or directory."), (b"\n", "which is empty."),
     (b"\xff", "which cannot be read: it is not UTF-8 text.")],
)  # fmt: skip
def test_a_secrets_file_that_cannot_be_used_is_named(
    given: SetVariables, tmp_path: Path, content: bytes | None, reason: str
) -> None:
    file = tmp_path / "password"
    if content is not None:
        file.write_bytes(content)
    given(kafka_password_file=str(file))

    with pytest.raises(SettingsError) as refused:
        load_settings()

    assert str(refused.value) == f"ORDERMESH_KAFKA_PASSWORD_FILE names {file}, {reason}"


def test_secrets_show_in_nothing_that_is_printed(given: SetVariables) -> None:
    given(
        kafka_security_protocol="SASL_SSL",
        kafka_user="ordermesh-pricing",
        kafka_password=SECRET,
        mongodb=f"mongodb://u:{SECRET}@db/",
        smtp=f"smtp://u:{SECRET}@mail:25",
        admin_client_secret=SECRET,
    )

    settings = load_settings()

    assert SECRET not in f"{settings!r} {settings} {settings.model_dump()}"
    assert SECRET not in settings.model_dump_json()


def test_a_mistake_in_a_secret_is_told_without_it(given: SetVariables) -> None:
    given(mongodb=f"https://u:{SECRET}@db/", smtp=SECRET)

    with pytest.raises(SettingsError) as refused:
        load_settings()

    assert SECRET not in f"{refused.value} {refused.value.__cause__} {refused.value.__context__}"


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"kafka_password": SECRET}, "SASL_SSL"),
        ({"kafka_user": "pricing", "kafka_password": SECRET, "kafka_security_protocol": "SSL"},
         "SASL_SSL"),
        ({"kafka_security_protocol": "SASL_SSL"}, "ORDERMESH_KAFKA_USER"),
        ({"kafka_security_protocol": "SASL_PLAINTEXT", "kafka_user": "pricing"},
         "ORDERMESH_KAFKA_PASSWORD_FILE"),
        ({"kafka_ca_file": "/ca.pem"}, "SSL or SASL_SSL"),
        ({"kafka_key_file": "/key.pem", "kafka_security_protocol": "SSL"},
         "ORDERMESH_KAFKA_CERTIFICATE_FILE"),
    ],
    ids=["no protocol", "no SASL", "no user", "no password", "no TLS", "no certificate"],
)  # fmt: skip
def test_kafkas_security_is_whole_or_refused(
    given: SetVariables, fields: dict[str, str], said: str
) -> None:
    given(**fields)

    with pytest.raises(SettingsError) as refused:
        load_settings()

    assert said in str(refused.value)
    assert SECRET not in str(refused.value)
