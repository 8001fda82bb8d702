"""What the log may never hold, how it is kept small, and its two shapes."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path

import pytest

from medianest import logs
from medianest.logs import HIDDEN, Redactor, redactor, request_id, set_up_logs

log = logging.getLogger("medianest.test")

# each as it may reach a log line, and the part that must not stay
PLANTED = [
    ("postgres://nest:sesame-open@db/medianest", "sesame-open"),
    ("GET /x?X-Plex-Token=abcdEFGH1234 200", "abcdEFGH1234"),
    ("Authorization: Bearer abc.def.ghi-jkl", "abc.def"),
    ("{'Cookie': 'access=qwertyuiop; refresh=asdfghjk'}", "asdfghjk"),
    ("eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0abc.c2lnbmF0dXJlLXBhcnQ", "eyJzdWIiOiIxIn0abc"),
    ("password=hunter2hunter2&user=x", "hunter2"),
    ('{"refresh_token": "rt-0123456789"}', "rt-0123456789"),
    ("https://user:pa55word@example.org/clip.mp4", "pa55word"),
    ("https://cdn.example.org/v.mp4?sig=0a1b2c3d4e&expire=1", "0a1b2c3d4e"),
    ("X-Api-Key: k_1234567890", "k_1234567890"),
    ("the caller sent mnk_aB3dEf6hIj9kLm_nO", "aB3dEf6hIj9kLm_nO"),
    ("otpauth://totp/MediaNest:ada?secret=JBSWY3DPEHPK3PXP&issuer=MediaNest", "JBSWY3DPEHPK3PXP"),
]


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Leaves the root logger as it was: pytest has handlers of its own there."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers = []
    yield
    for handler in root.handlers:
        handler.close()
    root.handlers = handlers
    root.setLevel(level)


@pytest.mark.parametrize(("text", "secret"), PLANTED)
@pytest.mark.parametrize("style", ["text", "json"])
def test_a_planted_secret_never_reaches_the_log(tmp_path: Path, style: str, text: str, secret: str) -> None:
    set_up_logs(level="debug", style=style, folder=tmp_path)
    log.warning("asked for %s", text)
    try:
        raise ValueError(text)
    except ValueError:
        log.exception("failed")
    written = (tmp_path / "medianest.log").read_text()
    assert secret not in written
    assert HIDDEN in written


def test_a_secret_that_was_learned_is_hidden_wherever_it_stands() -> None:
    own = Redactor()
    own.learn("s3cr3t-value", "ab")
    assert own.clean("x=s3cr3t-value, ab") == f"x={HIDDEN}, ab"


def test_the_server_learns_its_own_key_and_password() -> None:
    source = Path(logs.__file__).with_name("server.py").read_text()
    assert "redactor.learn(" in source
    assert isinstance(redactor, Redactor)


def test_a_line_break_in_a_title_forges_no_line(tmp_path: Path) -> None:
    set_up_logs(level="info", style="text", folder=tmp_path)
    log.info("title %s", "a\r\n2026-01-01T00:00:00Z INFO medianest.app everything is fine")
    lines = (tmp_path / "medianest.log").read_text().splitlines()
    assert [line for line in lines if line.startswith("20")] == lines[:1]


def test_json_lines_are_one_object_each_and_carry_the_request(tmp_path: Path) -> None:
    set_up_logs(level="info", style="json", folder=tmp_path)
    token = request_id.set("r-123")
    try:
        log.info("first\nsecond")
    finally:
        request_id.reset(token)
    (line,) = (tmp_path / "medianest.log").read_text().splitlines()
    entry = json.loads(line)
    assert entry["message"] == "first\nsecond"
    assert (entry["level"], entry["request_id"], entry["logger"]) == ("info", "r-123", "medianest.test")
    assert entry["at"].endswith("Z")


def test_the_log_takes_turns_in_five_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "FILE_SIZE_BYTES", 2000)
    set_up_logs(level="info", style="text", folder=tmp_path)
    for number in range(400):
        log.info("line %d", number)
    files = sorted(tmp_path.iterdir())
    assert len(files) == 5
    assert all(file.stat().st_size <= 2000 for file in files)
    assert "line 399" in (tmp_path / "medianest.log").read_text()
