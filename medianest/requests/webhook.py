"""Who may leave a hint: whoever knows the secret that Overseerr was given, and with nothing larger than such a hint is."""

from __future__ import annotations

import hmac

import msgspec

from medianest.errors import Invalid, NotSignedIn, TooLarge
from medianest.requests.hints import Hints, Hook
from medianest.requests.neighbours import RequestManager

LARGEST_BYTES = 64 * 1024
REFUSED = (
    "This is not the secret of the webhook. Copy the Authorization header anew from MediaNest's page for Overseerr."
)


class WebhookInbox:
    """Checks and takes what Overseerr's webhook sends."""

    def __init__(self, manager: RequestManager, hints: Hints) -> None:
        self._manager = manager
        self._hints = hints

    async def take(self, authorization: str, body: bytes) -> bool:
        """Whether a request was named that is looked at now; the same again does no harm.

        Raises:
            NotSignedIn: the secret is missing or another one.
            TooLarge, Invalid: it is no webhook of theirs.
        """
        secret = await self._manager.webhook_secret()
        sent = authorization.removeprefix("Bearer ").strip()
        # compared in any case, so that an unset secret takes as long as a wrong one
        is_right = hmac.compare_digest(sent.encode("utf-8", "replace"), (secret or "-").encode())
        if not secret or not is_right:
            raise NotSignedIn(REFUSED, code="webhook_secret_wrong")
        if len(body) > LARGEST_BYTES:
            raise TooLarge("A webhook of Overseerr is never as large as this.")
        try:
            hook = msgspec.json.decode(body, type=Hook)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            raise Invalid("This is no webhook of Overseerr or Seerr.", code="webhook_unreadable") from error
        return self._hints.take(hook)
