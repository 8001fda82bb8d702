"""Who may change what about whom, and who can never be shut out."""

from __future__ import annotations

import asyncio
import json

import pytest

from medianest.accounts.model import Permission, RatingLimit, Role, SessionsEnded, UserState
from medianest.accounts.people.model import NewPerson, OwnQuotas, PeopleFilter, QuotaChange
from medianest.app import Application
from medianest.errors import Conflict, Invalid, MediaNestError, NotAllowed
from tests.accounts.people.house import SET, acts, owner, person, second_admin, signed_in, user
from tests.harness.application import Visit

REASON = "Too loud"
WANT = PeopleFilter()


async def test_the_last_administrator_can_not_be_demoted_suspended_or_deleted(
    application: Application, visit: Visit
) -> None:
    _client, ada = await owner(application, visit)
    grace = await second_admin(application, ada)
    await application.people.change(ada.id, SET(suspended=True, reason=REASON), by=grace)
    for change in (SET(role=Role.USER), SET(suspended=True, reason=REASON)):
        with pytest.raises((Conflict, NotAllowed)):
            await application.people.change(grace.id, change, by=grace)
    manager = await person(application, "Max", grace)
    await application.people.change(manager.id, SET(role=Role.ADMIN), by=grace)
    await application.people.change(manager.id, SET(suspended=True, reason=REASON), by=grace)
    # somebody who was an administrator a moment ago can not do it either
    with pytest.raises(MediaNestError):
        await application.people.change(grace.id, SET(role=Role.USER), by=ada)
    assert (await user(grace.id)).is_admin


@pytest.mark.parametrize("act", ["demote", "suspend", "delete"])
async def test_two_administrators_who_remove_each_other_at_once_leave_one(
    act: str, application: Application, visit: Visit
) -> None:
    _client, ada = await owner(application, visit)
    grace = await second_admin(application, ada)
    change = SET(role=Role.USER) if act == "demote" else SET(suspended=True, reason=REASON)

    async def remove(target: int, by: int) -> None:
        actor = ada if by == ada.id else grace
        if act == "delete":
            await application.deletion.delete(target, by=actor)
        else:
            await application.people.change(target, change, by=actor)

    results = await asyncio.gather(remove(grace.id, ada.id), remove(ada.id, grace.id), return_exceptions=True)
    assert [type(one) for one in results].count(type(None)) == 1, results
    assert all(one is None or isinstance(one, MediaNestError) for one in results), results
    left = [one for one in (await application.people.list(WANT, limit=10, offset=0))[0] if one.is_admin]
    assert len([one for one in left if one.state is UserState.ACTIVE]) == 1


async def test_nobody_changes_their_own_role_or_shuts_themselves_out(application: Application, visit: Visit) -> None:
    client, ada = await owner(application, visit)
    await second_admin(application, ada)
    for body in ({"role": "user"}, {"suspended": True, "reason": REASON}):
        answer = await client.patch(f"/api/v1/users/{ada.id}", json=body)
        assert (answer.status_code, answer.json()["code"]) == (409, "not_yourself")
    answer = await client.delete(f"/api/v1/users/{ada.id}")
    assert (answer.status_code, answer.json()["code"]) == (409, "not_yourself")
    assert (await user(ada.id)).is_admin


async def test_somebody_who_looks_after_people_can_not_touch_administrators_nor_give_roles(
    application: Application, visit: Visit
) -> None:
    _client, ada = await owner(application, visit)
    await person(application, "Max", ada)
    kim = await person(application, "Kim", ada)
    await application.people.change(2, SET(permissions=(Permission.MANAGE_USERS, Permission.DOWNLOAD)), by=ada)
    max_client = await signed_in(application, visit, "Max")
    for method, path, body in (
        ("PATCH", f"/api/v1/users/{ada.id}", {"display_name": "Other"}),
        ("PATCH", f"/api/v1/users/{ada.id}", {"suspended": True, "reason": REASON}),
        ("DELETE", f"/api/v1/users/{ada.id}", None),
        ("POST", f"/api/v1/users/{ada.id}/password", None),
        ("DELETE", f"/api/v1/users/{ada.id}/second-factor", None),
        ("DELETE", f"/api/v1/users/{ada.id}/sessions", None),
        ("GET", f"/api/v1/users/{ada.id}/belongings", None),
        ("PATCH", f"/api/v1/users/{kim.id}", {"role": "admin"}),
        ("PATCH", f"/api/v1/users/{kim.id}", {"permissions": ["manage_settings"]}),
        ("PATCH", "/api/v1/users/2", {"permissions": ["priority"]}),
        ("PATCH", "/api/v1/users/2", {"quotas": {"downloads_per_hour": -1}}),
        ("PUT", "/api/v1/default-rights", {"permissions": []}),
    ):
        answer = await max_client.request(method, path, json=body)
        assert answer.status_code == 403, (method, path, answer.text)
    given = await max_client.patch(f"/api/v1/users/{kim.id}", json={"permissions": ["download", "manage_users"]})
    assert given.json()["permissions"] == ["download", "manage_users"]
    assert (await max_client.patch(f"/api/v1/users/{kim.id}", json={"permissions": None})).status_code == 200
    suspended = await max_client.patch(f"/api/v1/users/{kim.id}", json={"suspended": True, "reason": REASON})
    assert suspended.json()["state"] == "suspended"


async def test_a_child_never_is_an_administrator_or_looks_after_anything(
    application: Application, visit: Visit
) -> None:
    _client, ada = await owner(application, visit)
    mia = await person(application, "Mia", ada, is_child=True)
    assert mia.rating_limit is RatingLimit.FROM_12
    with pytest.raises(Invalid):
        await application.people.change(mia.id, SET(role=Role.ADMIN), by=ada)
    with pytest.raises(Invalid):
        await application.people.change(mia.id, SET(permissions=(Permission.MANAGE_USERS,)), by=ada)
    kim = await person(application, "Kim", ada)
    everything = tuple(Permission)
    assert (await application.people.change(kim.id, SET(permissions=everything), by=ada)).permissions == everything
    child = await application.people.change(kim.id, SET(is_child=True, rating_limit=RatingLimit.FROM_6), by=ada)
    assert child.own_permissions == (Permission.REQUEST_FILMS, Permission.REQUEST_SHOWS, Permission.DOWNLOAD)
    grace = await second_admin(application, ada)
    with pytest.raises(Invalid):
        await application.people.change(grace.id, SET(is_child=True), by=ada)


async def test_a_change_is_done_as_a_whole_or_not_at_all(application: Application, visit: Visit) -> None:
    client, ada = await owner(application, visit)
    kim = await person(application, "Kim", ada)
    body = {"display_name": "Kimberly", "permissions": [], "suspended": True, "reason": "   "}
    answer = await client.patch(f"/api/v1/users/{kim.id}", json=body)
    assert (answer.status_code, answer.json()["errors"][0]["field"]) == (400, "reason")
    assert await application.people.get(kim.id) == kim


async def test_quotas_are_the_default_a_number_or_no_limit(application: Application, visit: Visit) -> None:
    _client, ada = await owner(application, visit)
    kim = await person(application, "Kim", ada)
    assert kim.own_quotas == OwnQuotas()
    change = SET(quotas=QuotaChange(downloads_per_hour=2, storage_bytes=-1))
    changed = await application.people.change(kim.id, change, by=ada)
    assert (changed.quotas.downloads_per_hour, changed.quotas.storage_bytes) == (2, -1)
    assert changed.quotas.requests_limit == 20
    back = await application.people.change(kim.id, SET(quotas=QuotaChange(downloads_per_hour=None)), by=ada)
    assert (back.quotas.downloads_per_hour, back.own_quotas.storage_bytes) == (5, -1)
    for wrong in (
        {"downloads_per_hour": -2},
        {"requests_days": 0},
        {"storage_bytes": 2**62},
        {"requests_limit": 10**6},
    ):
        with pytest.raises(Invalid) as refused:
            await application.people.change(kim.id, SET(quotas=QuotaChange(**wrong)), by=ada)
        assert refused.value.fields.keys() == wrong.keys()


async def test_the_default_set_holds_for_everybody_without_rights_of_their_own(
    application: Application, visit: Visit
) -> None:
    client, ada = await owner(application, visit)
    kim = await person(application, "Kim", ada)
    lee = await person(application, "Lee", ada)
    await application.people.change(lee.id, SET(permissions=(Permission.FOLLOW,)), by=ada)
    rights = (await client.get("/api/v1/default-rights")).json()
    new = {"permissions": ["download"], "quotas": {**rights["quotas"], "downloads_per_hour": 9}}
    assert (await client.put("/api/v1/default-rights", json=new)).status_code == 200
    assert (await user(kim.id)).permissions == (Permission.DOWNLOAD,)
    assert (await user(kim.id)).quotas.downloads_per_hour == 9
    assert (await user(lee.id)).permissions == (Permission.FOLLOW,)
    refused = await client.put("/api/v1/default-rights", json={"permissions": ["manage_users"]})
    assert refused.status_code == 400
    line = (await acts("people.default_rights_changed"))[0]
    assert json.loads(line["after"])["permissions"] == ["download"]


async def test_every_act_stands_in_the_audit_log_with_before_and_after(application: Application, visit: Visit) -> None:
    client, ada = await owner(application, visit)
    added = await client.post("/api/v1/users", json={"username": "Kim"})
    kim = added.json()["person"]["id"]
    await client.patch(f"/api/v1/users/{kim}", json={"role": "admin"})
    await client.patch(f"/api/v1/users/{kim}", json={"role": "user", "quotas": {"downloads_per_hour": 1}})
    await client.patch(f"/api/v1/users/{kim}", json={"suspended": True, "reason": REASON})
    await client.patch(f"/api/v1/users/{kim}", json={"suspended": False})
    password = (await client.post(f"/api/v1/users/{kim}/password")).json()["password"]
    await client.delete(f"/api/v1/users/{kim}/sessions")
    await client.delete(f"/api/v1/users/{kim}")
    role = await acts("person.role_changed")
    assert [json.loads(line["after"]) for line in role] == [{"role": "admin"}, {"role": "user"}]
    assert [(line["actor_id"], line["address"], line["target"]) for line in role] == [(ada.id, "192.0.2.10", "Kim")] * 2
    assert json.loads((await acts("person.changed"))[0]["before"]) == {"downloads_per_hour": None}
    assert json.loads((await acts("person.suspended"))[0]["after"])["reason"] == REASON
    for action in (
        "person.added",
        "person.suspension_ended",
        "person.password_reset",
        "person.sessions_ended",
        "person.deleted",
    ):
        assert len(await acts(action)) == 1, action
    every = json.dumps([{name: str(value) for name, value in line.items()} for line in await all_acts()])
    assert password not in every
    assert added.json()["password"] not in every


async def test_role_suspension_and_password_reset_end_sessions_and_their_sockets(
    application: Application, visit: Visit
) -> None:
    client, ada = await owner(application, visit)
    kim = await person(application, "Kim", ada)
    ended: list[SessionsEnded] = []

    async def listen(event: SessionsEnded) -> None:
        ended.append(event)

    application.events.subscribe(SessionsEnded, listen)
    path = f"/api/v1/users/{kim.id}"
    for act in (
        lambda: client.patch(path, json={"role": "admin"}),
        lambda: client.patch(path, json={"role": "user"}),
        lambda: client.delete(f"{path}/sessions"),
        lambda: client.patch(path, json={"suspended": True, "reason": REASON}),
    ):
        kims = await signed_in(application, visit, "Kim")
        ended.clear()
        assert (await act()).status_code in (200, 204)
        assert [(one.user_id, len(one.session_ids)) for one in ended] == [(kim.id, 1)]
        assert (await kims.get("/api/v1/me")).status_code == 401
    await client.patch(path, json={"suspended": False})
    kims = await signed_in(application, visit, "Kim")
    await client.post(f"{path}/password")
    assert (await kims.get("/api/v1/me")).status_code == 401


async def all_acts() -> list[dict[str, object]]:
    from medianest.database import fetch

    return await fetch("SELECT * FROM audit_logs")


async def test_a_name_that_somebody_has_is_refused_whatever_its_case(application: Application, visit: Visit) -> None:
    client, ada = await owner(application, visit)
    await application.people.add(NewPerson(username="Kim"), by=ada)
    answer = await client.post("/api/v1/users", json={"username": "KIM "})
    assert (answer.status_code, answer.json()["code"]) == (409, "name_taken")
