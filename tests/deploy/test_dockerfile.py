"""The Dockerfile by its text, and the locks it installs from. test_image.py carries it out."""

import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from tests.support.deploying import ROOT

DOCKERFILE = (ROOT / "Dockerfile").read_text()
FINAL = DOCKERFILE[DOCKERFILE.rindex("\nFROM ") :]


def pins(name):
    """Package to version, of a lock."""
    found = re.findall(r"^([a-z0-9.-]+)==(\S+)", (ROOT / name).read_text(), re.MULTILINE)
    return dict(found)


@pytest.fixture(scope="module")
def pyproject():
    return tomllib.loads((ROOT / "pyproject.toml").read_text())


def names(requirements):
    return {re.split(r"[\[<>=; ]", each)[0].lower() for each in requirements}


def test_the_linter_has_nothing_to_say():
    beside = Path(sys.executable).parent / "hadolint"
    linter = shutil.which(beside) or shutil.which("hadolint")

    done = subprocess.run(
        [linter, "Dockerfile"],
        check=False,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
    )

    assert (done.returncode, done.stdout) == (0, "")


def test_the_image_has_what_the_product_needs_and_no_more(pyproject):
    runtime = pins("requirements-runtime.lock")
    extras = dict(pyproject["project"]["optional-dependencies"])

    # `make lock` writes both. Traces are off until they are asked for, and can be. What signs
    # tokens stands on a package that the tests make certificates with.
    wanted = names(pyproject["project"]["dependencies"]) | names(extras.pop("tracing"))
    assert wanted <= runtime.keys()
    extra = set().union(*map(names, extras.values())) - wanted
    assert extra & runtime.keys() == {"cryptography"}
    assert pins("requirements-build.lock").keys() == names(pyproject["dependency-groups"]["build"])


@pytest.mark.parametrize("name", ["requirements-runtime.lock", "requirements-build.lock"])
def test_the_image_has_the_versions_that_are_tested(name):
    tested = pins("requirements.lock")

    assert {package: tested.get(package) for package in pins(name)} == pins(name)


@pytest.mark.parametrize("name", ["requirements-runtime.lock", "requirements-build.lock"])
def test_a_lock_has_hashes_and_no_host(name):
    text = (ROOT / name).read_text()

    assert text.count("--hash=sha256:") >= len(pins(name)) > 0
    assert "://" not in text


def test_nothing_is_installed_without_a_hash():
    installs = re.findall(r"pip (?:--python \S+ )?install((?:\\\n|[^&\n])*)", DOCKERFILE)

    assert len(installs) == 3
    for options in installs:
        assert "--require-hashes" in options or "--no-index" in options


def test_the_image_is_nobody_and_says_so_in_numbers():
    assert re.findall(r"^USER (.*)$", FINAL, re.MULTILINE) == ["10001:10001"]
    # What comes after it runs without rights.
    assert "RUN" not in FINAL[FINAL.index("\nUSER ") :]


def test_both_stages_begin_with_one_pinned_image():
    assert re.findall(r"^FROM (\S+)", DOCKERFILE, re.MULTILINE) == ["${PYTHON_IMAGE}"] * 2
    assert re.search(r"^ARG PYTHON_IMAGE=python:\d+\.\d+\.\d+-slim-\w+$", DOCKERFILE, re.MULTILINE)


def test_nothing_that_installs_or_compiles_is_left():
    assert "pip uninstall --yes" in FINAL
    assert not re.search(r"apt-get|gcc|build-essential", FINAL)


def test_signals_reach_the_service_and_its_health_is_asked_for():
    assert 'ENTRYPOINT ["/usr/bin/tini", "--", "ordermesh"]' in FINAL
    assert 'CMD ["python", "-I", "/opt/ordermesh/health.py"]' in FINAL


def test_labels_say_what_it_is(pyproject):
    version = pyproject["project"]["version"]

    assert f"ARG VERSION={version}\n" in FINAL
    for label in ("title", "description", "licenses", "version", "revision"):
        assert f"org.opencontainers.image.{label}=" in FINAL


def test_what_is_copied_is_let_through_and_nothing_else():
    copied = [
        path
        for line in re.findall(r"^COPY (?!--from)(.*)$", DOCKERFILE, re.MULTILINE)
        for path in line.split()[:-1]
    ]
    lines = (ROOT / ".dockerignore").read_text().splitlines()
    let_through = [line.removeprefix("!") for line in lines if line.startswith("!")]

    assert "*" in lines
    assert sorted(copied) == sorted(let_through)
    assert all((ROOT / path).exists() for path in copied)
