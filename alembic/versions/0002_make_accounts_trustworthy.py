"""Make accounts trustworthy: roles, groups, grants, second factors, keys, links, limits and an audit that is a chain."""

from __future__ import annotations

from pathlib import Path

from alembic import op

revision = "0002"
down_revision = "0001"

_ME = "(SELECT acting_user())"
_OWN = f"user_id = {_ME}"


def _may(permission: str) -> str:
    # In a subquery it is asked once for a statement, not once for a row.
    return f"(SELECT acting_may('{permission}'))"


# What the runtime role may do with each new table; the rest is done by procedures.
GRANTS = {
    "role": "SELECT, INSERT, UPDATE, DELETE",
    "user_group": "SELECT, INSERT, UPDATE, DELETE",
    "group_member": "SELECT, INSERT, DELETE",
    "access_grant": "SELECT, INSERT, DELETE",
    "installation_setting": "SELECT, INSERT, UPDATE",
    "account_link": "SELECT, INSERT, DELETE",
    "totp_secret": "SELECT, INSERT, UPDATE, DELETE",
    "recovery_code": "SELECT, INSERT, UPDATE (used_at), DELETE",
    "passkey": "SELECT, INSERT, UPDATE (name, sign_count, last_used_at), DELETE",
    "api_key": "SELECT, INSERT, UPDATE (last_used_at, revoked_at)",
    "attempt_counter": "",
    "spent_token": "",
    "audit_checkpoint": "SELECT",
}

# Policies of the runtime role: name, table, command, USING, WITH CHECK.
_GRANTED_TO_ME = (
    f"principal_kind = 'everyone' OR (principal_kind = 'person' AND principal = {_ME}::text)"
    f" OR (principal_kind = 'group' AND principal IN (SELECT group_id::text FROM group_member WHERE {_OWN}))"
    " OR (principal_kind = 'role' AND principal = (SELECT acting_role()))"
)
_OF_MY_CONVERSATION = (
    "resource_kind = 'conversation' AND EXISTS (SELECT FROM conversation"
    f" WHERE conversation.owner_id = {_ME} AND conversation.id::text = resource)"
)
_MY_GRANT = f"{_may('grants.manage')} OR ({_OF_MY_CONVERSATION})"
_MY_LINK = (
    f"({_OWN} AND kind <> 'invitation') OR {_may('people.manage')}"
    f" OR (created_by = {_ME} AND kind = 'invitation' AND {_may('people.invite')})"
)
_MY_RULE = (
    f"{_may('settings.manage')} OR EXISTS (SELECT FROM access_grant WHERE resource_kind = 'settings'"
    f" AND action = 'write' AND resource IN (name, '*') AND ({_GRANTED_TO_ME}))"
)
_ROLES = f"{_may('roles.manage')} AND NOT is_builtin"
POLICIES = (
    ("people_readers", "user_account", "SELECT", _may("people.read"), ""),
    ("people_readers", "group_member", "SELECT", _may("people.read"), ""),
    ("people_managers", "user_session", "SELECT", _may("people.manage"), ""),
    ("people_managers", "identity", "SELECT", _may("people.manage"), ""),
    ("people_managers", "totp_secret", "SELECT", _may("people.manage"), ""),
    ("people_managers", "passkey", "SELECT", _may("people.manage"), ""),
    ("auditors", "audit_event", "SELECT", _may("audit.read"), ""),
    ("auditors", "audit_checkpoint", "SELECT", _may("audit.read"), ""),
    ("readers", "role", "SELECT", f"{_ME} IS NOT NULL", ""),
    ("managers", "role", "ALL", _ROLES, _ROLES),
    ("readers", "user_group", "SELECT", f"{_ME} IS NOT NULL", ""),
    ("managers", "user_group", "ALL", _may("groups.manage"), _may("groups.manage")),
    ("own_rows", "group_member", "SELECT", _OWN, ""),
    ("managers", "group_member", "ALL", _may("groups.manage"), _may("groups.manage")),
    ("readers", "access_grant", "SELECT", f"{_ME} IS NOT NULL AND ({_GRANTED_TO_ME})", ""),
    ("managers", "access_grant", "ALL", _MY_GRANT, _MY_GRANT),
    # The sign-in page asks for some of them before anyone is signed in.
    ("readers", "installation_setting", "SELECT", "true", ""),
    ("managers", "installation_setting", "ALL", _MY_RULE, _MY_RULE),
    ("own_rows", "account_link", "ALL", _MY_LINK, _MY_LINK),
    *(("own_rows", table, "ALL", _OWN, _OWN) for table in ("totp_secret", "recovery_code", "passkey", "api_key")),
    # What was shared for reading: the conversation itself and all that hangs on it.
    ("granted", "conversation", "SELECT", "id = ANY ((SELECT granted_conversations())::uuid[])", ""),
    *(
        ("granted", table, "SELECT", "conversation_id = ANY ((SELECT granted_conversations())::uuid[])", "")
        for table in ("conversation_event", "message", "run")
    ),
)

PROCEDURES = {
    "has_second_factor": "uuid",
    "session_viewer": "uuid, uuid, interval",
    "account_to_sign_in": "text",
    "create_account": "uuid, text, text, text, text, boolean, uuid[]",
    "end_sessions": "uuid, uuid, uuid, text",
    "change_person": "uuid, text, boolean",
    "reset_second_factors": "uuid",
    "exchange_refresh_token": "uuid, uuid, integer, interval",
    "account_link_holds": "account_link",
    "account_link_of": "text, bytea",
    "spend_account_link": "text, bytea",
    "account_of_api_key": "bytea",
    "account_of_passkey": "bytea",
    "account_of_identity": "text, text",
    "count_attempt": "text[], integer[], double precision, double precision, double precision",
    "forgive_attempt": "text[], text[]",
    "spend_token": "uuid, timestamp with time zone",
    "append_audit_entry": "uuid, uuid, text, text, text, jsonb",
    "audit_rows_to_sign": "integer, interval",
    "add_audit_checkpoint": "bigint, bytea, timestamp with time zone, text, bytea",
    "list_conversations_for_reason": "uuid, text, text, text, uuid",
    "read_conversation_for_reason": "uuid, text, text, text, uuid",
    "sweep_accounts": "",
}
# Used by policies, triggers and procedures, and by the runtime role through them.
RULES = {"acting_may": "text", "acting_role": "", "granted_conversations": ""}
TRIGGERS = {
    "tell_access_changed": (
        ("user_account", "UPDATE OF role, suspended_at, deletion_at, name, email OR DELETE"),
        ("user_session", "UPDATE OF id, ended_at, second_factor_at OR DELETE"),
        ("api_key", "UPDATE OF revoked_at OR DELETE"),
        ("group_member", "INSERT OR DELETE"),
        ("totp_secret", "INSERT OR UPDATE OF confirmed_at OR DELETE"),
        ("passkey", "INSERT OR DELETE"),
    ),
    "tell_rules_changed": (
        ("role", "INSERT OR UPDATE OR DELETE"),
        ("installation_setting", "INSERT OR UPDATE"),
        ("access_grant", "INSERT OR DELETE"),
    ),
}
PRINCIPALS = {"user_account": "person", "user_group": "group", "role": "role"}
REPLACED = {"append_audit_event": "uuid, uuid, text, text, text, jsonb", "account_by_email": "text"}

ROLES = """
INSERT INTO role (name, title, description, permissions, is_builtin) VALUES
 ('admin', 'Administrator', 'May do everything.', ARRAY['conversations.create', 'conversations.read_any',
  'models.use', 'collections.create', 'keys.create', 'people.read', 'people.invite', 'people.manage',
  'groups.manage', 'roles.manage', 'grants.manage', 'settings.manage', 'audit.read'], true),
 ('moderator', 'Moderator', 'Invites people, looks after groups and reads the audit.', ARRAY['conversations.create',
  'models.use', 'collections.create', 'keys.create', 'people.read', 'people.invite', 'groups.manage', 'audit.read'],
  true),
 ('member', 'Member', 'Chats with every model.', ARRAY['conversations.create', 'models.use', 'collections.create',
  'keys.create'], true),
 ('guest', 'Guest', 'Chats with the models that were granted, and reads what was shared.',
  ARRAY['conversations.create'], true)
"""


def upgrade() -> None:
    """Bring the change."""
    op.execute((Path(__file__).parent / "0002_tables.sql").read_text())
    op.execute(ROLES)
    op.execute("ALTER TABLE user_account ADD CONSTRAINT fk_user_account_role FOREIGN KEY (role) REFERENCES role (name)")
    for name, arguments in RULES.items():
        _install(name, arguments)
    for table, rights in GRANTS.items():
        op.execute(f"ALTER TABLE {table} ENABLE ROW LEVEL SECURITY")
        op.execute(f"ALTER TABLE {table} FORCE ROW LEVEL SECURITY")
        op.execute(f"CREATE POLICY procedures ON {table} TO CURRENT_USER USING (true) WITH CHECK (true)")
        if rights:
            op.execute(f"GRANT {rights} ON {table} TO rxchat_app")
    # Whoever has an account already is trusted with its address.
    op.execute("UPDATE user_account SET email_confirmed_at = created_at")
    op.execute("GRANT UPDATE (email_confirmed_at, password_changed_at, deletion_at) ON user_account TO rxchat_app")
    for name, table, command, using, check in POLICIES:
        checked = f" WITH CHECK ({check})" if check else ""
        op.execute(f"CREATE POLICY {name} ON {table} FOR {command} TO rxchat_app USING ({using}){checked}")
    for name, arguments in PROCEDURES.items():
        _install(name, arguments)
    op.execute(_text("forget_grants"))
    for table, kind in PRINCIPALS.items():
        op.execute(
            f"CREATE TRIGGER forget_grants AFTER DELETE ON {table} FOR EACH ROW EXECUTE FUNCTION forget_grants('{kind}')"
        )
    for name, tables in TRIGGERS.items():
        op.execute(_text(name))
        for table, events in tables:
            op.execute(f"CREATE TRIGGER {name} AFTER {events} ON {table} FOR EACH ROW EXECUTE FUNCTION {name}()")
    _chain_what_was_written()
    for name, arguments in REPLACED.items():
        op.execute(f"DROP FUNCTION {name}({arguments})")


def downgrade() -> None:
    """Take it back; the audit keeps its rows and loses its chain."""
    for table in PRINCIPALS:
        op.execute(f"DROP TRIGGER forget_grants ON {table}")
    op.execute("DROP FUNCTION forget_grants()")
    for name, tables in TRIGGERS.items():
        for table, _ in tables:
            op.execute(f"DROP TRIGGER {name} ON {table}")
        op.execute(f"DROP FUNCTION {name}()")
    for name, arguments in reversed(PROCEDURES.items()):
        op.execute(f"DROP FUNCTION {name}({arguments})")
    for name, table, *_ in POLICIES:
        op.execute(f"DROP POLICY {name} ON {table}")
    for name, arguments in RULES.items():
        op.execute(f"DROP FUNCTION {name}({arguments})")
    op.execute("UPDATE user_account SET role = 'member' WHERE role <> 'admin'")
    op.execute((Path(__file__).parent / "0002_tables_down.sql").read_text())
    for name, arguments in REPLACED.items():
        _install(name, arguments)


def _text(name: str) -> str:
    return (Path(__file__).parent / "0002" / f"{name}.sql").read_text()


def _install(name: str, arguments: str) -> None:
    op.execute(_text(name))
    op.execute(f"REVOKE ALL ON FUNCTION {name}({arguments}) FROM PUBLIC")
    op.execute(f"GRANT EXECUTE ON FUNCTION {name}({arguments}) TO rxchat_app")


def _chain_what_was_written() -> None:
    """Give the rows that are there already their places in the chain, in the order in which they were made."""
    op.execute(_text("audit_hash"))
    op.execute("REVOKE ALL ON FUNCTION audit_hash(audit_event, bytea) FROM PUBLIC")
    op.execute(
        """
        DO $$
        DECLARE row audit_event; previous bytea := decode(repeat('00', 32), 'hex'); place bigint := 0;
        BEGIN
            FOR row IN SELECT * FROM audit_event ORDER BY id LOOP
                place := place + 1;
                row.seq := place;
                UPDATE audit_event SET seq = place, previous_hash = previous, hash = audit_hash(row, previous)
                 WHERE id = row.id;
                SELECT hash INTO previous FROM audit_event WHERE id = row.id;
            END LOOP;
        END $$;
        ALTER TABLE audit_event ALTER seq SET NOT NULL, ALTER previous_hash SET NOT NULL, ALTER hash SET NOT NULL;
        """
    )
