"""Moving a user from one buyer to another."""

from typing import Any

from services.accounts.http.belongings import IMPERSONATED_USER, OF_USER
from services.accounts.http.door import AccountsDoor
from services.accounts.http.user_rules import need_no_client
from shared.contracts.resources import USER
from shared.http.documents import wire
from shared.http.errors import bad_request, id_exists, not_found
from shared.http.operations import Call
from shared.http.places import BUYERS
from shared.http.resources import ResourceOperations

_ORDERS = ("None", "Unsubmitted", "All")


class Moves:
    """The handler of ``Users.Move``."""

    def __init__(self, door: AccountsDoor, users: ResourceOperations) -> None:
        self._door = door
        self._users = users

    async def move(self, call: Call) -> dict[str, Any]:
        """Stores the user with the new buyer and then deletes it with the old one, so that it is
        missing at no time; asked again, an interrupted move is completed."""
        self._check_orders(call)
        kind, documents = self._door.kinds["User"], self._door.documents["User"]
        old, new = call.path["buyerID"], call.path["newBuyerID"]
        state = await self._users.existing(call)
        if not await self._door.exists(BUYERS, new):
            raise not_found("Buyer", new)
        if new == old:
            raise bad_request(
                "ValidationFailure",
                f"The user is with {old} already; name another buyer.",
                Field="newBuyerID",
            )
        await need_no_client(self._door, state, "User.CannotMoveDefaultContextUser")
        await self._users.belongings.forsake((IMPERSONATED_USER,), state, call)
        before: Any = USER.stored.model_validate(state)
        after = before.model_copy(update={"buyer_id": new, "company_id": new, "moving_to": None})
        old_key, new_key = kind.key([old], state["ID"]), kind.key([new], state["ID"])

        def decide(stored: Any) -> Any:
            if stored is not None and stored.internal_id != before.internal_id:
                raise id_exists("User", before.id)
            return after

        there = await documents.get(new_key)
        if there is None:
            await self._users.yield_unique(before, new_key, call)
        elif there["InternalID"] != before.internal_id:
            raise id_exists("User", before.id)
        await documents.change(new_key, decide, call)
        await self._users.belongings.forsake(OF_USER, state, call)
        await documents.change(old_key, lambda stored: None, call)
        await self._door.passwords.revoke(state["InternalID"])
        return (await self._users.shown([wire(after)], call))[0]

    def _check_orders(self, call: Call) -> None:
        asked = call.parameter("orders")
        if asked is None or asked.lower() == "none":
            return
        known = {option.lower() for option in _ORDERS}
        raise bad_request(
            "ValidationFailure",
            "A user's orders stay with the buyer that they were placed for: leave orders out, or"
            " set it to None."
            if asked.lower() in known
            else f"orders is one of {', '.join(_ORDERS)}, not {asked[:50]}.",
            Field="orders",
        )
