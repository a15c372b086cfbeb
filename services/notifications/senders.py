"""What the dispatcher sends with: one sender for each channel."""

from typing import Protocol

from services.notifications.domain import Delivery, Outcome


class Sender(Protocol):
    """Makes one attempt. Whoever calls it limits the time."""

    async def send(self, id: str, delivery: Delivery) -> Outcome:
        """Sends ``delivery`` once. Expected faults come back as the outcome."""
        ...

    async def close(self) -> None:
        """Closes what connections it keeps."""
        ...
