"""How a call to an outside service fails. Texts name the host at most: addresses and headers may hold secrets."""

from __future__ import annotations

from medianest.errors import UpstreamFailed


class Unreachable(UpstreamFailed):
    """No answer came: the name is unknown, nobody listens, it took too long, or the line broke."""

    title = "The other side can not be reached"
    default_code = "unreachable"


class AnswerTooLarge(UpstreamFailed):
    """The answer was larger than such an answer can be; it was not read to its end."""

    default_code = "answer_too_large"

    def __init__(self, host: str, largest_bytes: int) -> None:
        super().__init__(f"{host} sent more than {largest_bytes // 1000} kB, which no answer of its kind has.")


class AddressRefused(UpstreamFailed):
    """The address leads to where this client must not go."""

    title = "This address is not allowed"
    default_code = "address_refused"

    def __init__(self, host: str) -> None:
        super().__init__(f"MediaNest does not connect to {host or 'this address'}: it is not allowed to go there.")
