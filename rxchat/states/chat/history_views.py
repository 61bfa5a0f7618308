"""The values of the page of a conversation's history: what happened, in words, and the lines of the map."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, assert_never

from rxchat.domain.assistants import ChosenAssistant
from rxchat.domain.chat import Role
from rxchat.domain.conversation_events import (
    AnswerEnded,
    AnswerRated,
    AnswerStarted,
    AssistantChosen,
    BranchChosen,
    ContextSourceAttached,
    ContextSourceDetached,
    ConversationArchived,
    ConversationConfigured,
    ConversationCreated,
    ConversationEvent,
    ConversationImported,
    ConversationPinned,
    ConversationRemoved,
    ConversationRenamed,
    ConversationRestored,
    MessageAdded,
    MessageDeleted,
    MessageRestored,
    ModelChosen,
    QuestionAsked,
)
from rxchat.domain.conversations import History
from rxchat.domain.message_map import MapLine
from rxchat.domain.messages import MessageState, ThreadMessage
from rxchat.domain.model_parameters import words_of
from rxchat.states.chat.presenters import message_view

MOST_LINES = 1_000
"""How many lines of a map are sent to a page."""
_LANE_WIDTH = 18
_LINE_HEIGHT = 40
_MIDDLE = _LINE_HEIGHT // 2
_QUOTED = 60
_ENDS = {
    MessageState.DONE: "The answer was complete",
    MessageState.STOPPED: "You stopped the answer",
    MessageState.FAILED: "The answer failed",
    MessageState.INTERRUPTED: "The answer was cut off",
}


@dataclass
class MapLineView:
    """One line of the map."""

    id: str
    who: str
    words: str
    x: int
    """The middle of its lane, in pixels."""
    path: str
    """The lines that lead from, to and past it, as the path of an SVG."""
    shown_path: str
    """Those on the branch that is shown."""
    is_shown: bool
    is_deleted: bool
    address: str
    """The page that shows the message; "" if it cannot be shown now."""
    kind: str
    """`start`, `question`, `answer` or `several`."""


def event_words(event: ConversationEvent, history: History) -> str:
    """Return what happened, as a sentence without its full stop."""
    match event:
        case QuestionAsked(message_id=message_id, parent_id=parent_id, text=text):
            others = [item for item in history.messages.values() if item.parent_id == parent_id]
            asked = "You asked" if others[0].id == message_id else "You asked another version"
            return f"{asked}: {_quoted(text)}"
        case AnswerStarted() | AnswerEnded() | MessageAdded() | AnswerRated():
            return _answer_words(event)
        case BranchChosen():
            return "You chose another version"
        case MessageDeleted():
            return "You deleted a message"
        case MessageRestored():
            return "You restored a message"
        case ModelChosen() | ConversationConfigured() | AssistantChosen():
            return _choice_words(event)
        case ContextSourceAttached(name=name):
            return f"{_quoted(name)} was attached"
        case ContextSourceDetached():
            return "A source was removed"
        case _:
            return _conversation_words(event)


def _choice_words(event: ModelChosen | ConversationConfigured | AssistantChosen) -> str:
    match event:
        case ModelChosen(model=model):
            return f"{model} was chosen"
        case ConversationConfigured(system_prompt=system_prompt, parameters=parameters):
            parts = [f"system prompt {_quoted(system_prompt)}" if system_prompt else "", words_of(parameters)]
            said = ", ".join(part for part in parts if part)
            return f"You set parameters: {said}" if said else "You reset the parameters"
        case AssistantChosen(assistant=assistant):
            found = ChosenAssistant.of(assistant)
            if found is None:
                return "The assistant was removed"
            return f"The assistant {_quoted(found.content.name)} was chosen (version {found.version})"
        case _:
            assert_never(event)


def _answer_words(event: AnswerStarted | AnswerEnded | MessageAdded | AnswerRated) -> str:
    match event:
        case AnswerStarted(parent_id=None, model=model, text=text):
            return f"{model} continued its answer" if text else f"{model} began its answer again"
        case AnswerStarted(model=model):
            return f"{model} began to answer"
        case AnswerEnded(state=state):
            return _ENDS.get(state, "The answer ended")
        case MessageAdded(role=role, text=text):
            return f"{'A message' if role is Role.USER else 'An answer'} was added: {_quoted(text)}"
        case AnswerRated(feedback=feedback):
            rating = feedback.get("rating")
            return f"You rated an answer as {rating}" if rating else "You took a rating back"
        case _:
            assert_never(event)


def _conversation_words(
    event: ConversationCreated
    | ConversationRenamed
    | ConversationPinned
    | ConversationArchived
    | ConversationImported
    | ConversationRemoved
    | ConversationRestored,
) -> str:
    match event:
        case ConversationCreated():
            return "The conversation was created"
        case ConversationRenamed(title=title):
            return f"The title became {_quoted(title)}"
        case ConversationPinned(is_pinned=is_pinned):
            return "You pinned the conversation" if is_pinned else "You unpinned the conversation"
        case ConversationArchived(is_archived=is_archived):
            return "You archived the conversation" if is_archived else "You moved the conversation out of the archive"
        case ConversationImported():
            return "The conversation was imported"
        case ConversationRemoved():
            return "You moved the conversation to the trash"
        case ConversationRestored():
            return "You restored the conversation"
        case _:
            assert_never(event)


def _quoted(text: str) -> str:
    words = " ".join(text[: 4 * _QUOTED].split())
    return f"“{words if len(words) <= _QUOTED else words[:_QUOTED].rstrip() + '…'}”"


def past_messages(branch: Sequence[ThreadMessage], characters: int) -> tuple[list[dict[str, Any]], int]:
    """Return the last messages of a branch as the page shows them, and how many earlier ones are left out.

    So many that their texts have at most this number of characters together, and at least one. An answer that was being
    written is not shown.
    """
    views: list[dict[str, Any]] = []
    messages = [message for message in branch if message.state is not MessageState.RUNNING]
    for message in reversed(messages):
        characters -= len(message.text) + len(message.reasoning)
        if views and characters < 0:
            break
        view = message_view(message)
        # The marks in the text would ask for the sources of the answer as it is now.
        for name in ("citations", "feedback", "versions"):
            view.pop(name, None)
        views.append(view)
    return views[::-1], len(messages) - len(views)


def map_views(lines: Sequence[MapLine], conversation_id: str, latest: History) -> list[MapLineView]:
    """Return the lines of a map as the page draws them; deleted messages lead nowhere."""
    return [_map_view(line, conversation_id, latest) for line in lines[:MOST_LINES]]


def map_width(lines: Sequence[MapLine]) -> int:
    """Return the width of the lanes in pixels."""
    return (max((line.lane for line in lines), default=0) + 1) * _LANE_WIDTH + 6


def _map_view(line: MapLine, conversation_id: str, latest: History) -> MapLineView:
    message = line.message
    is_question = message is not None and message.role is Role.USER
    kind = "start" if message is None else "several" if line.collapsed else "question" if is_question else "answer"
    words = line.excerpt or ("(files without words)" if is_question else "(no text)")
    if line.collapsed:
        words = f"{line.collapsed:,} messages"
    grey, accent = _paths(line)
    is_there = message is not None and _is_there(message, latest)
    return MapLineView(
        id=f"{message.id if message else conversation_id}{'+' if line.collapsed else ''}",
        who="" if message is None or line.collapsed else "You" if is_question else message.model,
        words="Start" if message is None else words,
        x=_x(line.lane),
        path=" ".join(grey),
        shown_path=" ".join(accent),
        is_shown=line.is_shown,
        is_deleted=message is not None and message.is_deleted,
        address=f"/c/{conversation_id}?m={message.id}" if message is not None and is_there else "",
        kind=kind,
    )


def _is_there(message: ThreadMessage, latest: History) -> bool:
    """Whether a message can be shown now: neither it nor one before it is deleted."""
    found = latest.messages.get(message.id)
    while found is not None and not found.is_deleted:
        if found.parent_id is None or found.parent_id not in latest.messages:
            return True
        found = latest.messages[found.parent_id]
    return False


def _x(lane: int) -> int:
    return lane * _LANE_WIDTH + 12


def _paths(line: MapLine) -> tuple[list[str], list[str]]:
    """Return the lines at one message: those beside the shown branch, and those of it."""
    grey: list[str] = []
    accent: list[str] = []
    x, parent_x = _x(line.lane), _x(line.parent_lane)
    for lane in line.passing:
        # The first lane is the shown branch, if anything is shown.
        (accent if lane == 0 and line.passes_shown else grey).append(f"M{_x(lane)} 0V{_LINE_HEIGHT}")
    if line.message is not None:
        curve = f"M{parent_x} 0C{parent_x} {_MIDDLE} {parent_x} {_MIDDLE} {x} {_MIDDLE}"
        (accent if line.is_shown else grey).append(f"M{x} 0V{_MIDDLE}" if x == parent_x else curve)
    if line.has_next:
        (accent if line.is_shown and line.next_is_shown else grey).append(f"M{x} {_MIDDLE}V{_LINE_HEIGHT}")
    return grey, accent
