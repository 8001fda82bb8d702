"""What the source may not hold (SEC-21, 53, 54, 60, 61, 62), what must lie beside it (SEC-67, 69), and the table of all lines."""

from __future__ import annotations

import ast
import json
import re
from importlib.metadata import version
from pathlib import Path

from medianest.setting_values import PREFIX
from medianest.settings import NAMES
from tests.harness.server import CHECKOUT

SOURCES = sorted((CHECKOUT / "medianest").rglob("*.py"))
TEMPLATES = sorted((CHECKOUT / "templates").rglob("*.html"))
DRAWS = {"qr.py"}  # makes markup out of numbers
LINES = (
    [*range(1, 6), *range(10, 15), *range(20, 26), *range(30, 41), *range(50, 57), *range(60, 70)]
)  # fmt: skip


def calls() -> list[tuple[Path, ast.Call, str]]:
    """Every call in the source, with the name it is made by."""
    return [
        (path, node, ast.unparse(node.func))
        for path in SOURCES
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call)
    ]


def at_least(installed: str, wanted: tuple[int, ...]) -> bool:
    return tuple(int(part) for part in re.findall(r"\d+", installed)[: len(wanted)]) >= wanted


def test_sec_21_no_call_goes_through_a_shell() -> None:
    for path, call, name in calls():
        assert name not in ("os.system", "os.popen", "subprocess.getoutput", "asyncio.create_subprocess_shell"), path
        assert not any(key.arg == "shell" and ast.unparse(key.value) != "False" for key in call.keywords), path


def test_sec_31_and_37_libraries_are_at_least_the_ones_that_were_mended() -> None:
    assert at_least(version("litestar"), (2, 22))
    assert at_least(version("pyjwt"), (2, 13))
    # the framework's own parts that once believed forwarded headers are not used
    text = "".join(path.read_text("utf-8") for path in SOURCES)
    assert "AllowedHostsConfig" not in text
    assert "RateLimitConfig" not in text


def test_sec_53_links_to_elsewhere_give_nothing_along() -> None:
    for path in TEMPLATES:
        for link in re.findall(r"<a\b[^>]*>", path.read_text("utf-8")):
            if "auth_url" in link:  # to Plex's own page, with no address of ours to hide
                continue
            if re.search(r"\btarget=", link.replace("hx-target=", "")) or re.search(
                r'href="(https?:|\{\{ *\w+\.(\w+_)?url\b)', link
            ):
                assert "noreferrer" in link, (path.name, link)


def test_sec_54_htmx_evaluates_nothing_and_asks_only_us() -> None:
    head = (CHECKOUT / "templates/components/head.html").read_text("utf-8")
    found = re.search(r"name=\"htmx-config\" content='([^']+)'", head)
    assert found
    settings = json.loads(found[1])
    assert settings["history"] is False
    assert settings["mode"] == "same-origin"
    for path in TEMPLATES:
        assert not re.search(r"\bhx-on|\bhx-vals=['\"]js:|\bhx-headers=['\"]js:", path.read_text("utf-8")), path.name


def test_sec_60_no_text_of_a_person_is_ever_code_or_a_template() -> None:
    for path, call, name in calls():
        assert name not in ("eval", "exec", "compile", "__import__"), path
        assert name.rpartition(".")[2] not in ("from_string", "render_template_string"), path
        is_markup = name in ("Markup", "markupsafe.Markup") and path.name not in DRAWS
        assert not is_markup or all(isinstance(one, ast.Constant) for one in call.args), path
        assert not name.startswith(("pickle.", "marshal.", "yaml.")), path


def test_sec_61_there_is_no_setting_for_scripts_plug_ins_or_template_folders() -> None:
    assert [name for name in NAMES if re.search(r"script|exec|command|plugin|template|hook", name)] == []


def test_sec_30_no_setting_lets_anybody_in_without_signing_in() -> None:
    names = [PREFIX + name.upper() for name in NAMES]
    assert [name for name in names if re.search(r"AUTH|LOGIN|BYPASS|LOCAL|ANONYMOUS|GUEST", name)] == []


def test_sec_62_values_never_become_part_of_a_statement() -> None:
    """What stands in the braces of an SQL text is a name of ours, all upper case or with a leading underscore, or made of such."""
    for path, call, name in calls():
        if name.rpartition(".")[2] not in ("fetch", "raw"):
            continue
        text = call.args[0] if call.args else None
        # a `%` or `.format` on a statement puts values in without the engine's knowledge
        is_safe = (
            not isinstance(text, ast.BinOp) or isinstance(text.op, ast.Add) or isinstance(text.right, ast.Constant)
        )
        assert is_safe, (path, ast.unparse(call)[:80])
        assert not (isinstance(text, ast.Call) and ast.unparse(text.func).endswith(".format")), path


def test_sec_67_what_is_installed_is_locked_by_its_hash() -> None:
    locks = sorted((CHECKOUT / "packaging/locks").glob("*.txt"))
    assert len(locks) >= 2
    assert all("--hash=sha256:" in path.read_text("utf-8") for path in locks)


def test_sec_69_the_policy_says_how_to_report_and_against_whom_we_stand() -> None:
    text = (CHECKOUT / "SECURITY.md").read_text("utf-8")
    assert "Report a weakness privately" in text
    for foe in ("family member", "stranger on the network", "web site in the same browser", "refresh token"):
        assert foe in text, foe


def test_every_line_of_the_list_stands_in_the_table_and_every_test_it_names_exists() -> None:
    text = (CHECKOUT / "SECURITY.md").read_text("utf-8")
    named = {int(number) for number in re.findall(r"^\| SEC-(\d\d) \|", text, re.M)}
    assert sorted(set(LINES) - named) == [], "these lines stand in no table of SECURITY.md"
    tests = re.findall(r"`(tests/[\w/]+\.py)(?:::(\w+))?`", text)
    assert len(tests) > 30
    for path, name in tests:
        source = (CHECKOUT / path).read_text("utf-8")
        assert not name or re.search(rf"^(async )?def {name}\b", source, re.M), f"SECURITY.md names {path}::{name}"
