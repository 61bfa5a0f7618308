"""The main commands of `python -m rxchat`."""

from __future__ import annotations

import argparse
import asyncio
import compileall
import os
import signal
import socket
import sys
from collections.abc import Iterator
from contextlib import suppress

import psycopg
import uvloop
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.exc import SQLAlchemyError

from rxchat import __version__, checks, frontend, serving
from rxchat.connections import ConfigurationError, Connections, connections, needs_embedded
from rxchat.db.platform import invalid_shares, migrations, other_databases, poolers, prerequisites, role_settings
from rxchat.db.platform.database import SESSION_OPTIONS, Database, libpq_url
from rxchat.embedded.attached import serve_for
from rxchat.embedded.progress import Report, TaskLine, Terminal
from rxchat.embedded.supervisor import Supervisor
from rxchat.services.platform.session_tokens import SessionTokens
from rxchat.settings import Settings


def say(line: str) -> None:
    """Print a line to the terminal."""
    print(line, flush=True)  # noqa: T201


def up(settings: Settings, _chosen: argparse.Namespace) -> int:
    """Start everything on this machine and serve until Ctrl-C."""
    for advice in checks.require_secure(settings):
        say(f"Please note: {advice}")
    return asyncio.run(_up(settings))


async def _up(settings: Settings) -> int:
    _check_port(settings)
    say(f"RxChat {__version__}; its data is in {settings.data}")
    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    report = Terminal()
    supervisor = Supervisor(settings, report)
    running = asyncio.create_task(_serve_until(stop, settings, supervisor, report))
    stopping = asyncio.create_task(stop.wait())
    try:
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        if not running.done():
            # A signal may arrive in the middle of the start.
            running.cancel()
        with suppress(asyncio.CancelledError):
            await running
    finally:
        stopping.cancel()
        report.clear()
        say("Stopping ...")
        await supervisor.stop()
    say("Stopped.")
    return 0


async def _serve_until(stop: asyncio.Event, settings: Settings, supervisor: Supervisor, report: Report) -> None:
    # Building pages needs the processor, starting servers mostly the disk: both at once take little longer than one.
    building = asyncio.create_task(_build_if_stale(settings, report))
    try:
        await supervisor.start()
        await building
    finally:
        building.cancel()
        await asyncio.wait({building})
    at = connections(settings)
    report(TaskLine("Updating the database schema ...", "schema"))
    await asyncio.to_thread(_migrate, settings, at)
    report(TaskLine("The database schema is up to date.", "schema", is_done=True))
    supervisor.add(serving.child(settings))
    running = asyncio.create_task(supervisor.run_until(stop))
    healthy = asyncio.create_task(supervisor.until_healthy("web"))
    try:
        await asyncio.wait({running, healthy}, return_when=asyncio.FIRST_COMPLETED)
        if healthy.done():
            await _welcome(settings, at)
        await running
    finally:
        running.cancel()
        healthy.cancel()


async def _welcome(settings: Settings, at: Connections) -> None:
    link = await _setup_link(settings, at)
    say(f"\nRxChat is at {settings.base_url}")
    if link:
        say(f"Create the first administrator here (the link works once, within 24 hours):\n{link}")


async def _build_if_stale(settings: Settings, report: Report) -> None:
    # Parsers run in processes that may not write files, so each of them would compile the modules again.
    compileall.compile_dir(frontend.ROOT / "rxchat" / "parsers", quiet=2)
    if not frontend.is_fresh():
        await frontend.build(settings.data / "logs" / "frontend.log", report)


def _check_port(settings: Settings) -> None:
    with socket.socket(socket.AF_INET6 if ":" in settings.host else socket.AF_INET) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise ConfigurationError(
                f"Cannot listen at {settings.host}:{settings.port} ({error.strerror}). Set RXCHAT_PORT to a free port."
            ) from error


async def _setup_link(settings: Settings, at: Connections) -> str | None:
    # Imported here, since it imports all tables.
    from rxchat.db.accounts import accounts as account_rows

    database = Database(at.database_url, pool_size=2)
    try:
        async with database.begin(None) as session:
            if await account_rows.has_accounts(session):
                return None
    finally:
        await database.aclose()
    return f"{settings.base_url}/setup#token={SessionTokens(at.secret_key).setup()}"


def build(settings: Settings, _chosen: argparse.Namespace) -> int:
    """Build the pages if their sources have changed."""
    asyncio.run(_build_if_stale(settings, Terminal()))
    return 0


def web(settings: Settings, chosen: argparse.Namespace) -> int:
    """Serve pages, websocket and API."""
    if chosen.workers < 1:
        raise ConfigurationError("--workers must be at least 1.")
    checks.require_secure(settings)
    at = connections(settings)
    _check_database(settings, at)
    os.environ.update(serving.ENVIRONMENT)
    if chosen.no_engine:
        os.environ["RXCHAT_ENGINE"] = "off"
    count = f"{chosen.workers} processes" if chosen.workers > 1 else "one process"
    say(f"RxChat {__version__}: {count} will serve {settings.base_url} in a few seconds.")
    # Replaces this process, which frees the memory of the checks above.
    os.chdir(frontend.ROOT)
    os.execv(sys.executable, serving.command(settings, chosen.workers))  # noqa: S606


def worker(settings: Settings, _chosen: argparse.Namespace) -> int:
    """Write answers until a signal asks for shutdown; other processes then continue unfinished answers."""
    checks.require_secure(settings)
    at = connections(settings)
    _check_database(settings, at)
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(_work(settings, at))
    return 0


async def _work(settings: Settings, at: Connections) -> None:
    # Imported here: all services take 80 MB, which the process that starts the others does not need.
    from rxchat.lifespan import running

    stop = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    async with running(settings.model_copy(update={"engine": True}), at):
        say(f"RxChat {__version__}: this worker (process {os.getpid()}) writes answers.")
        await stop.wait()


_RIGHTS = """
    SELECT rolsuper OR rolbypassrls,
           EXISTS (SELECT FROM pg_class WHERE oid = to_regclass('public.user_account') AND pg_has_role(session_user, relowner, 'MEMBER'))
      FROM pg_roles WHERE rolname = session_user
"""


def _check_database(settings: Settings, at: Connections) -> None:
    """Check that the database responds, and that row-level security applies to the runtime role.

    A role that bypasses row-level security is refused only if others use RxChat.
    """
    try:
        # First: a database with another encoding returns texts as bytes, which the later checks cannot read.
        if problem := prerequisites.encoding_problem(at.database_url):
            raise ConfigurationError(problem)
        for name, url in _database_urls(at.database_url, at.database_owner_url).items():
            if poolers.is_pooled(url):
                raise ConfigurationError(f"{name} {poolers.PROBLEM} {poolers.REMEDY}")
        with psycopg.connect(libpq_url(at.database_url), connect_timeout=5, options=SESSION_OPTIONS) as connection:
            rights = connection.execute(_RIGHTS).fetchone()
    except psycopg.Error as error:
        reason = (str(error).strip() or "no reason given").splitlines()[0]
        raise ConfigurationError(f"The database does not respond: {reason}{_how_to_reset(at)}") from error
    is_superuser, is_owner = rights or (False, False)
    if is_superuser:
        problem = "DATABASE_URL uses a superuser (or a role with BYPASSRLS), so a single SQL injection would expose all data. Create a separate role (docs/operations.md)."
        if settings.is_for_others:
            raise ConfigurationError(problem)
        say(f"Please note: {problem}")
    elif is_owner:
        say(
            "Please note: DATABASE_URL uses the role that owns the schema, so RxChat has more rights than it needs. Create a separate role for it, and put the owner's address into DATABASE_OWNER_URL."
        )


def _how_to_reset(at: Connections) -> str:
    """Return advice about the role's settings, which may be why the database refuses it; "" if it has none."""
    with suppress(psycopg.Error):
        if settings := role_settings.find_role_settings(at.database_owner_url, at.database_url):
            statements = "\n  ".join(setting.statement for setting in settings)
            return f"\nThe role {settings[0].role} has settings of its own, which may be the reason. Ask an administrator of Postgres to run this, and restart RxChat:\n\n  {statements}\n"
    return ""


def _reset_role_settings(at: Connections) -> None:
    """Reset settings of the runtime role, which it can set itself; the next step reports connection errors."""
    with suppress(psycopg.Error):
        for setting in role_settings.reset(at.database_owner_url, at.database_url):
            where = f" in the database {setting.database}" if setting.database else ""
            # Printed, so that an administrator sees the values.
            text = checks.printable(f"{setting.name} = {setting.value}")
            say(f"Removed a setting of the role {setting.role}{where}: {text}")


def _look_for_role_settings(settings: Settings) -> Iterator[checks.Finding]:
    """Find settings of the runtime role, if the owner's role can connect."""
    with suppress(ConfigurationError, psycopg.Error):
        at = connections(settings)
        for setting in role_settings.find_role_settings(at.database_owner_url, at.database_url):
            yield checks.Finding(
                "warning",
                f"The role {setting.role}",
                f"has a setting of its own: {checks.printable(f'{setting.name} = {setting.value}')}. RxChat sets none, and such a setting can prevent it from starting.",
                f"Find out who set it, and remove it: {setting.statement}",
            )


def _look_for_other_databases(settings: Settings) -> Iterator[checks.Finding]:
    """Find other databases to which the runtime role can connect, if the owner's role can connect."""
    with suppress(ConfigurationError, psycopg.Error):
        at = connections(settings)
        if names := other_databases.open_to(at.database_owner_url, at.database_url):
            yield checks.Finding(
                "warning",
                "The role of DATABASE_URL",
                f"may connect to other databases of the server ({checks.printable(', '.join(names))}), where it can make"
                " large objects and temporary tables without a limit.",
                "Have an administrator of Postgres run this, after a GRANT CONNECT to each role that needs one of them: "
                + checks.printable(other_databases.closing_statement(names)),
            )


def _database_urls(url: str, owner_url: str) -> dict[str, str]:
    """Return the distinct URLs of the database by their settings."""
    return {"DATABASE_URL": url} if url == owner_url else {"DATABASE_URL": url, "DATABASE_OWNER_URL": owner_url}


def _look_for_poolers(settings: Settings) -> Iterator[checks.Finding]:
    """Detect transaction poolers, if the database responds; `doctor` reports one that does not."""
    named = {"DATABASE_URL": settings.database_url, "DATABASE_OWNER_URL": settings.database_owner_url}
    for name, url in named.items():
        with suppress(psycopg.Error):
            if url is not None and poolers.is_pooled(url.get_secret_value()):
                yield checks.Finding("error", name, poolers.PROBLEM, poolers.REMEDY)


def _look_for_shares(settings: Settings) -> Iterator[checks.Finding]:
    """Find old shares with groups that the user is no member of, if the owner's role can connect."""
    with suppress(ConfigurationError, psycopg.Error):
        for share in invalid_shares.by_outsiders(connections(settings).database_owner_url):
            yield checks.Finding(
                "warning",
                f"The {share.kind} “{checks.printable(share.name)}”",
                f"is shared with the group “{checks.printable(share.group_name)}” by {checks.printable(share.shared_by)}"
                f" ({checks.printable(share.email)}), who is not a member of it.",
                "Ask them whether this is intended; an administrator can revoke it (Administration, Access).",
            )


def _migrate(settings: Settings, at: Connections) -> None:
    _reset_role_settings(at)
    _check_database(settings, at)
    _create_prerequisites(at)
    try:
        migrations.upgrade(at.database_owner_url)
        migrations.grant_runtime_role(at.database_owner_url, at.database_url)
    except SQLAlchemyError as error:
        reason = str(error).splitlines()[0]
        raise ConfigurationError(f"The database schema cannot be updated: {reason}") from error


def _create_prerequisites(at: Connections) -> None:
    """Create the roles and extensions that migrations need.

    Raises:
        ConfigurationError: if the owner may not create some; the message contains the SQL for an administrator.
    """
    try:
        left = prerequisites.create_missing(at.database_owner_url, at.database_url)
    except psycopg.Error as error:
        reason = (str(error).strip() or "no reason given").splitlines()[0]
        raise ConfigurationError(f"The database of DATABASE_OWNER_URL does not respond: {reason}") from error
    if not left:
        return
    asked = conninfo_to_dict(libpq_url(at.database_owner_url))
    raise ConfigurationError(
        f"The role {asked.get('user')} has too few rights to create what RxChat needs in the database {asked.get('dbname')}."
        " Ask an administrator of Postgres to run this there, and restart RxChat (a missing extension has to be"
        " installed on the server first: pgvector, postgresql-contrib):\n\n  " + "\n  ".join(left) + "\n"
    )


def migrate(settings: Settings, _chosen: argparse.Namespace) -> int:
    """Migrate the database to the schema of this version."""
    _migrate(settings, connections(settings))
    say(f"The database is at revision {migrations.newest_revision()}.")
    return 0


def check(settings: Settings, _chosen: argparse.Namespace) -> int:
    """Print the results of all checks; return 1 if RxChat would not start."""
    say(checks.describe_exposure(settings))
    looked_at = checks.run_checks(settings)
    if poolers_found := tuple(_look_for_poolers(settings)):
        looked_at.append(checks.Checked("Database", "reached directly.", poolers_found))
    if shares_found := tuple(_look_for_shares(settings)):
        looked_at.append(checks.Checked("Shares", "made by members of their groups.", shares_found))
    if role_settings_found := tuple(_look_for_role_settings(settings)):
        looked_at.append(checks.Checked("Database role", "without settings of its own.", role_settings_found))
    for checked in looked_at:
        if not checked.findings:
            say(f"\nfine     {checked.subject}: {checked.fine}")
        for finding in checked.findings:
            say(
                f"\n{finding.severity:<8} {checked.subject}: {finding.setting} {finding.problem}\n         {finding.remedy}"
            )
    if databases_found := tuple(_look_for_other_databases(settings)):
        looked_at.append(checks.Checked("Other databases", "closed to the runtime role.", databases_found))
    errors = sum(finding.severity == "error" for checked in looked_at for finding in checked.findings)
    say(
        f"\nRxChat does not start with these settings: {errors} of the findings are errors."
        if errors
        else "\nRxChat can start with these settings."
    )
    return 1 if errors else 0


def servers(settings: Settings, chosen: argparse.Namespace) -> int:
    """Run the embedded servers until the process that owns them ends."""
    if needs_embedded(settings):
        asyncio.run(serve_for(settings, chosen.owner))
    return 0


def setup_link(settings: Settings, _chosen: argparse.Namespace) -> int:
    """Print the link that creates the first administrator, if none exists."""
    link = asyncio.run(_setup_link(settings, connections(settings)))
    say(link or "An account already exists: sign in, or ask an administrator.")
    return 0
