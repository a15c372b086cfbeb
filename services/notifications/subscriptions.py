"""Who has subscribed: the active webhooks, read at most every quarter of a second."""

import asyncio
from collections.abc import Sequence
from typing import Any

from shared.contracts.catalog import Webhook
from shared.contracts.registry import MessageType
from shared.messaging.message import Message
from shared.messaging.processor import AggregateProcessor
from shared.mongo.aggregates import MongoAggregateStore


class Subscriptions:
    """The active webhooks. A change through this process counts from the next batch on, one
    through another after ``remember`` seconds at the latest."""

    def __init__(self, store: MongoAggregateStore[Webhook], *, remember: float = 0.25) -> None:
        self._store = store
        self._remember = remember
        self._webhooks: dict[str, Webhook] = {}
        self._read_at = float("-inf")
        self._changes = 0
        self._reading = asyncio.Lock()

    async def active(self) -> dict[str, Webhook]:
        """All active webhooks by ID. Raises the driver's errors."""
        if not self._fresh():
            async with self._reading:
                # Whoever waited for the lock finds what its holder read.
                if not self._fresh():
                    await self._read()
        return self._webhooks

    async def find(self, id: str) -> Webhook | None:
        """The active webhook ``id``, also when it is newer than what is remembered. Raises the
        driver's errors."""
        known = (await self.active()).get(id)
        if known is not None:
            return known
        stored = await self._store.get(id)
        return stored if stored is not None and stored.active else None

    def forget(self) -> None:
        """Reads again before the next answer."""
        self._read_at = float("-inf")
        self._changes += 1

    def _fresh(self) -> bool:
        return asyncio.get_running_loop().time() - self._read_at <= self._remember

    async def _read(self) -> None:
        now, changes = asyncio.get_running_loop().time(), self._changes
        found = self._store.collection.find({"state.Active": True}, {"state": 1})
        self._webhooks = {
            document["_id"]: Webhook.model_validate(document["state"]) async for document in found
        }
        # What changed while it was read may be missing from it.
        if changes == self._changes:
            self._read_at = now


class WebhookProcessor:
    """The catalogue's processor of webhooks; tells the subscriptions of every change."""

    def __init__(
        self, processor: AggregateProcessor[Webhook, None], subscriptions: Subscriptions
    ) -> None:
        self._processor = processor
        self._subscriptions = subscriptions

    @property
    def types(self) -> frozenset[MessageType[Any]]:
        return self._processor.types

    async def process(self, messages: Sequence[Message[Any]]) -> None:
        await self._processor.process(messages)
        self._subscriptions.forget()
