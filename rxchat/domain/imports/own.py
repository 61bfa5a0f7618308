"""RxChat's own exports of conversations (domain/exports/own_json.py)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from rxchat.domain.chat import Role
from rxchat.domain.conversation_events import ContextKind
from rxchat.domain.exports import own_json
from rxchat.domain.ids import parse_id
from rxchat.domain.imports.conversation import ConversationRefused, ImportedConversation, ImportSource
from rxchat.domain.imports.tree import Draft, DraftMessage, arranged, message
from rxchat.domain.imports.values import mapping, moment, name, number, objects, text
from rxchat.domain.messages import MessageState

_NEWER = "A newer version of RxChat wrote it. Update this one first."
_UNKNOWN = "Its messages have an unknown form."


def is_one(item: dict[str, Any]) -> bool:
    """Whether this is a conversation of RxChat."""
    return item.get("format") == own_json.FORMAT


def read(item: dict[str, Any]) -> ImportedConversation:
    """Return the conversation, with the key that its file is signed with.

    Raises:
        ConversationRefused: if it cannot be imported.
    """
    conversation = mapping(item.get("conversation"))
    title = text(conversation.get("title"))
    if item.get("version") != own_json.VERSION:
        raise ConversationRefused(_NEWER, title)
    if conversation.get("deleted_at") is not None:
        raise ConversationRefused("It was in the trash when it was exported.", title)
    draft = Draft(
        source=ImportSource.RXCHAT,
        external_id=name(conversation.get("id")),
        title=title,
        model=name(conversation.get("model")),
        messages=[_message(said, title) for said in objects(conversation.get("messages"))],
        leaf_key=text(conversation.get("leaf_id")) or None,
        created_at=moment(conversation.get("created_at")),
        updated_at=moment(conversation.get("updated_at")),
        is_pinned=conversation.get("is_pinned") is True,
        is_archived=conversation.get("is_archived") is True,
        is_own=True,
    )
    return replace(arranged(draft), signed_by=own_json.signed_by(item))


def _message(said: dict[str, Any], title: str) -> DraftMessage:
    try:
        role, state = Role(said["role"]), MessageState(said["state"])
    except (KeyError, ValueError) as error:
        raise ConversationRefused(_UNKNOWN, title) from error
    if role not in {Role.USER, Role.ASSISTANT}:
        raise ConversationRefused(_UNKNOWN, title)
    return message(
        text(said.get("id")),
        text(said.get("parent_id")) or None,
        role,
        text=text(said.get("text")),
        reasoning=text(said.get("reasoning")),
        model=name(said.get("model")),
        # No engine continues what another instance was writing.
        state=MessageState.INTERRUPTED if state is MessageState.RUNNING else state,
        error=text(said.get("error"))[:2_000],
        tokens=int(number(said.get("tokens"))),
        seconds=number(said.get("seconds")),
        tokens_per_second=number(said.get("tokens_per_second")),
        warnings=[text(item)[:2_000] for item in (said.get("warnings") or [])[:50] if isinstance(item, str)],
        attachments=_attachments(said.get("attachments")),
        is_deleted=said.get("is_deleted") is True,
        created_at=moment(said.get("created_at")),
    )


def _attachments(given: Any) -> list[dict[str, str]]:
    """Return what was sent with a message: it opens if it exists here and the user may read it."""
    kinds = {kind.value for kind in ContextKind}
    found = [item for item in objects(given) if parse_id(text(item.get("id"))) and text(item.get("kind")) in kinds]
    return [
        {"id": str(parse_id(item["id"])), "kind": item["kind"], "name": name(item.get("name"))} for item in found[:200]
    ]
