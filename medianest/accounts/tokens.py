"""What proves a sign-in: a short-lived signed access token, and a refresh token of which only the hash is stored."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import time
from typing import NamedTuple
from uuid import UUID

ACCESS_S = 15 * 60
ISSUER = "medianest"
ALGORITHM = "HS256"
REFRESH_MARK = 20  # characters


class AccessClaims(NamedTuple):
    user_id: int
    session_id: UUID


class TokenMaker:
    """Makes and reads tokens with keys derived from the installation's secret key."""

    def __init__(self, secret_key: bytes) -> None:
        self._access_key = hmac.digest(secret_key, b"access token", "sha256")
        self._csrf_key = hmac.digest(secret_key, b"csrf token", "sha256")
        self._refresh_key = hmac.digest(secret_key, b"refresh token", "sha256")
        self.fingerprint = hmac.digest(secret_key, b"cookie name", "sha256").hex()[:8]

    def access(self, user_id: int, session_id: UUID) -> str:
        """A JWT that is good for 15 minutes."""
        import jwt

        now = int(time.time())
        claims = {
            "iss": ISSUER,
            "sub": str(user_id),
            "sid": session_id.hex,
            "iat": now,
            "exp": now + ACCESS_S,
            "jti": secrets.token_hex(8),
        }
        return jwt.encode(claims, self._access_key, algorithm=ALGORITHM)

    def read_access(self, token: str) -> AccessClaims | None:
        """The claims of a good token, None for any other."""
        import jwt

        try:
            claims = jwt.decode(
                token,
                self._access_key,
                algorithms=[ALGORITHM],
                issuer=ISSUER,
                # iat may lie ahead by a moment: several machines share the key, and none the clock
                options={"require": ["exp", "iat", "jti", "sub", "iss"], "verify_iat": False},
            )
            return AccessClaims(int(claims["sub"]), UUID(claims["sid"]))
        except (jwt.PyJWTError, KeyError, ValueError, TypeError, AttributeError):
            return None

    def csrf(self, session_id: UUID) -> str:
        """The token that forms of this session carry."""
        return hmac.digest(self._csrf_key, session_id.bytes, "sha256").hex()

    def refresh_secret(self, session_id: UUID) -> str:
        """A new secret half of a refresh token: random, and signed, so that an old one is told from an invented one."""
        random = secrets.token_urlsafe(32)
        return random + self._refresh_mark(session_id, random)

    def is_ours(self, session_id: UUID, secret: str) -> bool:
        """Whether `refresh_secret` made it for this session, however long ago."""
        random, mark = secret[:-REFRESH_MARK], secret[-REFRESH_MARK:]
        return hmac.compare_digest(mark.encode(), self._refresh_mark(session_id, random).encode())

    def _refresh_mark(self, session_id: UUID, random: str) -> str:
        return hmac.digest(self._refresh_key, session_id.bytes + random.encode(), "sha256").hex()[:REFRESH_MARK]


def refresh_token(session_id: UUID, secret: str) -> str:
    """The token as the browser keeps it."""
    return f"{session_id.hex}.{secret}"


def read_refresh(token: str) -> tuple[UUID, str] | None:
    """Session id and secret of a refresh token, None when it is none."""
    identifier, _, secret = token.partition(".")
    if len(identifier) != 32 or not 20 <= len(secret) <= 100:
        return None
    try:
        return UUID(identifier), secret
    except ValueError:
        return None


def hashed(secret: str) -> str:
    """What is stored of a secret that is random by itself."""
    return hashlib.sha256(secret.encode()).hexdigest()
