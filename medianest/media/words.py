"""What is said about a service that fails: plain words for people, without addresses and numbers of errors."""

from __future__ import annotations

from medianest.errors import Conflict, MediaNestError, NotAllowed, UpstreamFailed

NAMES = {"plex": "Plex", "overseerr": "The request service", "videos": "The video search"}
SLOW_CODES = ("slow", "timed_out")
CODES = {
    "plex_other_server": "Another Plex server answers in the place of ours. Whoever runs this server has to look.",
    "plex_server_refused": "Plex does not let MediaNest in any more. Sign in with Plex again, or tell whoever runs this server.",
    "title_unavailable": "This title is not known, or the film database does not answer right now.",
    "overseerr_key_refused": "The request service does not take our key any more. Whoever runs this server has to look.",
}


def plain(service: str, error: MediaNestError) -> MediaNestError:
    """The same failure in words for everybody; refusals that are sentences already stay."""
    if not isinstance(error, UpstreamFailed) or isinstance(error, Conflict | NotAllowed):
        return error
    name = NAMES[service]
    if error.code in SLOW_CODES:
        text = f"{name} takes very long to answer."
    else:
        text = CODES.get(error.code) or f"{name} does not answer right now."
    return UpstreamFailed(text, code=error.code)
