"""Tells pages what changed; call it after the transaction has committed."""

from __future__ import annotations

from medianest.events import EventBus
from medianest.subscriptions.model import SubscriptionChanged, SubscriptionsChanged


class Announcer:
    def __init__(self, events: EventBus) -> None:
        self._events = events

    async def changed(self, subscription_id: int, user_id: int) -> None:
        """A card or the videos under it are other now."""
        await self._events.publish(SubscriptionChanged(subscription_id=subscription_id, user_id=user_id))

    async def listed(self, user_id: int) -> None:
        """The list of what somebody follows is another."""
        await self._events.publish(SubscriptionsChanged(user_id=user_id))
