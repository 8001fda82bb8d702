"""Who may change what about whom. Nothing here reads or writes; the service calls it inside its transaction."""

from __future__ import annotations

import secrets
import unicodedata
from datetime import UTC, datetime, timedelta

import msgspec

from medianest.accounts.model import NO_LIMIT, Permission, Quotas, RatingLimit, Role, User
from medianest.accounts.passwords import check_password
from medianest.accounts.people.model import (
    LONGEST_REASON,
    MOST_BYTES,
    MOST_DAYS,
    MOST_DOWNLOADS,
    MOST_REQUESTS,
    OwnQuotas,
    Person,
    PersonChange,
)
from medianest.accounts.rights import NOT_FOR_CHILDREN
from medianest.errors import Conflict, Invalid, MediaNestError, NotAllowed

UNSET = msgspec.UNSET
LONGEST_DISPLAY_NAME = 64
LONGEST_SUSPENSION = timedelta(days=3660)
# nothing that looks like something else when it is read out
UPPER, LOWER, DIGITS = "ABCDEFGHJKLMNPQRSTUVWXYZ", "abcdefghijkmnpqrstuvwxyz", "23456789"
LAST_ADMIN = "This is the only administrator who can sign in. Make somebody else an administrator first."


def may_touch(by: User, person: User) -> None:
    """Raise `NotAllowed` where a manager of people would change an administrator."""
    if not by.may(Permission.MANAGE_USERS):
        raise NotAllowed("Your account may not change people. Ask whoever runs this server.", code="permission_missing")
    if person.is_admin and not by.is_admin:
        raise NotAllowed("Only an administrator can change an administrator.", code="target_is_administrator")


def not_oneself(by: User, person: User, sentence: str) -> None:
    """Raise `Conflict` with `sentence` when both are the same."""
    if by.id == person.id:
        raise Conflict(sentence, code="not_yourself")


def check_change(change: PersonChange, person: Person, by: User) -> None:
    """Raise what stands against `change`; a last administrator is looked for in the database, not here."""
    may_touch(by, person)
    if change.role is not UNSET and change.role is not person.role:
        if not by.is_admin:
            raise NotAllowed("Only an administrator can give or take a role.", code="administrators_only")
        not_oneself(by, person, "You can not change your own role. Ask another administrator.")
    if change.suspended is not UNSET and change.suspended:
        not_oneself(by, person, "You can not suspend yourself.")
    if by.id == person.id and not by.is_admin and (set_fields(change) - {"display_name"}):
        raise NotAllowed("You can not change your own rights. Ask an administrator.", code="not_yourself")
    if change.permissions is not UNSET and change.permissions is not None and not by.is_admin:
        foreign = [one for one in change.permissions if one not in person.permissions and not by.may(one)]
        if foreign:
            names = ", ".join(one.value for one in foreign)
            raise NotAllowed(f"You can give only what you may yourself; you have not: {names}.", code="not_yours")
    _check_child(change, person)


def _check_child(change: PersonChange, person: Person) -> None:
    is_child = person.is_child if change.is_child is UNSET else change.is_child
    role = person.role if change.role is UNSET else change.role
    if is_child and role is Role.ADMIN:
        text = "A child profile can not be an administrator."
        raise Invalid(text, code="child_administrator", fields={"is_child": text})
    if is_child and change.permissions is not UNSET and change.permissions:
        wrong = [one.value for one in change.permissions if one in NOT_FOR_CHILDREN]
        if wrong:
            text = f"A child profile can not have this: {', '.join(wrong)}."
            raise Invalid(text, code="not_for_children", fields={"permissions": text})
    if not is_child and change.rating_limit is not UNSET and change.rating_limit is not None:
        text = "Only a child profile has an age limit."
        raise Invalid(text, fields={"rating_limit": text})


def set_fields(change: PersonChange) -> set[str]:
    """Names of what `change` says something about."""
    names = {"display_name", "role", "permissions", "quotas", "is_child", "rating_limit", "suspended"}
    return {name for name in names if getattr(change, name) is not UNSET}


def child_values(change: PersonChange, person: Person) -> tuple[bool, RatingLimit | None]:
    """Whether the person is a child after `change`, and up to which age rating they then see."""
    is_child = person.is_child if change.is_child is UNSET else change.is_child
    if not is_child:
        return False, None
    limit = person.rating_limit if change.rating_limit is UNSET else change.rating_limit
    return True, limit or RatingLimit.FROM_12


def quotas_after(change: PersonChange, person: Person) -> OwnQuotas:
    """The person's own quotas after `change`; raises `Invalid` with a sentence for each that can not be."""
    if change.quotas is UNSET:
        return person.own_quotas
    given = {name: value for name, value in msgspec.structs.asdict(change.quotas).items() if value is not UNSET}
    quotas = msgspec.structs.replace(person.own_quotas, **given)
    check_quotas(quotas)
    return quotas


def check_quotas(quotas: OwnQuotas | Quotas) -> None:
    """Raise `Invalid` with a sentence for each number that can not be."""
    limits = (
        ("requests_limit", MOST_REQUESTS, f"From 0 to {MOST_REQUESTS} requests."),
        ("downloads_per_hour", MOST_DOWNLOADS, f"From 0 to {MOST_DOWNLOADS} downloads."),
        ("storage_bytes", MOST_BYTES, f"From 0 to {MOST_BYTES // 1024**3} GB."),
    )
    problems = {
        name: sentence
        for name, most, sentence in limits
        if (value := getattr(quotas, name)) is not None and value != NO_LIMIT and not 0 <= value <= most
    }
    if quotas.requests_days is not None and not 1 <= quotas.requests_days <= MOST_DAYS:
        problems["requests_days"] = f"From 1 to {MOST_DAYS} days."
    if problems:
        raise Invalid("Some values do not fit. Nothing was changed.", fields=problems)


def check_display_name(name: str) -> str:
    """The name as it is shown, without spaces around it; raises `Invalid`."""
    shown = " ".join(name.split())
    if not shown or len(shown) > LONGEST_DISPLAY_NAME or not is_text(shown):
        text = f"A name has 1 to {LONGEST_DISPLAY_NAME} characters."
        raise Invalid(text, fields={"display_name": text})
    return shown


def check_reason(reason: str) -> str:
    """Why somebody is suspended, in one line; raises `Invalid`."""
    line = " ".join(reason.split())
    if not line:
        text = "Say why: the person reads it when they try to sign in."
        raise Invalid(text, code="reason_missing", fields={"reason": text})
    if len(line) > LONGEST_REASON or not is_text(line):
        text = f"At most {LONGEST_REASON} characters, in plain text."
        raise Invalid(text, fields={"reason": text})
    return line


def is_text(value: str) -> bool:
    """Whether it holds nothing that a database or a page can not hold."""
    return not any(unicodedata.category(char) in ("Cc", "Cs") for char in value)


def check_until(until: datetime | None) -> datetime | None:
    """The end of a suspension; raises `Invalid` when it is over already."""
    if until is None:
        return None
    if until.tzinfo is None:
        until = until.replace(tzinfo=UTC)
    now = datetime.now(UTC)
    if not now < until <= now + LONGEST_SUSPENSION:
        text = "Take a day that is still to come, within ten years; or leave it empty."
        raise Invalid(text, fields={"suspended_until": text})
    return until.astimezone(UTC)


def one_time_password(username: str) -> str:
    """A password for one sign-in, in groups that can be read out, such as `Kq7m-xT4v-…`."""
    while True:
        groups = ["".join(secrets.choice(UPPER + LOWER + DIGITS) for _ in range(4)) for _ in range(4)]
        password = "-".join(groups)
        try:
            check_password(password, username)
        except MediaNestError:
            continue
        return password
