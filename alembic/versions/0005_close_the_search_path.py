"""Close the search path of procedures: pg_temp comes last, relations are named with their schema, no temporary tables.

Until here the runtime role could make a temporary table with a trigger, under the name of a table that a procedure
writes, and so run its own statements with the owner's rights (CVE-2018-1058 is of this kind).
"""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0005"
down_revision = "0004"

_VERSIONS = Path(__file__).parent
_NEW = {"principals_have_grants": "text, text[]"}
_EARLIER = ("0004", "0003", "0002", "0001")
_DATABASE = """
    DO $$ BEGIN
        EXECUTE format('{} ON DATABASE %I {} PUBLIC', current_database());
    END $$
"""


def upgrade() -> None:
    """Replace every procedure by one that cannot be led elsewhere."""
    for path in sorted((_VERSIONS / "0005").glob("*.sql")):
        _replace(path)
    for name, arguments in _NEW.items():
        op.execute(f"REVOKE ALL ON FUNCTION {name}({arguments}) FROM PUBLIC")
        op.execute(f"GRANT EXECUTE ON FUNCTION {name}({arguments}) TO rxchat_app")
    # Both do nothing, with a warning, where the migrating role does not own the database or the schema.
    op.execute(_DATABASE.format("REVOKE TEMPORARY", "FROM"))
    op.execute("REVOKE CREATE ON SCHEMA public FROM PUBLIC")


def downgrade() -> None:
    """Bring back the procedures of before."""
    for path in sorted((_VERSIONS / "0005").glob("*.sql")):
        if path.stem in _NEW:
            continue
        _replace(next(found for folder in _EARLIER if (found := _VERSIONS / folder / path.name).exists()))
    for name, arguments in _NEW.items():
        op.execute(f"DROP FUNCTION {name}({arguments})")
    op.execute(_DATABASE.format("GRANT TEMPORARY", "TO"))


def _replace(path: Path) -> None:
    # By the driver itself: what looks like a parameter in a procedure's text is none.
    text = path.read_text().replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
    op.get_bind().connection.cursor().execute(text)
