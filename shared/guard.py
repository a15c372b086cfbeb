"""Keeps outbound connections from private addresses.

Whoever may save a webhook may name any host, so what counts is the address that is connected to:
a name is resolved here, every address it has is checked, and the connection goes to a checked
address, never to the name. A name that resolves differently a moment later gains nothing.
"""

import asyncio
import socket
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from ipaddress import IPv4Address, IPv6Address, IPv6Network, ip_address

Resolve = Callable[[str, int], Awaitable[list[str]]]
"""The addresses of (host, port), best first. Raises OSError where there are none."""

# RFC 6052: the well-known prefix of NAT64, and the one for local use (RFC 8215).
_NAT64 = (IPv6Network("64:ff9b::/96"), IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = IPv6Network("::/96")
_SITE_LOCAL = IPv6Network("fec0::/10")


class AddressRefused(Exception):
    """The target has an address that connections may not go to."""


def is_public(address: str) -> bool:
    """Whether ``address`` is an ordinary address of the internet.

    Not public are loopback, link-local, private, shared, multicast, reserved, documentation and
    unspecified addresses, and IPv6 addresses that stand for such an IPv4 address (mapped,
    compatible, 6to4, Teredo, NAT64).
    """
    try:
        parsed = ip_address(address)
    except ValueError:
        return False
    if isinstance(parsed, IPv4Address):
        return _ordinary(parsed)
    if parsed in _NAT64[1] or parsed in _SITE_LOCAL or parsed.scope_id is not None:
        return False
    embedded = _embedded(parsed)
    if embedded:
        return all(_ordinary(inner) for inner in embedded)
    return _ordinary(parsed)


def _ordinary(address: IPv4Address | IPv6Address) -> bool:
    return address.is_global and not (
        address.is_multicast
        or address.is_reserved
        or address.is_loopback
        or address.is_link_local
        or address.is_private
        or address.is_unspecified
    )


def _embedded(address: IPv6Address) -> list[IPv4Address]:
    """The IPv4 addresses that packets to ``address`` may end at."""
    if address.ipv4_mapped is not None:
        return [address.ipv4_mapped]
    if address.sixtofour is not None:
        return [address.sixtofour]
    if address.teredo is not None:
        return list(address.teredo)
    if address in _NAT64[0] or address in _COMPATIBLE:
        return [IPv4Address(int(address) & 0xFFFFFFFF)]
    return []


class Resolver:
    """Resolves names with the system's resolver, in threads of its own.

    A name is asked for once at a time however many connections wait for it, so that a name server
    that does not answer holds one thread, not all.
    """

    def __init__(self, threads: int = 16) -> None:
        self._threads = ThreadPoolExecutor(threads, thread_name_prefix="resolve")
        self._asking: dict[tuple[str, int], asyncio.Future[list[str]]] = {}

    async def __call__(self, host: str, port: int) -> list[str]:
        key = (host, port)
        asking = self._asking.get(key)
        if asking is None:
            loop = asyncio.get_running_loop()
            asking = loop.run_in_executor(self._threads, _addresses, host, port)
            self._asking[key] = asking
            asking.add_done_callback(lambda done: self._answered(key, done))
        # Whoever gives up waiting must not cancel it for the others.
        return await asyncio.shield(asking)

    def _answered(self, key: tuple[str, int], done: asyncio.Future[list[str]]) -> None:
        del self._asking[key]
        if not done.cancelled():
            done.exception()  # seen, also when nobody waits any more

    def close(self) -> None:
        self._threads.shutdown(wait=False, cancel_futures=True)


def _addresses(host: str, port: int) -> list[str]:
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(address[0]) for *_, address in found))


class Guard:
    """Says where a connection may go. ``allow_private`` allows everything."""

    def __init__(self, resolve: Resolve, *, allow_private: bool = False) -> None:
        self._resolve = resolve
        self._allow_private = allow_private

    async def addresses(self, host: str, port: int) -> list[str]:
        """The checked addresses of ``host``, best first.

        Raises :class:`AddressRefused` when any one of them is not public, since a name with both
        kinds is a trap or a mistake, and OSError when there are none.
        """
        addresses = await self._resolve(host, port)
        if not addresses:
            raise OSError("the host has no address")
        if not self._allow_private and not all(is_public(address) for address in addresses):
            raise AddressRefused(
                "the host is or has a private address; use a public one, or set "
                "ORDERMESH_ALLOW_PRIVATE_TARGETS if it is trusted"
            )
        return addresses
