"""Fixtures of the tests of keeping."""

from __future__ import annotations

import pytest

from medianest.app import Application
from tests.harness.application import application, cheap_passwords, settings, visit
from tests.keeping.shelf import Shelf

__all__ = ["application", "cheap_passwords", "settings", "visit"]


@pytest.fixture
def shelf(application: Application) -> Shelf:
    """The application's library."""
    return Shelf(application.settings.library_dir)
