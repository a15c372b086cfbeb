"""Who may do what in Kafka and MongoDB: the one table, least privilege.

What a service consumes and which databases it reads is taken from the service itself, by building
it without servers; what it emits stands here. Beside the services there are five other users, each
for one purpose:

- ``ordermesh-api`` serves the HTTP API (``ordermesh api``): writes what the HTTP sides of the
  services write, and consumes nothing;
- ``ordermesh-admin`` makes and changes topics (``ordermesh topics apply``);
- ``ordermesh-operator`` is the person at night: reads every topic, puts dead letters back and
  notes it, reads every database;
- ``ordermesh-scaler`` sees how far consumers lag (KEDA) and reads no message;
- an outside system, one user each, sends commands and follows events (``outside``).

Transactions are used nowhere, so nobody has rights to a transactional ID.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

from services.names import MOUNTED, SERVICES
from services.wiring import wired
from shared.contracts.registry import Topics
from shared.messaging.acls import Acl
from shared.messaging.topics import DEAD_LETTERS, declared_topics
from shared.settings import Settings

EMITS: Mapping[str, tuple[str, ...]] = {
    "accounts": (Topics.CATALOG_EVENTS, Topics.ACCOUNTS_EVENTS),
    "pricing": (Topics.CATALOG_EVENTS, Topics.PRICING_RESULTS),
    "checkout": (Topics.CATALOG_EVENTS, Topics.ORDERS_EVENTS, Topics.PRICING_REQUESTS),
    "forwarding": (Topics.SUPPLIER_ORDERS_EVENTS,),
    "shipments": (Topics.SHIPMENTS_EVENTS,),
    "notifications": (Topics.CATALOG_EVENTS, Topics.NOTIFICATIONS_EVENTS),
}
"""The topics of each service's events. Beside them every service tells what it refuses."""

API_EMITS = (Topics.CATALOG_EVENTS, Topics.ACCOUNTS_EVENTS)
"""The topics of what changes over HTTP. What is refused there is told in the answer."""

PUBLIC_EVENTS = (
    Topics.CATALOG_EVENTS,
    Topics.ACCOUNTS_EVENTS,
    Topics.ORDERS_EVENTS,
    Topics.SUPPLIER_ORDERS_EVENTS,
    Topics.SHIPMENTS_EVENTS,
    Topics.NOTIFICATIONS_EVENTS,
    Topics.COMMANDS_REJECTED,
)
"""What outside systems follow."""

ADMIN = "ordermesh-admin"
API = "ordermesh-api"
OPERATOR = "ordermesh-operator"
SCALER = "ordermesh-scaler"


@dataclass(frozen=True, slots=True)
class Needs:
    """What a service consumes, and the services whose databases it opens, its own among them."""

    consumes: tuple[str, ...]
    databases: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class MongoUser:
    """A MongoDB user with its roles, (role, database)."""

    name: str
    roles: tuple[tuple[str, str], ...]


def user_of(service: str) -> str:
    """A service's user in Kafka and MongoDB, and its consumer group."""
    return f"ordermesh-{service}"


@cache
def needs_of(service: str) -> Needs:
    """What ``service`` needs, by its own wiring."""
    built, opened = wired(service, Settings.model_construct())
    return Needs(tuple(built.topics), tuple(sorted(opened)))


def service_acls(service: str) -> list[Acl]:
    """Kafka's rights of one service."""
    consumed = needs_of(service).consumes
    written = {
        *EMITS[service],
        Topics.COMMANDS_REJECTED,
        *(f"{topic}{DEAD_LETTERS}" for topic in consumed),
        # A command without its key is put back under it.
        *(topic for topic in consumed if topic.endswith(".commands")),
    }
    user = user_of(service)
    operations: dict[str, tuple[str, ...]] = dict.fromkeys(written, ("Write",))
    for topic in consumed:
        operations[topic] = ("Read", *operations.get(topic, ()))
    return [
        *(Acl(user, "topic", allowed, topic) for topic, allowed in operations.items()),
        Acl(user, "group", ("Read",), user),
    ]


def api_acls() -> list[Acl]:
    """Kafka's rights of the process that serves the HTTP API."""
    return [Acl(API, "topic", ("Write",), topic) for topic in API_EMITS]


def outside(user: str, groups: str) -> list[Acl]:
    """Kafka's rights of an outside system that sends commands and follows events, with consumer
    groups whose names begin with ``groups``."""
    commands = [t.name for t in declared_topics() if t.name.endswith(".commands")]
    return [
        *(Acl(user, "topic", ("Write",), topic) for topic in commands),
        *(Acl(user, "topic", ("Read",), topic) for topic in PUBLIC_EVENTS),
        Acl(user, "group", ("Read",), groups, prefix=True),
    ]


def all_acls() -> list[Acl]:
    """Kafka's rights of every user of the deployment."""
    topics = [topic.name for topic in declared_topics()]
    letters = {topic for topic in topics if topic.endswith(DEAD_LETTERS)}
    replayed = {topic.removesuffix(DEAD_LETTERS) for topic in letters}
    consumed = sorted({topic for service in SERVICES for topic in needs_of(service).consumes})
    alter = ("Create", "Alter", "AlterConfigs", "DescribeConfigs")
    return [
        *(acl for service in SERVICES for acl in service_acls(service)),
        *api_acls(),
        *(Acl(ADMIN, "topic", alter, topic) for topic in topics),
        *(
            Acl(OPERATOR, "topic", ("Read", "Write") if topic in replayed else ("Read",), topic)
            for topic in topics
        ),
        *(Acl(OPERATOR, "group", ("Describe",), user_of(service)) for service in SERVICES),
        *(Acl(SCALER, "topic", ("Describe",), topic) for topic in consumed),
        *(Acl(SCALER, "group", ("Describe",), user_of(service)) for service in SERVICES),
    ]


def mongo_users(settings: Settings) -> list[MongoUser]:
    """MongoDB's users: each service writes its own database and reads those whose reference data
    it needs, and what was done about its dead letters. The HTTP API writes the databases of the
    services whose routes it serves."""
    users = []
    operations = settings.database("operations")
    for service in SERVICES:
        roles = [("readWrite", settings.database(service))]
        roles += [
            ("read", settings.database(other))
            for other in needs_of(service).databases
            if other != service
        ]
        users.append(MongoUser(user_of(service), (*roles, ("read", operations))))
    served = tuple(("readWrite", settings.database(service)) for service in MOUNTED)
    users.append(MongoUser(API, served))
    reads = tuple(("read", settings.database(service)) for service in SERVICES)
    return [*users, MongoUser(OPERATOR, (*reads, ("readWrite", operations)))]
