"""What comes in and what goes out: requests, answers, the note of calls, and trouble ordered by a test."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl, urlsplit
from xml.sax.saxutils import quoteattr

FAULTS = ("status", "slow", "hang", "reset", "truncated", "html", "xml", "empty", "429", "answer")


@dataclass
class Call:
    """One request as it came; `place` is plex.tv, server or other; `status` is what was answered, 0 for nothing."""

    place: str
    method: str
    path: str
    query: dict[str, str]
    headers: dict[str, str]  # names in lower case
    content: bytes = b""
    status: int = 0

    @property
    def body(self) -> str:
        """What was sent, as text."""
        return self.content.decode("utf-8", "replace")

    @property
    def token(self) -> str:
        """The token, in whichever way it came."""
        return self.headers.get("x-plex-token") or self.query.get("X-Plex-Token", "")

    @property
    def client(self) -> str:
        """The client identifier."""
        return self.headers.get("x-plex-client-identifier") or self.query.get("X-Plex-Client-Identifier", "")

    @property
    def wants_json(self) -> bool:
        """plex.tv: only this very header brings JSON; `*/*` or a list brings XML."""
        return self.headers.get("accept") == "application/json"

    @property
    def form(self) -> dict[str, str]:
        """The fields of a form."""
        return dict(parse_qsl(self.body, keep_blank_values=True))


@dataclass
class Answer:
    """One answer."""

    body: bytes = b""
    content_type: str = "application/json; charset=utf-8"
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


def json_answer(value: Any, status: int = 200) -> Answer:
    return Answer(json.dumps(value).encode(), "application/json; charset=utf-8", status)


def xml_answer(text: str, status: int = 200) -> Answer:
    head = '<?xml version="1.0" encoding="UTF-8"?>\n'
    return Answer((head + text).encode(), "application/xml; charset=utf-8", status)


def html_answer(text: str, status: int = 200) -> Answer:
    return Answer(text.encode(), "text/html; charset=utf-8", status)


def redirect(address: str) -> Answer:
    return Answer(b"", "text/plain", 303, {"Location": address})


def attributes(values: Mapping[str, Any]) -> str:
    """` name="value"` for each; booleans as 1 and 0, None as an empty text."""
    shown = {name: int(value) if isinstance(value, bool) else value for name, value in values.items()}
    return "".join(f" {name}={quoteattr('' if value is None else str(value))}" for name, value in shown.items())


def as_xml(name: str, value: Any) -> str:
    """plex.tv's way to say a JSON object in XML: simple values are attributes, objects and lists elements."""
    if isinstance(value, list):
        return f"<{name}s>" + "".join(as_xml(name, one) for one in value) + f"</{name}s>"
    if not isinstance(value, dict):
        return f"<{name}{attributes({'value': value})}/>"
    plain = {key: one for key, one in value.items() if not isinstance(one, dict | list)}
    inner = "".join(as_xml(key, one) for key, one in value.items() if isinstance(one, dict | list))
    return f"<{name}{attributes(plain)}>{inner}</{name}>"


@dataclass
class Fault:
    """Trouble for the next `times` calls (None: for all) whose path begins with `prefix`."""

    prefix: str
    kind: str
    times: int | None = 1
    status: int = 500
    seconds: float = 5.0
    method: str = ""
    place: str = ""  # plex.tv, server or other; everywhere when left out
    body: bytes = b""
    content_type: str = "text/html; charset=utf-8"
    headers: dict[str, str] = field(default_factory=dict)


class Faults:
    """Trouble in the order it was asked for.

    status: an empty body with `status`, or the error with `body`. slow: the true answer after `seconds`. hang: no answer
    until the world ends. reset: the connection breaks. truncated: half of the true answer, under its whole length's
    promise kept short, so that it is broken JSON. html, xml: a page in place of the answer, with status 200 unless
    `status` says otherwise. empty: 200 without a body. 429: too many calls. answer: `body` as `content_type` with `status`.
    """

    def __init__(self) -> None:
        self._faults: list[Fault] = []
        self._lock = threading.Lock()

    def add(self, path_prefix: str, kind: str, times: int | None = 1, **more: Any) -> Fault:
        """Order `kind` for calls below `path_prefix`; further arguments are those of `Fault`."""
        if kind not in FAULTS:
            raise ValueError(f"There is no fault {kind!r}; there are {', '.join(FAULTS)}.")
        if kind in ("html", "xml", "answer"):
            more.setdefault("status", 200)
        fault = Fault(path_prefix, kind, times, **more)
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
                fits = fault.method in ("", call.method) and fault.place in ("", call.place)
                if fits and call.path.startswith(fault.prefix):
                    if fault.times is not None:
                        fault.times -= 1
                        if fault.times <= 0:
                            self._faults.remove(fault)
                    return fault
        return None


def instead(fault: Fault, make: Any) -> Answer:
    """The answer that `fault` puts in place of what `make` gives."""
    match fault.kind:
        case "truncated":
            whole: Answer = make()
            return Answer(whole.body[: len(whole.body) // 2], whole.content_type, whole.status, whole.headers)
        case "html":
            return html_answer("<html><head><title>Maintenance</title></head><body>Soon.</body></html>", fault.status)
        case "xml":
            return xml_answer('<Response code="200" status="Something else"/>', fault.status)
        case "empty":
            return Answer(b"", "application/json", 200, fault.headers)
        case "429":  # plex.tv: too many calls; there is no Retry-After to rely on
            busy = json_answer({"errors": [{"code": 1003, "message": "Too many requests", "status": 429}]}, 429)
            return Answer(busy.body, busy.content_type, 429, fault.headers)
        case "status" | "answer":
            return Answer(fault.body, fault.content_type, fault.status, fault.headers)
    return make()  # type: ignore[no-any-return]  # slow


def call_from(place: str, method: str, target: str, headers: dict[str, str], content: bytes) -> Call:
    """A request taken apart."""
    parts = urlsplit(target)
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return Call(place, method, parts.path, query, {name.lower(): value for name, value in headers.items()}, content)
