"""What a name and the preferences may be; passwords have their own in `passwords.py`."""

from __future__ import annotations

import re
import unicodedata
from zoneinfo import available_timezones

from medianest.accounts.model import DATE_LOCALES
from medianest.errors import Invalid

LONGEST_DISPLAY_NAME = 64

USERNAME = re.compile(r"[^\x00-\x1f\x7f/\\<>\"'`&;%:]{2,64}")
QUALITIES = ("default", "best", "2160", "1440", "1080", "720", "480", "360")


def check_username(username: str) -> str:
    """The name without spaces around it; raises `Invalid` when it can not be one."""
    name = username.strip()
    if not USERNAME.fullmatch(name) or not name.isprintable():
        text = "A name has 2 to 64 characters, without / \\ < > \" ' & ; % : and the like."
        raise Invalid(text, fields={"username": text})
    return name


def check_display_name(name: str) -> str:
    """The name that others see, without spaces around it; raises `Invalid` when it can not be one."""
    plain = unicodedata.normalize("NFC", name).strip()
    if not 1 <= len(plain) <= LONGEST_DISPLAY_NAME or not plain.isprintable():
        text = f"A name has 1 to {LONGEST_DISPLAY_NAME} characters, in one line."
        raise Invalid(text, fields={"display_name": text})
    return plain


def check_preferences(values: dict[str, object]) -> None:
    """Raise `Invalid` with a sentence for each value that can not be."""
    problems = {}
    if values.get("time_zone") and values["time_zone"] not in available_timezones():
        problems["time_zone"] = "This time zone is not known. Take one from the list, such as Europe/Berlin."
    if "page_size" in values and not 10 <= int(str(values["page_size"])) <= 100:
        problems["page_size"] = "Choose from 10 to 100 lines."
    if "default_quality" in values and values["default_quality"] not in QUALITIES:
        problems["default_quality"] = "This quality does not exist."
    if "date_locale" in values and values["date_locale"] not in dict(DATE_LOCALES):
        problems["date_locale"] = "This language does not exist. Take one from the list."
    if problems:
        raise Invalid("Some of it does not fit yet.", fields=problems)
