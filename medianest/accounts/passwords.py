"""Passwords: the rule, and bcrypt away from the loop, never on every processor at once.

Stored is bcrypt (cost 12) of base64(SHA-384(password)): bcrypt takes no more than 72 bytes and no NUL, and cuts silently
in some versions.
"""

from __future__ import annotations

import asyncio
import base64
import hashlib
import os
import unicodedata
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from medianest.errors import Invalid

T = TypeVar("T")

COST = 12
HASHERS = 1 if (os.cpu_count() or 1) <= 2 else 2
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

# hash of a forgotten random value: what an unknown person's password is compared with, at the same cost
NOBODY = "$2b$12$Ulrx7HEZt8fErW4FtyvkyOrT4O1iZCMVBDzYkQfc8xuRsObGg1eGG"
_hashing: ThreadPoolExecutor | None = None


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
    # one device sends é as one character, another as two
    composed = unicodedata.normalize("NFC", password)
    return base64.b64encode(hashlib.sha384(composed.encode("utf-8", "surrogatepass")).digest())


async def _in_thread(work: Callable[[], T]) -> T:
    """Run `work` beside the loop; others wait, so that sign-ins leave the loop a processor of its own."""
    global _hashing
    _hashing = _hashing or ThreadPoolExecutor(HASHERS, thread_name_prefix="password")
    return await asyncio.get_running_loop().run_in_executor(_hashing, work)


async def hash_password(password: str) -> str:
    """Hash for storage; about 0.3 s of one processor, in a thread."""

    def work() -> str:
        import bcrypt

        return bcrypt.hashpw(_prepared(password), bcrypt.gensalt(COST)).decode("ascii")

    return await _in_thread(work)


async def is_password(password: str, stored: str | None) -> bool:
    """Whether `password` fits; an unknown person (None) costs the same time."""

    def work() -> bool:
        import bcrypt

        return bcrypt.checkpw(_prepared(password), (stored or NOBODY).encode("ascii"))

    return await _in_thread(work) and stored is not None


def is_weak_hash(stored: str) -> bool:
    """Whether it was made with a lower cost than today's."""
    parts = stored.split("$")
    return len(parts) < 4 or not parts[2].isdigit() or int(parts[2]) < COST
