"""A circuit breaker: after several failures in a row a service is left alone for a while, so that nobody waits for it.

Only what says "down" counts: no answer, no connection in time, a gateway's 502, 503 or 504, a page or half an answer in
the place of JSON. A refusal (401, 403, 404), a limit (429) or an error of the service itself (500, which Overseerr gives for
ids it does not know) is an answer of a service that is there.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

from medianest.integrations.http import Answer, HttpClient, Unreachable

GATEWAY_SAYS_DOWN = frozenset((502, 503, 504))
MOST_TRIAL_S = 120.0  # a trial that never reports back gives its place to another


class BreakerState(msgspec.Struct, frozen=True, kw_only=True):
    """How a breaker stands. `failures` in a row; `paused_s` until the next call is tried, 0 when calls go through."""

    name: str
    is_open: bool
    failures: int
    paused_s: int
    opened_at: datetime | None = None


class Breaker:
    """Counts how one service answers; asked before each call, told after it.

    Args:
        name: what people call the service, for the text.
        failures: how many in a row open it.
        open_s: how long no call is made then; afterwards one call is the trial.
        counts_slow: whether an answer that takes too long counts as well, not only a connection.
    """

    def __init__(
        self,
        name: str,
        failures: int,
        open_s: float,
        *,
        counts_slow: bool = False,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.name = name
        self._most = failures
        self._open_s = open_s
        self.counts_slow = counts_slow
        self._clock = clock
        self._failures = 0
        self._opened: float | None = None
        self._opened_at: datetime | None = None
        self._trial: float | None = None
        self._listeners: list[Callable[[], None]] = []

    def on_change(self, listener: Callable[[], None]) -> None:
        """Call `listener` whenever the breaker opens or closes."""
        self._listeners.append(listener)

    @property
    def state(self) -> BreakerState:
        left = 0.0 if self._opened is None else max(0.0, self._opened + self._open_s - self._clock())
        return BreakerState(
            name=self.name,
            is_open=self._opened is not None,
            failures=self._failures,
            paused_s=math.ceil(left),
            opened_at=self._opened_at,
        )

    def before(self) -> None:
        """Ask for the turn to call.

        Raises:
            Unreachable: `service_paused`, while the service is left alone or the trial is under way.
        """
        if self._opened is None:
            return
        now = self._clock()
        is_waiting = now < self._opened + self._open_s
        is_tried = self._trial is not None and now < self._trial + MOST_TRIAL_S
        if is_waiting or is_tried:
            raise Unreachable(
                f"{self.name} did not answer several times in a row. MediaNest asks it again in a moment.",
                code="service_paused",
            )
        self._trial = now

    def succeeded(self) -> None:
        """The service answered."""
        was_open = self._opened is not None
        self._failures, self._opened, self._opened_at, self._trial = 0, None, None, None
        if was_open:
            self._tell()

    def failed(self) -> None:
        """The service did not answer, or what answered was not the service."""
        self._failures += 1
        was_open, self._trial = self._opened is not None, None
        if was_open or self._failures >= self._most:
            self._opened = self._clock()
            self._opened_at = self._opened_at or datetime.now(UTC)
        if not was_open and self._opened is not None:
            self._tell()

    def gave_up(self) -> None:
        """The call ended without saying anything about the service: whoever waited has gone."""
        self._trial = None

    def reset(self) -> None:
        """Let calls through again at once, by an administrator's hand."""
        self.succeeded()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener()

    def counts(self, error: Unreachable) -> bool:
        """Whether `error` says that the service is down."""
        return self.counts_slow or error.code != "timed_out"


class GuardedClient(HttpClient):
    """Makes calls of `http` under a breaker, with the same face: clients of a service need not know of it."""

    def __init__(self, http: HttpClient, breaker: Breaker) -> None:
        self._inner = http
        self.breaker = breaker

    async def request(self, method: str, url: str, **options: Any) -> Answer:
        """As `HttpClient.request`.

        Raises:
            Unreachable: also `service_paused`, when no call was made.
        """
        self.breaker.before()
        try:
            answer = await self._inner.request(method, url, **options)
        except Unreachable as error:
            (self.breaker.failed if self.breaker.counts(error) else self.breaker.gave_up)()
            raise
        except BaseException:
            self.breaker.gave_up()
            raise
        wants_json = "json" in _accept(options.get("headers"))
        (self.breaker.failed if says_down(answer, wants_json=wants_json) else self.breaker.succeeded)()
        return answer

    async def close(self) -> None:
        """Close what is kept open; a later call opens anew."""
        await self._inner.close()


def says_down(answer: Answer, *, wants_json: bool) -> bool:
    """Whether this answer is none of the service's own."""
    if answer.status in GATEWAY_SAYS_DOWN:
        return True
    if not wants_json or answer.status >= 400 or not answer.content:
        return False
    if is_page(answer):
        return True
    # half an answer ends in the middle; looking at its last character costs nothing, reading it twice would
    return is_json(answer) and answer.content.rstrip()[-1:] not in (b"}", b"]")


def is_json(answer: Answer) -> bool:
    """Whether the answer calls itself JSON."""
    return "json" in answer.headers.get("content-type", "")


def is_page(answer: Answer) -> bool:
    """Whether a page for people came, as from a router, a proxy or another program at that address."""
    return "html" in answer.headers.get("content-type", "")


def _accept(headers: Mapping[str, str] | None) -> str:
    return next((value for name, value in (headers or {}).items() if name.lower() == "accept"), "")
