"""Sentences about requests. What Overseerr says in its own words is never passed on."""

from __future__ import annotations

from medianest.requests.model import ReasonCode

KEPT = "The request service does not answer at the moment. Your request is kept and sent as soon as it does."
REASONS = {
    ReasonCode.UPSTREAM_DOWN: KEPT,
    ReasonCode.DECLINED_UPSTREAM: "It was declined in Overseerr.",
    ReasonCode.DELETED_UPSTREAM: "It was removed in Overseerr.",
    ReasonCode.UPSTREAM_PERMISSION: "Overseerr does not let this person ask for it. Whoever runs the server can allow it there.",
    ReasonCode.UPSTREAM_QUOTA: "The share of requests that Overseerr gives this person is used up. Try again later.",
    ReasonCode.BLOCKLISTED: "It is on the blocklist of Overseerr, so it cannot be asked for.",
    ReasonCode.NOTHING_TO_REQUEST: "Overseerr has nothing left to look for here.",
    ReasonCode.UPSTREAM_REFUSED: "Overseerr could not take it, several times. Try again later, or tell whoever runs the server.",
    ReasonCode.HANDOVER_FAILED: "Overseerr could not hand it over to be looked for. Whoever runs the server can try again.",
}
# offered when a request is declined; the reason may also be written freely
READY_REASONS = (
    "We have it already, in another version.",
    "There is not enough room at the moment.",
    "It does not fit on this server.",
)
