"""What the owner sees of the house: versions, programs found, health, tasks."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum

import msgspec

from medianest.events import Event


class Severity(StrEnum):
    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class HealthFix(msgspec.Struct, frozen=True):
    """A button that mends a problem: what to do, with what, and the words on it."""

    name: str
    value: str
    words: str


class HealthProblem(msgspec.Struct, frozen=True, kw_only=True):
    """Something the owner should know; `code` is stable, `advice` says what to do."""

    code: str
    severity: Severity
    text: str
    advice: str
    fix: HealthFix | None = None


class FoundProgram(msgspec.Struct, frozen=True, kw_only=True):
    """A program of the machine that MediaNest can use."""

    name: str
    path: str
    version: str
    is_found: bool
    advice: str  # empty when all is well


class Version(msgspec.Struct, frozen=True, kw_only=True):
    name: str
    value: str


class ShownSetting(msgspec.Struct, frozen=True, kw_only=True):
    """A setting with its source; secrets are masked."""

    name: str
    value: str
    source: str


class CacheFigures(msgspec.Struct, frozen=True, kw_only=True):
    """How often answers of services were in memory already. `rate` is a percentage, None before the first question."""

    name: str
    kept: int
    hits: int
    misses: int

    @property
    def rate(self) -> int | None:
        asked = self.hits + self.misses
        return round(100 * self.hits / asked) if asked else None


class Disk(msgspec.Struct, frozen=True, kw_only=True):
    """A disk that MediaNest writes to; `names` says which of its folders lie on it."""

    names: tuple[str, ...]
    path: str
    free_bytes: int
    total_bytes: int

    @property
    def used_percent(self) -> int:
        return round(100 * (1 - self.free_bytes / self.total_bytes)) if self.total_bytes else 0


class SystemReport(msgspec.Struct, frozen=True, kw_only=True):
    versions: tuple[Version, ...]
    found: tuple[FoundProgram, ...]
    health: tuple[HealthProblem, ...]
    settings: tuple[ShownSetting, ...]
    caches: tuple[CacheFigures, ...] = ()
    disks: tuple[Disk, ...] = ()


class Outcome(StrEnum):
    RUNNING = "running"
    OK = "ok"
    FAILED = "failed"


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """A recurring job: in plain words, when it ran, how it went, when it runs next. Durations in seconds."""

    name: str
    title: str
    schedule: str
    is_running: bool = False
    last_started_at: datetime | None = None
    last_duration_s: float | None = None
    last_outcome: Outcome | None = None
    last_message: str = ""
    next_run_at: datetime | None = None


class Readiness(msgspec.Struct, frozen=True):
    """Whether requests can be served; the reason stays in the log."""

    is_ready: bool
    reason: str = ""


class TaskRan(Event, frozen=True):
    name: str
    outcome: Outcome
