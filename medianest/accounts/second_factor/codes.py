"""One-time codes: six digits every thirty seconds (RFC 6238, SHA-1 as every app has it), and backup codes."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyotp import TOTP

STEP_S = 30
DIGITS = 6
DRIFT = 1  # steps that a clock may be off, either way
SECRET_BYTES = 20
BACKUP_CODES = 10
BACKUP_LENGTH = 12  # 60 bits
ALPHABET = "ABCDEFGHJKLMNPQRSTUVWXYZ23456789"  # no 0 O 1 I


def new_secret() -> str:
    """A secret as it is typed: 32 letters and digits of base32."""
    return base64.b32encode(os.urandom(SECRET_BYTES)).decode("ascii")


def grouped(text: str) -> str:
    """In groups of four, for reading aloud and typing."""
    return " ".join(text[start : start + 4] for start in range(0, len(text), 4))


def setup_address(secret: str, username: str, issuer: str) -> str:
    """What the QR code says: `otpauth://totp/…`."""
    return _totp(secret).provisioning_uri(name=username, issuer_name=issuer)


def code_at(secret: str, step: int) -> str:
    """The code of one step of thirty seconds."""
    return _totp(secret).generate_otp(step)


def steps_of(secret: str, code: str, now: float) -> list[int]:
    """The steps around `now` that have this code: none when it is wrong, almost never more than one."""
    current = int(now // STEP_S)
    sent = code.encode("utf-8", "surrogatepass")
    steps = range(current - DRIFT, current + DRIFT + 1)
    return [step for step in steps if hmac.compare_digest(code_at(secret, step).encode(), sent)]


def _totp(secret: str) -> TOTP:
    from pyotp import TOTP

    return TOTP(secret, digits=DIGITS, interval=STEP_S)


def plain(code: str) -> str:
    """A code without the spaces and dashes people put in."""
    return "".join(char for char in code if not char.isspace() and char != "-").upper()


def new_backup_codes() -> tuple[str, ...]:
    """Ten codes such as `7KQM-2XWD-HPR4`."""
    codes = ("".join(secrets.choice(ALPHABET) for _ in range(BACKUP_LENGTH)) for _ in range(BACKUP_CODES))
    return tuple("-".join(code[start : start + 4] for start in range(0, BACKUP_LENGTH, 4)) for code in codes)


def backup_hash(user_id: int, code: str) -> str:
    """What is stored of a backup code: it is random enough for a plain hash, with the person's number as salt."""
    return hashlib.sha256(f"{user_id} {plain(code)}".encode("utf-8", "surrogatepass")).hexdigest()
