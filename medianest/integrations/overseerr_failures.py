"""How a call to Overseerr or Seerr fails. Their own texts are unstable and may name upstream addresses: they are never shown."""

from __future__ import annotations

from medianest.errors import Conflict, NotAllowed, UpstreamFailed
from medianest.integrations.failures import Unreachable


class WrongAddress(UpstreamFailed):
    """A page for people came: something else answers here, or the address has a path too many."""

    title = "No Overseerr answers here"
    default_code = "overseerr_wrong_address"

    def __init__(self, host: str) -> None:
        super().__init__(
            f"A web page answers at {host}, not Overseerr's interface. The address is the bare one, such as "
            "http://192.168.1.5:5055, without any path behind it."
        )


class Unreadable(UpstreamFailed):
    """Half an answer, or something that is no answer of theirs."""

    default_code = "unreadable"

    def __init__(self, host: str) -> None:
        super().__init__(f"{host} sent an answer that can not be read.")


class GatewayDown(Unreachable):
    """Something in front of it says that it is down."""

    default_code = "gateway_down"


class KeyRefused(UpstreamFailed):
    """The server does not take the key."""

    title = "Overseerr refuses the key"
    default_code = "overseerr_key_refused"

    def __init__(self) -> None:
        super().__init__("Overseerr does not take MediaNest's key. Copy the key anew from its settings (General).")


class Busy(UpstreamFailed):
    """Too many calls; the next one not before `wait_s` seconds."""

    default_code = "overseerr_busy"

    def __init__(self, wait_s: int) -> None:
        super().__init__("Overseerr asks MediaNest to call less often. Try again in a moment.")
        self.wait_s = wait_s


class ServerError(UpstreamFailed):
    """It could not do it. A 500 also stands for a title that it does not know, or a film database that does not answer."""

    default_code = "overseerr_error"


class TitleUnavailable(ServerError):
    """The film database does not know the title, or does not answer: the server does not tell which."""

    default_code = "title_unavailable"

    def __init__(self) -> None:
        super().__init__("The film database does not know this title, or does not answer right now.")


class AlreadyRequested(Conflict):
    """Somebody has asked for this film there."""

    default_code = "already_requested"

    def __init__(self) -> None:
        super().__init__("This has already been asked for.")


class NothingToRequest(Conflict):
    """Every season wanted is there or asked for: nothing was created."""

    default_code = "nothing_to_request"

    def __init__(self) -> None:
        super().__init__("All of these seasons are there or have been asked for.")


REFUSALS = {
    "permission": "Overseerr does not let this person ask for it: the right is missing there.",
    "quota": "This person's share in Overseerr is used up.",
    "blocklisted": "This title is on the blocklist.",
    "key": "Overseerr does not take MediaNest's key.",
    "user": "Overseerr does not know the person in whose name this was asked.",
}


class RequestRefused(NotAllowed):
    """The server refuses a request; `code` is permission, quota, blocklisted, key or user (unknown there)."""

    def __init__(self, code: str) -> None:
        super().__init__(REFUSALS[code], code=code)
