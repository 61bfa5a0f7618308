"""Exports of LibreChat: one conversation, as a list of messages or as a tree of `children`."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from rxchat.domain.chat import Role
from rxchat.domain.imports import limits
from rxchat.domain.imports.conversation import ConversationRefused, ImportedConversation, ImportSource
from rxchat.domain.imports.tree import Draft, DraftMessage, arranged, message
from rxchat.domain.imports.values import mapping, moment, name, objects, text
from rxchat.domain.messages import MessageState


def is_one(item: dict[str, Any]) -> bool:
    """Whether this is a conversation of LibreChat."""
    return "conversationId" in item and isinstance(item.get("messagesTree") or item.get("messages"), list)


def read(item: dict[str, Any]) -> ImportedConversation:
    """Return the conversation.

    Raises:
        ConversationRefused: if it cannot be imported.
    """
    options = mapping(item.get("options"))
    draft = Draft(
        source=ImportSource.LIBRECHAT,
        external_id=name(item.get("conversationId")),
        title=text(item.get("title")),
        model=name(options.get("model")),
    )
    files, last = 0, None
    for said, before in _flat(item):
        names = [name(found.get("filename")) or "file" for found in objects(said.get("files"))]
        files += len(names)
        found = _message(said, before, len(draft.messages), names)
        draft.messages.append(found)
        last = found.key
    if not item.get("branches") and not item.get("recursive"):
        # Only the branch that was shown was exported.
        draft.leaf_key = last
    if files:
        draft.notes.append(f"{files} file{'s are' if files > 1 else ' is'} not in the export.")
    return arranged(draft)


def _flat(item: dict[str, Any]) -> Iterator[tuple[dict[str, Any], str | None]]:
    """Return each message with the key of the one before it, where a list or a tree says so, but no `parentMessageId` does."""
    top = objects(item.get("messagesTree") or item.get("messages"))
    is_tree = bool(item.get("messagesTree") or item.get("recursive"))
    before: str | None = None
    # Not recursive: a conversation of a thousand messages is a tree as deep.
    left = [(said, None) for said in reversed(top)]
    count = 0
    while left:
        said, parent = left.pop()
        key = text(said.get("messageId")) or f"message {count}"
        count += 1
        if count > limits.MESSAGES:
            raise ConversationRefused(f"It has more than {limits.MESSAGES:,} messages.", text(item.get("title")))
        yield {**said, "messageId": key}, parent if is_tree else before
        left += [(child, key) for child in reversed(objects(said.get("children")))]
        before = key


def _message(said: dict[str, Any], before: str | None, place: int, names: list[str]) -> DraftMessage:
    del place
    is_question = said.get("isCreatedByUser") is True or text(said.get("sender")).lower() == "user"
    words, reasoning = _content(said)
    if names:
        words = f"{words}\n\n(Attached: {', '.join(names)})".strip()
    is_failed = said.get("error") is True and not is_question
    is_stopped = said.get("unfinished") is True and not is_question
    return message(
        said["messageId"],
        text(said["parentMessageId"]) if "parentMessageId" in said else before,
        Role.USER if is_question else Role.ASSISTANT,
        text="" if is_failed else words,
        reasoning=reasoning,
        model="" if is_question else name(said.get("model")) or name(said.get("sender")),
        error=words[:2_000] if is_failed else "",
        state=MessageState.FAILED if is_failed else MessageState.STOPPED if is_stopped else MessageState.DONE,
        created_at=moment(said.get("createdAt")),
    )


def _content(said: dict[str, Any]) -> tuple[str, str]:
    """Return the text and the reasoning of a message; newer ones have parts in `content`."""
    words, thoughts = [], []
    for part in objects(said.get("content")):
        match part.get("type"):
            case "text":
                written = part.get("text")
                words.append(text(written.get("value") if isinstance(written, dict) else written))
            case "think":
                thoughts.append(text(part.get("think")))
            case _:
                pass
    joined = "\n\n".join(part for part in words if part.strip()) or text(said.get("text"))
    return joined.strip(), "\n\n".join(part for part in thoughts if part).strip()
