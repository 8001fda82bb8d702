"""One place makes calls to other machines, and it costs nothing until the first of them."""

from __future__ import annotations

import re
import subprocess
import sys

from tests.harness.server import CHECKOUT


def test_no_other_code_of_ours_makes_an_outgoing_client() -> None:
    makers = re.compile(r"\b(import|from)\s+(httpx|httpcore|requests|aiohttp|urllib3|urllib\.request|http\.client)\b")
    ours = CHECKOUT / "medianest"
    found = {
        str(path.relative_to(ours))
        for path in ours.rglob("*.py")
        if "worker" not in path.parts and makers.search(path.read_text("utf-8"))
    }
    # http.py names httpx for types and errors; the client itself is made in transport.py; healthcheck asks this machine
    assert found <= {"integrations/http.py", "integrations/transport.py", "healthcheck.py", "server.py"}
    makes = {path for path in ours.rglob("*.py") if re.search(r"httpx\.(Async)?Client\(", path.read_text("utf-8"))}
    assert makes == {ours / "integrations" / "transport.py"}


def test_starting_does_not_load_the_outgoing_client() -> None:
    code = (
        "import sys, tempfile; from medianest.app import create_app; from medianest.settings import load_settings;"
        "create_app(load_settings({'data_dir': tempfile.mkdtemp()}, {})); print('httpx' in sys.modules)"
    )
    found = subprocess.run([sys.executable, "-c", code], cwd=CHECKOUT, capture_output=True, text=True, timeout=60)
    assert found.stdout.strip() == "False", found.stderr
