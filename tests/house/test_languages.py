"""The languages of dates and numbers that people can choose are in the executable, with all that they build on."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from babel import Locale

from medianest.accounts.model import DATE_LOCALES
from tests.harness.server import CHECKOUT


@pytest.mark.parametrize("name", [name for name, _words in DATE_LOCALES])
def test_each_language_is_bundled(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(CHECKOUT / "packaging"))
    monkeypatch.delitem(sys.modules, "bundle", raising=False)
    import bundle  # type: ignore[import-not-found]

    locale = Locale.parse("en_GB" if name == "en" else name)
    needed = {"root", "en_001" if name == "en" else str(locale), locale.language, str(locale)}
    for one in needed:
        assert one in bundle.LANGUAGES, f"{name} needs {one}"
        assert bundle.is_wanted(str(Path("babel", "locale-data", f"{one}.dat")))
    assert not bundle.is_wanted("babel/locale-data/zu.dat")
