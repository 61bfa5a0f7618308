"""Exports of Claude: `conversations.json`, a list of conversations with `chat_messages`."""

from __future__ import annotations

from typing import Any

from rxchat.domain.chat import Role
from rxchat.domain.imports.conversation import ImportedConversation, ImportSource
from rxchat.domain.imports.tree import Draft, arranged, message
from rxchat.domain.imports.values import fenced, mapping, moment, name, objects, text

_LONGEST_ATTACHED = 200_000
"""The most characters of an attached text that become a part of its message."""


def is_one(item: dict[str, Any]) -> bool:
    """Whether this is a conversation of Claude."""
    return isinstance(item.get("chat_messages"), list)


def read(item: dict[str, Any]) -> ImportedConversation:
    """Return the conversation.

    Raises:
        ConversationRefused: if it cannot be imported.
    """
    draft = Draft(
        source=ImportSource.CLAUDE,
        external_id=name(item.get("uuid")),
        title=text(item.get("name")),
        model=name(item.get("model")),
        leaf_key=text(item.get("current_leaf_message_uuid")) or None,
        created_at=moment(item.get("created_at")),
        updated_at=moment(item.get("updated_at")),
    )
    files, before = 0, None
    for place, said in enumerate(objects(item["chat_messages"])):
        key = text(said.get("uuid")) or f"message {place}"
        names = [name(found.get("file_name")) or "file" for found in objects(said.get("files"))]
        files += len(names)
        words, reasoning = _content(said)
        if names:
            words = f"{words}\n\n(Attached: {', '.join(names)})".strip()
        draft.messages.append(
            message(
                key,
                # Older exports have no tree: each message follows the one before it.
                text(said["parent_message_uuid"]) if "parent_message_uuid" in said else before,
                Role.USER if said.get("sender") == "human" else Role.ASSISTANT,
                text=words,
                reasoning=reasoning,
                model=draft.model if said.get("sender") == "assistant" else "",
                created_at=moment(said.get("created_at")),
            )
        )
        before = key
    if files:
        draft.notes.append(f"{files} file{'s are' if files > 1 else ' is'} not in the export.")
    return arranged(draft)


def _content(said: dict[str, Any]) -> tuple[str, str]:
    """Return the text and the reasoning of a message, with the attached texts that the export contains."""
    words, thoughts = [], []
    for block in objects(said.get("content")):
        match block.get("type"):
            case "text":
                words.append(text(block.get("text")))
            case "thinking":
                thoughts.append(text(block.get("thinking")))
            case "tool_use" if block.get("name") == "artifacts":
                words.append(_artifact(mapping(block.get("input"))))
            case _:
                pass
    joined = "\n\n".join(part for part in words if part) or text(said.get("text"))
    for found in objects(said.get("attachments")):
        content = text(found.get("extracted_content"))[:_LONGEST_ATTACHED]
        label = name(found.get("file_name")) or "Attached text"
        joined += f"\n\n{label}:\n\n{fenced(content)}" if content else f"\n\n(Attached: {label})"
    return joined.strip(), "\n\n".join(part for part in thoughts if part)


def _artifact(given: dict[str, Any]) -> str:
    """Return an artifact as a block of code; what changed it later is in the export as changes only."""
    content, title = text(given.get("content")), name(given.get("title"))
    language = name(given.get("language"))
    if not content:
        return ""
    block = fenced(content, language if language.isalnum() else "")
    return f"{title}:\n\n{block}" if title else block
