"""The forms of the people pages: in the units people use, as the changes the service takes."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Any

import msgspec

from medianest.accounts.model import NO_LIMIT, DefaultRights, Permission, Quotas, RatingLimit, Role, UserState
from medianest.accounts.people.model import (
    NewPerson,
    OwnQuotas,
    PeopleFilter,
    Person,
    PersonChange,
    PersonKind,
    PersonOrder,
    QuotaChange,
)
from medianest.errors import Invalid
from medianest.web.formats import zone_of

GB = 1024**3
DEFAULT, OWN, NONE = "default", "own", "none"  # what stands beside each quota's number
QUOTAS = ("requests_limit", "downloads_per_hour", "storage_bytes")


def read_filter(query: Mapping[str, str]) -> PeopleFilter:
    """What the list's form asks for; what makes no sense is left out."""

    def one(kind: Any, name: str) -> Any:
        return next((value for value in kind if value.value == query.get(name)), None)

    return PeopleFilter(
        words=query.get("q", "")[:200],
        role=one(Role, "role"),
        state=one(UserState, "state"),
        kind=one(PersonKind, "kind"),
        order=one(PersonOrder, "sort") or PersonOrder.NAME,
    )


def read_new_person(form: Mapping[str, Any]) -> NewPerson:
    """Raises `Invalid` when the name is missing."""
    name = str(form.get("username", "")).strip()
    if not name:
        raise Invalid("A name is needed.", fields={"username": "A name is needed: the one to sign in with."})
    is_child = is_on(form, "is_child")
    return NewPerson(
        username=name,
        display_name=str(form.get("display_name", "")).strip(),
        is_child=is_child,
        rating_limit=rating_of(form) if is_child else None,
    )


def read_profile(form: Mapping[str, Any]) -> PersonChange:
    """Name and role; a role that is not in the form stays."""
    role = str(form.get("role", ""))
    return PersonChange(
        display_name=str(form.get("display_name", "")),
        role=Role(role) if role in tuple(Role) else msgspec.UNSET,
    )


def read_rights(form: Mapping[str, Any], person: Person) -> PersonChange:
    """Permissions, quotas and the child profile."""
    is_child = is_on(form, "is_child")
    return PersonChange(
        permissions=None if str(form.get("set", DEFAULT)) == DEFAULT else read_permissions(form),
        quotas=read_quotas(form),
        is_child=is_child,
        rating_limit=rating_of(form) if is_child else None,
    )


def read_permissions(form: Mapping[str, Any]) -> tuple[Permission, ...]:
    """What is ticked: one box for each permission, by its name."""
    return tuple(one for one in Permission if is_on(form, one.value))


def read_quotas(form: Mapping[str, Any]) -> QuotaChange:
    """Raises `Invalid` with a sentence for each field that is no number."""
    problems: dict[str, str] = {}
    values: dict[str, int | None] = {}
    for name in QUOTAS:
        choice = str(form.get(f"{name}_choice", DEFAULT))
        if choice == OWN:
            values[name] = _number(form, name, problems, factor=GB if name == "storage_bytes" else 1)
        else:
            values[name] = NO_LIMIT if choice == NONE else None
    is_own = str(form.get("requests_limit_choice", DEFAULT)) == OWN
    values["requests_days"] = _number(form, "requests_days", problems) if is_own else None
    if problems:
        raise Invalid("Some values do not fit. Nothing was changed.", fields=problems)
    return QuotaChange(**values)


def read_default_rights(form: Mapping[str, Any]) -> DefaultRights:
    """The default set: without a choice, an empty number is no limit."""
    problems: dict[str, str] = {}
    values: dict[str, int] = {}
    for name in (*QUOTAS, "requests_days"):
        if name != "requests_days" and not str(form.get(name, "")).strip():
            values[name] = NO_LIMIT
        else:
            values[name] = _number(form, name, problems, factor=GB if name == "storage_bytes" else 1) or 0
    if problems:
        raise Invalid("Some values do not fit. Nothing was changed.", fields=problems)
    return DefaultRights(permissions=read_permissions(form), quotas=Quotas(**values))


def read_suspension(form: Mapping[str, Any], time_zone: str) -> PersonChange:
    """The reason, and the last day of it, which ends at midnight where the administrator lives."""
    text = str(form.get("suspended_until", "")).strip()
    until = None
    if text:
        try:
            day = datetime.strptime(text, "%Y-%m-%d").date()  # noqa: DTZ007  # a day has no zone yet
            until = datetime.combine(day + timedelta(days=1), time(), zone_of(time_zone)).astimezone(UTC)
        except (ValueError, OverflowError) as error:
            sentence = "Write the day as 2026-12-31, or leave it empty."
            raise Invalid(sentence, fields={"suspended_until": sentence}) from error
    return PersonChange(suspended=True, reason=str(form.get("reason", "")), suspended_until=until)


def quota_values(own: OwnQuotas, defaults: Quotas) -> dict[str, Any]:
    """What the fields of the quotas show: the choice, and the number or the default's."""
    values: dict[str, Any] = {}
    for name in (*QUOTAS, "requests_days"):
        value, default = getattr(own, name), getattr(defaults, name)
        values[f"{name}_choice"] = DEFAULT if value is None else NONE if value == NO_LIMIT else OWN
        shown = default if value in (None, NO_LIMIT) else value
        values[name] = shown_number(name, shown)
    return values


def shown_number(name: str, value: int) -> str:
    """A quota as its field shows it; empty where there is no limit."""
    if value == NO_LIMIT:
        return ""
    return f"{value / GB:.12g}" if name == "storage_bytes" else str(value)


def is_on(form: Mapping[str, Any], name: str) -> bool:
    return str(form.get(name, "")).lower() in ("true", "on", "1", "yes")


def rating_of(form: Mapping[str, Any]) -> RatingLimit:
    sent = str(form.get("rating_limit", ""))
    return RatingLimit(sent) if sent in tuple(RatingLimit) else RatingLimit.FROM_12


def _number(form: Mapping[str, Any], name: str, problems: dict[str, str], *, factor: int = 1) -> int | None:
    text = str(form.get(name, "")).strip().replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        problems[name] = "A number is needed."
        return None
    if not math.isfinite(value) or not 0 <= value <= 1e9 or (factor == 1 and value != int(value)):
        problems[name] = "A whole number from 0 is needed." if factor == 1 else "A number from 0 is needed."
        return None
    return round(value * factor)
