"""Keep an embedding model's prefixes with its index."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"

_VERSIONS = Path(__file__).parent
PROCEDURES = {"open_vector_index": "text, integer, integer, text, text"}
REPLACED = {"open_embedding_index": "text, integer, integer"}


def upgrade() -> None:
    """Bring the change."""
    _run("0007/tables")
    _drop(REPLACED)
    for name, arguments in PROCEDURES.items():
        _install("0007", name, arguments)


def downgrade() -> None:
    """Take it back: of a model's indexes that differ in their prefixes the newest stays."""
    _drop(PROCEDURES)
    _run("0007/tables_down")
    for name, arguments in REPLACED.items():
        _install("0005", name, arguments)


def _run(name: str) -> None:
    """Run the statements of a file as they are: what looks like a parameter in them is none."""
    op.get_bind().connection.cursor().execute((_VERSIONS / f"{name}.sql").read_text())


def _drop(procedures: dict[str, str]) -> None:
    for name, arguments in procedures.items():
        op.execute(f"DROP FUNCTION public.{name}({arguments})")


def _install(folder: str, name: str, arguments: str) -> None:
    _run(f"{folder}/{name}")
    op.execute(f"REVOKE ALL ON FUNCTION public.{name}({arguments}) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION public.{name}({arguments}) TO rxchat_app")
