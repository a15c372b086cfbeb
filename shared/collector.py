"""Python's cycle collector, made rare: services make no cycles, and a batch or a page of a list
keeps tens of thousands of objects for some milliseconds."""

import gc


def tune_collector() -> None:
    """To be called once what a process keeps for good is there. With the default thresholds the
    collector walks the objects of each batch again and again, which took two fifths of the
    processor time."""
    gc.freeze()
    gc.set_threshold(100_000, 50, 100)
