"""What users may see of a conversation that another user shares with them."""

from __future__ import annotations

from dataclasses import replace

from rxchat.db.chat import conversation_updates as news_rows
from rxchat.domain.conversation_events import (
    AnswerEnded,
    AnswerRated,
    AssistantChosen,
    ConversationConfigured,
    ConversationEvent,
    MessageAdded,
    QuestionAsked,
)
from rxchat.domain.grounding import warnings_for_readers


def updates_for_readers(updates: news_rows.Updates) -> news_rows.Updates:
    """Return what users may see with whom a conversation is shared: no queue, no rating, and no warning that names a file."""
    return replace(updates, events=[(seq, event_for_readers(event)) for seq, event in updates.events], waiting=())


def event_for_readers(event: ConversationEvent) -> ConversationEvent:
    """Return an event without what is for the owner alone: how answers are set, ratings, and warnings that name files."""
    match event:
        case AnswerEnded():
            return replace(event, warnings=warnings_for_readers(event.warnings), parameters={})
        case QuestionAsked() | MessageAdded():
            return replace(event, parameters={})
        case AnswerRated():
            return replace(event, feedback={})
        case ConversationConfigured():
            return replace(event, system_prompt="", parameters={})
        case AssistantChosen():
            return replace(event, assistant={})
        case _:
            return event
