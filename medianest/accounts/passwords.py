"""Passwords: the rule, and bcrypt away from the loop, two at a time.

Stored is bcrypt (cost 12) of base64(SHA-384(password)): bcrypt takes no more than 72 bytes and no NUL, and cuts silently
in some versions.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib

from medianest.errors import Invalid

COST = 12
SHORTEST = 12
LONGEST = 1024
# what people choose when a rule asks for upper, lower, digit and sign
COMMON = frozenset(
    (
        "password1234!",
        "password123!@",
        "welcome1234!",
        "qwertyuiop1!",
        "adminadmin1!",
        "letmein12345!",
        "plexplexplex1!",
        "medianest123!",
    )
)
COMMON_PARTS = ("password", "passw0rd", "qwerty", "123456", "letmein", "welcome", "iloveyou", "medianest")

_hashing = asyncio.Semaphore(2)
_dummy: str | None = None


def check_password(password: str, username: str) -> None:
    """Raise `Invalid` with everything that is wrong with a new password, in one sentence."""
    missing = []
    if len(password) < SHORTEST:
        missing.append(f"at least {SHORTEST} characters")
    if not any(char.isupper() for char in password):
        missing.append("an upper case letter")
    if not any(char.islower() for char in password):
        missing.append("a lower case letter")
    if not any(char.isdigit() for char in password):
        missing.append("a digit")
    if not any(not char.isalnum() for char in password):
        missing.append("a sign such as ! or -")
    if missing:
        sentence = f"The password needs {_listed(missing)}."
    elif len(password) > LONGEST:
        sentence = f"The password may have at most {LONGEST} characters."
    elif _is_common(password) or (len(username) >= 4 and username.casefold() in password.casefold()):
        sentence = "This password is too easy to guess. Take words that do not belong together."
    else:
        return
    raise Invalid(sentence, code="weak_password", fields={"password": sentence})


def _listed(parts: list[str]) -> str:
    return parts[0] if len(parts) == 1 else ", ".join(parts[:-1]) + " and " + parts[-1]


def _is_common(password: str) -> bool:
    folded = password.casefold()
    # a common word with little around it is still that word
    return folded in COMMON or any(part in folded and len(folded) - len(part) < 6 for part in COMMON_PARTS)


def _prepared(password: str) -> bytes:
    return base64.b64encode(hashlib.sha384(password.encode("utf-8", "surrogatepass")).digest())


async def hash_password(password: str) -> str:
    """Hash for storage; about 0.3 s of one processor, in a thread."""
    import bcrypt

    async with _hashing:
        return (await asyncio.to_thread(bcrypt.hashpw, _prepared(password), bcrypt.gensalt(COST))).decode("ascii")


async def is_password(password: str, stored: str | None) -> bool:
    """Whether `password` fits; an unknown person (None) costs the same time."""
    import bcrypt

    global _dummy
    if stored is None:
        _dummy = _dummy or await hash_password("nobody has this password")
    async with _hashing:
        fits = await asyncio.to_thread(bcrypt.checkpw, _prepared(password), (stored or _dummy or "").encode("ascii"))
    return fits and stored is not None


def is_weak_hash(stored: str) -> bool:
    """Whether it was made with a lower cost than today's."""
    parts = stored.split("$")
    return len(parts) < 4 or not parts[2].isdigit() or int(parts[2]) < COST
