"""Wiring of the notifications service."""

from datetime import timedelta

from services.notifications.consumers import EventProcessor
from services.notifications.dispatcher import Dispatcher
from services.notifications.domain import Channel
from services.notifications.limits import Limits
from services.notifications.mail import MailRenderer, MailSender
from services.notifications.pending import counting_pending
from services.notifications.planning import Planner
from services.notifications.results import Results
from services.notifications.rules import fold_webhook
from services.notifications.senders import Sender
from services.notifications.store import DeliveryStore
from services.notifications.subscriptions import Subscriptions, WebhookProcessor
from services.notifications.views import event_views
from services.notifications.webhooks import WebhookSender
from shared.contracts.catalog import Webhook
from shared.contracts.registry import WEBHOOK
from shared.guard import Guard, Resolve, Resolver
from shared.mail.sender import MailFrom
from shared.mail.smtp import MailServer, SmtpPool
from shared.messaging.processor import AggregateProcessor, no_context
from shared.mongo.aggregates import MongoAggregateStore
from shared.service import Resources, Service, Task, indexes_of

NAME = "notifications"

_DISCARD = "discard:"


def build(resources: Resources, *, limits: Limits | None = None) -> Service:
    """The service. ``limits`` are those of the dispatcher, the usual ones by default.

    Raises ValueError when the settings for e-mail are not understood.
    """
    settings = resources.settings
    database = resources.database(NAME)
    hooks = MongoAggregateStore(database, "webhooks", Webhook)
    deliveries = DeliveryStore(database)
    subscriptions = Subscriptions(hooks)
    resolver = Resolver()
    dispatcher = Dispatcher(
        deliveries,
        Results(deliveries, resources.publisher),
        _senders(resources, subscriptions, resolver),
        resources.clock,
        resources.metrics,
        limits if limits is not None else Limits(),
        resources.tracing,
    )
    smtp = settings.smtp.get_secret_value()
    mail = bool(smtp)
    return Service(
        NAME,
        processors=[
            _webhook_processor(resources, hooks, subscriptions),
            EventProcessor(
                event_views(mail=mail),
                Planner(mail=mail, keep=timedelta(seconds=settings.notification_seconds)),
                subscriptions,
                deliveries,
                dispatcher,
                resources.publisher,
                resources.clock,
                resources.metrics,
                discard_mail=smtp == _DISCARD,
            ),
        ],
        stores={"webhooks": hooks, "deliveries": deliveries},
        prepare=indexes_of(hooks, deliveries),
        tasks=[
            _closing(resolver, dispatcher.run),
            counting_pending(NAME, deliveries, resources.clock, resources.metrics),
        ],
    )


def _webhook_processor(
    resources: Resources, hooks: MongoAggregateStore[Webhook], subscriptions: Subscriptions
) -> WebhookProcessor:
    return WebhookProcessor(
        AggregateProcessor(
            service=NAME,
            types=(WEBHOOK.save, WEBHOOK.delete),
            store=hooks,
            fold=fold_webhook(allow_private=resources.settings.allow_private_targets),
            prepare=no_context,
            publisher=resources.publisher,
            clock=resources.clock,
            metrics=resources.metrics,
        ),
        subscriptions,
    )


def _senders(
    resources: Resources, subscriptions: Subscriptions, resolve: Resolve
) -> dict[Channel, Sender]:
    settings = resources.settings
    private = settings.allow_private_targets
    guard = Guard(resolve, allow_private=private)
    senders: dict[Channel, Sender] = {
        Channel.WEBHOOK: WebhookSender(subscriptions, guard, resources.clock, allow_private=private)
    }
    smtp = settings.smtp.get_secret_value()
    if smtp and smtp != _DISCARD:
        pool = SmtpPool(MailServer.parse(smtp), guard, cleartext_login=private)
        sender = MailFrom.parse(settings.mail_from)
        senders[Channel.EMAIL] = MailSender(pool, sender, MailRenderer())
    return senders


def _closing(resolver: Resolver, task: Task) -> Task:
    async def run() -> None:
        try:
            await task()
        finally:
            resolver.close()

    return run
