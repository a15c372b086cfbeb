"""Which addresses connections go to."""

import asyncio
import socket
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notifications.webhooks import GuardedBackend
from shared.guard import AddressRefused, Guard, is_public

_PRIVATE_V4 = [
    "127.0.0.1", "127.255.0.1", "10.1.2.3", "172.16.0.1", "172.31.255.255", "192.168.1.1",
    "169.254.169.254", "100.64.0.1", "0.0.0.1", "0.1.2.3", "224.0.0.1", "239.1.1.1",
    "240.0.0.1", "255.255.255.255", "192.0.2.1", "198.18.0.1", "198.51.100.1", "203.0.113.1",
]  # fmt: skip


class FixedResolver:
    """Gives one answer after the other; the last one for ever."""

    def __init__(self, *answers: Sequence[str]) -> None:
        self._answers = [list(answer) for answer in answers]
        self.asked = 0

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked += 1
        return self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]


@pytest.mark.parametrize("address", ["8.8.8.8", "1.1.1.1", "93.184.216.34", "2606:4700::1111"])
def test_public_addresses_are_public(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize("address", _PRIVATE_V4)
def test_private_addresses_are_refused_in_every_disguise(address: str) -> None:
    packed = int.from_bytes(socket.inet_aton(address), "big")
    hexadecimal = f"{packed >> 16:x}:{packed & 0xFFFF:x}"

    disguises = [
        address,
        f"::ffff:{address}",
        f"::{address}",
        f"64:ff9b::{address}",
        f"64:ff9b:1::{address}",
        f"2002:{hexadecimal}::1",
    ]

    assert [disguise for disguise in disguises if is_public(disguise)] == []


@pytest.mark.parametrize(
    "address",
    ["::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "fd00:ec2::254", "fec0::1", "ff02::1",
     "2001:db8::1", "100::1", "2001:0:7f00:1::", "localhost", "", "8.8.8.8.8"],
)  # fmt: skip
def test_private_ipv6_addresses_and_non_addresses_are_refused(address: str) -> None:
    assert not is_public(address)


@given(st.ip_addresses(v=4, network="10.0.0.0/8") | st.ip_addresses(v=6, network="fc00::/7"))
def test_whole_private_networks_are_refused(address: object) -> None:
    assert not is_public(str(address))


@pytest.mark.parametrize("addresses", [["127.0.0.1"], ["8.8.8.8", "10.0.0.1"]])
async def test_a_name_with_any_private_address_is_refused(addresses: list[str]) -> None:
    guard = Guard(FixedResolver(addresses))

    with pytest.raises(AddressRefused):
        await guard.addresses("hooks.example.com", 443)


async def test_public_addresses_come_in_the_resolvers_order() -> None:
    guard = Guard(FixedResolver(["1.1.1.1", "8.8.8.8"]))

    assert await guard.addresses("hooks.example.com", 443) == ["1.1.1.1", "8.8.8.8"]


async def test_private_addresses_may_be_allowed() -> None:
    guard = Guard(FixedResolver(["127.0.0.1"]), allow_private=True)

    assert await guard.addresses("hooks.example.com", 443) == ["127.0.0.1"]


async def test_a_name_without_addresses_is_a_fault() -> None:
    with pytest.raises(OSError, match="no address"):
        await Guard(FixedResolver([])).addresses("hooks.example.com", 443)


async def test_the_connection_goes_to_the_address_that_was_checked() -> None:
    arrived = asyncio.Event()

    async def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        arrived.set()
        writer.close()

    server = await asyncio.start_server(take, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    # A second look at the name would lead elsewhere.
    resolver = FixedResolver(["127.0.0.1"], ["127.0.0.2"])

    async with server:
        backend = GuardedBackend(Guard(resolver, allow_private=True))
        stream = await backend.connect_tcp("rebinding.example.com", port, 1.0)
        connected_to = stream.get_extra_info("server_addr")
        await asyncio.wait_for(arrived.wait(), 1)
        await stream.aclose()

    assert connected_to == ("127.0.0.1", port)
    assert resolver.asked == 1


async def test_a_name_that_turns_private_is_refused_at_the_next_connection() -> None:
    guard = Guard(FixedResolver(["8.8.8.8"], ["127.0.0.1"]))
    await guard.addresses("rebinding.example.com", 443)

    with pytest.raises(AddressRefused):
        await GuardedBackend(guard).connect_tcp("rebinding.example.com", 443, 1.0)
