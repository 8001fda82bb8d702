"""Sentences about what goes and why."""

from __future__ import annotations

from datetime import datetime

from medianest.keeping.model import Why
from medianest.web.formats import size
from medianest.web.templating import gettext as _
from medianest.web.templating import ngettext


def why_words(why: Why, detail: str) -> str:
    """Why a video goes, as people read it. `detail` is the rule's number, with the subscription's title behind it."""
    number, _space, title = detail.partition(" ")
    match why:
        case Why.AGE:
            return _("it is older than %(n)s days") % {"n": number}
        case Why.NEWEST:
            return _("only the newest %(n)s of a show are kept") % {"n": number}
        case Why.WATCHED:
            return _("it was watched more than %(n)s days ago") % {"n": number}
        case Why.SPACE:
            return _("the disk is nearly full")
        case Why.FOLLOWED_AGE:
            return _("“%(title)s” keeps its videos for %(n)s days") % {"title": title, "n": number}
        case Why.FOLLOWED_NEWEST:
            return _("“%(title)s” keeps its newest %(n)s videos") % {"title": title, "n": number}


def deleted_by(why: Why, detail: str) -> str:
    """What a download says whose video was deleted by a rule."""
    return _("Deleted from the library: %(why)s.") % {"why": why_words(why, detail)}


def deleted_by_person(name: str) -> str:
    """What a download says whose video somebody removed."""
    return _("Removed from the library by %(name)s.") % {"name": name}


def sum_of(number: int, size_bytes: int, due_at: datetime) -> str:
    """`12 videos, 8.4 GB, from 2026-12-01`: what a person is told in a line."""
    videos = ngettext("one video", "%(num)d videos", number) % {"num": number}
    return _("%(videos)s, %(size)s, from %(day)s on") % {
        "videos": videos,
        "size": size(size_bytes),
        "day": f"{due_at:%Y-%m-%d}",
    }
