"""What downloads run with: yt-dlp and the programs beside it, updates and their outcome."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import ClassVar

import msgspec

from medianest.events import Event


class Channel(StrEnum):
    """Where updates come from by themselves."""

    STABLE = "stable"  # about monthly
    NIGHTLY = "nightly"  # every day
    OFF = "off"


# fixed: no setting and no answer of a server can name another one
REPOSITORIES = {Channel.STABLE: "yt-dlp/yt-dlp", Channel.NIGHTLY: "yt-dlp/yt-dlp-nightly-builds"}


class Step(StrEnum):
    """How far a running update is."""

    LOOKING = "looking"
    FETCHING = "fetching"
    UNPACKING = "unpacking"
    COMPILING = "compiling"
    TRYING = "trying"
    CHOOSING = "choosing"


STEPS = tuple(Step)


class Way(StrEnum):
    """How another version came to be chosen, or was to."""

    DAILY = "daily"
    BUTTON = "button"
    FILE = "file"
    ROLLBACK = "rollback"  # by a person
    AUTOMATIC_ROLLBACK = "automatic_rollback"


class Outcome(StrEnum):
    CHANGED = "changed"
    CURRENT = "current"  # nothing newer
    REFUSED = "refused"  # what came was not taken; everything is as it was
    FAILED = "failed"  # it could not be fetched


class EngineSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What administrators choose."""

    channel: Channel = Channel.STABLE


class UpdateRecord(msgspec.Struct, frozen=True, kw_only=True):
    """How one update or way back ended; `text` is a sentence for people, `code` stable for scripts."""

    id: int
    at: datetime
    way: Way
    outcome: Outcome
    version: str  # that came or was to come; may be empty
    from_version: str
    code: str
    text: str
    by: str  # name of the person; empty: by itself


class RunningUpdate(msgspec.Struct, frozen=True, kw_only=True):
    """An update that goes on in this process right now. `number` counts its steps from 1."""

    way: Way
    step: Step
    version: str = ""

    @property
    def number(self) -> int:
        return STEPS.index(self.step) + 1

    @property
    def steps(self) -> int:
        return len(STEPS)


class CurrentEngine(msgspec.Struct, frozen=True, kw_only=True):
    """The yt-dlp that new downloads run with."""

    version: str
    is_inside: bool  # the one that came with MediaNest
    inside_version: str
    path: str = ""  # folder of a newer one
    channel: str = ""  # it came by; empty for the one inside or by file
    installed_at: datetime | None = None
    problem: str = ""  # why it is not the version that was chosen


class Component(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the page: a program or package, what is there of it, and what to do when it lacks."""

    name: str
    title: str
    is_usable: bool
    version: str = ""
    age_days: int | None = None
    origin: str = ""  # where it comes from, in words
    path: str = ""
    advice: str = ""  # empty when all is well
    fix: str = ""  # `update` or empty: what a button can do about it


class EngineReport(msgspec.Struct, frozen=True, kw_only=True):
    """Everything on the page. `previous` is the version that a way back leads to; empty when there is none."""

    current: CurrentEngine
    components: tuple[Component, ...]
    channel: Channel
    previous: str
    is_inside_previous: bool
    update: RunningUpdate | None
    history: tuple[UpdateRecord, ...]
    source: str  # where releases are fetched from
    drop_folder: str


class TrialReport(msgspec.Struct, frozen=True, kw_only=True):
    """What a worker of one version made of a link; `failure` is empty when it found a video or a list."""

    version: str = ""
    ejs_version: str = ""
    path: str = ""
    title: str = ""
    failure: str = ""
    detail: str = ""


class LinkTried(Event, frozen=True):
    """A worker answered for a link, well (`failure` empty) or not: what one version makes of one site."""

    is_relayed: ClassVar[bool] = False  # each process has an engine of its own

    url: str
    site: str  # host of the link
    version: str
    failure: str = ""


class EngineChanged(Event, frozen=True):
    """New downloads of this process run with `version` from now on."""

    is_relayed: ClassVar[bool] = False

    version: str
    from_version: str


class EngineUpdateMoved(Event, frozen=True):
    """An update began, came to its next step, or ended (`step` empty)."""

    is_relayed: ClassVar[bool] = False

    step: str


class EngineUpdateDue(Event, frozen=True):
    """It is time to look for a newer version: every process does so for its own data folder."""

    instance: str  # that told it, and looks by itself


class EngineSettingsChanged(Event, frozen=True):
    channel: Channel
