"""Puts the parts of requests together; the application calls it once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from medianest.connections.model import ServiceStatusChanged
from medianest.connections.overseerr.model import OverseerrConnectionChanged
from medianest.events import EventBus
from medianest.media.model import TitleAvailabilityChanged
from medianest.requests.announcer import Announcer
from medianest.requests.asking import Asking
from medianest.requests.belongings import PersonRequests
from medianest.requests.decisions import Decisions
from medianest.requests.delivery import Delivery, SendRules
from medianest.requests.hints import Hints
from medianest.requests.importing import Importing
from medianest.requests.jobs import RequestJobs
from medianest.requests.moving import Moving
from medianest.requests.neighbours import PersonOf, RequestManager, Titles
from medianest.requests.panel import Panels
from medianest.requests.repository.belongings import BelongingsRepository
from medianest.requests.repository.lists import RequestLists
from medianest.requests.repository.outbox import Outbox
from medianest.requests.repository.quotas import QuotaRepository
from medianest.requests.repository.states import RequestStates
from medianest.requests.sending import Sender
from medianest.requests.service import RequestService
from medianest.requests.showing import Showing
from medianest.requests.sync import Sync, SyncRules
from medianest.requests.webhook import WebhookInbox


class Requests(msgspec.Struct, frozen=True, kw_only=True):
    """What the rest of the application needs of requests. Start and stop the sender and the hints."""

    service: RequestService
    belongings: PersonRequests
    sender: Sender
    sync: Sync
    hints: Hints
    inbox: WebhookInbox
    jobs: RequestJobs


class Rules(msgspec.Struct, frozen=True, kw_only=True):
    """Every time and number of the slice; tests have shorter ones."""

    send: SendRules = SendRules()
    sync: SyncRules = SyncRules()


def build_requests(
    events: EventBus,
    *,
    owner: str,
    titles: Titles,
    manager: RequestManager,
    person_of: PersonOf,
    is_down: Callable[[], Awaitable[bool]],
    rules: Rules = Rules(),  # noqa: B008  # frozen
) -> Requests:
    """Build the slice; nothing is opened or started yet.

    Args:
        owner: name of this process and run, `<instance>/<run>/…`.
        person_of: gives a person by id.
        is_down: whether the request manager is known not to answer, so that requests are only kept.
    """
    lists, states, outbox, quotas = RequestLists(), RequestStates(), Outbox(owner), QuotaRepository()
    announcer = Announcer(events, states)
    showing = Showing(lists, titles)
    delivery = Delivery(states, outbox, manager, person_of, announcer, rules.send)
    sender = Sender(outbox, delivery, rules.send, owner.partition("/")[0])
    importing = Importing(lists, states, manager, titles, announcer)
    sync = Sync(lists, states, outbox, manager, titles, importing, announcer, rules.sync)
    events.subscribe(TitleAvailabilityChanged, sync.arrived)
    hints = Hints(sync)
    moving = Moving(states, outbox, sender, sync)
    events.subscribe(OverseerrConnectionChanged, moving.connection_changed)
    events.subscribe(ServiceStatusChanged, moving.status_changed)
    service = RequestService(
        lists=lists,
        states=states,
        asking=Asking(states, outbox, quotas, titles, person_of, announcer, sender.wake),
        decisions=Decisions(lists, states, outbox, quotas, announcer, sender.wake),
        panels=Panels(lists, states, quotas, showing, is_down),
        showing=showing,
        announcer=announcer,
    )
    return Requests(
        service=service,
        belongings=PersonRequests(BelongingsRepository(), states, outbox, announcer, sender.wake),
        sender=sender,
        sync=sync,
        hints=hints,
        inbox=WebhookInbox(manager, hints),
        jobs=RequestJobs(lists, sync),
    )
