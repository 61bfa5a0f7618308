"""Two users, one with a row in each table: what tests of row-level security look at."""

from __future__ import annotations

from uuid import UUID

import psycopg

from rxchat.domain.ids import new_id

_OF_ALL: tuple[tuple[str, tuple], ...] = (
    ("INSERT INTO instance_setting (name, value) VALUES ('registration', '\"open\"')", ()),
    (
        "INSERT INTO model_provider (name, kind, url, timeout_seconds, is_enabled)"
        " VALUES ('isolation', 'openai', 'http://127.0.0.1:9', 60, false)",
        (),
    ),
    ("INSERT INTO model_setting (model, label) VALUES ('isolation', 'x')", ()),
    (
        "INSERT INTO host_job (id, kind, provider, host, model)"
        " VALUES (gen_random_uuid(), 'pull', '', 'http://127.0.0.1:9', 'm')",
        (),
    ),
    ("INSERT INTO rate_limit (key, failures) VALUES ('k', 1)", ()),
)


def _rows_of_an_assistant(owner: UUID) -> tuple[tuple[str, tuple], ...]:
    assistant = new_id()
    return (
        (
            "INSERT INTO assistant (owner_id, id, name, content, version) VALUES (%s, %s, 'a', '{}', 1)",
            (owner, assistant),
        ),
        (
            "INSERT INTO assistant_version (owner_id, assistant_id, version, content, changed_by) VALUES (%s, %s, 1, '{}', %s)",
            (owner, assistant, owner),
        ),
    )


def _rows_of_usage(user: UUID) -> tuple[tuple[str, tuple], ...]:
    quota = new_id()
    return (
        ("INSERT INTO quota (id, period, tokens) VALUES (%s, 'day', 1000)", (quota,)),
        (
            "INSERT INTO quota_counter (id, quota_id, user_id, period_start, requests, tokens, cost)"
            " VALUES (%s, %s, %s, now(), 1, 1, 0)",
            (new_id(), quota, user),
        ),
        ("INSERT INTO model_price (model, input_price, output_price) VALUES ('isolation', 1, 1)", ()),
        (
            "INSERT INTO usage_reservation"
            " (id, user_id, model, day, counter_ids, input_tokens, output_tokens, cost, expires_at)"
            " VALUES (%s, %s, 'isolation', now(), '{}', 1, 1, 0, now())",
            (new_id(), user),
        ),
        (
            "INSERT INTO model_usage (user_id, day, model, requests, input_tokens, output_tokens, cost)"
            " VALUES (%s, now(), 'isolation', 1, 1, 1, 0)",
            (user,),
        ),
    )


def rows_around_an_account(owner: UUID, group: UUID) -> tuple[tuple[str, tuple], ...]:
    """A row for each table of credentials, rights, limits and prompts."""
    prompt = new_id()
    return (
        ("INSERT INTO totp_secret (user_id, encrypted_secret) VALUES (%s, 'x')", (owner,)),
        ("INSERT INTO recovery_code (user_id, id, hash) VALUES (%s, %s, 'x')", (owner, new_id())),
        (
            "INSERT INTO passkey (user_id, id, credential_id, public_key, name) VALUES (%s, %s, 'x', 'x', 'x')",
            (owner, new_id()),
        ),
        (
            "INSERT INTO api_key (user_id, id, name, prefix, hash, scopes) VALUES (%s, %s, 'x', 'x', 'x', '{read}')",
            (owner, new_id()),
        ),
        (
            "INSERT INTO account_token (id, kind, hash, user_id, email, role, group_ids, is_mailed, expires_at)"
            " VALUES (%s, 'reset', 'x', %s, 'x', '', '{}', true, now() + '1 day')",
            (new_id(), owner),
        ),
        (
            "INSERT INTO idempotency_key (owner_id, key, request_hash, request_id, claim_id, lease_until)"
            " VALUES (%s, 'k', 'x', %s, %s, now())",
            (owner, new_id(), new_id()),
        ),
        ("INSERT INTO user_preferences (user_id, custom_instructions) VALUES (%s, 'x')", (owner,)),
        (
            "INSERT INTO prompt (owner_id, id, title, command, text, description, version) VALUES (%s, %s, 'p', 'p', 't', '', 1)",
            (owner, prompt),
        ),
        (
            "INSERT INTO prompt_version (owner_id, prompt_id, version, title, command, text, description, changed_by)"
            " VALUES (%s, %s, 1, 'p', 'p', 't', '', %s)",
            (owner, prompt, owner),
        ),
        *_rows_of_an_assistant(owner),
        ("INSERT INTO data_export (user_id, id, expires_at) VALUES (%s, %s, now())", (owner, new_id())),
        ("INSERT INTO user_group (id, name, description) VALUES (%s, 'g', '')", (group,)),
        ("INSERT INTO group_member (user_id, group_id) VALUES (%s, %s)", (owner, group)),
        (
            "INSERT INTO access_grant (id, principal_kind, principal, resource_kind, resource, action)"
            " VALUES (%s, 'user', %s, 'model', 'm', 'use')",
            (new_id(), str(owner)),
        ),
        *_rows_of_usage(owner),
        *_OF_ALL,
        ("INSERT INTO consumed_token (id, expires_at) VALUES (%s, now())", (new_id(),)),
        (
            "INSERT INTO queue_claim (queue_name, owner_id, number, claimed_at) VALUES ('isolation', %s, 1, now())",
            (owner,),
        ),
        (
            "INSERT INTO audit_checkpoint (seq, hash, signed_at, key_id, signature) VALUES (1, '', now(), '', '')",
            (),
        ),
    )


def rows_around_a_document(owner: UUID, conversation: UUID) -> tuple[tuple[str, tuple], ...]:
    """A row for each table of files, documents and what answers are grounded in."""
    collection, file, document, chunk = new_id(), new_id(), new_id(), new_id()
    return (
        (
            "INSERT INTO collection (owner_id, id, kind, name, description) VALUES (%s, %s, 'library', 'c', '')",
            (owner, collection),
        ),
        (
            "INSERT INTO stored_file (owner_id, id, size_bytes, key_id, wrapped_key) VALUES (%s, %s, 1, 'k', 'x')",
            (owner, file),
        ),
        (
            "INSERT INTO file_part (owner_id, file_id, start, size_bytes, object_key) VALUES (%s, %s, 0, 1, %s)",
            (owner, file, str(file)),
        ),
        (
            "INSERT INTO document (owner_id, id, collection_id, file_id, name, media_type, size_bytes, state, published_generation)"
            " VALUES (%s, %s, %s, %s, 'd', 'text/plain', 1, 'ready', 1)",
            (owner, document, collection, file),
        ),
        (
            "INSERT INTO document_text (owner_id, document_id, generation, collection_id, title, text, blocks)"
            " VALUES (%s, %s, 1, %s, '', 't', '[]')",
            (owner, document, collection),
        ),
        (
            "INSERT INTO recognized_page (owner_id, document_id, generation, page, lines) VALUES (%s, %s, 1, 0, '[]')",
            (owner, document),
        ),
        (
            'INSERT INTO chunk (owner_id, id, document_id, generation, collection_id, ordinal, page, heading, start, "end",'
            " tokens, hash, text, lexemes) VALUES (%s, %s, %s, 1, %s, 0, 0, '', 0, 1, 1, 'x', 't', 't')",
            (owner, chunk, document, collection),
        ),
        ("DELETE FROM embedding_index WHERE id = 901", ()),
        (
            "INSERT INTO embedding_index (id, model, dimensions, max_tokens, state) VALUES (901, 'isolation', 2, 2, 'retired')",
            (),
        ),
        (
            "INSERT INTO chunk_vector (owner_id, chunk_id, index_id, document_id, collection_id, embedding)"
            " VALUES (%s, %s, 901, %s, %s, '[1,2]')",
            (owner, chunk, document, collection),
        ),
        ("INSERT INTO frequent_lexeme (lexeme, frequency) VALUES ('w', 1) ON CONFLICT DO NOTHING", ()),
        (
            "INSERT INTO conversation_source (owner_id, conversation_id, id, kind, name) VALUES (%s, %s, %s, 'collection', 'c')",
            (owner, conversation, collection),
        ),
        (
            "INSERT INTO message_source (owner_id, message_id, number, conversation_id, document_owner_id, document_id,"
            ' collection_id, chunk_id, name, heading, page, start, "end", text, hash, score)'
            " VALUES (%s, %s, 1, %s, %s, %s, %s, %s, 'd', '', 0, 0, 1, 't', 'x', 1)",
            (owner, new_id(), conversation, owner, document, collection, chunk),
        ),
    )


def rows_around_an_import(owner: UUID, conversation: UUID) -> tuple[tuple[str, tuple], ...]:
    """A row for each table of imports."""
    return (
        (
            "INSERT INTO conversation_import (owner_id, id, file_name, state, lease_until) VALUES (%s, %s, 'f', 'running', now())",
            (owner, new_id()),
        ),
        (
            "INSERT INTO imported_conversation (owner_id, source, external_id, conversation_id) VALUES (%s, 'chatgpt', 'x', %s)",
            (owner, conversation),
        ),
    )


def rows_that_organize(owner: UUID, conversation: UUID) -> tuple[tuple[str, tuple], ...]:
    """A row for each table of what was read, of tags and projects."""
    tag, project = new_id(), new_id()
    return (
        (
            "INSERT INTO message_draft (owner_id, conversation_id, text) VALUES (%s, %s, 'x')",
            (owner, conversation),
        ),
        (
            "INSERT INTO project (owner_id, id, name, instructions, model, collection_ids) VALUES (%s, %s, 'p', '', '', '{}')",
            (owner, project),
        ),
        (
            "INSERT INTO conversation_project (owner_id, conversation_id, project_id) VALUES (%s, %s, %s)",
            (owner, conversation, project),
        ),
        (
            "INSERT INTO conversation_read (user_id, owner_id, conversation_id, seq) VALUES (%s, %s, %s, 1)",
            (owner, owner, conversation),
        ),
        ("INSERT INTO tag (owner_id, id, name, color) VALUES (%s, %s, 'x', 'red')", (owner, tag)),
        (
            "INSERT INTO conversation_tag (owner_id, conversation_id, tag_id) VALUES (%s, %s, %s)",
            (owner, conversation, tag),
        ),
    )


def acting(database_url: str, user_id: UUID | None) -> psycopg.Connection:
    connection = psycopg.connect(database_url)
    connection.execute("SET ROLE rxchat_app")
    if user_id is not None:
        connection.execute("SELECT set_config('rxchat.user_id', %s, true)", (str(user_id),))
    return connection
