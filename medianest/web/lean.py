"""Litestar with what we need of it, and what handlers are given."""

from __future__ import annotations

from typing import Any

from litestar import Litestar, Request
from litestar.di import Provide
from litestar.plugins import PluginProtocol
from litestar.plugins.core import MsgspecDIPlugin

from medianest.accounts.model import Caller


class LeanLitestar(Litestar):
    """Litestar without its plug-ins for pydantic and attrs: loading pydantic would cost a third of the start."""

    @staticmethod
    def _get_default_plugins(plugins: list[PluginProtocol]) -> list[PluginProtocol]:
        return [*plugins, MsgspecDIPlugin()]


def provide_caller(request: Request[Any, Any, Any]) -> Caller:
    """The person signed in; the guards have made sure there is one."""
    caller: Caller = request.scope["state"]["caller"]
    return caller


class Given(Provide):
    """A dependency that is one object for the whole process.

    Each is like itself alone: Litestar compares every dependency with every other for every handler, at each start.
    """

    def __init__(self, value: Any) -> None:
        super().__init__(lambda: value, sync_to_thread=False, use_cache=True)

    def __eq__(self, other: object) -> bool:
        return self is other

    __hash__ = object.__hash__
