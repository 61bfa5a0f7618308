"""Migrates a database to the schema of this version, with Alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import NullPool, create_engine, make_url, text

from rxchat.db.platform.database import RUNTIME_ROLE, driver_url
from rxchat.domain.errors import RxChatError
from rxchat.settings import Settings

# Web processes only need the newest revision, and importing Alembic and all migrations takes 0.2 s of processor time.
if TYPE_CHECKING:
    from alembic.config import Config

_ROOT = Path(__file__).resolve().parents[3]


# A table of the first released schema. Databases from before it also have a revision "0001", without this table.
_TABLE_OF_FIRST_SCHEMA = "queue_claim"


class UnknownRevision(RxChatError):
    """The database has a schema that this version of RxChat cannot upgrade."""

    def __init__(self, revision: str) -> None:
        super().__init__(
            f"The database is at schema revision {revision}, which this version of RxChat does not know. It was created by a"
            " newer version, or by one from before the first release. Run that version, or start with an empty database:"
            " another one in DATABASE_URL and DATABASE_OWNER_URL or, for the embedded Postgres, another folder in RXCHAT_DATA."
        )


def owner_url() -> str:
    """Return the owner's URL from the settings, for `alembic` on a command line.

    Raises:
        RuntimeError: if no database is set: `python -m rxchat migrate` migrates the embedded one.
    """
    settings = Settings()
    url = settings.database_owner_url or settings.database_url
    if url is None:
        raise RuntimeError("Set DATABASE_OWNER_URL, or use `python -m rxchat migrate` for the embedded database.")
    return driver_url(url.get_secret_value())


def config(url: str) -> Config:
    """Return Alembic's configuration for the database at this URL (of the owner's role)."""
    from alembic.config import Config

    made = Config(_ROOT / "alembic.ini")
    made.attributes["url"] = driver_url(url)
    return made


def upgrade(url: str) -> None:
    """Upgrade the database to the newest revision; safe to run from several processes at once.

    Raises:
        UnknownRevision: if the schema is from a newer version, or from before the first release.
    """
    from alembic import command

    _require_known_revision(url)
    command.upgrade(config(url), "head")


def grant_runtime_role(owner: str, login: str) -> None:
    """Let the role of another URL act as the runtime role, which is all that RxChat needs of it."""
    name = make_url(driver_url(login)).username
    if name is None or name == make_url(driver_url(owner)).username:
        return
    engine = create_engine(driver_url(owner), poolclass=NullPool)
    preparer = engine.dialect.identifier_preparer
    quoted = preparer.quote(name)
    with engine.begin() as connection:
        is_member = text("SELECT pg_has_role(:name, :role, 'MEMBER')")
        if not connection.execute(is_member, {"name": name, "role": RUNTIME_ROLE}).scalar_one():
            connection.execute(text(f"GRANT {RUNTIME_ROLE} TO {quoted}"))
        # A right granted to the role by name; the first migration revokes that of PUBLIC.
        database = preparer.quote(str(connection.execute(text("SELECT current_database()")).scalar_one()))
        connection.execute(text(f"REVOKE TEMPORARY ON DATABASE {database} FROM {quoted}"))


def newest_revision() -> str:
    """Return the revision that this version needs: migrations are linear, and file names begin with revisions."""
    return max(_revisions())


def _revisions() -> set[str]:
    return {path.name.partition("_")[0] for path in (_ROOT / "alembic" / "versions").glob("[0-9]*_*.py")}


def _require_known_revision(url: str) -> None:
    revision = current_revision(url)
    if revision is None:
        return
    with create_engine(driver_url(url), poolclass=NullPool).connect() as connection:
        exists = text("SELECT to_regclass(:table) IS NOT NULL")
        is_ours = connection.execute(exists, {"table": _TABLE_OF_FIRST_SCHEMA}).scalar_one()
    if revision not in _revisions() or not is_ours:
        raise UnknownRevision(revision)


def current_revision(url: str) -> str | None:
    """Return the revision of the database, or None if it is empty."""
    from alembic.runtime.migration import MigrationContext

    engine = create_engine(driver_url(url))
    try:
        with engine.connect() as connection:
            return MigrationContext.configure(connection).get_current_revision()
    finally:
        engine.dispose()
