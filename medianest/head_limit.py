"""uvicorn's fast HTTP protocol with a limit on the head of a call, which it lacks: more than 32 KiB is answered 431."""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

LARGEST_HEAD_BYTES = 32 * 1024
REFUSAL = b"The headers of this call are too large.\n"


class HeadTooLarge(Exception):
    """Stops the parser; never leaves this module."""


class LimitedHttpProtocol(HttpToolsProtocol):
    """Counts request line and headers, of WebSocket handshakes too, and refuses before anything looks at the call."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._is_in_head = True
        self._fed_bytes = 0  # while a head is not complete: a header line without an end never reaches `on_header`
        self._head_bytes = 0
        self._is_refused = False

    def data_received(self, data: bytes) -> None:
        if self._is_refused:
            return
        if self._is_in_head:
            self._fed_bytes += len(data)
        super().data_received(data)
        if self._is_in_head and self._fed_bytes > LARGEST_HEAD_BYTES and not self.transport.is_closing():
            self._refuse()

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._is_in_head, self._fed_bytes, self._head_bytes = True, 0, 0

    def on_url(self, url: bytes) -> None:
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        self._is_in_head = False
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        super().on_message_complete()
        self._is_in_head, self._fed_bytes = True, 0

    def send_400_response(self, msg: str) -> None:
        if self._head_bytes > LARGEST_HEAD_BYTES:
            self._refuse()
        else:
            super().send_400_response(msg)

    def _count(self, size_bytes: int) -> None:
        self._head_bytes += size_bytes
        if self._head_bytes > LARGEST_HEAD_BYTES:
            raise HeadTooLarge

    def _refuse(self) -> None:
        self._is_refused = True
        head = (
            b"HTTP/1.1 431 Request Header Fields Too Large\r\ncontent-type: text/plain; charset=utf-8\r\n"
            b"content-length: " + str(len(REFUSAL)).encode() + b"\r\nconnection: close\r\n\r\n"
        )
        self.transport.write(head + REFUSAL)
        self.transport.close()
