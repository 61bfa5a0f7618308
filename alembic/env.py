"""How Alembic reaches the database: as the owner, one migrator at a time, and never waiting long for a lock."""

from __future__ import annotations

from sqlalchemy import Connection, NullPool, create_engine, text

from alembic import context
from rxchat.db.platform.migrations import owner_url
from rxchat.tables import metadata

# Any number that nothing else uses: it keeps two processes from migrating at once.
MIGRATION_LOCK = 7_239_001


def _is_ours(name: str | None, _kind: str, parent: object) -> bool:
    """Whether the code says how it should be: not procrastinate's tables, nor the indexes that embedders get as they come."""
    del parent
    return not (name or "").startswith(("procrastinate_", "ix_chunk_vector_hnsw_"))


def _migrate(connection: Connection) -> None:
    context.configure(connection=connection, target_metadata=metadata, compare_type=True, include_name=_is_ours)
    with context.begin_transaction():
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": MIGRATION_LOCK})
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        context.run_migrations()


given: Connection | None = context.config.attributes.get("connection")
if given is not None:
    _migrate(given)
else:
    with create_engine(context.config.attributes.get("url") or owner_url(), poolclass=NullPool).connect() as own:
        _migrate(own)
