"""The audit in words: each kind of row has words, and words are only of kinds that are written somewhere."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from rxchat.domain.audit_actions import AUDIT_ACTIONS
from rxchat.states.access.audit_messages import _WORDS, ACTIONS, details, sentence

ROOT = Path(__file__).resolve().parents[3]
WHERE_THEY_ARE_LISTED = {"audit_actions.py", "audit_words.py"}
IN_PROCEDURES = re.compile(r"append_audit_entry\([^;]*?'([a-z_]{4,})'", re.DOTALL)


def test_each_action_has_words_and_each_word_is_an_action() -> None:
    assert set(_WORDS) == AUDIT_ACTIONS
    assert set(ACTIONS) == AUDIT_ACTIONS
    assert len(set(ACTIONS.values())) == len(ACTIONS)


def test_each_action_is_written_somewhere_in_the_code_or_in_a_procedure() -> None:
    sources = [path for path in (ROOT / "rxchat").rglob("*.py") if path.name not in WHERE_THEY_ARE_LISTED]
    told = "\n".join(path.read_text() for path in [*sources, *(ROOT / "alembic" / "sql").glob("*.sql")])
    assert [action for action in AUDIT_ACTIONS if f'"{action}"' not in told and f"'{action}'" not in told] == []


def test_what_procedures_write_has_words() -> None:
    texts = [path.read_text() for path in (ROOT / "alembic" / "sql").glob("*.sql")]
    written = {action for text in texts for action in IN_PROCEDURES.findall(text)}
    assert "conversation_read" in written
    assert written <= AUDIT_ACTIONS


@pytest.mark.parametrize("action", sorted(AUDIT_ACTIONS))
def test_a_row_of_any_kind_and_age_is_a_sentence(action: str) -> None:
    told = sentence(action, {}, {})
    assert told[0].isupper()
    assert "{" not in told
    assert details(action, {"reason": "a test"}, {}) == "reason: a test"
