"""Puts the parts of following together; the application calls it once."""

from __future__ import annotations

from collections.abc import Awaitable, Callable

import msgspec

from medianest.accounts.model import User
from medianest.downloads.model import DownloadLeft, DownloadRemoved, DownloadStateChanged
from medianest.events import EventBus
from medianest.subscriptions.announcer import Announcer
from medianest.subscriptions.checker import Checker
from medianest.subscriptions.checking import Check
from medianest.subscriptions.looking import FeedReader, Looks
from medianest.subscriptions.repository.lists import SubscriptionLists
from medianest.subscriptions.repository.states import SubscriptionStates
from medianest.subscriptions.repository.work import WorkRepository
from medianest.subscriptions.rules import CheckRules
from medianest.subscriptions.service import SubscriptionService
from medianest.subscriptions.taking import Queue, Taking
from medianest.subscriptions.videos import Videos


class Subscriptions(msgspec.Struct, frozen=True, kw_only=True):
    """What the rest of the application needs."""

    service: SubscriptionService
    checker: Checker


def build_subscriptions(
    events: EventBus,
    *,
    owner: str,
    feeds: FeedReader,
    queue: Queue,
    person_of: Callable[[int], Awaitable[User]],
    rules: CheckRules = CheckRules(),  # noqa: B008  # frozen
) -> Subscriptions:
    """Build the slice; nothing is opened or started yet.

    Args:
        owner: name of this process and run, `<instance>/<run>/…`.
        feeds, queue: what reads lists and what downloads.
        person_of: gives a person by id.
    """
    lists, states, work = SubscriptionLists(), SubscriptionStates(), WorkRepository(owner, rules.lease_s)
    announcer = Announcer(events)
    taking = Taking(states, work, feeds, queue, rules)
    check = Check(states, work, feeds, queue, taking, person_of, rules)
    checker = Checker(work, check, announcer, rules, owner.partition("/")[0])
    videos = Videos(lists, states, feeds, queue, taking, person_of, announcer, checker.wake)
    events.subscribe(DownloadStateChanged, videos.on_state_changed)
    events.subscribe(DownloadRemoved, videos.on_removed)
    events.subscribe(DownloadLeft, videos.on_left)
    service = SubscriptionService(lists, states, feeds, Looks(feeds), videos, announcer, checker.wake)
    return Subscriptions(service=service, checker=checker)
