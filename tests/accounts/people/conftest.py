"""The application in this process for these tests."""

from __future__ import annotations

from tests.harness.application import application, below_a_path, cheap_passwords, settings, visit

__all__ = ["application", "below_a_path", "cheap_passwords", "settings", "visit"]
