"""The state of the stand-in: accounts, tokens, PINs; and what a test does with it."""

from __future__ import annotations

import secrets
import threading
import time
from dataclasses import dataclass
from types import TracebackType

from tests.plex import app_pages, media_server, plex_tv
from tests.plex.library import MediaLibrary
from tests.plex.listener import Listener
from tests.plex.people import MACHINE_ID, OTHER_MACHINE_ID, SERVER_NAME, Account, everybody
from tests.plex.traffic import Answer, Call, Faults

STRONG_S, WEAK_S = 1800.0, 900.0
READ_GAP_S = 0.9  # plex.tv: one read a second; a little less, since clocks tremble
LETTERS = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"


@dataclass(eq=False)
class Pin:
    """One PIN; `token` is None until somebody has allowed it."""

    id: int
    code: str
    client: str
    product: str
    is_strong: bool
    created_at: float
    lives_s: float
    token: str | None = None
    is_trusted: bool = False
    last_read: float = 0.0

    @property
    def is_expired(self) -> bool:
        return time.time() >= self.created_at + self.lives_s


class PlexWorld:
    """plex.tv, its sign-in app and two servers, in threads between `with PlexWorld() as plex` and the end of the block.

    `read_gap_s` is how far apart two reads of one PIN must be; `pin_life_s` overrides how long new PINs live.
    """

    machine_id, other_machine_id = MACHINE_ID, OTHER_MACHINE_ID

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.calls: list[Call] = []
        self.faults = Faults()
        self.read_gap_s = READ_GAP_S
        self.pin_life_s: float | None = None
        self.server_name = SERVER_NAME
        self.accounts = everybody()
        for account in self.accounts.values():
            account.make_token = self.token_of
        self.owner, self.friend = self.accounts["owner"], self.accounts["friend"]
        self.friend_one_library, self.child = self.accounts["friend_one_library"], self.accounts["child"]
        self.pending, self.stranger = self.accounts["pending"], self.accounts["stranger"]
        self.nothing_shared = self.accounts["nothing_shared"]
        self.pins: dict[int, Pin] = {}
        self.tokens: dict[str, tuple[Account, str]] = {}  # living plex.tv tokens: whose, under which client identifier
        self.server_tokens: dict[str, Account] = {}
        self.lock = threading.RLock()
        self.server = MediaLibrary(self)
        self.is_server_replaced = False  # another server answers at our server's address
        self.stopping = threading.Event()
        self._next_pin = 712345678
        self._listeners = [
            Listener(self, "plex.tv", host, port, self._answer_plex_tv),
            Listener(self, "server", host, port and port + 1, self._answer_server),
            Listener(self, "other", host, port and port + 2, self._answer_server),
        ]
        self.url, self.server_url, self.other_server_url = (one.url for one in self._listeners)

    def __enter__(self) -> PlexWorld:
        for listener in self._listeners:
            listener.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.stopping.set()
        for listener in self._listeners:
            if not listener.is_off:
                listener.stop()

    def turn_off(self) -> None:
        """The server goes down: kept connections break, new ones are refused."""
        self._listeners[1].turn_off()

    def turn_on(self) -> None:
        """The server comes back at its old address."""
        old = self._listeners[1]
        if old.is_off:
            self._listeners[1] = Listener(self, "server", "127.0.0.1", old.server_address[1], self._answer_server)
            self._listeners[1].start()

    def settings(self) -> dict[str, str]:
        """The environment of a MediaNest that is connected to this server by the owner."""
        return {
            "MEDIANEST_PLEX_TV_URL": self.url,
            "MEDIANEST_PLEX_APP_URL": self.url,
            "MEDIANEST_PLEX_URL": self.server_url,
            "MEDIANEST_PLEX_TOKEN": self.owner.token(),
        }

    # what people do

    def allow(self, code: str, account: Account) -> None:
        """The account allows the PIN with this code; KeyError when there is none or it has expired."""
        with self.lock:
            pin = self.pin_of(code)
            pin.token = self.new_token(account, pin.client)
            pin.is_trusted = True

    def deny(self, code: str) -> None:
        """The person taps Deny: plex.tv keeps quiet about that, the PIN waits on without a token."""
        self.pin_of(code)

    def expire(self, code: str) -> None:
        """The time of the PIN is over."""
        self.pin_of(code).lives_s = 0

    def withdraw(self, account: Account) -> None:
        """The owner takes our server away from the account; its token for the server dies with that."""
        with self.lock:
            account.libraries = frozenset()
            for token in [token for token, one in self.server_tokens.items() if one is account]:
                del self.server_tokens[token]

    def restore(self, account: Account) -> None:
        """The owner gives the server back, with the libraries it was shared with (all, for somebody new)."""
        account.libraries = account.kept_libraries or frozenset(self.server.sections)
        account.is_known = account.is_known or not account.is_owner

    def accept_invitation(self, account: Account) -> None:
        """Somebody invited says yes."""
        account.is_pending = False

    def kill_tokens(self, account: Account) -> None:
        """All plex.tv tokens of the account die, as when a new password signs all devices out; the server still takes its own."""
        with self.lock:
            self.tokens = {token: one for token, one in self.tokens.items() if one[0] is not account}

    # what the answers ask for

    def pin_of(self, code: str) -> Pin:
        """The living PIN with this code; KeyError otherwise. Short codes are read in either case."""
        with self.lock:
            for pin in self.pins.values():
                if not pin.is_expired and (pin.code == code or (not pin.is_strong and pin.code == code.upper())):
                    return pin
        raise KeyError(f"There is no PIN with the code {code}, or it has expired.")

    def new_pin(self, client: str, product: str, *, is_strong: bool) -> Pin:
        """plex.tv: 25 characters for the sign-in page, four for /link."""
        with self.lock:
            code = (
                secrets.token_urlsafe(32)[:25].lower().replace("_", "x").replace("-", "y")
                if is_strong
                else "".join(secrets.choice(LETTERS) for _ in range(4))
            )
            life_s = self.pin_life_s if self.pin_life_s is not None else STRONG_S if is_strong else WEAK_S
            pin = Pin(self._next_pin, code, client, product, is_strong, time.time(), life_s)
            self._next_pin += 17
            self.pins[pin.id] = pin
            return pin

    def new_token(self, account: Account, client: str) -> str:
        """plex.tv: one living token for an account and client identifier; the one before ends."""
        with self.lock:
            self.tokens = {token: one for token, one in self.tokens.items() if one != (account, client)}
            token = secrets.token_urlsafe(15)
            self.tokens[token] = (account, client)
            return token

    def token_of(self, account: Account, client: str) -> str:
        """The living token of an account under a client identifier, made when there is none."""
        with self.lock:
            living = [token for token, one in self.tokens.items() if one == (account, client)]
            return living[0] if living else self.new_token(account, client)

    def account_of(self, token: str) -> Account | None:
        """Whose plex.tv token this is."""
        with self.lock:
            return self.tokens[token][0] if token in self.tokens else None

    def server_token(self, account: Account) -> str:
        """The account's token for our server, which plex.tv does not know."""
        with self.lock:
            for token, one in self.server_tokens.items():
                if one is account:
                    return token
            token = secrets.token_urlsafe(15)
            self.server_tokens[token] = account
            return token

    def has_access(self, account: Account) -> bool:
        """Whether our server is shared with the account and the invitation taken."""
        return bool(account.libraries) and not account.is_pending

    def _answer_plex_tv(self, call: Call) -> Answer:
        with self.lock:
            return app_pages.answer(self, call) or plex_tv.answer(self, call)

    def _answer_server(self, call: Call) -> Answer:
        with self.lock:
            return media_server.answer(self, call)
