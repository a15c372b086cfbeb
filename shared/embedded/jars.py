"""The jars of Apache Kafka, from a Maven repository, by a lock with their SHA-256 sums.

`kafka.lock` names every jar of the version that Ordermesh embeds. They are downloaded once, checked
and kept in the user's cache folder. `python -m shared.embedded.jars` writes the lock anew.
"""

import fcntl
import hashlib
import os
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from shared.embedded.errors import EmbeddedServerError

if TYPE_CHECKING:
    from jgo.maven import MavenContext

KAFKA_VERSION = "4.3.0"
# What Kafka's own pom leaves to the distribution: where its log lines go.
ROOTS = (f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}", "org.slf4j:slf4j-simple:1.7.36")
LOCK = Path(__file__).with_name("kafka.lock")
# A mirror of Maven Central for machines that do not reach it.
MIRROR = "ORDERMESH_MAVEN_REPOSITORY"
_ATTEMPTS = 3


@dataclass(frozen=True)
class Jar:
    """One line of the lock."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def file_name(self) -> str:
        return f"{self.artifact}-{self.version}.jar"

    def __str__(self) -> str:
        return f"{self.group}:{self.artifact}:{self.version}"


def cache_folder() -> Path:
    """Where the jars are kept: `$XDG_CACHE_HOME/ordermesh`, or else `~/.cache/ordermesh`."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "ordermesh"


def read_lock(path: Path = LOCK) -> list[Jar]:
    """The jars of the lock, in its order."""
    jars = []
    for line in path.read_text().splitlines():
        if not line.startswith("#"):
            coordinate, sha256 = line.split()
            group, artifact, version = coordinate.split(":")
            jars.append(Jar(group, artifact, version, sha256))
    return jars


def kafka_jars(cache: Path | None = None) -> list[Path]:
    """The jars of Kafka's class path, downloaded where they are not in the cache yet (45 MB).

    Blocks; may be called by several processes at once.

    Raises:
        EmbeddedServerError: the repository cannot be reached, or serves something else.
    """
    folder = (cache or cache_folder()) / f"kafka-{KAFKA_VERSION}"
    jars = read_lock()
    paths = [folder / jar.file_name for jar in jars]
    if all(path.exists() for path in paths):
        return paths
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _exclusive(folder / ".lock"), tempfile.TemporaryDirectory(dir=folder) as staging:
            missing = [jar for jar in jars if not (folder / jar.file_name).exists()]
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda jar: _fetch(jar, Path(staging), folder), missing))
    except OSError as error:
        if error.filename is None:
            raise
        raise EmbeddedServerError(
            f"The jars of Kafka cannot be kept in {folder} ({error.strerror}). Point"
            " XDG_CACHE_HOME at a folder that this user may write to."
        ) from error
    return paths


def _fetch(jar: Jar, staging: Path, folder: Path) -> None:
    """Download one jar; it appears in `folder` whole and checked, or not at all."""
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            path = _download(jar, staging / str(attempt))
            break
        # jgo raises what its HTTP client does, and RuntimeError for an artifact it cannot find.
        except (OSError, RuntimeError) as error:
            if attempt == _ATTEMPTS:
                raise EmbeddedServerError(
                    f"Kafka's jar {jar} could not be downloaded from {_repository()}: {error}."
                    " The first start of the embedded Kafka needs a Maven repository: check the"
                    f" network and its proxy settings, name a mirror with {MIRROR}, or name a"
                    " Kafka that runs, with ORDERMESH_KAFKA or --kafka."
                ) from error
            time.sleep(attempt)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != jar.sha256:
        raise EmbeddedServerError(
            f"Kafka's jar {jar} from {_repository()} is not the one that Ordermesh was tested"
            f" with: its SHA-256 is {found}, not {jar.sha256}. Name another repository with"
            f" {MIRROR}."
        )
    path.replace(folder / jar.file_name)


def _download(jar: Jar, target: Path) -> Path:
    component = _context(target).project(jar.group, jar.artifact).at_version(jar.version)
    return Path(component.artifact().resolve())


def _context(cache: Path) -> "MavenContext":
    try:
        from jgo.maven import MavenContext
    except ImportError as error:
        raise EmbeddedServerError(
            "The embedded Kafka needs Ordermesh's extra 'embedded': pip install"
            " 'ordermesh[embedded]'. Or name a Kafka that runs, with ORDERMESH_KAFKA or --kafka."
        ) from error
    return MavenContext(repo_cache=cache, remote_repos={"repository": _repository()}, timeout=30)


def _repository() -> str:
    from jgo.constants import MAVEN_CENTRAL_URL

    return os.environ.get(MIRROR) or MAVEN_CENTRAL_URL


@contextmanager
def _exclusive(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def write_lock(path: Path = LOCK) -> None:
    """Resolve the class path of `ROOTS` from their poms and write the lock."""
    with tempfile.TemporaryDirectory() as staging:
        context = _context(Path(staging))
        inputs, rest = context.resolver.resolve([context.create_dependency(root) for root in ROOTS])
        chosen = [*inputs, *(each for each in rest if each.scope in ("compile", "runtime"))]
        lines = sorted(
            f"{a.groupId}:{a.artifactId}:{a.version}"
            f" {hashlib.sha256(Path(a.resolve()).read_bytes()).hexdigest()}"
            for a in (each.artifact for each in chosen)
        )
    path.write_text("\n".join(["# Made by `python -m shared.embedded.jars`", *lines, ""]))


if __name__ == "__main__":
    write_lock()
