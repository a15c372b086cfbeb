"""A disk so small that it can be filled: a file system in memory of its own, mounted by root."""

import contextlib
import errno
import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

_FILLER = "filler"
_CHUNK = bytes(1024 * 1024)


class SmallDisk:
    """The mounted folder ``path``."""

    def __init__(self, path: Path) -> None:
        self._filler = path / _FILLER

    def fill(self) -> None:
        """Takes what space there is, to the last byte; may be done again."""
        with self._filler.open("ab", buffering=0) as file:
            chunk = _CHUNK
            while chunk:
                try:
                    file.write(chunk)
                except OSError as error:
                    if error.errno != errno.ENOSPC:
                        raise
                    # What is left is less than that.
                    chunk = chunk[: len(chunk) // 2]

    def free(self) -> None:
        """Gives back what :meth:`fill` took."""
        self._filler.unlink()


@contextmanager
def small_disk(path: Path, megabytes: int) -> Iterator[SmallDisk]:
    """Mounts such a disk at ``path``. AssertionError where this machine does not allow that:
    leave out the tests that are marked ``disks`` there."""
    path.mkdir(parents=True)
    kind = ("-t", "tmpfs", "-o", f"size={megabytes}m,mode=700")
    done = _run("mount", *kind, "ordermesh-tests", str(path))
    assert done.returncode == 0, (
        f"A disk of {megabytes} MB cannot be mounted here, which takes root and CAP_SYS_ADMIN"
        f" ({done.stderr.strip()}); leave out what is marked 'disks'."
    )
    try:
        yield SmallDisk(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(path / _FILLER)
        done = _run("umount", str(path))
        assert done.returncode == 0, done.stderr


def _run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, check=False)
