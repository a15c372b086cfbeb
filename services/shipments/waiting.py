"""Beside the batches: what waits for its order is looked at every other second."""

import asyncio

import structlog

from services.shipments.handlers import ShipmentHandlers
from shared.endings import heed_cancellation
from shared.logs import told
from shared.messaging.faults import INFRASTRUCTURE_FAULTS
from shared.service import Task

log = structlog.get_logger()

_PAUSE = 2.0


def sweeping(handlers: ShipmentHandlers) -> Task:
    """The task that sweeps until it is cancelled."""

    async def sweep() -> None:
        while True:
            try:
                await handlers.sweep()
            except INFRASTRUCTURE_FAULTS as error:
                # Nothing is lost by a sweep that fails: the next one looks again.
                log.warning("waiting_sweep_failed", error=told(error))
            heed_cancellation()
            await asyncio.sleep(_PAUSE)

    return sweep
