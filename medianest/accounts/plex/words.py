"""What people read when Plex does not let them in: who was signed in, why it is not enough, what to do."""

from __future__ import annotations

import msgspec

from medianest.accounts.plex.model import Refusal, Refused
from medianest.connections.model import PinReason
from medianest.web.templating import gettext as _


class Words(msgspec.Struct, frozen=True):
    """A heading, why, and what to do."""

    title: str
    why: str
    advice: str


def refusal_words(refused: Refused, server: str) -> Words:
    """For the page of somebody who does not get in."""
    who = refused.who or _("this Plex account")
    other = _("Or sign in with another Plex account.")
    found = {
        Refusal.STRANGER: Words(
            _("This server is not shared with you"),
            _("You are signed in to Plex as %(who)s, and %(server)s is not shared with that account.")
            % {"who": who, "server": server},
            _("Ask whoever runs the server to share it with you at Plex, then come back here.") + " " + other,
        ),
        Refusal.PENDING: Words(
            _("Your invitation is waiting"),
            _("%(server)s was shared with %(who)s, but the invitation was not accepted yet.")
            % {"who": who, "server": server},
            _("Open the invitation in your mail or in the Plex app, accept it, then try again here."),
        ),
        Refusal.NOTHING_SHARED: Words(
            _("Nothing is shared with you yet"),
            _("Whoever runs %(server)s knows %(who)s, but has shared no library with that account.")
            % {"who": who, "server": server},
            _("Ask them to share a library with you at Plex, then try again here.") + " " + other,
        ),
        Refusal.NO_ACCESS: Words(
            _("No access to this server"),
            _("You are signed in to Plex as %(who)s, and %(server)s is not among the servers of that account.")
            % {"who": who, "server": server},
            _("Accept an invitation that may wait for you at Plex, or ask whoever runs the server to share it.")
            + " "
            + other,
        ),
        Refusal.SUSPENDED: Words(
            _("Your account is suspended"),
            refused.detail or _("This account may not sign in at the moment."),
            _("You were signed in to Plex as %(who)s.") % {"who": who},
        ),
        Refusal.TOKEN_DEAD: Words(
            _("Plex took the sign-in back"),
            _("Plex allowed it, and a moment later did not know it any more."),
            _("Try again. If it happens twice, sign out at plex.tv and in again first."),
        ),
        Refusal.NOT_CONNECTED: Words(
            _("Plex is not connected"),
            _("The connection to the Plex server was taken away while you signed in."),
            _("Use a password, or ask whoever runs this server."),
        ),
        Refusal.TAKEN: Words(
            _("This Plex account is in use"),
            _("%(who)s belongs to another person here.") % {"who": who},
            _("Sign in with Plex to use that account, or link another one."),
        ),
        Refusal.OTHER_LINKED: Words(
            _("Another Plex account is linked"),
            _("You signed in to Plex as %(who)s, and another account is linked to you.") % {"who": who},
            _("Unlink that one first."),
        ),
    }
    fallback = Words(
        _("This sign-in did not work"),
        _("What Plex sent can not be used any more."),
        _("Try again."),
    )
    return next((words for code, words in found.items() if code == refused.code), fallback)


def trouble_words(trouble: str) -> str:
    """One sentence while plex.tv makes difficulties; empty when all is well."""
    if not trouble:
        return ""
    if trouble == PinReason.PLEX_BUSY:
        return _("Plex is busy. MediaNest goes on asking, a little slower.")
    if trouble == PinReason.PLEX_BLOCKED:
        return _("Plex takes no sign-ins from this server for a while. Leave this page open, or use a password.")
    return _("Plex does not answer well just now. MediaNest goes on trying.")
