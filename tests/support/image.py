"""Carries out the build stage of the Dockerfile in a folder, without a container engine."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.support.deploying import ROOT

HOME = "/opt/ordermesh"
"""Where the image has the program."""

_INSTRUCTION = re.compile(r"^(RUN|COPY|ENV) ((?:.*\\\n)*.*)$", re.MULTILINE)
_LIMIT = 180


@dataclass(frozen=True, slots=True)
class Image:
    """What the image has in /opt/ordermesh, in a folder of this machine."""

    folder: Path

    @property
    def environment(self) -> dict[str, str]:
        """The final stage's ENV, and nothing of this process."""
        final = _stages()[1]
        (text,) = (rest for word, rest in _INSTRUCTION.findall(final) if word == "ENV")
        pairs = (each.partition("=") for each in shlex.split(text.replace("\\\n", " ")))
        here = {name: value.replace(HOME, str(self.folder)) for name, _, value in pairs}
        return here | {"PATH": f"{self.folder}/bin:/usr/bin:/bin"}

    def argv(self, *arguments: str) -> list[str]:
        """A command in the image, as the entry point runs it."""
        return [str(self.folder / "bin" / "ordermesh"), *arguments]

    def health(self, port: int) -> int:
        """The exit code of the image's health check."""
        done = subprocess.run(
            [self.folder / "bin" / "python", "-I", self.folder / "health.py", str(port)],
            check=False,
            env=self.environment,
            capture_output=True,
            timeout=30,
        )
        return done.returncode

    def make_read_only(self) -> None:
        """Takes everybody's right to write, as a read-only root does."""
        for path in [self.folder, *self.folder.rglob("*")]:
            if not path.is_symlink():
                path.chmod(path.stat().st_mode & ~0o222)


def build(folder: Path) -> Image:
    """Every COPY and RUN of the build stage, except for Debian's packages.

    Raises AssertionError with what the step said when one fails.
    """
    work, home, tools = folder / "build", folder / "ordermesh", folder / "bin"
    for each in (work, tools):
        each.mkdir(parents=True)
    # The interpreter that this one's environment was made from, under the image's name for it.
    (tools / "python").symlink_to(Path(sys._base_executable).resolve())  # type: ignore[attr-defined]
    environment = {**os.environ, "PATH": f"{tools}:{os.environ['PATH']}"}
    for word, rest in _INSTRUCTION.findall(_stages()[0]):
        here = rest.replace(HOME, str(home))
        if word == "COPY":
            *sources, target = here.split()
            for source in sources:
                _copy(ROOT / source, work / target)
        elif word == "RUN" and "apt-get" not in rest:
            done = subprocess.run(
                ["/bin/sh", "-euc", here],
                check=False,
                cwd=work,
                env=environment,
                capture_output=True,
                text=True,
                timeout=_LIMIT,
            )
            assert done.returncode == 0, f"RUN {here}\n{done.stdout}{done.stderr}"
    return Image(home)


def registry_answers(folder: Path) -> bool:
    """Whether packages can be fetched: the one thing that needs more than this machine."""
    done = subprocess.run(
        [
            *(sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--no-cache-dir"),
            *("--disable-pip-version-check", "--retries=0", "--timeout=10"),
            *("--dest", str(folder), "sniffio"),
        ],
        check=False,
        capture_output=True,
        timeout=60,
    )
    return done.returncode == 0


def without_rights() -> list[str]:
    """What to put before a command so that it may do no more than in its container: as nobody, or,
    where nobody may read this interpreter, as root without a single capability. Nothing where this
    process is not root anyway."""
    if os.getuid() != 0:
        return []
    interpreter = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]
    everybody = all(path.stat().st_mode & 0o001 for path in [interpreter, *interpreter.parents])
    nobody = ["--reuid=10001", "--regid=10001", "--clear-groups"] if everybody else []
    return ["setpriv", *nobody, "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "--"]


def _stages() -> list[str]:
    _, *stages = re.split(r"^FROM ", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    return stages


def _copy(source: Path, target: Path) -> None:
    if source.is_dir():
        shutil.copytree(source, target, ignore=shutil.ignore_patterns("__pycache__"))
    else:
        shutil.copy(source, target / source.name if target.is_dir() else target)
