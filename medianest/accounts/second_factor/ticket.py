"""What lies between the two steps of a sign-in: a signed ticket for five minutes, in a cookie. It holds no password."""

from __future__ import annotations

import hmac
import time

import msgspec

from medianest.errors import NotSignedIn

TICKET_S = 5 * 60
ISSUER = "medianest second step"
ALGORITHM = "HS256"


class SecondFactorNeeded(NotSignedIn):
    """The password was right; a code is needed as well. `ticket` leads to the second step."""

    default_code = "second_factor_required"

    def __init__(self, ticket: str) -> None:
        super().__init__("Enter the code of your authenticator app as well, or a backup code.")
        self.ticket = ticket


class Ticket(msgspec.Struct, frozen=True, kw_only=True):
    """Who gave the right password. `password_mark` fits as long as it is the same."""

    user_id: int
    is_remembered: bool
    next_path: str
    password_mark: str


class Tickets:
    """Makes and reads tickets with a key derived from the installation's secret key."""

    def __init__(self, secret_key: bytes) -> None:
        self._key = hmac.digest(secret_key, b"second step", "sha256")

    def make(self, user_id: int, password_hash: str, *, is_remembered: bool, next_path: str) -> str:
        import jwt

        claims = {
            "iss": ISSUER,
            "sub": str(user_id),
            "exp": int(time.time()) + TICKET_S,
            "remember": is_remembered,
            "next": next_path[:1000],
            "mark": self._mark(password_hash),
        }
        return jwt.encode(claims, self._key, algorithm=ALGORITHM)

    def read(self, text: str) -> Ticket | None:
        """None when it is not ours or has run out."""
        import jwt

        try:
            claims = jwt.decode(
                text, self._key, algorithms=[ALGORITHM], issuer=ISSUER, options={"require": ["exp", "sub", "iss"]}
            )
            return Ticket(
                user_id=int(claims["sub"]),
                is_remembered=bool(claims["remember"]),
                next_path=str(claims["next"]),
                password_mark=str(claims["mark"]),
            )
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, AttributeError):
            return None

    def fits(self, ticket: Ticket, password_hash: str | None) -> bool:
        """Whether the password is still the one that was given."""
        return password_hash is not None and hmac.compare_digest(ticket.password_mark, self._mark(password_hash))

    def _mark(self, password_hash: str) -> str:
        return hmac.digest(self._key, password_hash.encode(), "sha256").hex()[:32]
