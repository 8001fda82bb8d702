"""Deleting a person: what is said before, and who has their things afterwards."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from medianest.accounts.model import Permission
from medianest.accounts.people.model import Person
from medianest.app import Application
from medianest.database import fetch
from medianest.downloads.model import LibraryFile, NewDownload
from medianest.downloads.repository.rows import files_json
from tests.accounts.people.house import SET, owner, person, second_admin, signed_in, user
from tests.harness.application import Visit


async def queued(application: Application, who: Person, name: str) -> int:
    url = f"https://videos.example/{name}"
    return (await application.downloads.service.add(NewDownload(url=url), by=await user(who.id)))[0].id


async def filed(application: Application, who: Person, name: str) -> tuple[int, Path]:
    """A finished download with a file and one beside it in the library."""
    download = await queued(application, who, name)
    folder = application.settings.library_dir / name
    folder.mkdir(parents=True)
    files = []
    for file in ("video.mp4", "video.nfo"):
        (folder / file).write_bytes(b"x" * 500)
        files.append(LibraryFile(path=f"{name}/{file}", size_bytes=500, media_type="video/mp4"))
    rows = await fetch(
        "INSERT INTO download_history (identity, title, uploader, url, site, video_id, files, size_bytes, requested_by, "
        "created_at, filed_at) VALUES ({}, {}, '', '', '', '', {}, 1000, {}, {}, {}) RETURNING id",
        *(name, name, files_json(tuple(files)), who.id, datetime.now(UTC), datetime.now(UTC)),
    )
    await fetch("UPDATE download_queue SET state = 'completed', history_id = {} WHERE id = {}", rows[0]["id"], download)
    return download, folder


async def test_what_goes_is_said_first_and_videos_stay_under_the_name_of_who_deletes(
    application: Application, visit: Visit
) -> None:
    client, ada = await owner(application, visit)
    kim, lee = await person(application, "Kim", ada), await person(application, "Lee", ada)
    alone, folder = await filed(application, kim, "alone")
    shared, _folder = await filed(application, kim, "shared")
    waiting = await queued(application, kim, "waiting")
    both = await queued(application, kim, "both")
    for one in ("shared", "both"):
        await queued(application, lee, one)
    has = (await client.get(f"/api/v1/users/{kim.id}/belongings")).json()["belongings"]
    assert has == {
        "downloads": 4, "shared": 2, "open": 2, "videos": 2, "size_bytes": 2000, "own_videos": 1, "own_bytes": 1000,
    }  # fmt: skip
    page = (await client.get(f"/people/{kim.id}/delete")).text
    assert "4 downloads leave their list" in page
    assert "2 videos in the library" in page
    assert (await client.delete(f"/api/v1/users/{kim.id}")).status_code == 204
    rows = {row["id"]: row["requested_by"] for row in await fetch("SELECT id, requested_by FROM download_queue")}
    assert rows == {alone: ada.id, shared: lee.id, both: lee.id}
    assert waiting not in rows
    history = {row["title"]: row["requested_by"] for row in await fetch("SELECT * FROM download_history")}
    assert history == {"alone": ada.id, "shared": lee.id}
    assert (folder / "video.mp4").exists()
    assert (await client.get(f"/api/v1/users/{kim.id}")).status_code == 404


async def test_by_choice_the_files_that_nobody_else_asked_for_go_too(application: Application, visit: Visit) -> None:
    client, ada = await owner(application, visit)
    kim, lee = await person(application, "Kim", ada), await person(application, "Lee", ada)
    _alone, gone = await filed(application, kim, "alone")
    _shared, kept = await filed(application, kim, "shared")
    unlisted, lonely = await filed(application, kim, "unlisted")
    await fetch("DELETE FROM download_queue WHERE id = {}", unlisted)
    await queued(application, lee, "shared")
    answer = await client.post(f"/people/{kim.id}/delete", data={"files": "delete"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/people?done=deleted")
    assert [gone.exists(), lonely.exists(), (kept / "video.mp4").exists()] == [False, False, True]
    rows = await fetch("SELECT title, deleted_at FROM download_history ORDER BY title")
    assert [(row["title"], row["deleted_at"] is not None) for row in rows] == [
        ("alone", True), ("shared", False), ("unlisted", True),
    ]  # fmt: skip


async def test_a_path_that_leads_out_of_the_library_is_never_deleted(
    application: Application, visit: Visit, tmp_path: Path
) -> None:
    _client, ada = await owner(application, visit)
    kim = await person(application, "Kim", ada)
    outside = tmp_path / "precious.mp4"
    outside.write_bytes(b"x")
    await filed(application, kim, "alone")
    evil = (LibraryFile(path="../precious.mp4", size_bytes=1, media_type="video/mp4"),)
    await fetch("UPDATE download_history SET files = {}", files_json(evil))
    await application.deletion.delete(kim.id, by=ada, deletes_files=True)
    assert outside.exists()


async def test_the_own_account_goes_once_the_name_is_typed_but_not_of_the_last_administrator(
    application: Application, visit: Visit
) -> None:
    client, ada = await owner(application, visit)
    kim = await person(application, "Kim", ada)
    await filed(application, kim, "alone")
    kims = await signed_in(application, visit, "Kim")
    assert (await kims.get("/settings/delete")).status_code == 200
    refused = await kims.post("/settings/delete", data={"typed_name": "Kimm"})
    assert refused.status_code == 400
    assert "Type your user name exactly" in refused.text
    gone = await kims.post("/settings/delete", data={"typed_name": "Kim"})
    assert (gone.status_code, gone.headers["location"]) == (303, "/sign-in")
    assert (await kims.get("/api/v1/me")).status_code == 401
    assert (await fetch("SELECT requested_by FROM download_history"))[0]["requested_by"] == ada.id
    assert (await client.post("/settings/delete", data={"typed_name": "Ada"})).status_code == 409
    await second_admin(application, ada)
    assert (await client.post("/settings/delete", data={"typed_name": "Ada"})).status_code == 303


async def test_the_picture_goes_with_its_person(application: Application, visit: Visit) -> None:
    client, ada = await owner(application, visit)
    kim = await user((await person(application, "Kim", ada)).id)
    png = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + b"x" * 20
    name = await application.people_pictures.upload(kim, png, is_of_plex=False)
    kept = application.settings.data_dir / "people" / name
    assert (await client.get(f"/people/{kim.id}/picture")).content == png
    assert kept.exists()
    await application.deletion.delete(kim.id, by=ada)
    assert not kept.exists()


async def test_the_audit_log_keeps_the_name_of_who_is_gone(application: Application, visit: Visit) -> None:
    client, ada = await owner(application, visit)
    grace = await second_admin(application, ada)
    await person(application, "Kim", grace)
    await application.deletion.delete(grace.id, by=ada)
    found = (await client.get("/api/v1/system/audit", params={"person": "grace"})).json()["items"]
    assert ("person.added", "Kim", "Grace") in {(one["action"], one["target"], one["actor_name"]) for one in found}
    page = (await client.get("/system/audit", params={"target": "Grace"})).text
    assert "Grace" in page


async def test_nobody_is_offered_to_delete_themselves_or_whom_they_may_not_touch(
    application: Application, visit: Visit
) -> None:
    client, ada = await owner(application, visit)
    kim = await person(application, "Kim", ada)
    await application.people.change(kim.id, SET(permissions=(Permission.MANAGE_USERS,)), by=ada)
    kims = await signed_in(application, visit, "Kim")
    assert (await client.get(f"/people/{ada.id}/delete")).status_code == 409
    assert (await kims.get(f"/people/{kim.id}/delete")).status_code == 409
    assert (await kims.get(f"/people/{ada.id}/delete")).status_code == 403
    for who in (ada.id, kim.id):
        page = (await kims.get(f"/people/{who}")).text
        for act in ("delete", "suspend", "password", "sessions/end", "rights"):
            assert f"/people/{who}/{act}" not in page
