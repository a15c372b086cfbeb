"""docker-compose.yml: what can be seen without a Docker engine."""

import os
import re
import subprocess

import pytest

from services.gateway import API_READINESS
from services.names import SERVICES
from shared.settings import Settings
from tests.deploy.test_settings import parse
from tests.support.deploying import ROOT, parsed, tool

OURS = (*SERVICES, "api", "topics")
INFRASTRUCTURE = ("kafka", "mongodb", "mongodb-init", "mailpit")
MONITORING = ("prometheus", "grafana")
ONCE = ("mongodb-init", "topics")
PINNED = re.compile(r"^[a-z/]+:v?\d+\.\d+\.\d+$")


@pytest.fixture(scope="module")
def compose():
    (text,) = parsed((ROOT / "docker-compose.yml").read_text())
    return text


@pytest.fixture(scope="module")
def services(compose):
    return compose["services"]


def read_by_compose(text, folder):
    """What compose itself makes of a file; None where it is not at hand."""
    path = tool("compose-spec", "compose-go/cmd")
    if path is None:
        return None
    (folder / "docker-compose.yml").write_text(text)
    return subprocess.run(
        [path, "-format", "json", "docker-compose.yml"],
        check=False,
        cwd=folder,
        env={**os.environ, "COMPOSE_PROFILES": "engine,monitoring"},
        capture_output=True,
        text=True,
        timeout=60,
    )


def test_compose_itself_takes_the_file(tmp_path):
    # Its parser alone looks for no variable: what has to be given is left empty.
    done = read_by_compose((ROOT / "docker-compose.yml").read_text().replace(":?", ":-"), tmp_path)
    if done is None:
        return

    assert done.returncode == 0, done.stdout + done.stderr


def test_without_a_secret_for_the_api_compose_says_where_it_belongs(tmp_path):
    done = read_by_compose((ROOT / "docker-compose.yml").read_text(), tmp_path)
    if done is None:
        return

    assert done.returncode != 0
    assert "ORDERMESH_ADMIN_CLIENT_SECRET" in done.stdout + done.stderr
    assert ".env.example" in done.stdout + done.stderr


def test_the_example_of_env_has_no_secret_in_it():
    lines = (ROOT / ".env.example").read_text().splitlines()

    assert "ORDERMESH_ADMIN_CLIENT_SECRET=" in lines


def test_nobody_but_the_api_has_the_secret_of_its_client(services):
    given = {name: services[name]["environment"]["ORDERMESH_ADMIN_CLIENT_SECRET"] for name in OURS}

    assert given.pop("api").startswith("${ORDERMESH_ADMIN_CLIENT_SECRET:?")
    # What stands here goes before what compose reads from .env.
    assert set(given.values()) == {""}


def test_the_api_is_healthy_when_it_is_ready_itself(services):
    test = services["api"]["healthcheck"]["test"]

    assert test[-2:] == ["8080", API_READINESS]
    assert services["api"]["ports"] == ["127.0.0.1:8080:8080"]
    assert not set(services["api"]["depends_on"]) & set(SERVICES)


def test_it_has_everything_and_nothing_else(services):
    assert sorted(services) == sorted((*OURS, *INFRASTRUCTURE, *MONITORING))


def test_each_profile_is_whole(services):
    profiles = {name: set(service["profiles"]) for name, service in services.items()}

    assert all(profiles[name] == {"infra", "engine"} for name in INFRASTRUCTURE)
    assert all(profiles[name] == {"engine"} for name in OURS)
    assert all(profiles[name] == {"monitoring"} for name in MONITORING)
    # Compose refuses to start what waits for a service that is not of the same profile.
    for name, service in services.items():
        for other in service.get("depends_on", ()):
            assert profiles[name] <= profiles[other]


def test_every_service_waits_for_what_it_cannot_start_without(services):
    for name in (*SERVICES, "api"):
        waits = {k: v["condition"] for k, v in services[name]["depends_on"].items()}
        waits.pop("mailpit", None)
        assert waits == {
            "kafka": "service_healthy",
            "mongodb": "service_healthy",
            "mongodb-init": "service_completed_successfully",
            "topics": "service_completed_successfully",
        }


def test_who_is_waited_for_can_say_that_it_is_ready(services):
    for service in services.values():
        for other, how in service.get("depends_on", {}).items():
            if how["condition"] == "service_healthy":
                assert "test" in services[other]["healthcheck"]
            elif how["condition"] == "service_completed_successfully":
                assert services[other]["restart"] == "no"


def test_everything_is_locked_down(services):
    for name, service in services.items():
        assert service["cap_drop"] == ["ALL"], name
        assert service["security_opt"] == ["no-new-privileges:true"], name
        assert not {"privileged", "cap_add", "network_mode", "pid", "devices"} & service.keys()
        assert service.get("read_only", False) is (name != "kafka"), name
        assert not any("docker.sock" in str(volume) for volume in service.get("volumes", ()))


def test_everything_has_a_bound_and_starts_again(services):
    for name, service in services.items():
        assert {"cpus", "memory"} <= service["deploy"]["resources"]["limits"].keys()
        assert service["restart"] == ("no" if name in ONCE else "unless-stopped")
        assert service["logging"]["options"]["max-size"]


def test_images_are_pinned_and_ours_is_one(services):
    others = {service["image"] for name, service in services.items() if name not in OURS}

    assert all(PINNED.match(image) for image in others), others
    assert {services[name]["image"] for name in OURS} == {"ordermesh:${VERSION:-0.1.0}"}


def test_nothing_without_a_password_is_published_beyond_this_machine(services):
    for service in services.values():
        assert all(str(port).startswith("127.0.0.1:") for port in service.get("ports", ()))


def test_a_service_has_longer_to_end_than_it_gives_its_batch(services):
    for name in (*SERVICES, "api"):
        assert services[name]["stop_grace_period"] == "40s"


def test_every_command_is_one_of_the_command_line(services):
    commands = {name: services[name]["command"] for name in OURS}

    for arguments in commands.values():
        parse(arguments)

    assert [commands[name] for name in SERVICES] == [["run", name] for name in SERVICES]


def test_the_settings_are_taken(services):
    for name in SERVICES:
        given = services[name]["environment"]
        fields = {key.removeprefix("ORDERMESH_").lower(): value for key, value in given.items()}

        settings = Settings(**fields)

        assert settings.kafka == "kafka:19092"
        assert settings.metrics == "0.0.0.0:9464"


def test_the_ports_that_are_named_are_the_ports_that_are_served(services):
    kafka = services["kafka"]["environment"]

    assert "INSIDE://kafka:19092" in kafka["KAFKA_ADVERTISED_LISTENERS"]
    assert "OUTSIDE://127.0.0.1:9092" in kafka["KAFKA_ADVERTISED_LISTENERS"]
    assert "127.0.0.1:9092:9092" in services["kafka"]["ports"]
    urls = services["api"]["command"][2:]
    assert urls == [f"{name}=http://{name}:9464" for name in SERVICES]


def test_what_is_mounted_from_here_is_there(services):
    mounted = [
        volume.split(":")[0]
        for service in services.values()
        for volume in service.get("volumes", ())
        if volume.startswith("./")
    ]

    missing = [path for path in mounted if not (ROOT / path).exists()]
    # Prometheus' and Grafana's files come with their own change.
    assert [path for path in missing if not path.startswith("./ops/")] == []


def test_every_named_volume_is_used(compose, services):
    used = {
        volume.split(":")[0]
        for service in services.values()
        for volume in service.get("volumes", ())
        if not volume.startswith((".", "/"))
    }

    assert used == set(compose["volumes"])
