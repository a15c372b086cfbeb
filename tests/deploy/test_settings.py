"""What compose and Kubernetes hand to the processes is what the processes read."""

import re

import pytest
import typer
from typer.main import get_command

from services.cli import app
from services.names import SERVICES
from tests.support.deploying import K8S, ROOT, rendered, setting_names, workloads

NAME = re.compile(r"ORDERMESH_[A-Z0-9_]+")
FILES = [
    ROOT / ".env.example",
    ROOT / "Dockerfile",
    ROOT / "docker-compose.yml",
    *(path for path in sorted(K8S.rglob("*")) if path.suffix in {".yaml", ".js"}),
]


@pytest.mark.parametrize("path", FILES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_variable_is_a_setting(path):
    # The one that the base explains why nobody gets it is a setting too.
    named = set(NAME.findall(path.read_text()))

    assert named <= setting_names()


def test_no_pod_has_an_instance_id_for_its_name_does_not_stay():
    given = [path for path in K8S.rglob("*.yaml") if path.name != "kustomization.yaml"]

    assert [path for path in given if "INSTANCE_ID" in path.read_text()] == []


def test_every_command_of_the_cluster_is_one_of_the_command_line():
    resources = [each for overlay in ("local", "production") for each in rendered(overlay)]
    commands = [
        container["args"]
        for workload in workloads(resources)
        for container in workload["spec"]["template"]["spec"]["containers"]
        if "ordermesh" in container["image"]
    ]

    for arguments in commands:
        parse(arguments)

    assert {tuple(c[1:]) for c in commands if c[0] == "run"} == {(name,) for name in SERVICES}


def parse(arguments: list[str]) -> None:
    """Reads a command line as `ordermesh` does, without doing anything; raises on a bad one."""
    command, rest = get_command(app), list(arguments)
    context = typer.Context(command)
    while hasattr(command, "commands"):
        context = typer.Context(command, parent=context, info_name=rest[0])
        command = command.commands[rest.pop(0)]
    given = {"kafka": "from the environment:9092"}
    command.make_context(command.name, rest, parent=context, default_map=given)
