"""Approving and declining by the page and the API, by everybody who may and may not; what is left, in `/me`."""

from __future__ import annotations

import httpx
import pytest

from medianest.accounts.model import Permission
from medianest.accounts.people.model import PersonChange
from medianest.app import Application
from medianest.database import fetch
from tests.accounts.people.house import owner, person, signed_in
from tests.harness.application import Visit, csrf_of

VIDEO = "http://site.test/video?id="
# whether they are a child, and what they may do
PEOPLE: dict[str, tuple[bool, tuple[Permission, ...] | None]] = {
    "mia": (True, None),
    "ana": (False, (Permission.DOWNLOAD,)),
    "eva": (False, (Permission.DOWNLOAD, Permission.MANAGE_REQUESTS)),
}


class House:
    """An administrator (`Ada`), a child, a user, and one who looks after requests."""

    def __init__(self, application: Application, visit: Visit) -> None:
        self.application, self.visit = application, visit
        self.clients: dict[str, httpx.AsyncClient] = {}

    async def fill(self) -> None:
        first, ada = await owner(self.application, self.visit)
        self.clients["Ada"] = first
        for name, (is_child, permissions) in PEOPLE.items():
            made = await person(self.application, name, ada, is_child=is_child)
            if permissions is not None:
                await self.application.people.change(made.id, PersonChange(permissions=permissions), by=ada)
            self.clients[name] = await signed_in(self.application, self.visit, name)

    async def asked(self, name: str) -> int:
        answer = await self.clients["mia"].post("/api/v1/downloads", json={"url": VIDEO + name})
        assert answer.status_code == 202, answer.text
        assert answer.json()["reason_code"] == "approval"
        return int(answer.json()["id"])


@pytest.fixture
async def house(application: Application, visit: Visit) -> House:
    made = House(application, visit)
    await made.fill()
    return made


@pytest.mark.parametrize(("verb", "state"), [("approve", "queued"), ("decline", "cancelled")])
async def test_only_who_looks_after_requests_answers_a_child_over_the_api(house: House, verb: str, state: str) -> None:
    for name in ("eva", "Ada"):
        asked = await house.asked(name)
        for other in ("mia", "ana"):
            assert (await house.clients[other].post(f"/api/v1/downloads/{asked}/{verb}", json={})).status_code == 403
        waiting = (await house.clients[name].get("/api/v1/downloads", params={"show": "approval"})).json()
        assert [one["id"] for one in waiting["items"]] == [asked]
        answer = await house.clients[name].post(f"/api/v1/downloads/{asked}/{verb}", json={})
        assert (answer.status_code, answer.json()["state"]) == (200, state)
        assert (await house.clients[name].post(f"/api/v1/downloads/{asked}/{verb}", json={})).status_code in (404, 409)
        assert (await house.clients[name].post(f"/api/v1/downloads/999/{verb}", json={})).status_code == 404
    own = await house.clients["ana"].post("/api/v1/downloads", json={"url": VIDEO + "own"})
    path = f"/api/v1/downloads/{own.json()['id']}/{verb}"
    assert (await house.clients["eva"].post(path, json={})).status_code == 404  # a stranger's: not hers to see
    assert (await house.clients["Ada"].post(path, json={})).status_code == 409


async def test_the_page_has_the_buttons_for_who_may_answer_alone(house: House) -> None:
    asked = await house.asked("page")
    for name in ("mia", "ana", "eva"):
        browser = house.clients[name]
        page = (await browser.get("/downloads")).text
        assert ('id="approvals"' in page) is (name == "eva")
        form = {"_csrf": csrf_of(page), "reason": "Too late", "back": "/downloads"}
        answer = await browser.post(f"/downloads/{asked}/decline", data=form)
        assert answer.status_code == {"mia": 403, "ana": 404, "eva": 303}[name], answer.text
        [row] = await fetch("SELECT state FROM download_queue WHERE id = {}", asked)
        assert row["state"] == ("cancelled" if name == "eva" else "waiting")
    seen = (await house.clients["mia"].get(f"/api/v1/downloads/{asked}")).json()
    assert seen["reason"] == "eva said no: Too late"


async def test_me_tells_what_is_left(house: House) -> None:
    await fetch("UPDATE users SET downloads_per_hour = 2 WHERE username = 'mia'")
    await house.asked("one")
    quotas = (await house.clients["mia"].get("/api/v1/me")).json()["quotas"]
    assert (quotas["downloads_per_hour"], quotas["downloads_used"], quotas["downloads_left"]) == (2, 1, 1)
    assert quotas["opens_at"]
    await house.asked("two")
    refused = await house.clients["mia"].post("/api/v1/downloads", json={"url": VIDEO + "three"})
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
    assert int(refused.headers["Retry-After"]) > 3000
    quotas = (await house.clients["Ada"].get("/api/v1/me")).json()["quotas"]
    assert (quotas["downloads_per_hour"], quotas["downloads_left"]) == (-1, None)
