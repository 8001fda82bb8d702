"""The way back by itself: what must have happened for it, what is not enough, and who is told."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from medianest.accounts.model import User
from medianest.app import Application
from medianest.database import fetch
from medianest.engine.model import LinkTried, Outcome, Way
from medianest.engine.repository import EngineRepository, SiteFailure, SiteRecord
from medianest.engine.watching import is_broken
from medianest.errors import Conflict
from tests.engine.conftest import INSIDE, NEWER, NEWEST, folder_of, pretend
from tests.site import Site

SITE = "videos.test"


@pytest.fixture
def site() -> Iterator[Site]:
    with Site() as made:
        yield made


async def tried(house: Application, url: str, failure: str = "", *, version: str = NEWER) -> None:
    await house.events.publish(LinkTried(url=url, site=SITE, version=version, failure=failure))
    await house.engine_parts.watch.wait()


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.timeout_s(120)
async def test_three_links_in_a_row_of_a_site_that_worked_bring_the_version_before_back(
    house: Application, site: Site, owner: User
) -> None:
    links = [site.url(f"/clip/{number}.mp4?size=20000") for number in range(4)]
    service = house.engine_parts.service
    pretend(house, NEWER)
    await tried(house, links[0], version=INSIDE)  # it worked, with the version before
    await tried(house, links[0], "engine_error")
    await tried(house, links[0], "engine_error")  # the same link again is no second one
    await tried(house, links[1], "no_format")
    await tried(house, links[2], "transient")  # the line, not the version
    assert (await service.current()).version == NEWER
    await tried(house, links[1])  # one that works: the row begins anew
    for link, failure in zip(links, ("engine_error", "unsupported"), strict=False):
        await tried(house, link, failure)
    assert (await service.current()).version == NEWER
    assert site.asked("/clip/") == []
    await tried(house, links[2], "no_format")
    # the version before was tried on one of them by a real worker, and found it
    assert site.asked("/clip/2.mp4")
    assert (await service.current()).version == INSIDE
    (record,) = (await house.engine_parts.board.report()).history
    assert (record.way, record.outcome, record.from_version) == (Way.AUTOMATIC_ROLLBACK, Outcome.CHANGED, NEWER)
    assert SITE in record.text
    (line,) = await fetch("SELECT actor_name, detail FROM audit_logs WHERE action = 'engine.rolled_back'")
    assert (line["actor_name"], SITE in line["detail"]) == ("MediaNest", True)
    problems = {problem.code: problem for problem in await house.engine_parts.board.problems()}
    assert SITE in problems["engine_rolled_back"].text
    assert await EngineRepository(house.downloads.dispatcher._owner.instance).withheld() == NEWER


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
@pytest.mark.timeout_s(120)
async def test_a_site_that_fails_with_the_version_before_as_well_changes_nothing(
    house: Application, site: Site, owner: User
) -> None:
    pretend(house, NEWER)
    await tried(house, site.url("/clip/x.mp4"))
    for number in range(5):
        await tried(house, site.url(f"/page/plain/{number}.html"), "unsupported")
    assert (await house.engine_parts.service.current()).version == NEWER
    assert len(site.asked("/page/plain/")) == 3  # asked once for each of the three, and not at every failure again


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_failures_of_another_version_or_of_the_one_inside_count_for_nothing(
    house: Application, owner: User
) -> None:
    await tried(house, "http://videos.test/1", version=INSIDE)
    for number in range(4):
        await tried(house, f"http://videos.test/{number}", "engine_error", version=INSIDE)
    pretend(house, NEWER)
    for number in range(4):
        await tried(house, f"http://videos.test/{number}", "engine_error", version=NEWEST)
    assert (await fetch("SELECT failures FROM engine_sites"))[0]["failures"] == "[]"
    assert (await house.engine_parts.service.current()).version == NEWER


def test_the_rule_asks_for_three_and_for_a_success_within_a_week() -> None:
    now = datetime.now(UTC)
    failures = tuple(SiteFailure(f"http://videos.test/{number}", "bug", now.timestamp()) for number in range(3))

    def record(worked: timedelta | None, count: int) -> SiteRecord:
        at = None if worked is None else now - worked
        return SiteRecord(site=SITE, version=NEWER, worked_at=at, failures=failures[:count])

    assert is_broken(record(timedelta(days=6), 3), now)
    assert not is_broken(record(timedelta(days=6), 2), now)
    assert not is_broken(record(timedelta(days=8), 3), now)
    assert not is_broken(record(None, 3), now)


async def test_failures_are_counted_for_an_hour_and_for_one_version(house: Application) -> None:
    rows, start = EngineRepository("one"), datetime(2026, 11, 1, 12, tzinfo=UTC)
    await rows.site_worked(SITE, INSIDE, at=start)

    async def fail(number: int, minutes: int, version: str = NEWER) -> int:
        at = start + timedelta(minutes=minutes)
        failure = SiteFailure(f"http://videos.test/{number}", "bug", at.timestamp())
        found = await rows.site_failed(SITE, version, failure, at=at, within=timedelta(hours=1))
        assert found.worked_at == start
        return len(found.failures)

    assert [await fail(1, 0), await fail(2, 30), await fail(3, 61)] == [1, 2, 2]
    assert await fail(4, 62, NEWEST) == 1
    assert await EngineRepository("another").site(SITE) is None
    await rows.site_worked(SITE, NEWEST, at=start)
    found = await rows.site(SITE)
    assert found is not None
    assert found.failures == ()
    assert await rows.clean(before=start + timedelta(days=1)) == 1


@pytest.mark.parametrize("database_kind", ["sqlite"], indirect=True)
async def test_the_button_goes_back_one_version_and_then_to_the_one_inside(house: Application, owner: User) -> None:
    service, folder = house.engine_parts.service, folder_of(house)
    for one in (NEWER, NEWEST):
        pretend(house, one)
    assert (await house.engine_parts.board.report()).previous == NEWER
    await service.go_back(by=owner)
    assert (await service.current()).version == NEWER
    report = await house.engine_parts.board.report()
    assert (report.previous, report.is_inside_previous) == (INSIDE, True)
    await service.go_back(by=owner)
    assert ((await service.current()).version, folder.named()) == (INSIDE, "")
    with pytest.raises(Conflict):
        await service.go_back(by=owner)
