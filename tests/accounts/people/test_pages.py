"""The pages of people, without script."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

import httpx
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from medianest.accounts.people import forms, rules
from medianest.accounts.people.model import PeopleFilter, PersonKind
from medianest.app import Application
from medianest.errors import Invalid
from tests.accounts.people.house import SET, owner, person, user
from tests.harness.application import Visit, sign_in

ANY_TEXT = st.text(max_size=120)


async def test_the_list_is_searched_filtered_sorted_and_cut_into_pages(application: Application, visit: Visit) -> None:
    client, ada = await owner(application, visit)
    for number in range(21):
        await person(application, f"Guest {number:02d}", ada, is_child=number == 3)
    first = (await client.get("/people")).text
    assert first.count('<th scope="row">') == 20
    assert "1 to 20 of 22" in first
    second = (await client.get("/people?offset=20")).text
    assert second.count('<th scope="row">') == 2
    assert "Guest 07" in (await client.get("/people?q=guest+07")).text
    child = await client.get("/api/v1/users?kind=child")
    assert [one["username"] for one in child.json()["items"]] == ["Guest 03"]
    newest = (await client.get("/api/v1/users?sort=new&limit=2")).json()
    assert ([one["username"] for one in newest["items"]], newest["total"]) == (["Guest 20", "Guest 19"], 22)
    assert (await client.get("/api/v1/users?role=admin")).json()["total"] == 1
    assert (await client.get("/api/v1/users?state=suspended")).json()["total"] == 0
    assert "Nobody fits" in (await client.get("/people?q=%25")).text
    seen = {
        one["username"]: one["last_seen_at"] for one in (await client.get("/api/v1/users?limit=100")).json()["items"]
    }
    assert seen["Ada"] is not None  # who has just signed in was not seen "never"
    assert seen["Guest 07"] is None
    assert (await client.get("/api/v1/users?limit=101")).status_code == 400


async def test_a_new_person_gets_a_password_shown_once_and_changes_it_at_the_first_sign_in(
    application: Application, visit: Visit
) -> None:
    client, _ada = await owner(application, visit)
    sent = {"username": "Mia", "is_child": "true", "rating_limit": "6"}
    page = await client.post("/people/new", data=sent)
    found = re.search(r'id="one-time-password">([^<]+)<', page.text)
    assert found
    assert found[1] not in (await client.get("/people/2")).text
    mias = visit(application)
    answer = await sign_in(mias, "Mia", found[1])
    assert answer.json()["user"]["must_change_password"] is True
    assert answer.json()["user"]["rating_limit"] == "6"
    refused = await client.post("/people/new", data={"username": "mia"})
    assert refused.status_code == 409
    assert "Somebody has this name already" in refused.text


async def test_rights_quotas_suspension_and_reset_work_by_forms(application: Application, visit: Visit) -> None:
    client, ada = await owner(application, visit)
    kim = await person(application, "Kim", ada)
    at = f"/people/{kim.id}"
    sent = {
        "set": "own", "download": "true", "requests_limit_choice": "none", "downloads_per_hour_choice": "own",
        "downloads_per_hour": "3", "storage_bytes_choice": "own", "storage_bytes": "1.5",
    }  # fmt: skip
    assert (await client.post(f"{at}/rights", data=sent)).headers["location"] == f"{at}?done=saved"
    changed = await user(kim.id)
    assert changed.permissions == ("download",)
    assert (changed.quotas.requests_limit, changed.quotas.downloads_per_hour) == (-1, 3)
    assert changed.quotas.storage_bytes == 1.5 * 1024**3
    wrong = await client.post(f"{at}/rights", data={**sent, "downloads_per_hour": "many"})
    assert wrong.status_code == 400
    assert 'value="many"' in wrong.text
    assert (await client.post(f"{at}/profile", data={"display_name": "Kimberly", "role": "admin"})).status_code == 303
    assert (await client.post(f"{at}/profile", data={"display_name": "Kimberly", "role": "user"})).status_code == 303
    missing = await client.post(f"{at}/suspend", data={"reason": " "})
    assert missing.status_code == 400
    day = f"{datetime.now(UTC) + timedelta(days=3):%Y-%m-%d}"
    assert (await client.post(f"{at}/suspend", data={"reason": "Holiday", "suspended_until": day})).status_code == 303
    assert "Holiday" in (await client.get(at)).text
    assert (await client.post(f"{at}/end-suspension")).status_code == 303
    assert "one-time-password" in (await client.post(f"{at}/password")).text
    for act in ("sessions/end", "second-factor/remove"):
        assert (await client.post(f"{at}/{act}")).status_code == 303
    rights = await client.post("/people/rights", data={"download": "true", "requests_days": "7"})
    assert rights.headers["location"] == "/people/rights?saved=true"
    assert (await application.people.default_rights()).quotas.downloads_per_hour == -1
    assert (await client.post("/people/rights", data={"requests_days": "0"})).status_code == 400


async def test_any_name_reason_and_search_is_taken_or_refused_with_a_sentence(
    application: Application, visit: Visit
) -> None:
    client, ada = await owner(application, visit)
    kim = await person(application, "Kim", ada)
    for name in ("a\0b", "\ud800", "💛", "<b>x</b>", "%_!", "é" * 64, " ", "\u202eevil"):
        answer: httpx.Response = await client.post("/people/new", content=body({"username": name}), headers=FORM)
        assert answer.status_code in (200, 400), (name, answer.text)
        answer = await client.post(f"/people/{kim.id}/suspend", content=body({"reason": name}), headers=FORM)
        assert answer.status_code in (303, 400), (name, answer.text)
        assert (await client.get("/people", params={"q": name.encode("utf-8", "replace").decode()})).status_code == 200
        await application.people.change(kim.id, SET(suspended=False), by=ada)


FORM = {"content-type": "application/x-www-form-urlencoded"}


def body(fields: dict[str, str]) -> bytes:
    from urllib.parse import urlencode

    return urlencode(fields, errors="surrogatepass").encode()


@given(ANY_TEXT)
@settings(max_examples=300, suppress_health_check=[HealthCheck.too_slow])
def test_a_reason_or_name_is_one_clean_line_or_refused(text: str) -> None:
    for check in (rules.check_reason, rules.check_display_name):
        try:
            line = check(text)
        except Invalid:
            continue
        else:
            assert line == " ".join(line.split())
            assert line
            line.encode()


@given(st.dictionaries(st.sampled_from(("q", "role", "state", "kind", "sort")), ANY_TEXT))
def test_any_query_of_the_list_makes_a_filter(query: dict[str, str]) -> None:
    assert isinstance(forms.read_filter(query), PeopleFilter)


@given(ANY_TEXT, ANY_TEXT)
def test_any_quota_is_a_number_in_range_or_refused(number: str, choice: str) -> None:
    sent = {"downloads_per_hour": number, "downloads_per_hour_choice": "own", "storage_bytes_choice": choice}
    try:
        change = forms.read_quotas(sent)
    except Invalid:
        return
    assert isinstance(change.downloads_per_hour, int)


def test_one_time_passwords_are_strong_and_never_the_same() -> None:
    assert len({rules.one_time_password("Kim") for _ in range(200)}) == 200
    assert PersonKind.CHILD.value == "child"
