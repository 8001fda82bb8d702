"""Which release is to be taken: the newest one of the channel, unless an older one is named for this system."""

from __future__ import annotations

import hashlib
import hmac
import platform
import re
import ssl

from medianest.engine.refusals import Refused

_SUM_LINE = re.compile(r"([0-9a-fA-F]{64}) [ *](\S+)")
_NESTED = re.compile(r"\)[*+{]|[*+][*+{]")
LONGEST_PATTERN = 200
MOST_REPEATS = 3


def sum_of(sums: str, name: str) -> str:
    """The SHA-256 of the file `name`, in lower case.

    Raises:
        Refused: it does not stand there, or twice with different values.
    """
    found = {
        match[1].lower() for line in sums.splitlines() if (match := _SUM_LINE.fullmatch(line)) and match[2] == name
    }
    if len(found) != 1:
        raise Refused("sum_missing", f"SHA2-256SUMS has no sum for the file {name}, so it can not be checked.")
    return found.pop()


def check_sum(program: bytes, expected: str) -> None:
    """Raise `Refused` unless `program` has this SHA-256."""
    if not hmac.compare_digest(hashlib.sha256(program).hexdigest(), expected):
        raise Refused(
            "sum_differs",
            "What was fetched is not what SHA2-256SUMS says: it was damaged or changed on the way, so it was thrown away.",
        )


def identifier() -> str:
    """This system in the words that yt-dlp's lines about old systems are matched with."""
    libc = " ".join(filter(None, platform.libc_ver()))
    return (
        f"zip Python {platform.python_version()} ({platform.python_implementation()} {platform.machine()} "
        f"{platform.architecture()[0]}) - {platform.platform()} ({ssl.OPENSSL_VERSION}{', ' + libc if libc else ''})"
    )


def held_back(spec: str, repository: str, system: str) -> str:
    """The release that `_update_spec` names for systems like this one; empty when it holds none back.

    Raises:
        Refused: a line of it is beyond what such a line can be.
    """
    lines = spec.splitlines()
    is_second = any(line.startswith("lockV2 ") for line in lines)
    for line in lines:
        words = line.split(" ", 3 if is_second else 2)
        if is_second and words[:2] == ["lockV2", repository] and len(words) == 4:
            tag, pattern = words[2:]
        elif not is_second and words[0] == "lock" and len(words) == 3:
            tag, pattern = words[1:]
        else:
            continue
        if _matches(pattern, system):
            return tag
    return ""


def _matches(pattern: str, system: str) -> bool:
    """Whether a pattern from outside fits; one that could take for ever is refused, not tried."""
    repeats = sum(pattern.count(sign) for sign in "*+{")
    try:
        if len(pattern) > LONGEST_PATTERN or repeats > MOST_REPEATS or _NESTED.search(pattern):
            raise re.error("too much")
        return re.match(pattern, system) is not None
    except re.error as error:
        raise Refused(
            "spec_unreadable", "The file _update_spec of the release can not be understood, so nothing was taken."
        ) from error
