"""Who may ask for what, and how much. Nothing here reads or writes; the service calls it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from medianest.accounts.model import NO_LIMIT, Permission, User
from medianest.errors import Conflict, Invalid, NotAllowed, QuotaExceeded
from medianest.media.model import Availability, MediaType, Title
from medianest.requests.model import LONGEST_REASON, NewRequest, RequestQuota, RequestStatus
from medianest.requests.repository.rows import FILM, Row

ASK = {MediaType.MOVIE: Permission.REQUEST_FILMS, MediaType.TV: Permission.REQUEST_SHOWS}
NO_RIGHT = {
    MediaType.MOVIE: "Your account may not ask for films. Ask whoever runs this server.",
    MediaType.TV: "Your account may not ask for series. Ask whoever runs this server.",
}
NO_4K = "Your account may not ask for 4K. Ask for the ordinary version, or ask whoever runs this server."
NONE_AT_ALL = "Your account has no requests of its own. Ask whoever runs this server for some."
ONLY_APPROVERS = "Only whoever looks after requests can do this."
THERE = "It is in the library already."
MOST_SEASONS = 200


def may_manage(by: User) -> bool:
    """Whether they say yes and no to what others ask for."""
    return by.may(Permission.MANAGE_REQUESTS)


def sees_all(by: User) -> bool:
    """Whether they see everybody's requests, with names."""
    return may_manage(by) or by.may(Permission.SEE_OTHERS_REQUESTS)


def needs_approval(person: User) -> bool:
    """Whether somebody else must say yes; for children always."""
    return person.is_child or not person.may(Permission.AUTO_APPROVE)


def check_rights(person: User, media_type: MediaType, *, is_4k: bool) -> None:
    """Raises `NotAllowed` where our own rights do not go so far."""
    if not person.may(ASK[media_type]):
        raise NotAllowed(NO_RIGHT[media_type], code="permission_missing")
    if is_4k and not person.may(Permission.REQUEST_4K):
        raise NotAllowed(NO_4K, code="permission_missing")


def wanted_parts(new: NewRequest, title: Title) -> tuple[int, ...]:
    """What of the title is wanted and not there: seasons, or the film's one part.

    Raises:
        Invalid: no season was chosen, or the series has none with this number.
        Conflict: all of it is in the library.
    """
    there = title.availability_4k if new.is_4k else title.availability
    if new.media_type is MediaType.MOVIE:
        if new.seasons:
            raise Invalid("A film has no seasons.", fields={"seasons": "A film has no seasons."})
        if there is Availability.AVAILABLE:
            raise Conflict(THERE, code="already_there")
        return (FILM,)
    known = {season.number: season for season in title.counted_seasons}
    if new.seasons is not None and not new.seasons:
        text = "Choose at least one season."
        raise Invalid(text, fields={"seasons": text})
    chosen = sorted(set(known if new.seasons is None else new.seasons))
    wrong = [number for number in chosen if number not in known]
    if wrong or len(chosen) > MOST_SEASONS:
        text = "The series has no such season." if wrong else "These are too many seasons at once."
        raise Invalid(text, fields={"seasons": text})
    if not chosen:
        raise Conflict("Nothing of this series can be asked for yet.", code="nothing_to_request")
    if new.is_4k:
        missing = chosen if there is not Availability.AVAILABLE else []
    else:
        missing = [number for number in chosen if known[number].availability is not Availability.AVAILABLE]
    if not missing:
        raise Conflict(THERE, code="already_there")
    return tuple(missing)


def admit(person: User, charges: Sequence[tuple[datetime, int]], cost: int, now: datetime) -> None:
    """Raises `QuotaExceeded` when so much is not left; says when it will be. Administrators are not bound."""
    limit, days = person.quotas.requests_limit, person.quotas.requests_days
    if person.is_admin or limit == NO_LIMIT:
        return
    if limit < 1:
        raise QuotaExceeded(NONE_AT_ALL, retry_after_s=24 * 3600)
    used = sum(one for _when, one in charges)
    if used + cost <= limit:
        return
    span = f"in {days} days" if days > 1 else "a day"
    if cost > limit:
        raise QuotaExceeded(
            f"This takes {cost} of your {limit} requests {span}. Choose fewer seasons.", retry_after_s=24 * 3600
        )
    opens = opens_at(charges, limit, cost, days, now)
    left = max(0, limit - used)
    took = (
        f"This takes {cost} of your {limit} requests {span}, and {left} are left."
        if left
        else f"You have used your {limit} requests {span}."
    )
    raise QuotaExceeded(
        f"{took} It can be asked for on {opens:%d %B at %H:%M} UTC.",
        retry_after_s=max(1, round((opens - now).total_seconds())),
    )


def opens_at(charges: Sequence[tuple[datetime, int]], limit: int, cost: int, days: int, now: datetime) -> datetime:
    """When enough of what was counted is old enough."""
    used = sum(one for _when, one in charges)
    for when, one in charges:
        used -= one
        if used + cost <= limit:
            return when + timedelta(days=days)
    return now + timedelta(days=days)


def quota_of(person: User, charges: Sequence[tuple[datetime, int]]) -> RequestQuota:
    """What is used and left, for pages."""
    limit = NO_LIMIT if person.is_admin else person.quotas.requests_limit
    used = sum(one for _when, one in charges)
    return RequestQuota(
        limit=limit,
        days=person.quotas.requests_days,
        used=used,
        left=None if limit == NO_LIMIT else max(0, limit - used),
        opens_at=charges[0][0] + timedelta(days=person.quotas.requests_days) if charges else None,
    )


def check_reason(reason: str) -> str:
    """Why something is declined, in one line; raises `Invalid`."""
    line = " ".join(reason.split())
    if not line:
        text = "Say why: the person who asked reads it."
        raise Invalid(text, code="reason_missing", fields={"reason": text})
    if len(line) > LONGEST_REASON or not line.isprintable():
        text = f"At most {LONGEST_REASON} characters, in plain text."
        raise Invalid(text, fields={"reason": text})
    return line


def can_cancel(row: Row, by: User) -> bool:
    """Own ones while nobody has said yes or while they are only kept; whoever looks after requests any open one."""
    if not row.is_open:
        return False
    if may_manage(by):
        return True
    is_kept = row.status is RequestStatus.APPROVED and row.overseerr_id is None
    return row.requested_by == by.id and (row.status is RequestStatus.PENDING or is_kept)


def can_decide(row: Row, by: User) -> bool:
    return may_manage(by) and row.status is RequestStatus.PENDING


def can_decline(row: Row, by: User) -> bool:
    """After an approval too, as long as nothing of it is there."""
    return may_manage(by) and row.status in (RequestStatus.PENDING, RequestStatus.APPROVED, RequestStatus.PROCESSING)


def can_retry(row: Row, by: User) -> bool:
    return row.status is RequestStatus.FAILED and (may_manage(by) or row.requested_by == by.id)


def ids_of(values: Iterable[object]) -> tuple[int, ...]:
    """Numbers of requests as a form sends them, each once, at most a hundred."""
    found = dict.fromkeys(int(text) for value in values if (text := str(value)).isdecimal() and len(text) < 19)
    return tuple(found)[:100]
