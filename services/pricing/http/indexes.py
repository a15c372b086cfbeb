"""Indexes for looking up by IDs, which are compared exactly: lists have others, which are not."""

import re

from pymongo import ASCENDING, IndexModel

_UPPER = re.compile("[A-Z]")


def exact(*fields: str) -> IndexModel:
    """An index on fields of the state, by wire names, for finding those with certain IDs."""
    return IndexModel(
        [(f"state.{field}", ASCENDING) for field in fields], name="exact_" + "_".join(fields)
    )


def token(*ids: str) -> str:
    """``ids`` as one text that differs from that of other IDs even where letters of either case
    are equal, as they are in lists."""
    return _UPPER.sub(r".\g<0>", "/".join(ids))
