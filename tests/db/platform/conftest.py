"""What the tests of the database share."""

from __future__ import annotations

import psycopg
import pytest

from rxchat.domain.ids import new_id
from tests.conftest import empty
from tests.db.platform.populated import (
    rows_around_a_document,
    rows_around_an_account,
    rows_around_an_import,
    rows_that_organize,
)
from tests.factories import add_user


@pytest.fixture
def users(owner_url: str):
    """Two people; the first has a row in every table."""
    victim, stranger = add_user(owner_url, "Victim"), add_user(owner_url, "Stranger")
    owner, conversation, run, group = victim.user_id, new_id(), new_id(), new_id()
    with psycopg.connect(owner_url) as connection:
        for statement, values in (
            ("INSERT INTO user_session (user_id, id, expires_at) VALUES (%s, %s, now() + '1 day')", (owner, new_id())),
            (
                "INSERT INTO identity (user_id, id, issuer, subject) VALUES (%s, %s, 'i', %s)",
                (owner, new_id(), str(owner)),
            ),
            (
                "INSERT INTO conversation (owner_id, id, leaf_id, title, model, seq) VALUES (%s, %s, %s, 't', 'm', 1)",
                (owner, conversation, conversation),
            ),
            (
                "INSERT INTO conversation_event (owner_id, conversation_id, seq, type, data, actor_id)"
                " VALUES (%s, %s, 1, 'x', '{}', %s)",
                (owner, conversation, owner),
            ),
            (
                "INSERT INTO message (owner_id, id, conversation_id, parent_id, seq, role, text, reasoning, model, state, error_code,"
                " error, tokens, seconds, tokens_per_second) VALUES (%s, %s, %s, %s, 1, 'user', 't', '', '', 'done', '', '', 0, 0, 0)",
                (owner, new_id(), conversation, conversation),
            ),
            (
                "INSERT INTO run (owner_id, id, conversation_id, message_id, model, state, attempt, correlation_id)"
                " VALUES (%s, %s, %s, %s, 'm', 'done', 1, '')",
                (owner, run, conversation, new_id()),
            ),
            (
                "INSERT INTO public_link (owner_id, id, conversation_id, hash, title, messages) VALUES (%s, %s, %s, %s, 't', '[]')",
                (owner, new_id(), conversation, owner.bytes),
            ),
            (
                "INSERT INTO queued_message (owner_id, id, conversation_id, text, model) VALUES (%s, %s, %s, 't', 'm')",
                (owner, new_id(), conversation),
            ),
            (
                "INSERT INTO run_prompt (owner_id, run_id, conversation_id, message_id, content) VALUES (%s, %s, %s, %s, 'x')",
                (owner, run, conversation, new_id()),
            ),
            (
                "INSERT INTO run_chunk (owner_id, run_id, seq, kind, start, text) VALUES (%s, %s, 1, 'text', 0, 't')",
                (owner, run),
            ),
            (
                "INSERT INTO audit_event (id, actor_id, action, address, correlation_id, data, seq, previous_hash, hash)"
                " VALUES (%s, %s, 'a', '', '', '{}', 1, '', '')",
                (new_id(), owner),
            ),
            *rows_around_an_account(owner, group),
            *rows_around_a_document(owner, conversation),
            *rows_around_an_import(owner, conversation),
            *rows_that_organize(owner, conversation),
        ):
            connection.execute(statement, values)  # pyright: ignore[reportArgumentType]
    yield victim.user_id, stranger.user_id
    empty(owner_url)
