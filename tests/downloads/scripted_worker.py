"""A stand-in for the download worker that speaks its protocol and does what the link's words say.

`http://site.test/<what>?id=…&site=…&title=…` with `what`: `video`, `slow` (until killed or `seconds` are over), `list`,
`crash` (dies in the middle, `times` times in all), `hang`, or `fail` with `class=…`. A list that is followed is
`http://site.test/feed?file=…`: the file holds its JSON (`title`, `kind`, `capped`, `fail`, `entries`), as it is right now.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

JPEG = b"\xff\xd8\xff\xe0" + b"\0" * 60


def send(event: str, **fields: object) -> None:
    sys.stdout.write(json.dumps({"event": event, **fields}) + "\n")
    sys.stdout.flush()


def info_of(url: str, words: dict[str, str]) -> dict[str, object]:
    name = words.get("id", "abc")
    return {
        "site": words.get("site", "tube"),
        "video_id": name,
        "webpage_url": url,
        "title": words.get("title", f"Video {name}"),
        "uploader": words.get("uploader", "Ana"),
        "channel": words.get("uploader", "Ana"),
        "channel_id": words.get("channel", "UC1"),
        "duration_s": 20,
        "published_on": words.get("date", "2026-03-15"),
        "description": "What it is about",
        "filesize_approx": int(words.get("size", "1000")),
        "is_live": words.get("live") == "yes",
        "tags": ["one"],
        "kind": words.get("kind", "video"),
    }


def count_of(words: dict[str, str]) -> int:
    """How often this script was run for `counter`, this time included; kept in a file since workers come and go."""
    path = Path(words["counter"])
    with path.open("ab", buffering=0) as file:  # several workers may come at once
        file.write(b"x")
        return file.tell()


def extract(order: dict[str, object]) -> tuple[dict[str, str], dict[str, object]] | None:
    url = str(order["url"])
    words = {key: values[0] for key, values in parse_qs(urlsplit(url).query).items()}
    what = urlsplit(url).path.strip("/")
    if words.get("counter") and what != "crash":
        count_of(words)
    if what == "fail":
        extra = {key: int(words[key]) for key in ("retry_after_s", "release_at") if key in words}
        if "times" in words and count_of({"counter": words["marker"]}) > int(words["times"]):
            what = "video"
        else:
            send("failed", **{"class": words["class"]}, detail=f"scripted {words['class']}", **extra)
            return None
    if what == "hang":
        time.sleep(3600)
    if what == "list":
        number = int(words["n"])
        send(
            "list",
            info={**info_of(url, words), "kind": "playlist", "title": words.get("title", "A list")},
            is_capped=words.get("capped") == "yes",
        )
        entries = [
            {
                "url": f"http://site.test/{words.get('each', 'video')}?id={words.get('prefix', 'i')}{one}",
                "title": f"Item {one}",
                "site": "tube",
                "video_id": f"{words.get('prefix', 'i')}{one}",
            }
            for one in range(number)
        ]
        for start in range(0, number, 100):
            send("entries", entries=entries[start : start + 100])
        send("list_end", items_total=number)
        return None
    words["what"] = what
    send("video", info=info_of(url, words))
    return words, order


def download(words: dict[str, str], order: dict[str, object]) -> None:
    staging = Path(str(order["staging"]))
    size = int(words.get("size", "1000"))
    part = staging / "media.x.mp4.part"
    media = staging / "media.x.mp4"
    if words["what"] == "crash" and count_of(words) <= int(words.get("times", "1")):
        part.write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
    if words["what"] == "slow":
        part.touch()
    if words.get("child") == "yes":
        subprocess.Popen(["sleep", "600"])
    for step in range(1, 4):
        send(
            "progress",
            status="downloading",
            downloaded_bytes=size * step // 4,
            total_bytes=size,
            speed_bytes_s=100.0,
            eta_s=1,
            percent=25.0 * step,
        )
        time.sleep(0.01)
    if words["what"] == "slow":
        until = time.monotonic() + float(words.get("seconds", "600"))
        with part.open("ab") as file:
            while time.monotonic() < until:
                file.write(b".")
                file.flush()
                time.sleep(0.02)
    send("processing", step="merge")
    media.write_bytes(b"m" * size)
    picture = staging / "picture.jpg"
    picture.write_bytes(JPEG)
    if words.get("outside"):
        media = Path(words["outside"])
    send(
        "done",
        files={"media": str(media), "picture": str(picture), "row_picture": str(picture), "subtitles": []},
        ext="mp4",
        media_type="video/mp4",
        size_bytes=size,
    )


def die_with_the_input(commands: list[dict[str, object]], ready: threading.Semaphore) -> None:
    for line in sys.stdin:
        commands.append(json.loads(line))
        ready.release()
    os.killpg(0, signal.SIGKILL)


def follow(order: dict[str, object]) -> None:
    """As the real one: entries until so many known ones came in a row."""
    words = {key: values[0] for key, values in parse_qs(urlsplit(str(order["url"])).query).items()}
    if not words.get("file"):
        send("failed", **{"class": "single_video"}, detail="scripted")
        return
    feed = json.loads(Path(words["file"]).read_text())
    if feed.get("fail"):
        send("failed", **{"class": feed["fail"]}, detail="scripted", retry_after_s=feed.get("retry_after_s"))
        return
    known, stop_after = set(order["known"]), int(str(order["stop_after"]))  # type: ignore[arg-type]
    entries: list[dict[str, object]] = []
    run = 0
    for entry in feed["entries"]:
        if stop_after and run >= stop_after:
            break
        name = f"tube:{entry['id']}"
        base = {
            "url": f"http://site.test/video?id={entry['id']}",
            "title": f"Item {entry['id']}",
            "identity": name,
            "key": name,
        }
        entries.append({**base, **entry})
        run = run + 1 if entries[-1]["key"] in known else 0
    info = {"kind": feed.get("kind", "channel"), "title": feed.get("title", "Ana"), "site": "tube"}
    send(
        "list", info=info, is_capped=bool(feed.get("capped")), is_cut=len(entries) < len(feed["entries"]), picture=None
    )
    for start in range(0, len(entries), 100):
        send("entries", entries=entries[start : start + 100])
    send("list_end", items_total=len(entries))
    if feed.get("told"):
        Path(feed["told"]).write_text(json.dumps({"known": len(known), "sent": len(entries)}))


def main() -> None:
    commands: list[dict[str, object]] = []
    ready = threading.Semaphore(0)
    threading.Thread(target=die_with_the_input, args=(commands, ready), daemon=True).start()
    kept = None
    while True:
        ready.acquire()
        order = commands.pop(0)
        match order["op"]:
            case "configure":
                send("ready", yt_dlp=os.environ.get("SCRIPTED_VERSION", "1.2.3"), pid=os.getpid())
            case "extract":
                kept = extract(order)
            case "follow":
                follow(order)
            case "download":
                assert kept is not None
                download(*kept)
            case "skip":
                send("idle")
            case "search":
                words = str(order["words"])
                if "fail" in words:
                    send("failed", **{"class": "transient"}, detail="scripted")
                else:
                    entry = {"title": words, "duration_s": 61, "site": "youtube", "uploader": "Ana"}
                    urls = ["https://videos.example/1", "https://videos.example/2", "file:///etc/passwd"]
                    send("found", entries=[{**entry, "url": url, "video_id": url[-11:]} for url in urls])
            case "preview":
                words = {key: values[0] for key, values in parse_qs(urlsplit(str(order["url"])).query).items()}
                count_of(words) if words.get("counter") else None
                time.sleep(0.1)
                Path(f"{order['picture']}.jpg").write_bytes(JPEG)
                if "fail" in str(order["url"]):
                    send("failed", **{"class": words["class"]}, detail="scripted")
                else:
                    send(
                        "preview",
                        info=info_of(str(order["url"]), words),
                        entries=[],
                        items_total=None,
                        is_capped=False,
                        picture=f"{order['picture']}.jpg",
                    )


main()
