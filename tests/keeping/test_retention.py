"""What the rules let go: announced first, told to people, never what is shielded, running or young."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from medianest.app import Application
from medianest.database import fetch
from medianest.errors import Invalid
from medianest.keeping.model import KeepingSettings, Why
from tests.keeping.shelf import NOW, Shelf, past_due, titles
from tests.security.cast import add_person


async def rules(application: Application, **values: object) -> None:
    await application.keeping.retention._settings.put(KeepingSettings(**values), by=await add_person("admin"), at=NOW)


async def test_without_rules_nothing_goes(application: Application, shelf: Shelf) -> None:
    await shelf.put("Old", days_old=4000)
    assert await application.keeping.service.settings() == KeepingSettings()
    assert await application.keeping.service.keep_to_rules() == "Deleted 0, announced 0."
    assert len(shelf.files()) == 5


async def test_people_are_told_a_week_before_and_then_everything_of_the_video_goes(
    application: Application, shelf: Shelf
) -> None:
    ana, ben = await add_person("user"), await add_person("user")
    old = await shelf.put("Old", days_old=40, by=ana, size=5_000_000)
    older = await shelf.put("Older", days_old=50, by=ana, show="Garden")
    await shelf.put("New", days_old=10, by=ana)
    row = await shelf.queue_row(old, ana, ben)
    await rules(application, days=30)
    keeping = application.keeping.service

    dry = await keeping.dry_run()
    assert (dry.count, [one.title for one in dry.items]) == (2, ["Older", "Old"])
    assert dry.by_rule == {"age": 2}
    assert await keeping.planned() == []

    assert await keeping.keep_to_rules() == "Deleted 0, announced 2."
    planned = await keeping.planned()
    assert {one.history_id for one in planned} == {old, older}
    assert all(one.due_at >= one.announced_at + timedelta(days=7) for one in planned)
    assert {one.history_id: one.told for one in planned} == {old: 2, older: 1}
    notices = await fetch("SELECT user_id, code, detail FROM account_notices ORDER BY user_id")
    assert [(one["user_id"], one["code"]) for one in notices] == [(ana, "videos_go"), (ben, "videos_go")]
    assert "2 videos" in notices[0]["detail"]
    assert "5 MB" in notices[1]["detail"]

    assert await keeping.keep_to_rules() == "Deleted 0, announced 0."  # nobody is told twice
    assert len(await fetch("SELECT id FROM account_notices")) == 2
    await past_due()
    assert await keeping.keep_to_rules() == "Deleted 2, announced 0."
    assert await titles("deleted_at IS NULL") == {"New"}
    left = shelf.files()
    assert all("New" in name or name == "Kitchen/tvshow.nfo" for name in left)
    assert len(left) == 5
    assert not (shelf.library / "Garden").exists()
    said = await fetch("SELECT state, reason FROM download_queue WHERE id = {}", row)
    assert said[0]["state"] == "completed"
    assert "older than 30 days" in said[0]["reason"]
    assert [one.outcome for one in await keeping.ended()] == ["deleted", "deleted"]
    assert await fetch("SELECT id FROM audit_logs WHERE action = 'video.deleted_by_rule'")
    assert await keeping.keep_to_rules() == "Deleted 0, announced 0."


async def test_what_is_shielded_running_or_young_stays(application: Application, shelf: Shelf) -> None:
    ana = await add_person("user")
    user = await application.accounts._accounts.get(ana)
    shielded = await shelf.put("Shielded", by=ana)
    undone = await shelf.put("Undone", by=ana)
    running = await shelf.put("Running", by=ana)
    await shelf.put("Young", days_old=0.9, by=ana)
    await shelf.put("Goes", by=ana)
    await shelf.queue_row(running, ana, state="queued")
    keeping = application.keeping.service
    await keeping.shield(shielded, user)
    await rules(application, days=1, newest_per_show=1, free_space_bytes=10**16)
    assert {one.title for one in (await keeping.dry_run()).items} == {"Goes", "Undone"}
    await keeping.keep_to_rules()
    await keeping.shield(undone, user)
    assert [one.title for one in await keeping.planned()] == ["Goes"]
    await past_due()
    await keeping.keep_to_rules()
    assert await titles("deleted_at IS NOT NULL") == {"Goes"}
    assert {one.outcome for one in await keeping.ended()} == {"deleted", "shielded"}
    await keeping.unshield(undone, user)
    assert "Undone" in {one.title for one in (await keeping.dry_run()).items}


async def test_a_shield_in_the_last_moment_wins(application: Application, shelf: Shelf) -> None:
    one = await shelf.put("Late")
    await rules(application, days=1)
    keeping = application.keeping
    await keeping.service.keep_to_rules()
    await past_due()
    plan = (await keeping.service.planned())[0]
    # as another process would between the judgement and the deletion
    await fetch("INSERT INTO video_marks (history_id, origin, shielded_at) VALUES ({}, '', {})", one, NOW)
    assert await keeping.retention._delete(plan) is False
    assert await titles("deleted_at IS NULL") == {"Late"}
    assert len(shelf.files()) == 5


async def test_a_rule_that_is_off_again_withdraws_what_it_announced(application: Application, shelf: Shelf) -> None:
    await shelf.put("Old")
    await rules(application, days=1)
    await application.keeping.service.keep_to_rules()
    await past_due()
    await rules(application)
    assert await application.keeping.service.keep_to_rules() == "Deleted 0, announced 0."
    assert [one.outcome for one in await application.keeping.service.ended()] == ["withdrawn"]
    assert len(shelf.files()) == 5


async def test_the_newest_of_each_show_stay_and_films_do_not_count(application: Application, shelf: Shelf) -> None:
    for number in range(4):
        await shelf.put(f"K{number}", days_old=10 - number)
        await shelf.put(f"G{number}", show="Garden", days_old=10 - number)
        await shelf.put(f"F{number}", film=True)
    found = await application.keeping.service.dry_run(KeepingSettings(newest_per_show=3))
    assert {one.title for one in found.items} == {"K0", "G0"}
    assert {one.why for one in found.items} == {Why.NEWEST}


async def test_watched_videos_go_some_days_after(application: Application, shelf: Shelf) -> None:
    seen, fresh = await shelf.put("Seen"), await shelf.put("Fresh")
    await shelf.put("Unseen")
    marks = application.keeping.service._marks
    await marks.watched(seen, NOW - timedelta(days=8))
    await marks.watched(fresh, NOW - timedelta(days=2))
    found = await application.keeping.service.dry_run(KeepingSettings(watched_days=7))
    assert [one.title for one in found.items] == ["Seen"]
    await marks.watched(seen, None)
    assert (await application.keeping.service.dry_run(KeepingSettings(watched_days=7))).count == 0


async def test_the_oldest_go_until_there_is_room(
    application: Application, shelf: Shelf, monkeypatch: pytest.MonkeyPatch
) -> None:
    import shutil

    for number in range(5):
        await shelf.put(f"V{number}", days_old=50 - number, size=1000)
    usage = type(shutil.disk_usage("/"))
    monkeypatch.setattr(shutil, "disk_usage", lambda _path: usage(100_000, 90_000, 10_000))
    dry = application.keeping.service.dry_run
    assert [one.title for one in (await dry(KeepingSettings(free_space_bytes=11_500))).items] == ["V0", "V1"]
    assert (await dry(KeepingSettings(free_space_bytes=10_000))).count == 0
    # what goes by another rule counts
    both = await dry(KeepingSettings(free_space_bytes=11_500, days=49))
    assert [(one.title, one.why) for one in both.items] == [("V0", "age"), ("V1", "age")]


async def follow(user_id: int, rule: str, number: int | None, *history_ids: int, title: str = "Channel") -> int:
    """A subscription that brought these videos, oldest first."""
    rows = await fetch(
        "INSERT INTO subscriptions (user_id, url, url_key, site, kind, title, uploader, interval_s, quality, audio_only, layout, "
        "priority, filters, keep_rule, keep_number, state, is_newest_first, next_check_at, message, failures, deletes_files, "
        "created_at, changed_at) VALUES ({}, 'https://tube.test/c', {}, 'tube.test', 'channel', {}, '', 3600, 'default', {}, "
        "'show', 1, {}, {}, {}, 'active', {}, {}, '', 0, {}, {}, {}) RETURNING id",
        *(user_id, f"{title}{user_id}", title, False, "{}", rule, number, True, NOW, False, NOW, NOW),
    )
    for place, one in enumerate(history_ids):
        await fetch(
            "INSERT INTO subscription_items (subscription_id, item_key, identity, url, title, tab, place, is_backlog, state, "
            "reason, is_ours, history_id, found_at, changed_at) VALUES ({}, {}, {}, 'u', 't', '', {}, {}, 'downloaded', '', "
            "{}, {}, {}, {})",
            *(rows[0]["id"], f"k{one}", f"i{one}", place, False, True, one, NOW, NOW),
        )
    return int(rows[0]["id"])


async def test_each_subscription_keeps_to_its_own_rule(application: Application, shelf: Shelf) -> None:
    ana, ben = await add_person("user"), await add_person("user")
    videos = [await shelf.put(f"A{number}", by=ana, days_old=40 - 10 * number) for number in range(4)]
    shared = await shelf.put("Shared", by=ana, days_old=60)
    await shelf.queue_row(shared, ana, ben)
    twice = await shelf.put("Twice", by=ana, days_old=60)
    await follow(ana, "newest", 2, shared, twice, *videos, title="Two newest")
    await follow(ben, "all", None, twice, title="All of it")
    dry = application.keeping.service.dry_run
    found = await dry()
    assert {one.title: one.why for one in found.items} == {"A0": "followed_newest", "A1": "followed_newest"}
    assert found.items[0].detail == "2 Two newest"
    await fetch("UPDATE subscriptions SET keep_rule = 'days', keep_number = 25 WHERE title = 'Two newest'")
    assert {one.title: one.why for one in (await dry()).items} == {"A0": "followed_age", "A1": "followed_age"}
    await fetch("UPDATE subscriptions SET keep_rule = 'all', keep_number = NULL WHERE title = 'Two newest'")
    assert (await dry()).count == 0


async def test_files_that_a_crash_left_go_the_next_night(application: Application, shelf: Shelf) -> None:
    gone, back = await shelf.put("Gone"), await shelf.put("Back", show="Garden")
    await rules(application, days=1)
    keeping = application.keeping
    await keeping.service.keep_to_rules()
    await past_due()
    plans = keeping.retention._plans
    for plan in await keeping.service.planned():  # killed between the record and the files
        assert await plans.begin(plan.id, plan.history_id, "said", NOW)
    await fetch("UPDATE download_history SET deleted_at = NULL WHERE id = {}", back)  # fetched again meanwhile
    await rules(application)
    assert len(shelf.files()) == 10
    assert await keeping.service.keep_to_rules() == "Deleted 2, announced 0."
    assert all(name.startswith("Garden/") for name in shelf.files())
    assert len(shelf.files()) == 5
    assert await titles(f"deleted_at IS NOT NULL AND id = {gone}") == {"Gone"}


async def test_nothing_goes_while_the_disk_of_the_library_is_not_mounted(
    application: Application, shelf: Shelf
) -> None:
    await shelf.put("Old")
    by_hand = await shelf.put("By hand")
    await rules(application, days=1)
    keeping = application.keeping.service
    await keeping.keep_to_rules()
    await past_due()
    away = shelf.library.with_name("away")
    shelf.library.rename(away)
    for _try in range(2):  # not there, and an empty mount point
        assert await keeping.keep_to_rules() == "Deleted 0, announced 0."
        shelf.library.mkdir(exist_ok=True)
    assert await titles("deleted_at IS NULL") == {"Old", "By hand"}
    shelf.library.rmdir()
    away.rename(shelf.library)
    for path in shelf.library.rglob("*By hand*.mp4"):
        path.unlink()
    assert await keeping.keep_to_rules() == "Deleted 1, announced 0."
    assert {one.title: one.outcome for one in await keeping.ended()} == {"Old": "deleted", "By hand": "gone"}
    assert await titles(f"id = {by_hand} AND filed_at IS NULL AND deleted_at IS NULL") == {"By hand"}


def test_values_that_do_not_fit_are_named() -> None:
    from medianest.keeping.service import check

    check(KeepingSettings())
    with pytest.raises(Invalid) as refused:
        check(msgspec.structs.replace(KeepingSettings(), days=0, notice_days=3, free_space_bytes=0))
    assert set(refused.value.fields) == {"days", "notice_days", "free_space_bytes"}
