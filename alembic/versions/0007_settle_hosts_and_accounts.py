"""Keep embedders' prefixes, what hosts said, one invitation per address, and who reads or deletes for others."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0007"
down_revision = "0006"

_VERSIONS = Path(__file__).parent
PROCEDURES = {
    "open_vector_index": "text, integer, integer, text, text",
    "replace_invitations": "text",
    "spend_invitation_of": "text",
    "schedule_account_deletion": "uuid, timestamptz",
    "readings_of_mine": "integer",
}
REPLACED = {"open_embedding_index": "text, integer, integer"}


def upgrade() -> None:
    """Bring the change."""
    _run("0007/tables")
    _drop(REPLACED)
    for name, arguments in PROCEDURES.items():
        _install("0007", name, arguments)
    _run("0007/close_invitations")
    op.execute(
        "CREATE TRIGGER close_invitations AFTER INSERT ON public.user_account"
        " FOR EACH ROW EXECUTE FUNCTION public.close_invitations()"
    )


def downgrade() -> None:
    """Take it back: of a model's indexes that differ in their prefixes the newest stays."""
    op.execute("DROP TRIGGER close_invitations ON public.user_account")
    _drop(PROCEDURES | {"close_invitations": ""})
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
