"""A real MediaNest process for the tests: source by default, the executable named by `MEDIANEST_BIN` otherwise.

Its library lies on another file system than its data folder wherever the machine has two, as it does at people's homes.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from tests.harness.postgres import LEASH
from tests.harness.processes import end_group, free_port, with_environment

CHECKOUT = Path(__file__).resolve().parents[2]
ADMIN_NAME = "admin"
ADMIN_PASSWORD = "Correct-Horse-9-Battery"
MARK = "TEST_SERVER_MARK"  # in the environment of the server and all it starts: finds what was left over
START_TIMEOUT_S = 60
STOP_TIMEOUT_S = 20


def medianest_command() -> list[str]:
    """What starts MediaNest: the executable in `MEDIANEST_BIN`, or this checkout."""
    if executable := os.environ.get("MEDIANEST_BIN"):
        return [str(Path(executable).absolute())]
    return [sys.executable, "-m", "medianest"]


def clean_environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of this process without any MediaNest setting, and with `extra`; empty values unset a name."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("MEDIANEST_")}
    if "MEDIANEST_BIN" not in os.environ:
        kept["PYTHONPATH"] = str(CHECKOUT)
    kept |= extra or {}
    return {name: value for name, value in kept.items() if value}


def run_medianest(
    *arguments: str, env: Mapping[str, str] | None = None, stdin: str = "", timeout_s: float = 90
) -> subprocess.CompletedProcess[str]:
    """Run one command of MediaNest to its end, from `/`."""
    return subprocess.run(
        [*medianest_command(), *arguments], env=clean_environment(env), cwd="/", input=stdin, text=True,
        capture_output=True, timeout=timeout_s, encoding="utf-8",
    )  # fmt: skip


def library_folder_elsewhere(fallback: Path) -> Path:
    """A new folder on another file system than `fallback`, or below it on a machine with one only."""
    shared = Path("/dev/shm")
    if shared.is_dir() and os.access(shared, os.W_OK) and shared.stat().st_dev != fallback.stat().st_dev:
        return Path(tempfile.mkdtemp(prefix="medianest-library-", dir=shared))
    return Path(tempfile.mkdtemp(prefix="library-", dir=fallback))


class Server:
    """One MediaNest: `base_url`, `data_dir`, `library_dir`; starts again with the same folders and port.

    Args:
        folder: a new folder for data and log.
        env: settings and other variables on top of the usual ones; an empty value unsets one.
        database_url: empty for SQLite in the data folder.
        base_path: such as `/medianest`.
        with_admin: the first administrator is made unattended.
        command: what starts it, in the place of `medianest_command()`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        env: Mapping[str, str] | None = None,
        database_url: str = "",
        base_path: str = "",
        with_admin: bool = True,
        library_dir: Path | None = None,
        command: Sequence[str] = (),
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.command = command or medianest_command()
        self.data_dir = folder / "data"
        self.log_path = folder / "output.log"
        self.owns_library = library_dir is None
        self.library_dir = library_dir or library_folder_elsewhere(folder)
        self.port = free_port()
        self.base_path = base_path
        self.mark = f"{os.getpid()}-{self.port}-{time.monotonic_ns()}"
        self.process: subprocess.Popen[bytes] | None = None
        self.env = {
            "MEDIANEST_DATA_DIR": str(self.data_dir),
            "MEDIANEST_LIBRARY_DIR": str(self.library_dir),
            "MEDIANEST_HOST": "127.0.0.1",
            "MEDIANEST_PORT": str(self.port),
            "MEDIANEST_BASE_PATH": base_path,
            "MEDIANEST_DATABASE_URL": database_url,
            "MEDIANEST_ALLOW_PRIVATE_DOWNLOADS": "127.0.0.1",
            "MEDIANEST_ENGINE_URL": "http://127.0.0.1:9",  # tests fetch nothing from outside
            MARK: self.mark,
        }
        if with_admin:
            self.env |= {"MEDIANEST_ADMIN_USERNAME": ADMIN_NAME, "MEDIANEST_ADMIN_PASSWORD": ADMIN_PASSWORD}
        self.env |= env or {}

    @property
    def root_url(self) -> str:
        """Address of the process, without the base path."""
        return f"http://127.0.0.1:{self.port}"

    @property
    def base_url(self) -> str:
        """Address of the first page, without a slash at the end."""
        return self.root_url + self.base_path

    @property
    def pid(self) -> int:
        """Process id of the running server; its process group has the same number."""
        assert self.process is not None
        return self.process.pid

    def launch(self) -> None:
        """Start the process and return at once."""
        assert self.process is None, "it runs already"
        with self.log_path.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(LEASH), *self.command, "serve", "--no-browser"],
                env=clean_environment(self.env), cwd="/", stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                start_new_session=True,
            )  # fmt: skip

    def start(self) -> Server:
        """Start the process and wait until it answers."""
        self.launch()
        self.wait_healthy()
        return self

    def wait_healthy(self, timeout_s: float = START_TIMEOUT_S) -> None:
        """Wait for `/healthz`.

        Raises:
            RuntimeError: the process ended or did not answer in time; its log is in the message.
        """
        end = time.monotonic() + timeout_s
        while time.monotonic() < end:
            if self.process is None or self.process.poll() is not None:
                break
            with suppress(httpx.HTTPError):
                if httpx.get(self.root_url + "/healthz", timeout=5, trust_env=False).status_code == 200:
                    return
            time.sleep(0.03)
        code = self.process.poll() if self.process else None
        raise RuntimeError(f"MediaNest did not start (exit code {code}):\n{self.log()}")

    def stop(self, timeout_s: float = STOP_TIMEOUT_S) -> int:
        """Ask it to stop, as a service manager does; its exit code.

        Raises:
            subprocess.TimeoutExpired: it went on for longer than `timeout_s`.
        """
        assert self.process is not None
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(timeout_s)
        self.process = None
        return code

    def kill(self) -> None:
        """End the server process at once, as a power cut would; its workers are left to themselves."""
        assert self.process is not None
        self.process.kill()
        self.process.wait(10)
        self.process = None

    def restart(self) -> Server:
        """Stop it, and start it again on the same folders and port."""
        self.stop()
        return self.start()

    def log(self) -> str:
        """All it has printed, over all starts."""
        try:
            return self.log_path.read_text("utf-8", "replace")
        except FileNotFoundError:
            return ""

    def leftovers(self) -> list[int]:
        """Ids of all living processes that this server started, itself included."""
        return with_environment(MARK, self.mark)

    def client(self, username: str = ADMIN_NAME, password: str = ADMIN_PASSWORD) -> httpx.Client:
        """A signed-in API client: bearer token, no cookies; paths are relative to `base_url`."""
        with self.visitor() as visitor:
            answer = visitor.post(
                "/api/v1/auth/login",
                json={"username": username, "password": password, "remember": True, "cookies": False},
            )
        answer.raise_for_status()
        client = self.visitor()
        client.headers["Authorization"] = f"Bearer {answer.json()['access_token']}"
        return client

    def browser(self, username: str = ADMIN_NAME, password: str = ADMIN_PASSWORD) -> httpx.Client:
        """A client with session cookies, as a browser has after signing in."""
        with self.visitor() as visitor:
            visitor.post(
                "/api/v1/auth/login", json={"username": username, "password": password, "remember": True}
            ).raise_for_status()
            cookies = visitor.cookies
        client = self.visitor()
        client.cookies = cookies
        return client

    def visitor(self) -> httpx.Client:
        """A client that is not signed in; follows no redirect."""
        return httpx.Client(base_url=self.base_url, timeout=30, trust_env=False)

    def close(self) -> None:
        """End whatever is left of it and remove its library; never raises."""
        if self.process is not None:
            with suppress(subprocess.TimeoutExpired):
                self.stop(10)
        if self.process is not None:
            end_group(self.process.pid)
            self.process.wait(10)
            self.process = None
        for pid in self.leftovers():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        if self.owns_library:
            shutil.rmtree(self.library_dir, ignore_errors=True)


@pytest.fixture
def start_server(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Starts as many servers as the test asks for; takes the arguments of `Server` after the folder."""
    servers: list[Server] = []

    def start(*, waits: bool = True, **options: object) -> Server:
        made = Server(tmp_path / f"server-{len(servers)}", **options)  # type: ignore[arg-type]
        servers.append(made)
        return made.start() if waits else made

    yield start
    for made in servers:
        made.close()


@pytest.fixture
def server(start_server: Callable[..., Server]) -> Server:
    """A running MediaNest on SQLite with an administrator."""
    return start_server()
