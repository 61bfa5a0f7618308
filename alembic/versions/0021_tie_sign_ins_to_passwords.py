"""Say when passwords were changed, compare addresses by one key, and let no administrator act whose account is to be deleted."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0021"
down_revision = "0020"

_VERSIONS = Path(__file__).parent
_NEW = {"email_key": "text", "without_administration": "character varying[]"}
# They return one column more.
_WIDER = {"account_to_sign_in": "text", "account_of_identity": "text, text", "session_viewer": "uuid, uuid, interval"}
_BEFORE = {
    "account_of_api_key": "0005",
    "acting_may": "0005",
    "account_link_holds": "0005",
    "person_of_address": "0005",
    "create_account": "0013",
    "replace_invitations": "0007",
    "close_invitations": "0007",
    "spend_invitation_of": "0007",
}


def upgrade() -> None:
    """Make the functions, the index of addresses with them, and replace the procedures."""
    for name, arguments in _NEW.items():
        _install("0021", name, arguments)
    op.execute("DROP INDEX public.uq_user_account_email")
    op.execute("CREATE UNIQUE INDEX uq_user_account_email ON public.user_account (email_key(email))")
    for name, arguments in _WIDER.items():
        op.execute(f"DROP FUNCTION public.{name}({arguments})")
        _install("0021", name, arguments)
    for name in _BEFORE:
        _replace("0021", name)


def downgrade() -> None:
    """Restore the earlier procedures and the earlier index."""
    for name, folder in _BEFORE.items():
        _replace(folder, name)
    for name, arguments in _WIDER.items():
        op.execute(f"DROP FUNCTION public.{name}({arguments})")
        _install("0005", name, arguments)
    op.execute("DROP INDEX public.uq_user_account_email")
    op.execute("CREATE UNIQUE INDEX uq_user_account_email ON public.user_account (lower(email))")
    for name, arguments in _NEW.items():
        op.execute(f"DROP FUNCTION public.{name}({arguments})")


def _install(folder: str, name: str, arguments: str) -> None:
    _run((_VERSIONS / folder / f"{name}.sql").read_text())
    op.execute(f"REVOKE ALL ON FUNCTION public.{name}({arguments}) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION public.{name}({arguments}) TO rxchat_app")


def _replace(folder: str, name: str) -> None:
    text = (_VERSIONS / folder / f"{name}.sql").read_text()
    _run(text.replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1))


def _run(text: str) -> None:
    # By the driver itself: what looks like a parameter in a procedure's text is none.
    op.get_bind().connection.cursor().execute(text)
