"""Free loopback ports for servers that keep theirs over a restart."""

import random
import socket
import time
from pathlib import Path

LOOPBACK = "127.0.0.1"
_LOWEST = 10_240
_RANGE = Path("/proc/sys/net/ipv4/ip_local_port_range")
_given: set[int] = set()


def port_is_free(port: int, host: str = LOOPBACK) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def wait_for_port(port: int, limit: float = 3.0) -> bool:
    """Wait up to `limit` seconds for a port to become free, as a killed predecessor frees it."""
    deadline = time.monotonic() + limit
    while not port_is_free(port):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def free_port() -> int:
    """A loopback port that nobody listens on, given out once in this process.

    It lies below the range from which the system takes the ports of outgoing connections: a
    client's connection could otherwise take the port of a server that is just being restarted.
    """
    upper = _ephemeral_start()
    for _ in range(1_000):
        port = random.randrange(_LOWEST, upper)
        if port not in _given and port_is_free(port):
            _given.add(port)
            return port
    raise OSError(f"no free port on {LOOPBACK} between {_LOWEST} and {upper}")


def free_ports(count: int) -> list[int]:
    """As many distinct free ports."""
    return [free_port() for _ in range(count)]


def _ephemeral_start() -> int:
    try:
        lowest = int(_RANGE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return 32_768
    return lowest if lowest > _LOWEST + 1_000 else 65_536
