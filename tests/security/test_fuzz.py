"""The API under calls that nobody would make: it never fails, and answers as its document says."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.harness.server import Server
from tests.plex import PlexWorld
from tests.security.fuzz import KEY, Fuzzer


@pytest.mark.parametrize("role", ["user", "admin"])
def test_no_call_of_the_api_fails_and_every_answer_fits_the_document(
    start_server: Callable[..., Server], plex: PlexWorld, role: str
) -> None:
    server = start_server(env=plex.settings() | {"MEDIANEST_SECRET_KEY": KEY})
    fuzzer = Fuzzer(server, role, examples=15, budget_s=50)
    fuzzer.run()
    assert fuzzer.failures == [], "\n\n".join(fuzzer.failures)
    assert fuzzer.calls > 200
    # it was let in, and not turned away for its haste
    assert sum(count for status, count in fuzzer.statuses.items() if status < 300) > 20
    assert fuzzer.statuses[429] < fuzzer.calls / 10, fuzzer.refused
    assert "Traceback" not in server.log()
