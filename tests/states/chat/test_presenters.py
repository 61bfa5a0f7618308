"""What a page is sent of a message: the fields of this reviewed list, and nothing that is for administrators only."""

from __future__ import annotations

from dataclasses import fields, replace
from datetime import UTC, datetime

from rxchat.domain.chat import Role
from rxchat.domain.conversation_events import AnswerEnded
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState, ThreadMessage
from rxchat.states.chat.presenters import ending_view, message_view

SECRET = "http://10.0.0.7:11434 said: no such model"
SENT = {
    "at", "attachments", "citations", "error", "id", "model", "reasoning", "role", "seconds", "state", "text", "tokens",
    "tokens_per_second", "versions", "warnings",
}  # fmt: skip
FILLED = {"error": "The model failed.", "error_code": "model_failed", "error_detail": SECRET, "warnings": ["w"]}


CITATION = {
    "at": 3, "length": 3, "number": 1, "verified": False, "reason": "no such source", "quote": "q", "start": 0, "end": 0,
}  # fmt: skip


def test_a_page_is_sent_the_reviewed_fields_of_a_message() -> None:
    message = ThreadMessage(
        id=new_id(),
        seq=1,
        role=Role.ASSISTANT,
        created_at=datetime.now(UTC),
        citations=[CITATION],
        attachments=[{"name": "a.txt"}],
        versions=[new_id(), new_id()],
        **FILLED,
    )
    assert message_view(message).keys() == SENT
    assert message_view(replace(message, versions=[message.id])).keys() == SENT - {"versions"}
    # What is quoted is asked for with its source, by those who may read that.
    shown = {"at": 3, "length": 3, "number": 1, "verified": False, "is_without_source": True}
    assert message_view(message)["citations"] == [shown | {"reason": "Not verified: the source does not exist."}]
    assert SECRET not in str(message_view(message))
    assert SECRET in str(message_view(message, detailed=True))
    # Sent to its owner alone, of whom it is (services/chat/test_feedback.py).
    assert message_view(replace(message, feedback={"rating": "bad"})).keys() == SENT | {"feedback"}
    # A new field is sent to every reader of the conversation, or excluded in presenters.py: decide, then add it here.
    assert {item.name for item in fields(ThreadMessage)} == (SENT - {"at"}) | {
        "created_at", "seq", "parent_id", "is_deleted", "error_code", "error_detail", "feedback", "parameters",
    }  # fmt: skip


def test_a_message_of_attachments_alone_has_no_text_on_the_page() -> None:
    attachments = [{"name": "a.txt"}, {"name": "b.txt"}]
    message = ThreadMessage(id=new_id(), seq=1, role=Role.USER, text="Attached: a.txt, b.txt", attachments=attachments)
    assert message_view(replace(message, created_at=datetime.now(UTC)))["text"] == ""
    written = replace(message, text="Attached: a.txt", created_at=datetime.now(UTC))
    assert message_view(written)["text"] == "Attached: a.txt"


def test_a_page_is_sent_the_reviewed_fields_of_an_ending() -> None:
    ending = AnswerEnded(message_id=new_id(), state=MessageState.FAILED, citations=[CITATION], **FILLED)
    assert ending_view(ending, "m")["citations"][0].keys() == {
        "at", "length", "number", "verified", "reason", "is_without_source",
    }  # fmt: skip
    assert ending_view(ending, "m").keys() <= (SENT - {"at", "attachments", "text", "reasoning"}) | {
        "length",
        "reasoning_length",
    }
    assert SECRET not in str(ending_view(ending, "m"))
