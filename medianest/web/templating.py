"""Jinja as MediaNest uses it: escaping always on, texts through gettext, and what every template may count on.

Templates see: `caller` (or None), `url(path)`, `static(name)`, `csrf_token`, `current`, `_`, `ngettext`, and the filters
of `formats.py` and `words.py`.
"""

from __future__ import annotations

import gettext as gettext_module
from collections.abc import Mapping
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Any

from jinja2 import BaseLoader, Environment, FileSystemLoader, FunctionLoader, pass_context
from jinja2.runtime import Context
from litestar.plugins.jinja import JinjaTemplateEngine
from litestar.template import TemplateConfig

from medianest.resources import is_frozen
from medianest.web.formats import Formats
from medianest.web.static_files import StaticFiles
from medianest.web.urls import Urls
from medianest.web.words import state_word

# English is the only catalogue for now; a second one makes this a choice by the person's preference
translations = gettext_module.NullTranslations()


def gettext(text: str) -> str:
    """The text in the language of the page."""
    return translations.gettext(text)


def ngettext(one: str, many: str, number: int) -> str:
    """The text for `number` things."""
    return translations.ngettext(one, many, number)


class Templates:
    """Renders templates, for handlers (through Litestar) and for error pages."""

    def __init__(self, folder: Traversable, urls: Urls, static_files: StaticFiles) -> None:
        self.environment = Environment(
            loader=_loader(folder),
            autoescape=True,
            extensions=["jinja2.ext.i18n"],
            auto_reload=not is_frozen(),
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self.environment.install_gettext_translations(translations, newstyle=True)  # type: ignore[attr-defined]
        self.environment.globals.update(url=urls.to, static=static_files.url)
        self.environment.filters["state_word"] = lambda download: state_word(download, gettext)
        for name in Formats(gettext, ngettext).filters():
            self.environment.filters[name] = _by_person(name)

    def config(self) -> TemplateConfig[JinjaTemplateEngine]:
        """For Litestar."""
        engine = CallerEngine.from_environment(self.environment)
        return TemplateConfig(instance=engine)

    def render(self, name: str, context: Mapping[str, Any]) -> str:
        """One template as text."""
        return self.environment.get_template(name).render(base_context(context))


def _loader(folder: Traversable) -> BaseLoader:
    if isinstance(folder, Path):
        return FileSystemLoader(folder)
    return FunctionLoader(lambda name: folder.joinpath(name).read_text(encoding="utf-8"))


class CallerEngine(JinjaTemplateEngine):
    """Adds to a handler's context what every template may count on."""

    def get_template(self, template_name: str) -> Any:
        return _Ready(super().get_template(template_name))


class _Ready:
    def __init__(self, template: Any) -> None:
        self._template = template

    def render(self, **context: Any) -> str:
        return str(self._template.render(base_context(context)))


def base_context(context: Mapping[str, Any]) -> dict[str, Any]:
    """`context` completed from the request's caller."""
    request = context.get("request")
    state = request.scope["state"] if request is not None else {}
    caller = state.get("caller")
    back_to = path_of(request) if request is not None else ""
    made = {
        "current": "",
        "counts": state.get("counts"),
        "notices": state.get("notices", ()),
        "requests_waiting": state.get("requests_waiting", 0),
        "back_to": back_to,
        **context,
    }
    made.setdefault("caller", caller)
    made.setdefault("csrf_token", caller.csrf_token if caller else "")
    time_zone = caller.preferences.time_zone if caller else ""
    language = caller.preferences.date_locale if caller else "en"
    made["_formats"] = Formats(gettext, ngettext, language, time_zone)
    return made


def path_of(request: Any) -> str:
    """Path and query of the page that is shown, below the base path, to come back to; empty for what is no page."""
    scope: Mapping[str, Any] = request.scope
    if scope.get("method") != "GET":
        return ""
    query: str = scope.get("query_string", b"").decode("latin-1")
    path: str = scope.get("raw_path", b"").decode("utf-8", "replace")
    return path + ("?" + query if query else "")


def _by_person(name: str) -> Any:
    @pass_context
    def apply(context: Context, value: Any) -> Any:
        formats = context.get("_formats") or Formats(gettext, ngettext)
        return formats.filters()[name](value)

    return apply
