"""Requests over the API and the pages: every call, every button without script, and what somebody else gets."""

from __future__ import annotations

import re
from typing import Any

import httpx
import pytest

from medianest.accounts.passwords import hash_password
from medianest.database import fetch
from tests.harness.application import OTHER_PASSWORD, Visit, csrf_of, sign_in
from tests.requests.house import CHILDRENS_FILM, FILM, OTHER_FILM, SERIES, House
from tests.security.cast import key_headers

LIST = "/api/v1/requests"


@pytest.fixture(params=["sqlite"])
def database_kind(request: pytest.FixtureRequest) -> str:
    """The statements are tried on both engines elsewhere."""
    return str(request.param)


async def browser(house: House, name: str) -> httpx.AsyncClient:
    """Somebody with session cookies: forms need their token then."""
    await fetch(
        "UPDATE users SET password_hash = {} WHERE id = {}", await hash_password(OTHER_PASSWORD), house.users[name].id
    )
    client = house.visit(house.application)
    assert (await sign_in(client, name, OTHER_PASSWORD)).status_code == 200
    return client


async def form(client: httpx.AsyncClient, page: str, address: str, **fields: Any) -> httpx.Response:
    """Send a form of `page`, with the token that stands in it."""
    shown = await client.get(page)
    assert shown.status_code == 200, shown.text[:300]
    return await client.post(address, data={"_csrf": csrf_of(shown.text), **fields})


async def test_the_api_asks_joins_lists_and_decides(house: House) -> None:
    noa, kim, eva = [await house.client(name) for name in ("noa", "kim", "eva")]
    body = {"media_type": "movie", "tmdb_id": FILM}
    made = await noa.post(LIST, json=body)
    assert made.status_code == 201, made.text
    request = made.json()
    assert (request["status"], request["followers"], request["is_mine"]) == ("pending", 0, True)
    assert [entry["status"] for entry in request["history"]] == ["pending"]
    assert (await noa.post(LIST, json=body)).status_code == 200
    joined = await eva.post(LIST, json=body)
    assert (joined.status_code, joined.json()["id"]) == (200, request["id"])
    listed = (await noa.get(LIST)).json()
    assert (listed["total"], listed["items"][0]["title"]) == (1, "The Quiet Orbit")
    one = f"{LIST}/{request['id']}"
    for call in (kim.get(one), kim.delete(one), kim.post(f"{one}/retry"), kim.post(f"{one}/follow")):
        assert (await call).status_code == 404
    assert (await kim.post(f"{one}/approve")).status_code == 403
    assert (await eva.post(f"{one}/decline", json={})).json()["code"] == "reason_missing"
    assert (await eva.post(f"{one}/approve")).json()["status"] == "approved"
    assert (await noa.delete(one)).status_code == 204
    assert (await noa.get(one)).status_code == 404  # Eva follows it, so it is hers now
    assert (await eva.get(one)).json()["is_mine"]


async def test_the_api_says_in_words_what_does_not_fit(house: House) -> None:
    noa = await house.client("noa")
    for body, status, code in (
        ({"media_type": "movie", "tmdb_id": 0}, 400, "invalid"),
        ({"media_type": "movie", "tmdb_id": 10**30}, 400, "invalid"),
        ({"media_type": "song", "tmdb_id": 1}, 400, "invalid"),
        ({"media_type": "tv", "tmdb_id": SERIES, "seasons": []}, 400, "invalid"),
        ({"media_type": "tv", "tmdb_id": SERIES, "seasons": [99]}, 400, "invalid"),
        ({"media_type": "movie", "tmdb_id": FILM, "is_4k": True}, 403, "permission_missing"),
        ({"media_type": "movie", "tmdb_id": FILM, "for_user": 1}, 403, "permission_missing"),
        ({"media_type": "movie", "tmdb_id": 999999}, 502, None),
    ):
        answer = await noa.post(LIST, json=body)
        assert answer.status_code == status, (body, answer.text)
        assert code in (None, answer.json()["code"]), answer.text
        assert "Unable to retrieve" not in answer.text
    await fetch("UPDATE users SET requests_limit = 0")
    refused = await noa.post(LIST, json={"media_type": "movie", "tmdb_id": FILM})
    assert (refused.status_code, refused.json()["code"]) == (429, "quota_exceeded")
    assert int(refused.headers["retry-after"]) > 0
    for query in ("show=nothing", "sort=nothing", "status=nothing", "media_type=song", "limit=101"):
        assert (await noa.get(f"{LIST}?{query}")).status_code == 400, query
    assert (
        await noa.get(f"{LIST}?q=%25_!%00%27&sort=title&show=waiting&media_type=tv&status=pending")
    ).status_code == 200


async def test_a_key_for_requests_opens_them_and_one_for_reading_only_reads(house: House) -> None:
    noa = house.users["noa"]
    async with house.visit(house.application, headers=await key_headers(noa.id, "requests")) as client:
        assert (await client.post(LIST, json={"media_type": "movie", "tmdb_id": FILM})).status_code == 201
    async with house.visit(house.application, headers=await key_headers(noa.id, "read")) as client:
        assert (await client.get(LIST)).json()["total"] == 1
        assert (await client.post(LIST, json={"media_type": "movie", "tmdb_id": FILM})).status_code == 403


async def test_lists_are_filtered_sorted_and_cut_into_pages(house: House) -> None:
    for title in (OTHER_FILM, FILM, SERIES):
        await house.ask("noa", title)
    await house.ask("frida", CHILDRENS_FILM)
    await house.deliver()
    eva = await house.client("eva")

    async def titles(query: str) -> list[str]:
        return [one["title"] for one in (await eva.get(f"{LIST}?{query}")).json()["items"]]

    assert len(await titles("")) == 4
    assert await titles("sort=title") == [
        "Buttons and Bears", "Harbour Lights", "The Quiet Orbit", "The Quiet Orbit Returns",
    ]  # fmt: skip
    assert await titles("q=orbit&sort=oldest") == ["The Quiet Orbit Returns", "The Quiet Orbit"]
    assert await titles("media_type=tv") == ["Harbour Lights"]
    assert await titles("show=coming") == ["Buttons and Bears"]
    assert await titles("status=processing") == ["Buttons and Bears"]
    assert await titles("show=waiting&limit=1&offset=1") == ["The Quiet Orbit"]
    assert await titles("mine=true") == []


async def test_a_film_is_asked_for_and_taken_back_by_plain_forms(house: House) -> None:
    noa = await browser(house, "noa")
    page = f"/requests/new?kind=movie&id={FILM}"
    shown = (await noa.get(page)).text
    assert "Goes to whoever looks after requests for approval." in shown
    assert "0 of 20 requests used in 7 days" in shown
    assert "4K" not in shown
    answer = await form(noa, page, "/requests", media_type="movie", tmdb_id=FILM)
    assert answer.status_code == 303
    where = answer.headers["location"]
    assert re.fullmatch(r"/requests/\d+", where)
    detail = (await noa.get(where)).text
    assert "Waiting for approval" in detail
    assert "The Quiet Orbit" in (await noa.get("/requests")).text
    answer = await form(noa, where, f"{where}/cancel", back="/requests")
    assert (answer.status_code, answer.headers["location"]) == (303, "/requests")
    assert "Ask again" in (await noa.get("/requests")).text


async def test_a_refusal_keeps_what_was_chosen(house: House) -> None:
    await fetch("UPDATE users SET requests_limit = 1")
    noa = await browser(house, "noa")
    page = f"/requests/new?kind=tv&id={SERIES}"
    answer = await form(noa, page, "/requests", media_type="tv", tmdb_id=SERIES, season=["2", "3"])
    assert answer.status_code == 429
    assert "takes 2 of your 1 requests" in answer.text
    assert [number for number in "123" if f'value="{number}" checked' in answer.text] == ["2", "3"]
    headers = {"HX-Request": "true", "X-CSRF-Token": csrf_of(answer.text)}
    part = await noa.post("/requests", data={"media_type": "tv", "tmdb_id": SERIES}, headers=headers)
    assert part.status_code == 400
    assert part.text.lstrip().startswith("<section")
    assert "Choose at least one season" in part.text
    done = await noa.post("/requests", data={"media_type": "tv", "tmdb_id": SERIES, "season": "2"}, headers=headers)
    assert done.status_code == 200
    assert "Your request" in done.text


async def test_owned_seasons_are_locked_and_others_requests_can_be_joined(house: House) -> None:
    house.overseerr.mark_available("tv", SERIES, seasons=(1,))
    await house.ask("kim", SERIES, seasons=(2,))
    await house.ask("kim", FILM)
    noa = await browser(house, "noa")
    shown = (await noa.get(f"/requests/new?kind=tv&id={SERIES}")).text
    assert shown.count("disabled checked") == 2
    assert 'name="season" value="3"' in shown
    film = (await noa.get(f"/requests/new?kind=movie&id={FILM}")).text
    assert "Somebody asked for this." in film
    assert "Tell me too" in film
    assert "Kim" not in film
    ada = (await (await browser(house, "ada")).get(f"/requests/new?kind=movie&id={FILM}")).text
    assert "Kim asked for this." in ada
    assert "In 4K" in ada
    assert "For</label>" in ada
    await form(noa, f"/requests/new?kind=movie&id={FILM}", "/requests", media_type="movie", tmdb_id=FILM)
    assert "Asked for" in (await noa.get(f"/requests/panel?kind=movie&id={FILM}")).text


async def test_whoever_looks_after_requests_decides_one_by_one_and_several_at_once(house: House) -> None:
    ids = [(await house.ask("noa", title)).id for title in (FILM, OTHER_FILM, CHILDRENS_FILM)]
    eva = await browser(house, "eva")
    home = (await eva.get("/")).text
    assert "Waiting for your yes" in home
    assert re.search(r'id="requests-count"[^>]*>3<', home)
    shown = (await eva.get("/requests?show=waiting")).text
    assert "asked by Noa" in shown
    assert shown.count('form="bulk"') == 3
    answer = await form(
        eva, "/requests?show=waiting", "/requests/decide", verb="approve", id=[str(ids[0]), str(ids[1])]
    )
    assert answer.headers["location"] == "/requests?show=waiting&done=2-0"
    assert "2 requests decided." in (await eva.get(answer.headers["location"])).text
    declined = await form(
        eva, f"/requests/{ids[2]}", f"/requests/{ids[2]}/decline", ready="It does not fit on this server."
    )
    assert declined.status_code == 303
    noa = await browser(house, "noa")
    assert "It does not fit on this server." in (await noa.get("/requests?show=declined")).text
    assert 'form="bulk"' not in (await noa.get("/requests")).text
    # nobody else may, whatever they send
    for verb in ("approve", "decline"):
        answer = await form(noa, "/requests", "/requests/decide", verb=verb, id=str(ids[0]), ready="x")
        assert answer.status_code == 403
    assert "Your requests" in (await noa.get("/")).text


async def test_titles_and_reasons_are_shown_as_text(house: House) -> None:
    asked = await house.ask("noa", 704)
    await house.service.decline(asked.id, '<img src=x onerror="x"> no', house.users["eva"])
    noa = await browser(house, "noa")
    for page in ("/requests", f"/requests/{asked.id}", "/", "/requests/new?kind=movie&id=704"):
        shown = (await noa.get(page)).text
        assert "<b>Fish" not in shown
        assert "<img src=x" not in shown
    assert "&lt;b&gt;Fish" in shown


async def test_strange_addresses_show_a_page_or_say_what_is_wrong(house: House, visit: Visit) -> None:
    noa = await browser(house, "noa")
    for page in (
        "/requests?show=x&kind=y&sort=z&offset=-5&q=%00", "/requests?offset=999999999999", "/requests?done=a-b-c",
        "/requests?done=9-", "/requests?q=" + "x" * 500,
    ):  # fmt: skip
        assert (await noa.get(page)).status_code == 200, page
    for page in ("/requests/new", "/requests/new?kind=movie&id=-1", "/requests/new?kind=x&id=5", "/requests/999"):
        assert (await noa.get(page)).status_code == 404, page
    assert (await visit(house.application).get("/requests")).status_code == 303
