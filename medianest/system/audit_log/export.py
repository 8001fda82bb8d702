"""Lines of an export: CSV that no spreadsheet takes for formulas, and JSON a line each."""

from __future__ import annotations

import csv
import io
from typing import Any

import msgspec

from medianest.system.audit_log.model import AuditRecord

COLUMNS = tuple(AuditRecord.__struct_fields__)
FORMULA_SIGNS = ("=", "+", "-", "@", "\t", "\r", "\n")


def csv_head() -> bytes:
    return _row(COLUMNS)


def csv_line(record: AuditRecord) -> bytes:
    """One record; a cell that a spreadsheet would reckon with begins with an apostrophe instead."""
    return _row([_cell(getattr(record, name)) for name in COLUMNS])


def json_line(record: AuditRecord) -> bytes:
    return msgspec.json.encode(record) + b"\n"


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, int):
        return str(value)
    text = value if isinstance(value, str) else msgspec.json.encode(value).decode().strip('"')
    return "'" + text if text.lstrip(" ").startswith(FORMULA_SIGNS) or text.startswith(FORMULA_SIGNS) else text


def _row(cells: Any) -> bytes:
    text = io.StringIO()
    csv.writer(text).writerow(cells)
    return text.getvalue().encode("utf-8", "replace")
