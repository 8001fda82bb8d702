"""What goes wrong: each cause has its state, its sentence and its next step."""

from __future__ import annotations

import asyncio
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from medianest.accounts.model import User
from medianest.downloads.model import DownloadState, ReasonCode
from medianest.downloads.reasons import RetryRules, judge
from medianest.downloads.reports import Failed
from tests.downloads.running_queue import Queue

State = DownloadState
NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
RULES = RetryRules(jitter=0.0)


@pytest.mark.parametrize(
    ("kind", "attempts", "state", "code", "delay_s"),
    [
        ("transient", 1, State.QUEUED, ReasonCode.RETRYING, 60),
        ("transient", 2, State.QUEUED, ReasonCode.RETRYING, 300),
        ("transient", 3, State.QUEUED, ReasonCode.RETRYING, 1800),
        ("transient", 4, State.QUEUED, ReasonCode.RETRYING, 1800),
        ("transient", 5, State.FAILED, ReasonCode.TRANSIENT, None),
        ("forbidden", 1, State.FAILED, ReasonCode.FORBIDDEN, None),
        ("rate_limited", 9, State.WAITING, ReasonCode.SITE_PAUSED, 3600),
        ("bot_check", 1, State.WAITING, ReasonCode.SITE_PAUSED, 3600),
        ("bot_check", 9, State.WAITING, ReasonCode.SITE_PAUSED, 3600),
        ("needs_sign_in", 1, State.WAITING, ReasonCode.NEEDS_SIGN_IN, None),
        ("disk_full", 9, State.WAITING, ReasonCode.DISK_FULL, 300),
        ("upcoming", 9, State.WAITING, ReasonCode.UPCOMING, 900),
        ("geo_blocked", 1, State.WAITING, ReasonCode.GEO_BLOCKED, None),
        ("gone", 1, State.FAILED, ReasonCode.GONE, None),
        ("unsupported", 1, State.FAILED, ReasonCode.UNSUPPORTED, None),
        ("live", 1, State.FAILED, ReasonCode.LIVE, None),
        ("no_format", 1, State.FAILED, ReasonCode.NO_FORMAT, None),
        ("ffmpeg_missing", 9, State.WAITING, ReasonCode.FFMPEG_MISSING, 300),
        ("javascript_missing", 9, State.WAITING, ReasonCode.JAVASCRIPT_MISSING, 300),
        ("library_not_writable", 9, State.WAITING, ReasonCode.LIBRARY_NOT_WRITABLE, 300),
        ("folder_blocked", 1, State.FAILED, ReasonCode.LIBRARY_NOT_WRITABLE, None),
        ("address_refused", 1, State.FAILED, ReasonCode.ADDRESS_REFUSED, None),
        ("suspicious_file", 1, State.FAILED, ReasonCode.SUSPICIOUS_FILE, None),
        ("engine_error", 1, State.FAILED, ReasonCode.ENGINE_ERROR, None),
        ("worker_crashed", 1, State.FAILED, ReasonCode.WORKER_CRASHED, None),
        ("a class of a newer worker", 1, State.FAILED, ReasonCode.ENGINE_ERROR, None),
    ],
)
def test_the_table_of_causes(
    kind: str, attempts: int, state: DownloadState, code: ReasonCode, delay_s: float | None
) -> None:
    verdict = judge(Failed(failure=kind), attempts=attempts, rules=RULES, now=NOW)
    assert (verdict.state, verdict.code, verdict.delay_s) == (state, code, delay_s)
    assert verdict.reason.endswith(".")
    assert "{" not in verdict.reason


def test_a_premiere_waits_for_its_time() -> None:
    verdict = judge(
        Failed(failure="upcoming", release_at=int(NOW.timestamp()) + 7200), attempts=1, rules=RULES, now=NOW
    )
    assert verdict.delay_s == 7200
    assert "15 March 2026 at 14:00 UTC" in verdict.reason


def test_what_the_site_asks_for_is_kept_to_and_its_countries_are_named() -> None:
    limited = judge(Failed(failure="rate_limited", retry_after_s=77), attempts=1, rules=RULES, now=NOW)
    assert (limited.delay_s, limited.counts) == (77, False)
    blocked = judge(Failed(failure="geo_blocked", countries=["AT", "CH"]), attempts=1, rules=RULES, now=NOW)
    assert "AT, CH" in blocked.reason


def test_only_what_waits_for_something_uses_up_no_try_and_what_to_do_is_said() -> None:
    for kind in (
        "rate_limited",
        "bot_check",
        "disk_full",
        "ffmpeg_missing",
        "needs_sign_in",
        "geo_blocked",
        "upcoming",
    ):
        assert not judge(Failed(failure=kind), attempts=1, rules=RULES, now=NOW).counts, kind
    stale = judge(Failed(failure="needs_sign_in"), attempts=1, rules=RULES, now=NOW, has_cookies=True)
    assert "cookies we have did not open it" in stale.reason
    robot = judge(Failed(failure="bot_check"), attempts=1, rules=RULES, now=NOW, has_cookies=True)
    assert "may be stale" in robot.reason


def test_what_yt_dlp_can_not_read_waits_for_one_update_and_is_given_up_after_it() -> None:
    first = judge(Failed(failure="engine_error"), attempts=1, rules=RULES, now=NOW)
    assert (first.engine_tries, "after the next update" in first.reason) == (1, True)
    second = judge(Failed(failure="engine_error"), attempts=2, rules=RULES, now=NOW, engine_tries=1)
    assert (second.engine_tries, "did not help" in second.reason) == (2, True)


async def test_a_passing_fault_is_tried_again_until_it_works(queue: Queue, ana: User, tmp_path: Path) -> None:
    url = f"http://site.test/fail?class=transient&times=2&marker={tmp_path}/m&id=t1"
    done = await queue.ended(await queue.add(url, ana), ana)
    assert (done.state, done.attempts) == (State.COMPLETED, 3)
    assert any("transient: scripted" in line for line in await queue.service.log(done.id, ana))


async def test_a_lasting_fault_fails_after_its_tries(queue: Queue, ana: User) -> None:
    failed = await queue.ended(await queue.add("http://site.test/fail?class=transient", ana), ana)
    assert (failed.state, failed.reason_code, failed.attempts) == (State.FAILED, ReasonCode.TRANSIENT, 5)


async def test_a_refused_file_is_asked_for_anew_at_once_three_times(queue: Queue, ana: User, tmp_path: Path) -> None:
    counter = tmp_path / "asked"
    failed = await queue.ended(await queue.add(f"http://site.test/fail?class=forbidden&counter={counter}", ana), ana)
    assert (failed.reason_code, failed.attempts, counter.read_text()) == (ReasonCode.FORBIDDEN, 1, "xxx")


async def test_a_site_that_asks_for_peace_gets_it_for_all_its_links(queue: Queue, ana: User, tmp_path: Path) -> None:
    url = f"http://site.test/fail?class=rate_limited&times=1&marker={tmp_path}/m&id=r1"
    first = await queue.add(url, ana)
    waiting = await queue.wait_for(first, ana, State.WAITING)
    assert (waiting.reason_code, waiting.attempts) == (ReasonCode.SITE_PAUSED, 0)
    second = await queue.add("http://site.test/video?id=r2", ana)
    assert (await queue.wait_for(second, ana, State.WAITING)).reason_code is ReasonCode.SITE_PAUSED
    assert (await queue.ended(first, ana)).state is State.COMPLETED
    assert (await queue.ended(second, ana)).state is State.COMPLETED


async def test_a_full_disk_waits_and_goes_on_by_itself(queue: Queue, ana: User, owner: User) -> None:
    await queue.settings(owner, free_space_floor_bytes=10**15)
    download = await queue.add("http://site.test/video?id=d1", ana)
    waiting = await queue.wait_for(download, ana, State.WAITING)
    assert waiting.reason_code is ReasonCode.DISK_FULL
    assert "1000000 GB must stay free" in (waiting.reason or "")
    await queue.settings(owner, free_space_floor_bytes=0)
    assert (await queue.ended(download, ana)).state is State.COMPLETED


async def test_what_waits_can_be_tried_at_once(queue: Queue, ana: User) -> None:
    download = await queue.add("http://site.test/fail?class=needs_sign_in", ana)
    waiting = await queue.wait_for(download, ana, State.WAITING)
    assert waiting.can_retry
    again = await queue.service.retry(download.id, ana)
    assert again.state in (State.QUEUED, State.DOWNLOADING, State.WAITING)
    await queue.wait_for(download, ana, State.WAITING)


async def test_a_worker_that_dies_is_replaced_and_the_download_goes_on(queue: Queue, ana: User, tmp_path: Path) -> None:
    done = await queue.ended(await queue.add(f"http://site.test/crash?times=2&counter={tmp_path}/c&id=c1", ana), ana)
    assert (done.state, done.attempts) == (State.COMPLETED, 1)


async def test_a_link_that_kills_every_worker_fails(queue: Queue, ana: User, tmp_path: Path) -> None:
    failed = await queue.ended(await queue.add(f"http://site.test/crash?times=99&counter={tmp_path}/c", ana), ana)
    assert (failed.state, failed.reason_code) == (State.FAILED, ReasonCode.WORKER_CRASHED)
    assert (tmp_path / "c").read_text() == "xxx"


async def test_a_file_outside_of_staging_is_not_taken(queue: Queue, ana: User, tmp_path: Path) -> None:
    secret = tmp_path / "secret.mp4"
    secret.write_text("not yours")
    failed = await queue.ended(await queue.add(f"http://site.test/video?id=s1&outside={secret}", ana), ana)
    assert failed.reason_code is ReasonCode.SUSPICIOUS_FILE
    assert secret.exists()
    assert queue.files() == []


async def test_a_live_broadcast_is_refused(queue: Queue, ana: User) -> None:
    failed = await queue.ended(await queue.add("http://site.test/video?id=l1&live=yes", ana), ana)
    assert failed.reason_code is ReasonCode.LIVE


@pytest.mark.skipif(os.name != "posix", reason="folders without rights are made with chmod")
async def test_a_library_that_can_not_be_written_keeps_what_was_fetched(
    queue: Queue, ana: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    blocked = queue.library / "Ana"
    queue.library.mkdir(parents=True)
    blocked.write_text("a file where the folder must go")  # root may write anywhere, so no rights are taken away
    download = await queue.add("http://site.test/video?id=w1", ana)
    failed = await queue.ended(download, ana)
    assert failed.reason_code is ReasonCode.LIBRARY_NOT_WRITABLE
    assert (queue.staging / "jobs" / str(download.id) / "media.x.mp4").exists()
    blocked.unlink()
    await queue.service.retry(download.id, ana)
    assert (await queue.ended(download, ana)).state is State.COMPLETED


async def test_a_cancel_in_the_very_moment_of_finishing_is_clean(queue: Queue, ana: User) -> None:
    for number in range(12):
        download = await queue.add(f"http://site.test/video?id=race{number}", ana)
        await queue.wait(download, ana, lambda found: found.state is not State.QUEUED)
        await asyncio.sleep(number * 0.006)
        began = time.monotonic()
        try:
            await queue.service.cancel(download.id, ana)
        except Exception as error:
            assert "ended already" in str(error) or "just changed" in str(error)  # noqa: PT017
        while download.id in queue.dispatcher.running and time.monotonic() - began < 5:
            await asyncio.sleep(0.01)
        found = await queue.service.get(download.id, ana)
        media = [name for name in queue.files() if f"[race{number}].mp4" in name]
        assert found.state in (State.CANCELLED, State.COMPLETED)
        assert len(media) == (found.state is State.COMPLETED), (found.state, media)
