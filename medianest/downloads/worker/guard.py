"""The address guard: every connection of this process is judged when it is made, on the resolved address.

An audit hook sees each `connect` and `sendto` of the interpreter, whichever library makes it (urllib, requests,
websockets), so redirects, names that change their address and every phase of a download are covered. It can not be
taken out again. Child processes go through `proxy.py`, whose own connections pass here as well.
"""

from __future__ import annotations

import ipaddress
import sys
import threading
from typing import Any

from medianest.addresses import AllowedAddresses, is_allowed

_WATCHED = frozenset({"socket.connect", "socket.sendto", "socket.sendmsg"})
MARK = "refused by the address guard"


class AddressRefused(ConnectionRefusedError):
    """A connection to an address that downloads may not reach. An OSError, so that libraries clean up after it."""


class AddressGuard:
    """Judges connections, and remembers the last refusal so that a failure can be told by its cause."""

    def __init__(self, allowed: AllowedAddresses) -> None:
        self.allowed = allowed
        self._lock = threading.Lock()
        self._refused: str | None = None
        self._is_installed = False

    def install(self) -> None:
        """Watch this process from now on; once."""
        if not self._is_installed:
            self._is_installed = True
            sys.addaudithook(self._audit)

    def forget(self) -> None:
        """Start a new phase: what was refused before no longer explains a failure."""
        with self._lock:
            self._refused = None

    @property
    def refused(self) -> str | None:
        """The address refused last in this phase."""
        with self._lock:
            return self._refused

    def check(self, address: Any) -> None:
        """Raise AddressRefused unless `address`, as given to a socket, is an allowed numeric one."""
        host = str(address[0]) if isinstance(address, tuple) and address else repr(address)
        try:
            is_fine = is_allowed(ipaddress.ip_address(host.partition("%")[0]), self.allowed)
        except ValueError:  # a name or a path: whoever connects resolves first, or is refused
            is_fine = False
        if not is_fine:
            with self._lock:
                self._refused = host
            raise AddressRefused(f"{host} was {MARK}")

    def _audit(self, event: str, args: tuple[Any, ...]) -> None:
        if event in _WATCHED:
            address = args[1]
            if address is not None:  # sendmsg on a connected socket
                self.check(address)
