"""Exports of Open WebUI: a list of chats, each with a tree of messages in `chat.history.messages`."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

from rxchat.domain.chat import Role
from rxchat.domain.imports.conversation import ImportedConversation, ImportSource
from rxchat.domain.imports.tree import Draft, DraftMessage, arranged, message
from rxchat.domain.imports.values import mapping, moment, name, objects, text
from rxchat.domain.messages import MessageState

_OPENING = re.compile(r"<details\b[^>]{0,500}\btype=\"(reasoning|tool_calls|code_interpreter)\"[^>]{0,2000}>")
_CLOSING = "</details>"
_SUMMARY = re.compile(r"<summary>[^<]{0,500}</summary>")
_QUOTED = re.compile(r"^> ?", re.MULTILINE)


def is_one(item: dict[str, Any]) -> bool:
    """Whether this is a chat of Open WebUI."""
    chat = _chat(item)
    return isinstance(mapping(chat.get("history")).get("messages"), dict) or (
        "chat" in item and isinstance(chat.get("messages"), list)
    )


def read(item: dict[str, Any]) -> ImportedConversation:
    """Return the conversation.

    Raises:
        ConversationRefused: if it cannot be imported.
    """
    chat = _chat(item)
    history = mapping(chat.get("history"))
    draft = Draft(
        source=ImportSource.OPEN_WEBUI,
        external_id=name(item.get("id")) or name(chat.get("id")),
        title=text(item.get("title")) or text(chat.get("title")),
        leaf_key=text(history.get("currentId")) or None,
        created_at=moment(item.get("created_at")) or moment(chat.get("timestamp")),
        updated_at=moment(item.get("updated_at")),
        is_pinned=item.get("pinned") is True,
        is_archived=item.get("archived") is True,
    )
    files = 0
    for said in _messages(chat, history):
        names = [name(found.get("name")) or "picture" for found in objects(said.get("files"))]
        files += len(names)
        draft.messages.append(_message(said, names))
    if files:
        draft.notes.append(f"{files} file{'s are' if files > 1 else ' is'} not in the export.")
    return arranged(draft)


def _chat(item: dict[str, Any]) -> dict[str, Any]:
    return mapping(item.get("chat")) or item


def _messages(chat: dict[str, Any], history: dict[str, Any]) -> list[dict[str, Any]]:
    known = mapping(history.get("messages"))
    if known:
        return [{**said, "id": key} for key, said in known.items() if isinstance(said, dict)]
    # The oldest chats have no tree: each message follows the one before it.
    listed = objects(chat.get("messages"))
    keys = [text(said.get("id")) or f"message {place}" for place, said in enumerate(listed)]
    return [
        {**said, "id": key, "parentId": before} for said, key, before in zip(listed, keys, [None, *keys], strict=False)
    ]


def _message(said: dict[str, Any], names: list[str]) -> DraftMessage:
    role = text(said.get("role"))
    words, reasoning = _divided(text(said.get("content")))
    if names and role == "user":
        words = f"{words}\n\n(Attached: {', '.join(names)})".strip()
    error = mapping(said.get("error"))
    failed = text(error.get("content")) if role == "assistant" else ""
    return message(
        said["id"],
        text(said.get("parentId")) or None,
        Role.USER if role == "user" else Role.ASSISTANT,
        is_hidden=role not in {"user", "assistant"},
        text=words,
        reasoning=reasoning,
        model=name(said.get("model")) if role == "assistant" else "",
        error=failed[:2_000],
        state=MessageState.FAILED if failed else MessageState.DONE,
        created_at=moment(said.get("timestamp")),
    )


def _divided(content: str) -> tuple[str, str]:
    """Return the text without the blocks that Open WebUI puts reasoning and calls of tools into, and the reasoning."""
    kept, thoughts, at = [], [], 0
    while opening := _OPENING.search(content, at):
        end = content.find(_CLOSING, opening.end())
        if end < 0:
            break
        kept.append(content[at : opening.start()])
        if opening[1] == "reasoning":
            inside = _SUMMARY.sub("", content[opening.end() : end], count=1).strip()
            thoughts.append(_QUOTED.sub("", unescape(inside)).strip())
        at = end + len(_CLOSING)
    kept.append(content[at:])
    return "".join(kept).strip(), "\n\n".join(thought for thought in thoughts if thought)
