"""A real server killed in the middle of sending: after the next start exactly one request exists on the other side."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.harness.server import Server
from tests.overseerr import OverseerrWorld
from tests.requests.house import FILM

REQUESTS = "/api/v1/requests"
# where it is killed → path and method of the call that is held, how it is held, and whether the row exists by then
PLACES = {
    "between stored and sent": ("/api/v1/movie/", "GET", "slow", False),
    "between sent and answer stored": ("/api/v1/request", "POST", "late", True),
    "between the answer and the approval there": ("/api/v1/request/1/approve", "POST", "slow", True),
}


def wait_until(is_so: Callable[[], object], what: str, timeout_s: float = 20.0) -> None:
    end = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < end, f"not in time: {what}"
        time.sleep(0.05)


@pytest.mark.parametrize("place", PLACES)
def test_a_server_killed_while_sending_sends_exactly_once(
    start_server: Callable[..., Server], overseerr: OverseerrWorld, place: str
) -> None:
    path, method, how, is_made = PLACES[place]
    server = start_server(env=overseerr.settings())
    with server.client() as client:
        assert client.get(f"/api/v1/media/movie/{FILM}").status_code == 200  # known: asking calls nobody
        before = len(overseerr.calls)
        if "approval" in place:  # somebody whose requests Overseerr leaves pending
            client.put(
                "/api/v1/integrations/overseerr",
                json={"url": overseerr.url, "default_user_id": overseerr.portal.id},
            ).raise_for_status()
            before = len(overseerr.calls)
        overseerr.faults.add(path, how, seconds=60, method=method)
        answer = client.post(REQUESTS, json={"media_type": "movie", "tmdb_id": FILM})
        assert answer.status_code == 201, answer.text
        number = answer.json()["id"]

        def is_held() -> bool:
            return any(call.path.startswith(path) and call.method == method for call in overseerr.calls[before:])

        wait_until(is_held, f"the call {path}")
        wait_until(lambda: overseerr.creates == is_made, "the row there")
        server.kill()
    overseerr.faults.clear()
    server.start()
    with server.client() as client:

        def is_done() -> bool:
            found = client.get(f"{REQUESTS}/{number}").json()
            return found["status"] in ("approved", "processing") and bool(overseerr.rows_of("movie", FILM))

        wait_until(is_done, "the request there")
        wait_until(lambda: overseerr.rows_of("movie", FILM)[0].status == 2, "the approval there")
        time.sleep(0.5)  # nothing more comes after it
        assert len(overseerr.rows_of("movie", FILM)) == 1
        assert overseerr.creates == 1
        # and asking again changes nothing about that
        assert client.post(REQUESTS, json={"media_type": "movie", "tmdb_id": FILM}).status_code == 200
    assert "Traceback" not in server.log()
