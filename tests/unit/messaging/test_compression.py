"""What aiokafka sends is compressed by LZ4's fast mode, through its own builder of batches."""

from collections.abc import Iterator

import pytest
from aiokafka import codec
from aiokafka.record.default_records import DefaultRecordBatch, DefaultRecordBatchBuilder

from shared.messaging.compression import mend_compression

LZ4 = 3
"""Its number in Kafka's record batches."""
VALUE = b"".join(b'{"ID":"order-%d","Total":"%d.50"}' % (n, n * 7919 % 1000) for n in range(2_000))


@pytest.fixture(autouse=True)
def mended() -> Iterator[None]:
    before = codec.lz4_encode.__defaults__
    mend_compression()
    yield
    codec.lz4_encode.__defaults__ = before


def batch_of(value: bytes) -> bytes:
    builder = DefaultRecordBatchBuilder(
        magic=2, compression_type=LZ4, is_transactional=0,
        producer_id=-1, producer_epoch=-1, base_sequence=-1, batch_size=2**20,
    )  # fmt: skip
    builder.append(0, timestamp=0, key=b"key", value=value, headers=[])
    return bytes(builder.build())


def test_a_batch_is_compressed_fast_and_reads_as_before() -> None:
    fast = batch_of(VALUE)
    codec.lz4_encode.__defaults__ = (9,)
    thorough = batch_of(VALUE)

    assert len(thorough) < len(fast) < len(VALUE) / 2
    [record] = DefaultRecordBatch(bytearray(fast))
    assert record.value == VALUE


def test_mending_again_changes_nothing() -> None:
    once = batch_of(VALUE)
    mend_compression()

    assert batch_of(VALUE) == once
