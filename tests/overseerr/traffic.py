"""What comes in and what goes out: calls, answers, and trouble ordered by a test."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

FAULTS = ("status", "slow", "late", "lost", "hang", "reset", "truncated", "html", "empty", "answer")


@dataclass
class Call:
    """One request as it came; `status` is what was answered, 0 for nothing; `raw_query` is not decoded."""

    method: str
    path: str
    raw_query: str
    headers: dict[str, str]  # names in lower case
    body: str = ""
    status: int = 0

    @property
    def query(self) -> dict[str, str]:
        return dict(parse_qsl(self.raw_query, keep_blank_values=True))

    @property
    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Answer:
    """One answer."""

    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def say(value: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(value).encode(), "application/json; charset=utf-8", status)


def refusal(status: int, message: str, errors: list[Any] | None = None) -> Answer:
    """Notes 2a: the first error body, from routes and validation."""
    return say({"message": message} | ({"errors": errors} if errors is not None else {}), status)


def forbidden() -> Answer:
    """Notes 2a: the second error body, from the permission check."""
    return say({"status": 403, "error": "You do not have permission to access this endpoint"}, 403)


def page(text: str, status: int = 200) -> Answer:
    return Answer(text.encode(), "text/html; charset=utf-8", status)


@dataclass
class Fault:
    """Trouble for the next `times` calls (None: for all) whose path begins with `prefix`, of `method` when it says so."""

    prefix: str
    kind: str
    times: int | None = 1
    status: int = 500
    seconds: float = 5.0
    method: str = ""
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


class Faults:
    """Trouble in the order it was asked for.

    status: a plain error with `status` (401, 403, 429, 500, 503 …), nothing is done. slow: waits `seconds`, then does and
    answers. late: does it at once, answers after `seconds`. lost: does it, then the connection breaks. hang: no answer until
    the world ends. reset: the connection breaks before anything is done. truncated: half of the true answer. html: a page
    with status 200 in place of the answer. empty: 200 without a body. answer: `body` as `content_type` with `status`.
    """

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, prefix: str, kind: str, times: int | None = 1, **more: Any) -> Fault:
        """Order `kind` for calls below `prefix`; further arguments are those of `Fault`."""
        if kind not in FAULTS:
            raise ValueError(f"There is no fault {kind!r}; there are {', '.join(FAULTS)}.")
        fault = Fault(prefix, kind, times, **more)
        with self._lock:
            self._faults.append(fault)
        return fault

    def clear(self) -> None:
        """No more trouble."""
        with self._lock:
            self._faults.clear()

    def take(self, call: Call) -> Fault | None:
        """The trouble for this call, used up by it."""
        with self._lock:
            for fault in self._faults:
                if call.path.startswith(fault.prefix) and fault.method in ("", call.method):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._faults.remove(fault)
                    return fault
        return None


def instead(fault: Fault, make: Callable[[], Answer]) -> Answer:
    """The answer that `fault` puts in place of what `make` gives."""
    match fault.kind:
        case "truncated":
            whole = make()
            return Answer(whole.body[: len(whole.body) // 2], whole.content_type, whole.status)
        case "html":
            return page("<!doctype html><html><head><title>Router</title></head><body>Hello.</body></html>")
        case "empty":
            return Answer()
        case "status":
            texts = {401: "Unauthorized", 403: "Forbidden", 429: "Too many requests"}
            answer = refusal(fault.status, texts.get(fault.status, "Something went wrong."))
            return Answer(answer.body, answer.content_type, fault.status, fault.headers)
        case "answer":
            return Answer(fault.body, fault.content_type, fault.status, fault.headers)
    return make()  # slow, late


def call_from(method: str, target: str, headers: dict[str, str], body: str) -> Call:
    """A request taken apart."""
    parts = urlsplit(target)
    return Call(
        method, unquote(parts.path), parts.query, {name.lower(): value for name, value in headers.items()}, body
    )
