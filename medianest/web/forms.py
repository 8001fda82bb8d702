"""What was sent, read into a Struct: one sentence for each field that does not fit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

import msgspec

from medianest.errors import Invalid

T = TypeVar("T", bound=msgspec.Struct)


def read_form(form: Mapping[str, Any], kind: type[T], *, words: Mapping[str, str] | None = None) -> T:
    """Build `kind` from text fields; a missing check box is false, an empty field takes the default.

    Spaces around a value are dropped, but for passwords: there they count.

    Args:
        words: sentence for a field that does not fit, by its name.

    Raises:
        Invalid: with `fields`.
    """
    values: dict[str, Any] = {}
    for field in msgspec.structs.fields(kind):
        sent = form.get(field.name)
        if field.type is bool:
            values[field.name] = str(sent).lower() in ("true", "on", "1", "yes") if sent is not None else False
        elif isinstance(sent, str) and sent.strip() != "":
            values[field.name] = sent if field.name.endswith("password") else sent.strip()
    problems: dict[str, str] = {}
    for field in msgspec.structs.fields(kind):
        if field.name in values:
            try:
                values[field.name] = msgspec.convert(values[field.name], field.type, strict=False)
            except msgspec.ValidationError:
                problems[field.name] = (words or {}).get(field.name, "This value does not fit.")
                del values[field.name]
        elif field.required:
            problems.setdefault(field.name, (words or {}).get(field.name, "This is needed."))
    if problems:
        raise Invalid("Some of it does not fit yet.", fields=problems)
    return kind(**values)


def read_json(body: bytes, kind: type[T]) -> T:
    """Build `kind` from an optional JSON body; nothing sent means all defaults.

    Raises:
        Invalid: the body is no JSON, or its values do not fit.
    """
    if not body.strip():
        return kind()
    try:
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, RecursionError) as error:
        raise Invalid(f"The JSON that was sent does not fit: {error}.") from error
