"""How hard aiokafka compresses.

aiokafka compresses with LZ4 at level 9 and has no setting for it (aiokafka issue 1028). That level
searches: 13 µs for a kilobyte of an order's events, where LZ4's fast mode, which librdkafka takes,
needs 1 µs. What comes out of that is a quarter larger.
"""

from aiokafka import codec

_FAST = 1


def mend_compression() -> None:
    """Makes LZ4 fast, in this whole process. Doing it again changes nothing."""
    codec.lz4_encode.__defaults__ = (_FAST,)
