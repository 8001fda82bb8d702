"""The state of the stand-in and what a test does with it."""

from __future__ import annotations

import copy
import json
import secrets
import threading
from types import TracebackType
from typing import Any

from tests.overseerr import answers, webhooks
from tests.overseerr.listener import Listener
from tests.overseerr.people import Person, PlexKnown, everybody, known_at_plex
from tests.overseerr.rows import Asked, MediaRow, RequestRow, There, moment
from tests.overseerr.titles import Title, library
from tests.overseerr.traffic import Answer, Call, Faults

VERSIONS = {"overseerr": "1.34.0", "seerr": "3.1.0"}


class OverseerrWorld:
    """Overseerr or Seerr in threads, between `with OverseerrWorld() as overseerr` and the end of the block.

    `create_s` is how long a create looks before it inserts: the gap through which identical ones slip. `latency_s` comes
    before every answer. `creates` counts what was really created. `takedowns` holds every `X-Api-User` that was no number.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0, *, kind: str = "overseerr") -> None:
        self.kind = kind
        self.version = VERSIONS[kind]
        self.application_title = kind.capitalize()
        self.is_initialized = True
        self.api_key = "MTY" + secrets.token_urlsafe(48)
        self.calls: list[Call] = []
        self.faults = Faults()
        self.latency_s = 0.0
        self.create_s = 0.02
        self.tmdb_is_down = False
        self.creates = 0
        self.takedowns: list[str] = []
        self.people: dict[int, Person] = {}
        for name, person in everybody().items():
            self.people[person.id] = person
            setattr(self, name, person)
        self.owner, self.friend, self.portal = self.people[1], self.people[2], self.people[3]
        self.manager, self.powerless = self.people[4], self.people[5]
        self.plex_people: list[PlexKnown] = known_at_plex()
        self.titles: dict[tuple[str, int], Title] = {(one.media_type, one.tmdb_id): one for one in library()}
        self.media: list[MediaRow] = []
        self.requests: list[RequestRow] = []
        self.in_flight: dict[tuple[str, int], int] = {}
        self.webhook_url, self.webhook_authorization = "", ""
        self.webhooks: list[dict[str, Any]] = []
        self.lock = threading.RLock()
        self.stopping = threading.Event()
        self._media_id = self._request_id = 0
        self._listener: Listener | None = Listener(self, host, port)
        self._host, self.port = host, self._listener.port
        self.url = f"http://{host}:{self.port}"

    def __enter__(self) -> OverseerrWorld:
        assert self._listener is not None
        self._listener.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        self.off()

    @property
    def is_seerr(self) -> bool:
        return self.kind == "seerr"

    def settings(self) -> dict[str, str]:
        """The environment of a MediaNest that is connected to this server."""
        return {"MEDIANEST_OVERSEERR_URL": self.url, "MEDIANEST_OVERSEERR_API_KEY": self.api_key}

    def answer(self, call: Call) -> Answer:
        return answers.answer(self, call)

    # trouble

    def off(self) -> None:
        """Nobody listens at the address, and what was open is broken."""
        if self._listener is not None:
            self._listener.stop()
            self._listener = None

    def on(self) -> None:
        """Back at the same address, with everything it knew."""
        if self._listener is None:
            self._listener = Listener(self, self._host, self.port)
            self._listener.start()

    def become_another(self) -> None:
        """Another installation answers here, by the same key: other people, no requests, its ids begin anew."""
        with self.lock:
            self.media, self.requests, self._media_id, self._request_id = [], [], 0, 0
            self.application_title = "Somebody else's"
            stranger = copy.copy(self.people[1])
            stranger.email, stranger.plex_id, stranger.plex_username = "stan@example.org", 1006, "stan"
            stranger.created_at = "2025-11-11T11:11:11.000Z"
            self.owner, self.people = stranger, {1: stranger}

    # titles

    def add_movie(self, tmdb_id: int, title: str, date: str = "2001-01-01", **more: Any) -> Title:
        return self._add(Title("movie", tmdb_id, title, date, **more))

    def add_show(
        self, tmdb_id: int, title: str, seasons: dict[int, int], date: str = "2001-01-01", **more: Any
    ) -> Title:
        return self._add(Title("tv", tmdb_id, title, date, seasons=seasons, **more))

    def _add(self, title: Title) -> Title:
        self.titles[title.media_type, title.tmdb_id] = title
        return title

    def media_of(self, media_type: str, tmdb_id: int) -> MediaRow | None:
        """The first row of the title; after simultaneous creates there may be more."""
        return next((one for one in self.media if (one.media_type, one.tmdb_id) == (media_type, tmdb_id)), None)

    def rows_of(self, media_type: str, tmdb_id: int) -> list[RequestRow]:
        """Every request for a title: what "exactly once" is counted on."""
        return [row for row in self.requests if (row.media.media_type, row.media.tmdb_id) == (media_type, tmdb_id)]

    def row(self, request_id: int) -> RequestRow:
        """KeyError when there is none."""
        for row in self.requests:
            if row.id == request_id:
                return row
        raise KeyError(request_id)

    def next_media_id(self) -> int:
        self._media_id += 1
        return self._media_id

    def next_request_id(self) -> int:
        self._request_id += 1
        return self._request_id

    # what happens there, by somebody else's hand

    def request_there(
        self, person: Person, media_type: str, tmdb_id: int, *, seasons: tuple[int, ...] = ()
    ) -> RequestRow:
        """Somebody asks in Overseerr itself."""
        with self.lock:
            media = self._known(media_type, tmdb_id)
            row = RequestRow(self.next_request_id(), media, person, Asked.PENDING, dict.fromkeys(seasons, 1))
            media.status = max(media.status, There.PENDING)
            self.requests.append(row)
            self.tell("MEDIA_PENDING", row, There.UNKNOWN)
            return row

    def approve(self, row: RequestRow, by: Person | None = None) -> None:
        """Approving twice is harmless and sends one event (notes 2b, 2g)."""
        with self.lock:
            was, before = row.status, row.media.status
            row.status, row.modified_by, row.updated_at = Asked.APPROVED, by or self.owner, moment()
            row.seasons = dict.fromkeys(row.seasons, int(Asked.APPROVED))
            self.hand_over(row)
            if was != Asked.APPROVED:
                self.tell("MEDIA_APPROVED", row, before)

    def decline(self, row: RequestRow, by: Person | None = None) -> None:
        """Notes 2b: the row turns 3, the media back to 1."""
        with self.lock:
            before = row.media.status
            row.status, row.modified_by, row.updated_at = Asked.DECLINED, by or self.owner, moment()
            if row.media.status in (There.PENDING, There.PROCESSING):
                row.media.status = There.UNKNOWN
            self.tell("MEDIA_DECLINED", row, before)

    def fail(self, row: RequestRow) -> None:
        """The hand-over to Radarr or Sonarr failed."""
        with self.lock:
            before = row.media.status
            row.status, row.updated_at = Asked.FAILED, moment()
            row.media.status = There.UNKNOWN
            self.tell("MEDIA_FAILED", row, before)

    def retry(self, row: RequestRow) -> None:
        """Notes 2b, 2g: sets APPROVED, sends again, and tells so again."""
        with self.lock:
            before = row.media.status
            row.status, row.updated_at = Asked.APPROVED, moment()
            self.hand_over(row)
            self.tell("MEDIA_APPROVED", row, before)

    def hand_over(self, row: RequestRow) -> None:
        """Approved: to Radarr or Sonarr."""
        is_4k = bool(row.is_4k)
        if (row.media.status_4k if is_4k else row.media.status) < There.PARTIALLY_AVAILABLE:
            row.media.set_status(There.PROCESSING, is_4k=is_4k)
        for number in row.seasons:
            if row.media.seasons.get(number, 1) < There.PARTIALLY_AVAILABLE:
                row.media.seasons[number] = There.PROCESSING

    def mark_available(
        self, media_type: str, tmdb_id: int, *, seasons: tuple[int, ...] | None = None, rating_key: str | None = None
    ) -> MediaRow:
        """The files are there. `seasons` of a series, all when left out; some leave it partly available.

        Notes 2b: approved rows of a film turn 5 at once (Seerr) and stay 2 in Overseerr (notes 3), pending ones stay 1.
        """
        with self.lock:
            media = self._known(media_type, tmdb_id)
            before, media.rating_key = media.status, rating_key or media.rating_key
            title = self.titles.get((media_type, tmdb_id))
            known = [number for number in (title.seasons if title else {}) if number]
            is_part = media_type == "tv" and seasons is not None and not set(known) <= set(seasons)
            for number in known if seasons is None else seasons:
                media.seasons[number] = There.AVAILABLE
            is_part = is_part and any(media.seasons.get(number) != There.AVAILABLE for number in known)
            media.status = There.PARTIALLY_AVAILABLE if is_part else There.AVAILABLE
            for row in self.rows_of(media_type, tmdb_id):
                is_whole = not is_part or all(media.seasons.get(number) == There.AVAILABLE for number in row.seasons)
                if row.status == Asked.APPROVED and is_whole:
                    if self.is_seerr:
                        row.status = Asked.COMPLETED
                    row.updated_at = moment()
                    self.tell("MEDIA_AVAILABLE", row, before)
            return media

    def blocklist(self, media_type: str, tmdb_id: int) -> None:
        """Seerr: notes 5, status 6."""
        with self.lock:
            media = self._known(media_type, tmdb_id)
            media.status = media.status_4k = There.BLOCKLISTED

    def _known(self, media_type: str, tmdb_id: int) -> MediaRow:
        media = self.media_of(media_type, tmdb_id)
        if media is None:
            title = self.titles.get((media_type, tmdb_id))
            media = MediaRow(self.next_media_id(), media_type, tmdb_id, title.tvdb_id if title else None)
            self.media.append(media)
        return media

    # the webhook

    def tell(self, kind: str, row: RequestRow, status_before: int) -> None:
        """One notification; kept in `webhooks`, and sent when `webhook_url` is set."""
        body = webhooks.body_of(self, kind, row, status_before)
        self.webhooks.append(body)
        if self.webhook_url:
            webhooks.send(self.webhook_url, self.webhook_authorization, json.dumps(body).encode())

    def tell_test(self) -> dict[str, Any]:
        """The test notification of its settings page."""
        body = webhooks.trial_body()
        self.webhooks.append(body)
        if self.webhook_url:
            webhooks.send(self.webhook_url, self.webhook_authorization, json.dumps(body).encode())
        return body
