"""plex.tv and a Plex server of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.plex import PlexWorld


@pytest.fixture
def plex() -> Iterator[PlexWorld]:
    """A fresh stand-in for plex.tv, its sign-in app and a server; see `tests/plex`."""
    with PlexWorld() as world:
        yield world
