"""Overseerr or Seerr of the test's own."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.overseerr import OverseerrWorld


@pytest.fixture
def overseerr() -> Iterator[OverseerrWorld]:
    """A fresh stand-in for Overseerr; see `tests/overseerr`."""
    with OverseerrWorld() as world:
        yield world


@pytest.fixture
def seerr() -> Iterator[OverseerrWorld]:
    """The same as Seerr."""
    with OverseerrWorld(kind="seerr") as world:
        yield world
