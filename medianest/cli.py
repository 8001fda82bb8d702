"""The commands: reads arguments, calls services, says one plain sentence when something is refused.

Imports stand inside the commands: the hidden `_worker`, `_compile` and `_qjs` must start without the server's modules,
`healthcheck` in a blink.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TextIO, cast

if TYPE_CHECKING:
    from medianest.accounts.service import AccountService
    from medianest.settings import Settings

REFUSED = 1


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; gives the exit code: 0 fine, 1 refused or failed, 2 wrong usage."""
    for stream in (sys.stdout, sys.stderr):
        cast("TextIO", stream).reconfigure(encoding="utf-8", errors="replace")  # type: ignore[attr-defined]
    arguments = list(sys.argv[1:] if argv is None else argv)
    if arguments[:1] == ["_worker"]:
        from medianest.downloads.worker.main import main as worker

        worker()
        return 0
    if arguments[:1] == ["_compile"]:
        from medianest.downloads.worker.compiling import main as compile_engine

        return compile_engine(arguments[1:])
    if arguments[:1] == ["_qjs"] or (argv is None and Path(sys.argv[0]).stem == "qjs"):
        from medianest.downloads.worker.javascript import main as javascript

        code = javascript(arguments[1:] if arguments[:1] == ["_qjs"] else arguments)
        sys.stdout.flush()
        os._exit(code)  # behind its walls nothing can be tidied up
    if not arguments or (arguments[0].startswith("-") and arguments[0] not in ("-h", "--help", "--version")):
        arguments.insert(0, "serve")
    from medianest.errors import MediaNestError

    parsed = _parser().parse_args(arguments)
    try:
        return int(parsed.run(parsed))
    except MediaNestError as error:
        sys.stderr.write(f"{error.message}\n")
        return REFUSED
    except KeyboardInterrupt:
        return REFUSED


def _parser() -> argparse.ArgumentParser:
    # no abbreviations: a script that relies on one breaks when an option is added
    parser = argparse.ArgumentParser(
        prog="medianest", description="One web site next to your Plex server.", allow_abbrev=False
    )
    parser.add_argument("--version", action="store_const", const=_version, dest="run")
    commands = parser.add_subparsers(metavar="COMMAND")

    serve = commands.add_parser("serve", help="run everything (the default)", allow_abbrev=False)
    serve.add_argument("--data-dir", metavar="D", help="folder of the database, keys and logs")
    serve.add_argument("--config", metavar="F", help="settings file in the place of medianest.toml in the data folder")
    serve.add_argument("--host", metavar="H", help="address to listen on (default: every interface)")
    serve.add_argument("--port", metavar="N", help="port (default: 6378)")
    serve.add_argument("--base-path", metavar="P", help="path below which everything lies, such as /medianest")
    serve.add_argument("--no-browser", action="store_true", help="do not open a browser at the first start")
    serve.set_defaults(run=_serve)

    _command(commands, "setup-code", "print the one-time setup code", _setup_code)
    _command(commands, "healthcheck", "ask the running MediaNest whether it is ready", _healthcheck)
    _command(commands, "version", "print the versions", _version)

    config = commands.add_parser("config", help="settings").add_subparsers(metavar="ACTION", required=True)
    _command(config, "show", "print every setting and where it came from", _config_show)
    db = commands.add_parser("db", help="the database").add_subparsers(metavar="ACTION", required=True)
    _command(db, "migrate", "bring the schema up to date", _db_migrate)

    secret = commands.add_parser("secrets", help="stored secrets").add_subparsers(metavar="ACTION", required=True)
    _command(
        secret, "rotate", "make a new secret key and seal everything with it; stop MediaNest first", _secrets_rotate
    )
    security = commands.add_parser("security", help="the walls").add_subparsers(metavar="ACTION", required=True)
    _command(security, "reset", "let every address in again, and by http", _security_reset)

    admin = commands.add_parser("admin", help="administrators").add_subparsers(metavar="ACTION", required=True)
    for name, text, run in (
        ("create", "make an administrator", _admin_create),
        (
            "reset-password",
            "give a person a new password, end their sessions and switch their second step off",
            _admin_reset,
        ),
        ("unlock", "forget the failed sign-ins of a name", _admin_unlock),
    ):
        _command(admin, name, text, run).add_argument("name", metavar="NAME")
    return parser


def _command(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    text: str,
    run: Callable[[argparse.Namespace], int],
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=text, allow_abbrev=False)
    command.add_argument("--data-dir", metavar="D", help="folder of the database, keys and logs")
    command.add_argument(
        "--config", metavar="F", help="settings file in the place of medianest.toml in the data folder"
    )
    command.set_defaults(run=run)
    return command


def _settings(parsed: argparse.Namespace, *, makes_key: bool = True) -> Settings:
    from medianest.settings import load_settings

    names = ("data_dir", "config", "host", "port", "base_path")
    arguments = {name: getattr(parsed, name) for name in names if getattr(parsed, name, None)}
    if getattr(parsed, "no_browser", False):
        arguments["opens_browser"] = "false"
    return load_settings(arguments, makes_key=makes_key)


def _serve(parsed: argparse.Namespace) -> int:
    import gc

    gc.disable()  # a quarter of the start would go into looking for garbage among modules; `server.py` enables it
    from medianest.server import serve

    return serve(_settings(parsed))


def _healthcheck(parsed: argparse.Namespace) -> int:
    from medianest.healthcheck import is_ready

    settings = _settings(parsed, makes_key=False)
    if is_ready(settings):
        print("MediaNest is ready.")  # noqa: T201
        return 0
    sys.stderr.write("MediaNest does not answer, or is not ready. Its log says why.\n")
    return REFUSED


def _version(_parsed: argparse.Namespace) -> int:
    import platform
    import sqlite3

    from medianest import __version__
    from medianest.system.service import package_version

    print(  # noqa: T201
        f"MediaNest {__version__} (Python {platform.python_version()}, yt-dlp {package_version('yt-dlp')}, "
        f"SQLite {sqlite3.sqlite_version})"
    )
    return 0


def _config_show(parsed: argparse.Namespace) -> int:
    for name, value, source in _settings(parsed, makes_key=False).shown():
        print(f"{name} = {value or '(empty)'}    [{source}]")  # noqa: T201
    return 0


def _db_migrate(parsed: argparse.Namespace) -> int:
    from medianest.instance import make_data_dir

    settings = _settings(parsed)
    make_data_dir(settings.data_dir)
    steps = asyncio.run(_migrated(settings))
    print("Applied " + ", ".join(steps) + "." if steps else "The database is up to date.")  # noqa: T201
    return 0


async def _migrated(settings: Settings) -> tuple[str, ...]:
    from medianest.lifespan import open_database

    async with open_database(settings) as steps:
        return steps


def _secrets_rotate(parsed: argparse.Namespace) -> int:
    from medianest.instance import make_data_dir
    from medianest.secrets_command import rotate

    settings = _settings(parsed)
    make_data_dir(settings.data_dir)
    print(asyncio.run(rotate(settings)))  # noqa: T201
    return 0


def _security_reset(parsed: argparse.Namespace) -> int:
    settings = _settings(parsed)

    async def run() -> None:
        from medianest.app import create_app
        from medianest.lifespan import open_database

        application = create_app(settings)
        async with open_database(settings, application.engine):
            await application.security.reset()

    asyncio.run(run())
    print("Every address may call again, by http too. A running MediaNest follows within seconds.")  # noqa: T201
    return 0


def _with_accounts(parsed: argparse.Namespace, work: Callable[[AccountService], Awaitable[str]]) -> int:
    """Run `work` on the database, whether MediaNest is running or not."""
    from medianest.instance import make_data_dir

    settings = _settings(parsed)
    make_data_dir(settings.data_dir)

    async def run() -> str:
        from medianest.app import create_app
        from medianest.lifespan import open_database

        application = create_app(settings)
        async with open_database(settings, application.engine):
            return await work(application.accounts)

    print(asyncio.run(run()))  # noqa: T201
    return 0


def _setup_code(parsed: argparse.Namespace) -> int:
    return _with_accounts(parsed, lambda accounts: accounts.setup_code())


def _admin_create(parsed: argparse.Namespace) -> int:
    password = _password()

    async def work(accounts: AccountService) -> str:
        user = await accounts.create_admin(parsed.name, password)
        return f"{user.username} is an administrator now."

    return _with_accounts(parsed, work)


def _admin_reset(parsed: argparse.Namespace) -> int:
    password = _password()

    async def work(accounts: AccountService) -> str:
        had_second_step = await accounts.reset_password(parsed.name, password)
        text = f"{parsed.name} has a new password. All sessions have ended."
        return text + (" The second step of the sign-in is off." if had_second_step else "")

    return _with_accounts(parsed, work)


def _admin_unlock(parsed: argparse.Namespace) -> int:
    async def work(accounts: AccountService) -> str:
        await accounts.unlock(parsed.name)
        return f"{parsed.name} can try to sign in again."

    return _with_accounts(parsed, work)


def _password() -> str:
    """From a prompt, or from standard input when that is not a terminal; never from an argument."""
    if not sys.stdin.isatty():
        return sys.stdin.readline().rstrip("\r\n")
    import getpass

    from medianest.errors import Invalid

    password = getpass.getpass("New password: ")
    if getpass.getpass("The same again: ") != password:
        raise Invalid("The two passwords differ. Nothing was changed.")
    return password
