"""Who uses MediaNest: people, their sessions and preferences."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from uuid import UUID

import msgspec

from medianest.events import Event


class Role(StrEnum):
    ADMIN = "admin"
    USER = "user"


class UserState(StrEnum):
    ACTIVE = "active"
    SUSPENDED = "suspended"


class SuspensionCode(StrEnum):
    """Why somebody is suspended."""

    BY_ADMIN = "by_admin"
    PLEX_ACCESS = "plex_access"  # their Plex account has lost our server; ends by itself when it is back


class Permission(StrEnum):
    """What a person may do beyond looking. Administrators may everything."""

    REQUEST_FILMS = "request_films"
    REQUEST_SHOWS = "request_shows"
    REQUEST_4K = "request_4k"
    AUTO_APPROVE = "auto_approve"
    DOWNLOAD = "download"
    FOLLOW = "follow"
    PRIORITY = "priority"
    MANAGE_REQUESTS = "manage_requests"
    MANAGE_USERS = "manage_users"
    MANAGE_SETTINGS = "manage_settings"
    SEE_OTHERS_REQUESTS = "see_others_requests"


class RatingLimit(StrEnum):
    """The oldest age rating a child profile sees; the rules that map films' ratings to it are in `media`."""

    ALL = "0"
    FROM_6 = "6"
    FROM_12 = "12"
    FROM_16 = "16"


class Scope(StrEnum):
    """What an API key opens. A key never opens more than its person may."""

    READ = "read"
    REQUESTS = "requests"
    DOWNLOADS = "downloads"
    WIDGETS = "widgets"
    METRICS = "metrics"
    ADMIN = "admin"


NO_LIMIT = -1


class Quotas(msgspec.Struct, frozen=True, kw_only=True):
    """How much a person may ask for; -1 is no limit. They do not bind administrators."""

    requests_limit: int = 20  # in `requests_days`
    requests_days: int = 7
    downloads_per_hour: int = 5
    storage_bytes: int = 10 * 1024**3


class DefaultRights(msgspec.Struct, frozen=True, kw_only=True):
    """What everybody has for whom nothing else was said."""

    permissions: tuple[Permission, ...] = (
        Permission.REQUEST_FILMS,
        Permission.REQUEST_SHOWS,
        Permission.DOWNLOAD,
        Permission.FOLLOW,
    )
    quotas: Quotas = Quotas()


class Theme(StrEnum):
    DARK = "dark"
    LIGHT = "light"
    SYSTEM = "system"


class User(msgspec.Struct, frozen=True, kw_only=True):
    """A person. Never holds a password hash or token: those stay in the repository."""

    id: int
    username: str
    display_name: str
    role: Role
    state: UserState
    created_at: datetime
    last_seen_at: datetime | None = None
    permissions: tuple[Permission, ...] = ()  # in effect: own or default ones, all for administrators
    quotas: Quotas = Quotas()
    is_child: bool = False
    rating_limit: RatingLimit | None = None  # of child profiles
    picture: str | None = None  # changes with the picture: `/people/{id}/picture?v=…`
    must_change_password: bool = False

    @property
    def is_admin(self) -> bool:
        return self.role is Role.ADMIN

    def may(self, permission: Permission) -> bool:
        """Whether they have `permission`; administrators have all."""
        return self.is_admin or permission in self.permissions


class Identity(msgspec.Struct, frozen=True, kw_only=True):
    """By what somebody is known at other services: both from Plex, since nobody else vouches for them."""

    plex_id: int | None = None
    email: str = ""


# languages of dates and numbers, each with its own name; `packaging/bundle.py` takes the same into the executable
DATE_LOCALES = (
    ("en", "English (UK)"),
    ("en_US", "English (US)"),
    ("cs", "Čeština"),
    ("da", "Dansk"),
    ("de", "Deutsch"),
    ("es", "Español"),
    ("fr", "Français"),
    ("it", "Italiano"),
    ("nl", "Nederlands"),
    ("nb", "Norsk"),
    ("pl", "Polski"),
    ("pt", "Português"),
    ("sv", "Svenska"),
)


class Preferences(msgspec.Struct, frozen=True, kw_only=True):
    """How one person wants the pages. `time_zone` is an IANA name, empty for the browser's choice (UTC without script)."""

    theme: Theme = Theme.DARK
    time_zone: str = ""
    page_size: int = 50
    default_quality: str = "default"
    is_shortcuts_on: bool = True
    date_locale: str = "en"  # a Babel locale, for dates and numbers


class PreferencesChange(msgspec.Struct, frozen=True, kw_only=True):
    """A partial change of the preferences: what is unset stays."""

    theme: Theme | msgspec.UnsetType = msgspec.UNSET
    time_zone: str | msgspec.UnsetType = msgspec.UNSET
    page_size: int | msgspec.UnsetType = msgspec.UNSET
    default_quality: str | msgspec.UnsetType = msgspec.UNSET
    is_shortcuts_on: bool | msgspec.UnsetType = msgspec.UNSET
    date_locale: str | msgspec.UnsetType = msgspec.UNSET


# what to look for in the browser's own words, the telling ones first
BROWSERS = (
    ("Edg", "Edge"),
    ("OPR", "Opera"),
    ("Firefox", "Firefox"),
    ("FxiOS", "Firefox"),
    ("Chrome", "Chrome"),
    ("CriOS", "Chrome"),
    ("Safari", "Safari"),
)
SYSTEMS = (
    ("Android", "Android"),
    ("iPhone", "iPhone"),
    ("iPad", "iPad"),
    ("Windows", "Windows"),
    ("Mac OS", "Mac"),
    ("CrOS", "Chromebook"),
    ("Linux", "Linux"),
)


class Device(msgspec.Struct, frozen=True, kw_only=True):
    """Where a sign-in comes from."""

    address: str = ""
    user_agent: str = ""
    token: str = ""  # the long-lived cookie by which a browser is known
    keeps_cookies: bool = True  # false for programs that asked for none

    @property
    def name(self) -> str:
        """`Firefox on Windows`, as far as the browser says."""
        agent = self.user_agent
        browser = next(
            (name for mark, name in BROWSERS if mark in agent),
            "App" if agent and not agent.startswith("Mozilla") else "Browser",
        )
        system = next((name for mark, name in SYSTEMS if mark in agent), "")
        return f"{browser} on {system}" if system else browser


class Session(msgspec.Struct, frozen=True, kw_only=True):
    """One signed-in device."""

    id: UUID
    user_id: int
    device_name: str
    address: str
    is_remembered: bool
    created_at: datetime
    last_used_at: datetime
    expires_at: datetime
    method: str = "password"  # how it began: password or plex


class Tokens(msgspec.Struct, frozen=True, kw_only=True):
    """What a sign-in or a renewal gives. `refresh_token` is None when another tab has just taken the new one."""

    access_token: str
    expires_in: int  # seconds
    refresh_token: str | None
    session: Session
    device_token: str | None = None  # of a sign-in: what the browser keeps, so that it is known the next time


class Caller(msgspec.Struct, frozen=True, kw_only=True):
    """The person and session behind a call, with what the pages need at every turn."""

    user: User
    preferences: Preferences
    session_id: UUID  # of an API key: made from its id, so that its sockets can be closed as a session's
    csrf_token: str
    is_cookie: bool  # by cookie (needs a CSRF token) or by bearer token or key
    scopes: frozenset[Scope] | None = None  # of an API key; None: a session, which may all its person may
    open_notices: int = 0  # what the person was told and has not answered yet

    def may(self, permission: Permission) -> bool:
        """Whether the person may and, by key, the key opens it."""
        return self.user.may(permission) and (self.scopes is None or Scope.ADMIN in self.scopes)


class NoticeCode(StrEnum):
    """What a person is told about their own account."""

    NEW_SIGN_IN = "new_sign_in"  # detail: the device
    PASSWORD_RESET = "password_reset"  # noqa: S105  # detail: who did it
    SECOND_FACTOR_OFF = "second_factor_off"  # detail: who did it, empty for the person
    API_KEY = "api_key"  # detail: its name
    VIDEOS_GO = "videos_go"  # detail: how many, how large, from when on


class AccountNotice(msgspec.Struct, frozen=True, kw_only=True):
    """One thing a person is asked to look at; it stays until it is answered."""

    id: int
    code: NoticeCode
    detail: str
    address: str
    created_at: datetime


class AccountNoticeMade(Event, frozen=True):
    user_id: int
    notice_id: int
    code: str


class AdministratorMade(Event, frozen=True):
    user_id: int


class SessionsEnded(Event, frozen=True):
    """Sessions that must lose their sockets at once. `session_ids` holds their UUIDs as text."""

    user_id: int
    session_ids: tuple[str, ...]


class PreferencesChanged(Event, frozen=True):
    user_id: int
