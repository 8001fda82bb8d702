"""What the items of the soak are: a hundred at a time, each with its trouble and the one way in which it must end."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import NamedTuple

HOSTS = ("127.0.0.2", "127.0.0.3", "127.0.0.4")  # sites of their own: when one asks for peace, the others go on
BATCH = 100
SINGLES = 5  # of a batch are pasted one by one, the others come as one list

ALWAYS = ",".join(map(str, range(2, 30)))


class Kind(NamedTuple):
    """One sort of item. `link` is its address with NAME in it; `act` is what a person does with it, and at which state."""

    name: str
    number: int  # in a batch
    link: str
    ends: tuple[str, str | None] = ("completed", None)  # state and reason; `removed` is nobody's state
    act: str = ""
    act_at: tuple[str, ...] = ()


RUNNING = ("downloading", "processing")
OPEN = ("queued", *RUNNING)
LARGER = "/clip/NAME.mp4?size=200000"  # what a broken connection loses is at most 64 KiB
SLOW = "/clip/NAME.mp4?throttle=3000"  # some twenty seconds: somebody can act while it runs

KINDS = (
    Kind("plain", 60, "/clip/NAME.mp4"),
    Kind("page", 12, "/page/jsonld/NAME?title=Item+NAME&date=2026-DATE"),
    Kind("gone", 3, "/status/404?n=NAME", ("failed", "gone")),
    Kind("forbidden once", 3, "/clip/NAME.mp4?fail=2&fail_status=403"),
    Kind("forbidden for good", 2, f"/clip/NAME.mp4?fail={ALWAYS}&fail_status=403", ("failed", "forbidden")),
    Kind("page down for a minute", 2, "/clip/NAME.mp4?fail=1&fail_status=503"),
    Kind("media busy", 2, "/clip/NAME.mp4?fail=2&fail_status=503"),
    Kind("cut in the middle", 4, f"{LARGER}&cut_first=140000&cut_on=2"),
    Kind("stalls", 1, f"{LARGER}&stall=140000"),
    Kind("asked to wait", 2, "//HOST/clip/NAME.mp4?fail=1&fail_status=429&retry_after=2"),
    Kind("cancelled while it runs", 2, SLOW, ("cancelled", None), "cancel", RUNNING),
    Kind("removed while it runs", 2, SLOW + "&n=2", ("removed", None), "remove", RUNNING),
    Kind("cancelled in line", 1, SLOW + "&n=3", ("cancelled", None), "cancel", OPEN),
    Kind("removed in line", 1, SLOW + "&n=4", ("removed", None), "remove", OPEN),
    Kind("removed when done", 2, "/clip/NAME.mp4", ("removed", None), "remove", ("completed",)),
    Kind("had already", 1, "/clip/REPEAT.mp4?again=1", ("completed", None)),
)

QUICK = tuple(one for one in KINDS if one.name not in ("page down for a minute", "stalls"))


class Item(NamedTuple):
    """One of them, with its whole address."""

    name: str
    kind: Kind
    url: str


def batch(
    number: int, base: str, chance: random.Random, *, size: int = BATCH, kinds: Sequence[Kind] = KINDS
) -> list[Item]:
    """The items of one batch in an order that chance decides; fewer than a hundred of each kind at least one."""
    items = []
    for kind in kinds:
        for one in range(max(1, round(kind.number * size / BATCH))):
            name = f"b{number}-{kind.name.replace(' ', '-')}-{one}"
            host = HOSTS[(number + one) % len(HOSTS)] + ":" + base.rpartition(":")[2]
            date = f"{number % 12 + 1:02}-{one % 28 + 1:02}T10:00:00Z"
            link = kind.link.replace("NAME", name).replace("HOST", host).replace("DATE", date)
            link = link.replace("REPEAT", f"again-{max(0, number - 1) // 2}")  # two batches share one
            items.append(Item(name, kind, f"http:{link}" if link.startswith("//") else base + link))
    chance.shuffle(items)
    return items
