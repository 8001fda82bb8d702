"""What must hold when everything is over: every job finished, every file there once and whole, every number given once."""

from __future__ import annotations

import hashlib
import itertools
import json
import subprocess
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from medianest.downloads.filing import SHOW_FILES
from tests.soak.several_house import Crowd, House
from tests.soak.several_orders import Order, Video

LAST_SHORT, FIRST_OF_A_DAY = 99, 1


def check_rows(house: House, ordered: Sequence[Order], crowd: Crowd, extra: int) -> None:
    """Each order is one row that is completed, each list has each of its videos once. `extra` rows are not of orders."""
    rows = house.ask(
        "SELECT id, parent_id, item_index, url, kind, state, reason, owner, history_id, items_total, items_done "
        "FROM download_queue ORDER BY id"
    )
    tops = {row["url"]: row for row in rows if row["parent_id"] is None}
    number = sum(row["parent_id"] is None for row in rows)
    assert number == len(ordered) + extra, f"{len(ordered) + extra} links were added, and there are {number} rows."
    for order in ordered:
        row = tops.get(order.url)
        assert row is not None, f"{order.url} was added, and its row is lost."
        assert crowd.ids[order.url] == {row["id"]}, f"{order.url} was answered with {crowd.ids[order.url]}: {row}"
        _check_finished(row)
        if order.is_list:
            items = [one for one in rows if one["parent_id"] == row["id"]]
            found = Counter((one["item_index"], one["url"]) for one in items)
            wanted = Counter(enumerate((video.url for video in order.videos), 1))
            assert found == wanted, f"The list {order.url} has lost {wanted - found} and has too many {found - wanted}."
            counts = (row["items_total"], row["items_done"])
            assert counts == (len(items), len(items)), f"The list {order.url} counts {counts}, not {len(items)}."
            for one in items:
                _check_finished(one)


def _check_finished(row: dict[str, Any]) -> None:
    assert row["state"] == "completed", f"A download is not finished: {row}"
    assert row["owner"] is None, f"A finished download still belongs to somebody: {row}"
    assert row["kind"] != "video" or row["history_id"] is not None, f"A finished download has no file: {row}"


def check_people(house: House, ordered: Sequence[Order], names: Sequence[str]) -> None:
    """Whoever added a link has it on their list, and nobody else."""
    rows = house.ask(
        "SELECT q.url, u.username FROM download_people p JOIN download_queue q ON q.id = p.download_id "
        "JOIN users u ON u.id = p.user_id"
    )
    found = Counter((row["url"], row["username"]) for row in rows if row["username"] in names)
    wanted = Counter((order.url, names[number]) for order in ordered for number in order.people)
    assert found == wanted, f"Lost: {wanted - found}; too many: {found - wanted}"


def check_history(house: House, videos: Sequence[Video]) -> list[dict[str, Any]]:
    """One filed record for each video, which exactly one download filed; gives the records."""
    records = house.ask(
        "SELECT h.id, h.identity, h.url, h.show_id, h.season, h.episode, h.published_on, h.files, h.filed_at, h.deleted_at, "
        "(SELECT count(*) FROM download_log l JOIN download_queue q ON q.id = l.download_id WHERE q.history_id = h.id "
        "AND l.line LIKE 'Filed as %') AS times FROM download_history h ORDER BY h.id"
    )
    found, wanted = Counter(row["url"] for row in records), Counter({video.url for video in videos})
    assert found == wanted, f"Records lost: {list(wanted - found)}; too many: {list(found - wanted)}"
    for row in records:
        assert row["filed_at"] is not None, f"A record was never filed: {row}"
        assert row["deleted_at"] is None, f"A record is deleted: {row}"
        assert row["times"] == 1, f"A video was filed {row['times']} times: {row}"
    return records


def check_numbers(records: Sequence[dict[str, Any]]) -> None:
    """Within a show no number is there twice, and those of one day follow each other without a gap."""
    numbers = Counter((row["show_id"], row["season"], row["episode"]) for row in records)
    doubled = [number for number, times in numbers.items() if times > 1]
    assert not doubled, f"Numbers were given twice: {doubled}"

    def day_of(row: dict[str, Any]) -> tuple[int, str]:
        return row["show_id"], str(row["published_on"])

    for day, rows in itertools.groupby(sorted(records, key=day_of), key=day_of):
        given = sorted(row["episode"] for row in rows)
        first = given[0]
        assert first % 100 == FIRST_OF_A_DAY, f"The numbers of {day} begin with {first}."
        short = [one for one in given if one < first + LAST_SHORT]
        long = given[len(short) :]
        for one in (short, long):
            assert one == list(range(one[0], one[0] + len(one))) if one else True, f"{day} has gaps: {given}"


def check_library(house: House, records: Sequence[dict[str, Any]], videos: Sequence[Video]) -> int:
    """Every recorded file is there as recorded, nothing else is, and each video's content is whole; gives bytes."""
    by_url = {video.url: video for video in videos}
    known: set[str] = set()
    total = 0
    for record in records:
        files = json.loads(record["files"])
        for file in files:
            path = house.library / file["path"]
            assert path.is_file(), f"{file['path']} is recorded and not there."
            size = path.stat().st_size
            assert size == file["size_bytes"], f"{file['path']} has {size} bytes instead of {file['size_bytes']}."
            assert file["path"] not in known, f"{file['path']} belongs to two records."
            known.add(file["path"])
            total += size
        check_content(house.library / files[0]["path"], by_url[record["url"]])
    for path in house.library.rglob("*"):
        name = path.relative_to(house.library).as_posix()
        if path.is_file() and not name.startswith(".medianest/"):
            is_known = name in known or SHOW_FILES.fullmatch(path.name)
            assert is_known, f"{name} lies in the library and nobody knows it."
    return total


def check_content(path: Path, video: Video) -> None:
    """The packets of picture and sound are those that the site sent; of a stream in pieces, its length."""
    if video.source is not None:
        assert packets(path) == packets(video.source), f"{path.name} is not what {video.url} holds."
        return
    streams, seconds = _probed(path)
    assert streams == 2, f"{path.name} has {streams} streams instead of picture and sound."
    assert abs(seconds - video.length_s) < 0.3, f"{path.name} lasts {seconds} s instead of {video.length_s} s."


def packets(path: Path) -> str:
    """A sum over what is inside, whatever the box around it."""
    return _packets(hashlib.sha256(path.read_bytes()).hexdigest(), str(path))


_seen: dict[str, str] = {}


def _packets(content: str, path: str) -> str:
    if content not in _seen:
        command = ["ffmpeg", "-v", "error", "-i", path, "-map", "0:v", "-map", "0:a", "-c", "copy"]
        done = subprocess.run(
            [*command, "-f", "streamhash", "-hash", "md5", "-"], capture_output=True, text=True, timeout=60
        )
        assert not done.stderr, f"{path} can not be read: {done.stderr}"
        _seen[content] = done.stdout
    return _seen[content]


@cache
def _probed(path: Path) -> tuple[int, float]:
    command = ["ffprobe", "-v", "error", "-show_entries", "format=nb_streams,duration", "-of", "json", str(path)]
    found = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, timeout=60).stdout)
    return int(found["format"]["nb_streams"]), float(found["format"]["duration"])


def leftovers(house: House) -> Iterator[str]:
    """What lies about: unfinished files of nobody, in the library's staging folder and in the data folders."""
    for path in house.library.rglob("*.part"):
        yield path.relative_to(house.library).as_posix()
    if house.staging.is_dir():
        for path in house.staging.iterdir():
            yield f"staging folder {path.name}"
    for server in house.servers:
        for path in server.data_dir.rglob("*.part"):
            yield f"{server.data_dir.parent.name}/{path.relative_to(server.data_dir)}"
