"""The values that the thread's renderer receives."""

from __future__ import annotations

from typing import Any

from rxchat.domain.chat import Role
from rxchat.domain.citation_cards import is_without_source, reason_of
from rxchat.domain.conversation_events import AnswerEnded
from rxchat.domain.messages import MessageState, QueuedMessage, ThreadMessage
from rxchat.domain.runs import ActiveRun
from rxchat.domain.text import attachments_text, utf16_length
from rxchat.states.chat.stream import PACKET_CHARACTERS
from rxchat.states.platform.field_views import field_view, milliseconds

_MOST_PIECES = 100
_WAITING_CHARACTERS = 500
"""Twenty messages may be queued, and all are sent together."""


_FOR_SERVERS = ("error_code", "error_detail")
_fields_of_message = field_view(
    ThreadMessage,
    without=("seq", "parent_id", "is_deleted", "versions", "feedback", "parameters", *_FOR_SERVERS),
    renamed={"created_at": "at"},
)
_fields_of_ending = field_view(
    AnswerEnded, without=("text", "reasoning", "parameters", *_FOR_SERVERS), renamed={"message_id": "id"}
)


def message_view(message: ThreadMessage, *, detailed: bool = False) -> dict[str, Any]:
    """Return a message as the page shows it; the text of a running one is streamed."""
    view = _fields_of_message(message)
    if message.citations:
        view["citations"] = [_citation(item) for item in message.citations]
    view["error"] = _error(message, detailed=detailed)
    if message.feedback:
        view["feedback"] = message.feedback
    if len(message.versions) > 1:
        view["versions"] = [str(version) for version in message.versions]
    if message.attachments and message.text == attachments_text([item["name"] for item in message.attachments]):
        # The model reads their names; the page shows the attachments themselves.
        view["text"] = ""
    if message.state is MessageState.RUNNING:
        view["text"] = view["reasoning"] = ""
        if message.text or message.reasoning:
            view["keeps"] = True
    return view


def _citation(item: dict[str, Any]) -> dict[str, Any]:
    """Return a mark in the text with what is wrong with it; the page asks for what its source says."""
    missing = {"is_without_source": True} if is_without_source(item) else {}
    return {key: item[key] for key in ("at", "length", "number", "verified")} | {"reason": reason_of(item)} | missing


def _error(ended: ThreadMessage | AnswerEnded, *, detailed: bool) -> str:
    return f"{ended.error} {ended.error_detail}" if detailed and ended.error_detail else ended.error


def ending_view(event: AnswerEnded, model: str, *, detailed: bool = False) -> dict[str, Any]:
    """Return the end of an answer: the browser has its text already, so only the length is sent."""
    view = _fields_of_ending(event)
    if event.citations:
        view["citations"] = [_citation(item) for item in event.citations]
    return view | {
        "role": Role.ASSISTANT.value,
        "model": model,
        "error": _error(event, detailed=detailed),
        "length": utf16_length(event.text),
        "reasoning_length": utf16_length(event.reasoning),
    }


def run_view(run: ActiveRun, *, has_begun: bool, note: str) -> dict[str, Any]:
    """Return a run as the page shows it: `note` says what it waits for until it has begun to answer."""
    state, started = "answering" if has_begun else "waiting", milliseconds(run.created_at)
    return {"id": str(run.message_id), "state": state, "started": started, "note": note}


def waiting_view(message: QueuedMessage) -> dict[str, Any]:
    """Return a queued message as the page shows it; of a long one, only the beginning."""
    text = message.text[:_WAITING_CHARACTERS]
    return {"id": str(message.id), "text": text, "is_long": len(text) < len(message.text)}


def in_pieces(items: list[dict[str, Any]], *, first: str = "") -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return items that fit into one patch, and further patches with the rest of their texts.

    The last items are visible first, so they get their texts first; with `first`, those from this message on.
    """
    room = PACKET_CHARACTERS
    rest: list[dict[str, Any]] = []
    cut: dict[str, dict[str, Any]] = {}
    shown = next((at for at, item in enumerate(items) if item["id"] == first), len(items))
    for item in (*items[shown:], *reversed(items[:shown])):
        shortened = cut[item["id"]] = dict(item)
        for kind in ("text", "reasoning"):
            whole: str = item.get(kind) or ""
            shortened[kind] = whole[:room]
            rest += _extensions(item["id"], kind, whole, room)
            room -= len(shortened[kind])
    return [cut[item["id"]] for item in items], _bundled(rest)


def _bundled(pieces: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return patches of as many pieces as one may have: each patch is a round trip."""
    patches: list[dict[str, Any]] = []
    room = 0
    for piece in pieces:
        if len(piece["text"]) > room or len(patches[-1]["pieces"]) >= _MOST_PIECES:
            patches.append({"change": "extend", "pieces": []})
            room = PACKET_CHARACTERS
        patches[-1]["pieces"].append(piece)
        room -= len(piece["text"])
    return patches


def _extensions(message_id: str, kind: str, whole: str, start: int) -> list[dict[str, Any]]:
    offset = utf16_length(whole[:start])
    found = []
    while start < len(whole):
        piece = whole[start : start + PACKET_CHARACTERS]
        found.append({"id": message_id, "kind": kind, "offset": offset, "text": piece})
        start += len(piece)
        offset += utf16_length(piece)
    return found
