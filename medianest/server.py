"""Runs everything in one process: binds the port, starts what `lifespan.py` starts, serves until a signal says stop."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import gc
import logging
import os
import shutil
import signal
import socket
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

import uvicorn

from medianest import __version__
from medianest.certificates import check_certificate
from medianest.errors import MediaNestError
from medianest.head_limit import LimitedHttpProtocol
from medianest.instance import AlreadyRunning, InstanceLock, make_data_dir
from medianest.logs import redactor, set_up_logs
from medianest.processes import die_with_parent, foreign_env
from medianest.resources import is_frozen
from medianest.settings import Settings

if TYPE_CHECKING:
    from medianest.app import Application

log = logging.getLogger(__name__)

GRACE_S = 5  # for requests that run when the stop comes
BACKLOG = 512
BUNDLE_LOCK = "medianest.lock"
ARENA_MAX, ARENAS = -8, 2  # glibc's M_ARENA_MAX
_held: list[TextIO] = []  # keeps the lock of the unpacked bundle until the process ends


class PortInUse(MediaNestError):
    """Something else listens there."""


class Server(uvicorn.Server):
    """uvicorn inside our process, with our own signals: sockets end first, then the server, then the rest."""

    @contextlib.contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield  # ours are set in `_handle_signals`; uvicorn's would raise the signal again after the stop


def keep_memory_together() -> None:
    """Let all threads take memory from the same two places.

    glibc gives each thread one of its own and what the busiest moment needed stays in each: 100 MB after some hundred
    downloads. Other C libraries have no such setting.
    """
    if sys.platform == "linux" and "MALLOC_ARENA_MAX" not in os.environ:
        with contextlib.suppress(OSError, AttributeError):
            ctypes.CDLL(None).mallopt(ARENA_MAX, ARENAS)


def serve(settings: Settings) -> int:
    """Run until SIGTERM or SIGINT; gives the exit code."""
    keep_memory_together()
    if is_frozen():
        _follow_bootloader()
    make_data_dir(settings.data_dir)
    set_up_logs(level=settings.log_level, style=settings.log_format, folder=settings.data_dir / "logs")
    check_certificate(settings)
    redactor.learn(settings.secret_key.decode("utf-8", "replace"), settings.admin_password, settings.plex_token)
    lock = InstanceLock(settings.data_dir)
    try:
        lock.acquire()
    except AlreadyRunning as error:
        if sys.stdin.isatty() and sys.stdout.isatty():
            print(error.message)  # noqa: T201
            return 0
        raise
    try:
        return asyncio.run(_run(settings, lock))
    finally:
        lock.release()


async def _run(settings: Settings, lock: InstanceLock) -> int:
    from medianest.app import create_app
    from medianest.lifespan import running
    from medianest.secrets_command import settled_before_start

    log.info(
        "MediaNest %s starts. Data folder: %s. Database: %s.", __version__, settings.data_dir, settings.database_kind
    )
    settings = await settled_before_start(settings)
    with _bound(settings) as listening:
        application = create_app(settings)
        async with running(application) as setup_code:
            server = Server(
                uvicorn.Config(
                    application.asgi,
                    http=LimitedHttpProtocol,
                    ssl_certfile=settings.tls_cert,
                    ssl_keyfile=settings.tls_key,
                    ws="websockets-sansio",
                    ws_per_message_deflate=False,
                    ws_ping_interval=20,
                    ws_max_size=64 * 1024,
                    loop="asyncio",
                    lifespan="off",
                    access_log=False,
                    log_config=None,
                    proxy_headers=False,
                    server_header=False,
                    timeout_graceful_shutdown=GRACE_S,
                )
            )
            _handle_signals(server, application)
            addresses = _addresses(settings, listening.getsockname()[1])
            lock.publish(addresses[0])
            _announce(settings, addresses, setup_code)
            # what was built at the start stays: the collector need not look at it again and again
            gc.enable()
            gc.freeze()
            await server.serve(sockets=[listening])
    log.info("MediaNest has closed cleanly.")
    return 0


@contextlib.contextmanager
def _bound(settings: Settings) -> Iterator[socket.socket]:
    """A listening socket: one for IPv4 and IPv6 when no address is asked for."""
    listening = _listening_socket(settings.host, settings.port)
    try:
        yield listening
    finally:
        listening.close()


def _listening_socket(host: str, port: int) -> socket.socket:
    families: list[tuple[socket.AddressFamily, str]]
    if host:
        try:
            found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        except OSError as error:
            raise PortInUse(f"The address {host!r} to listen on is not one of this machine ({error}).") from error
        families = [(found[0][0], host)]
    else:
        families = [(socket.AF_INET6, "::"), (socket.AF_INET, "0.0.0.0")]  # noqa: S104
    problem: OSError | None = None
    for family, address in families:
        try:
            # the protocol is named so that asyncio switches Nagle's delay off: it costs 40 ms an answer
            listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
        except OSError as error:  # no IPv6 on this machine
            problem = error
            continue
        try:
            if sys.platform != "win32":
                listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            if family == socket.AF_INET6:
                listening.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1 if host else 0)
            listening.bind((address, port))
            listening.listen(BACKLOG)
            listening.set_inheritable(False)
            return listening
        except OSError as error:
            listening.close()
            problem = error
    raise PortInUse(
        f"Port {port} can not be used ({problem.strerror if problem else 'no network'}). "
        "Stop what uses it, or choose another one with --port or MEDIANEST_PORT."
    )


def _handle_signals(server: Server, application: Application) -> None:
    loop = asyncio.get_running_loop()
    stopping: list[asyncio.Task[None]] = []

    async def stop() -> None:
        log.info("Stopping.")
        await application.hub.close()
        server.should_exit = True

    def on_signal(*_: Any) -> None:
        if stopping:  # a second signal: now
            server.force_exit = True
            server.should_exit = True
        else:
            stopping.append(loop.create_task(stop()))

    for number in (signal.SIGTERM, signal.SIGINT):
        try:
            loop.add_signal_handler(number, on_signal)
        except NotImplementedError:  # Windows
            signal.signal(number, lambda *_: loop.call_soon_threadsafe(on_signal))


def _addresses(settings: Settings, port: int) -> list[str]:
    """Where the pages are, the most useful address first."""
    hosts = ["localhost"]
    if settings.host not in ("", "0.0.0.0", "::"):  # noqa: S104
        hosts = [f"[{settings.host}]" if ":" in settings.host else settings.host]
    else:
        with contextlib.suppress(OSError):
            own = {info[4][0] for info in socket.getaddrinfo(socket.gethostname(), None, socket.AF_INET)}
            hosts += sorted(str(address) for address in own if not str(address).startswith("127."))
    scheme = "https" if settings.tls_cert else "http"
    found = [f"{scheme}://{host}:{port}{settings.base_path}/" for host in hosts]
    return [settings.public_url + settings.base_path + "/", *found] if settings.public_url else found


def _announce(settings: Settings, addresses: list[str], setup_code: str | None) -> None:
    log.info("Open %s", "  or  ".join(addresses))
    if setup_code:
        log.info("Nobody is set up yet. Setup code: %s", setup_code)
    if settings.opens_browser and setup_code and _has_desktop():
        import threading
        import webbrowser

        # a browser can take seconds to start: never in the loop
        os.environ.update({k: v for k, v in foreign_env().items() if k != "LD_LIBRARY_PATH"})
        threading.Thread(target=webbrowser.open, args=(addresses[0],), daemon=True).start()


def _has_desktop() -> bool:
    """Somebody sits in front of it: a terminal, not root, a display."""
    if not sys.stdout.isatty() or (hasattr(os, "getuid") and os.getuid() == 0):
        return False
    if sys.platform in ("win32", "darwin"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _follow_bootloader() -> None:
    """One-file executable: the process people see is the unpacking parent; when that is killed, so are we.

    Folders that killed ones left behind are removed: those of ours whose lock nobody holds any more.
    """
    parent = os.getppid()
    with contextlib.suppress(OSError):
        if Path(f"/proc/{parent}/exe").samefile("/proc/self/exe"):
            die_with_parent(parent)
    own = Path(getattr(sys, "_MEIPASS", ""))
    if not own.name.startswith("_MEI") or sys.platform == "win32":
        return
    import fcntl

    marker = (own / BUNDLE_LOCK).open("w")
    fcntl.flock(marker, fcntl.LOCK_EX)
    _held.append(marker)
    for left in Path(tempfile.gettempdir()).glob(f"_MEI*/{BUNDLE_LOCK}"):
        with contextlib.suppress(OSError), left.open("r") as other:
            fcntl.flock(other, fcntl.LOCK_EX | fcntl.LOCK_NB)  # raises while its process lives
            shutil.rmtree(left.parent, ignore_errors=True)
