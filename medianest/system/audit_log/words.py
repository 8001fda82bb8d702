"""The words of the audit log: a sentence for each action, and changes as people read them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from medianest.system.audit_log.model import AuditRecord
from medianest.web.formats import size

Translate = Callable[[str], str]


def _(text: str) -> str:
    """Marks a text for the catalogue; it is translated where it is shown."""
    return text


# %(target)s is to whom or to what; who did it stands beside the sentence
SENTENCES: Mapping[str, str] = {
    "account.first_administrator_made": _("Set MediaNest up and became its first administrator"),
    "account.administrator_made": _("Made %(target)s an administrator"),
    "account.sign_in_failed": _("Tried to sign in as %(target)s with a wrong password"),
    "account.sign_in_denied": _("Was turned away at the sign-in: %(target)s"),
    "account.session_reused": _("A copied sign-in was used; its session was ended"),
    "account.password_changed": _("Changed the password"),
    "account.password_reset": _("Set a new password for %(target)s"),
    "account.renamed": _("Changed the name of %(target)s"),
    "account.new_device": _("Signed in on a new device: %(target)s"),
    "account.second_factor_added": _("Turned two-step sign-in on"),
    "account.second_factor_removed": _("Turned two-step sign-in off for %(target)s"),
    "account.second_factor_failed": _("Gave a wrong code at the two-step sign-in as %(target)s"),
    "account.backup_codes_made": _("Made new backup codes"),
    "account.plex_linked": _("Linked a Plex account: %(target)s"),
    "account.plex_unlinked": _("Unlinked a Plex account: %(target)s"),
    "account.joined": _("Came in for the first time: %(target)s"),
    "api_key.made": _("Made the API key “%(target)s”"),
    "api_key.revoked": _("Revoked the API key “%(target)s”"),
    "audit.exported": _("Exported the audit log (%(target)s)"),
    "download.approved": _("Approved the download “%(target)s”"),
    "download.declined": _("Declined the download “%(target)s”"),
    "download.site_resumed": _("Let downloads from %(target)s go on"),
    "download.cookies_changed": _("Put in the cookies of %(target)s"),
    "download.cookies_removed": _("Removed the cookies of %(target)s"),
    "engine.updated": _("Updated %(target)s"),
    "engine.rolled_back": _("Went back to an older %(target)s"),
    "engine.channel_changed": _("Changed where updates of %(target)s come from"),
    "request.approved": _("Approved the request for “%(target)s”"),
    "request.declined": _("Declined the request for “%(target)s”"),
    "request.cancelled": _("Cancelled somebody’s request for “%(target)s”"),
    "request.made_for": _("Asked for “%(target)s” on somebody’s behalf"),
    "overseerr.connected": _("Connected the request service %(target)s"),
    "overseerr.changed": _("Changed who asks at %(target)s for people without an account there"),
    "overseerr.disconnected": _("Disconnected the request service %(target)s"),
    "overseerr.webhook_secret_changed": _("Made another secret for the webhook of the request service"),
    "person.added": _("Added %(target)s"),
    "person.made": _("Added %(target)s"),
    "person.changed": _("Changed what %(target)s may do"),
    "person.suspended": _("Suspended %(target)s"),
    "person.suspension_ended": _("Ended the suspension of %(target)s"),
    "person.deleted": _("Deleted %(target)s"),
    "person.default_rights_changed": _("Changed what everybody may do"),
    "person.sessions_ended": _("Signed %(target)s out everywhere"),
    "plex.connected": _("Connected the Plex server %(target)s"),
    "plex.changed": _("Changed the connection to Plex"),
    "plex.disconnected": _("Disconnected Plex"),
    "security.changed": _("Changed the security settings"),
    "security.secret_key_changed": _("Changed the secret key"),
}
GROUPS: Mapping[str, str] = {
    "account": _("Sign-in and accounts"),
    "api_key": _("API keys"),
    "audit": _("This log"),
    "download": _("Downloads"),
    "engine": _("Engine"),
    "overseerr": _("Overseerr"),
    "person": _("People"),
    "plex": _("Plex"),
    "security": _("Security"),
}


class Change(msgspec.Struct, frozen=True, kw_only=True):
    """One value that is another now; None where there was or is none."""

    name: str
    before: str | None
    after: str | None


class Line(msgspec.Struct, frozen=True, kw_only=True):
    """A record with its words."""

    record: AuditRecord
    sentence: str
    changes: tuple[Change, ...]


def line_of(record: AuditRecord, translate: Translate) -> Line:
    """A record as the page shows it; an action without words of its own is shown by its name."""
    sentence = SENTENCES.get(record.action)
    words = translate(sentence) % {"target": record.target or "…"} if sentence else f"{record.action}: {record.target}"
    return Line(record=record, sentence=words, changes=changes_of(record, translate))


def changes_of(record: AuditRecord, translate: Translate) -> tuple[Change, ...]:
    """What was changed, value by value."""
    if isinstance(record.before, str) or isinstance(record.after, str):
        return (Change(name="", before=_text("", record.before, translate), after=_text("", record.after, translate)),)
    before, after = record.before or {}, record.after or {}
    return tuple(
        Change(
            name=name.replace("_", " ").removesuffix(" bytes"),
            before=_text(name, before[name], translate) if name in before else None,
            after=_text(name, after[name], translate) if name in after else None,
        )
        for name in dict.fromkeys((*before, *after))
    )


def _text(name: str, value: Any, translate: Translate) -> str:
    if value is None or value == "" or value == []:
        return translate("nothing")
    if isinstance(value, bool):
        return translate("yes") if value else translate("no")
    if isinstance(value, list):
        return ", ".join(_text("", one, translate) for one in value)
    if isinstance(value, dict):
        return ", ".join(f"{key.replace('_', ' ')}: {_text(key, one, translate)}" for key, one in value.items())
    if isinstance(value, int) and name.endswith("_bytes") and value >= 0:
        return size(value)
    text = str(value)
    if len(text) > 18 and text[4:5] == "-" and text[10:11] == "T":
        try:
            return f"{datetime.fromisoformat(text):%Y-%m-%d %H:%M} UTC"
        except ValueError:
            return text
    return text.replace("_", " ") if text.isascii() and text.islower() and " " not in text else text
