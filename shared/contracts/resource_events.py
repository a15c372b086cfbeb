"""How events tell of a resource of the HTTP API.

What is stored of a resource is its model with the IDs of what it belongs to, its parents: a buyer's
cost center has a ``BuyerID``. Every change is told by ``<name>Saved``, with what is stored, or
``<name>Deleted``. Parents and ID, joined by ``/``, are the record's key.
"""

from collections.abc import Callable, Mapping
from copy import copy
from dataclasses import dataclass
from typing import Any, cast

from pydantic import ConfigDict, create_model

from shared.contracts.base import ID, Resource, write_only_fields
from shared.contracts.registry import CatalogKind, MessageType, declare


@dataclass(frozen=True, slots=True, eq=False)
class ResourceEvents:
    """What is stored of one kind of resource, and the events of its changes.

    ``stored`` has the fields of ``model`` that may be kept, and ``parents``. ``key`` are the fields
    that together tell one resource from all others of its kind: parents and ``id``, or what an
    assignment ties together.
    """

    name: str
    model: type[Resource]
    stored: type[Resource]
    saved: MessageType[Any]
    deleted: MessageType[Any]
    parents: tuple[str, ...]
    key: tuple[str, ...]
    saved_as: Callable[[Any], MessageType[Any]]
    """Which event tells that a stored one was saved: ``saved``, but for what has expressions."""

    def id_of(self, stored: Resource) -> str:
        """The values of ``key`` joined by ``/``; what is absent is empty."""
        return _joined(self.key)(stored)

    def saved_message(self, stored: Resource) -> tuple[MessageType[Any], Resource]:
        """The event that tells that ``stored`` was saved, and its body."""
        type = self.saved_as(stored)
        return type, _part(type.body, stored)

    def deleted_message(self, stored: Resource) -> tuple[MessageType[Any], Resource]:
        """The event that tells that ``stored`` was deleted, and its body."""
        return self.deleted, _part(self.deleted.body, stored)


RESOURCES: dict[str, ResourceEvents] = {}
"""All kinds by name."""


def resource_events(
    name: str,
    model: type[Resource],
    topic: str,
    *,
    parents: tuple[str, ...] = (),
    key: tuple[str, ...] | None = None,
    untold: tuple[str, ...] = (),
    own: Mapping[str, Any] | None = None,
) -> ResourceEvents:
    """Declares a kind. ``key``: of an assignment, the fields that it ties together, beside its
    parents; its ``Deleted`` then has all that the ``Saved`` has. ``untold`` fields are stored and
    in no event; nor are the service's ``own``, which the model does not even have."""
    kept = _fields(model, without=write_only_fields(model))
    held: dict[str, Any] = {parent: (ID, ...) for parent in parents if parent not in kept}
    stored = _model(f"Stored{name}", model, {**held, **kept, **(own or {})})
    told = stored
    if untold or own:
        hidden = (*untold, *write_only_fields(model))
        told = _model(f"Told{name}", model, {**held, **_fields(model, without=hidden)})
    deleted = told
    if key is None:
        deleted = _model(f"Deleted{name}", Resource, {**held, "id": (ID, ...)})
    names = (*parents, *(key or ("id",)))
    key_of = _joined(names)
    saved = declare(topic, f"{name}Saved", told, key_of)
    return _known(
        ResourceEvents(
            name=name,
            model=model,
            stored=stored,
            saved=saved,
            deleted=declare(topic, f"{name}Deleted", deleted, key_of),
            parents=parents,
            key=names,
            saved_as=lambda _: saved,
        )
    )


def catalog_events(
    kind: CatalogKind[Any], model: type[Resource], parents: tuple[str, ...] = ()
) -> ResourceEvents:
    """A kind that Kafka's commands change too: its ID alone tells it from all others."""
    return _known(
        ResourceEvents(
            name=kind.name,
            model=model,
            stored=kind.body,
            saved=kind.saved,
            deleted=kind.deleted,
            parents=parents,
            key=("id",),
            saved_as=kind.saved_as,
        )
    )


def _known(events: ResourceEvents) -> ResourceEvents:
    RESOURCES[events.name] = events
    return events


class _Made(Resource):
    # Most processes never see one of most kinds.
    model_config = ConfigDict(defer_build=True)


def _model(name: str, of: type[Resource], fields: dict[str, Any]) -> type[Resource]:
    """A model with ``fields``. Rules across fields stay with ``of``: what is stored was checked
    when it was written."""
    doc = None if of is Resource else of.__doc__
    return cast(
        "type[Resource]",
        create_model(name, __base__=_Made, __doc__=doc, __module__=__name__, **fields),
    )


def _fields(model: type[Resource], *, without: tuple[str, ...]) -> dict[str, Any]:
    return {
        name: (field.annotation, copy(field))
        for name, field in model.model_fields.items()
        if name not in without
    }


def _joined(names: tuple[str, ...]) -> Callable[[Any], str]:
    def key(resource: Any) -> str:
        values = (getattr(resource, name) for name in names)
        return "/".join("" if value is None else str(value) for value in values)

    return key


def _part(model: type[Resource], whole: Resource) -> Resource:
    """The fields of ``model`` that ``whole`` has."""
    if isinstance(whole, model):
        return whole
    return model.model_construct(**{name: getattr(whole, name) for name in model.model_fields})
