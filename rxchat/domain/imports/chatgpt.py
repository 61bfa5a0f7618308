"""Exports of ChatGPT: `conversations.json`, a list of conversations with a tree of nodes in `mapping`."""

from __future__ import annotations

import re
from typing import Any

from rxchat.domain.chat import Role
from rxchat.domain.imports.conversation import ConversationRefused, ImportedConversation, ImportSource
from rxchat.domain.imports.tree import Draft, DraftMessage, arranged, message
from rxchat.domain.imports.values import fenced, mapping, moment, name, objects, text

_SHOWN = {"text", "multimodal_text", "code", "thoughts"}
"""The types of content that people read; the others are of tools, or say how long the model thought."""
# Marks of citations are between characters for private use, and mean nothing elsewhere.
_MARK = re.compile("\ue200[^\ue201]{0,2000}\ue201|[\ue200-\ue20f]")


def is_one(item: dict[str, Any]) -> bool:
    """Whether this is a conversation of ChatGPT."""
    return isinstance(item.get("mapping"), dict)


def read(item: dict[str, Any]) -> ImportedConversation:
    """Return the conversation.

    Raises:
        ConversationRefused: if it cannot be imported.
    """
    draft = Draft(
        source=ImportSource.CHATGPT,
        external_id=name(item.get("conversation_id")) or name(item.get("id")),
        title=text(item.get("title")),
        model="",
        leaf_key=text(item.get("current_node")) or None,
        created_at=moment(item.get("create_time")),
        updated_at=moment(item.get("update_time")),
        is_archived=item.get("is_archived") is True,
    )
    files = 0
    for key, node in item["mapping"].items():
        if not isinstance(node, dict):
            raise ConversationRefused("Its messages have an unknown form.", draft.title)
        found, missing = _message(key, node)
        draft.messages.append(found)
        files += missing
    if files:
        what = "attached files or pictures are" if files > 1 else "attached file or picture is"
        draft.notes.append(f"{files} {what} not in the export.")
    return arranged(draft)


def _message(key: str, node: dict[str, Any]) -> tuple[DraftMessage, int]:
    said = mapping(node.get("message"))
    author, content, facts = (mapping(said.get(part)) for part in ("author", "content", "metadata"))
    kind, role = text(content.get("content_type")), text(author.get("role"))
    given = content.get("parts")
    parts: list[Any] = given if isinstance(given, list) else []
    pictures = sum(1 for part in objects(parts) if part.get("content_type") == "image_asset_pointer")
    names = [name(found.get("name")) for found in objects(facts.get("attachments"))]
    is_hidden = (
        role not in {"user", "assistant"}
        or kind not in _SHOWN
        or (text(said.get("recipient")) or "all") != "all"
        or facts.get("is_visually_hidden_from_conversation") is True
    )
    words = _words(kind, content, parts, facts)
    missing = [found for found in names if found] or ["picture"] * pictures
    if missing and role == "user":
        words = f"{words}\n\n(Attached: {', '.join(missing)})".strip()
    return message(
        key,
        text(node.get("parent")) or None,
        Role.USER if role == "user" else Role.ASSISTANT,
        is_hidden=is_hidden,
        text="" if kind == "thoughts" else words,
        reasoning=_thoughts(content) if kind == "thoughts" else "",
        model=name(facts.get("model_slug")) if role == "assistant" else "",
        created_at=moment(said.get("create_time")),
    ), max(len(missing), pictures)


def _words(kind: str, content: dict[str, Any], parts: list[Any], facts: dict[str, Any]) -> str:
    if kind == "code":
        language = name(content.get("language"))
        return fenced(text(content.get("text")), language if language.isalnum() and language != "unknown" else "")
    said = [text(part) if isinstance(part, str) else _transcript(part) for part in parts]
    words = "\n".join(part for part in said if part) or text(content.get("text"))
    for reference in objects(facts.get("content_references")):
        matched = text(reference.get("matched_text"))
        if matched.startswith("\ue200"):
            words = words.replace(matched, text(reference.get("alt")))
    return _MARK.sub("", words).strip()


def _transcript(part: Any) -> str:
    """Return the words of something that was spoken."""
    return (
        text(part.get("text")) if isinstance(part, dict) and part.get("content_type") == "audio_transcription" else ""
    )


def _thoughts(content: dict[str, Any]) -> str:
    thoughts = [(text(item.get("summary")), text(item.get("content"))) for item in objects(content.get("thoughts"))]
    return "\n\n".join("\n".join(part for part in thought if part) for thought in thoughts).strip()
