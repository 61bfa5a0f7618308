"""The fold: what events add up to."""

from __future__ import annotations

from dataclasses import replace

import pytest

from rxchat.domain.chat import Role
from rxchat.domain.conversation_events import (
    AnswerEnded,
    AnswerStarted,
    ConversationCreated,
    ConversationRemoved,
    ConversationRenamed,
    ConversationRestored,
    ModelChosen,
    QuestionAsked,
    event_data,
    event_from,
)
from rxchat.domain.conversations import History
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState

CONVERSATION, QUESTION, ANSWER, RUN = new_id(), new_id(), new_id(), new_id()
CREATED = ConversationCreated(title="Hello", model="m")
ASKED = QuestionAsked(message_id=QUESTION, parent_id=CONVERSATION, text="hi")
STARTED = AnswerStarted(message_id=ANSWER, parent_id=QUESTION, run_id=RUN, model="m")
RESTARTED = replace(STARTED, parent_id=None)
ENDED = AnswerEnded(message_id=ANSWER, state=MessageState.DONE, text="there", tokens=1, seconds=0.5)
EVENTS = [
    CREATED,
    ASKED,
    STARTED,
    ENDED,
    ConversationRenamed(title="New"),
    ModelChosen(model="n"),
    ConversationRemoved(),
]


def replayed(*events) -> History:
    return History.replayed(enumerate(events, start=1))


def test_a_turn_is_a_question_and_its_answer_in_order() -> None:
    history = replayed(CREATED, ASKED, STARTED, ENDED)
    assert [(item.role, item.text, item.state) for item in history.messages.values()] == [
        (Role.USER, "hi", MessageState.DONE),
        (Role.ASSISTANT, "there", MessageState.DONE),
    ]
    assert (history.title, history.model, history.seq) == ("Hello", "m", 4)


def test_an_answer_that_is_tried_again_begins_empty_and_keeps_its_place() -> None:
    failed = AnswerEnded(message_id=ANSWER, state=MessageState.FAILED, text="half", error="broke")
    history = replayed(CREATED, ASKED, STARTED, failed, RESTARTED)
    again = history.messages[ANSWER]
    assert (again.text, again.error, again.state, again.seq) == ("", "", MessageState.RUNNING, 3)


def test_a_removed_conversation_can_be_restored() -> None:
    assert replayed(CREATED, ConversationRemoved()).removed
    assert not replayed(CREATED, ConversationRemoved(), ConversationRestored()).removed


def test_history_can_be_shown_as_of_any_moment() -> None:
    assert replayed(*EVENTS[:3]).messages[ANSWER].state is MessageState.RUNNING
    assert replayed(*EVENTS[:4]).title == "Hello"
    assert replayed(*EVENTS[:6]).model == "n"


@pytest.mark.parametrize("event", [*EVENTS, ConversationRestored()], ids=lambda event: event.type)
def test_every_event_survives_being_stored(event) -> None:
    assert event_from(event.type, event_data(event)) == event


def test_an_unknown_event_is_an_error_and_not_ignored() -> None:
    with pytest.raises(ValueError, match="unknown conversation event 'sung'"):
        event_from("sung", {})
