"""Makes the tree of a conversation: messages in order, without what RxChat does not show, and without cycles."""

from __future__ import annotations

import heapq
from collections import defaultdict
from dataclasses import dataclass, field, replace
from datetime import datetime

from rxchat.domain.chat import Role
from rxchat.domain.imports import limits
from rxchat.domain.imports.conversation import (
    ConversationRefused,
    ImportedConversation,
    ImportedMessage,
    ImportSource,
)
from rxchat.domain.text import clean_title, title_of

CIRCLE = "Its messages refer to each other in a circle."


@dataclass(slots=True, kw_only=True)
class DraftMessage:
    """A message as a file has it, by the IDs of the file."""

    key: str
    parent_key: str | None
    """What it follows; an unknown one counts as none."""
    message: ImportedMessage
    is_hidden: bool = False
    """Whether RxChat does not show such messages: of the system and of tools."""


@dataclass(slots=True, kw_only=True)
class Draft:
    """A conversation as a file has it."""

    source: ImportSource
    external_id: str
    title: str = ""
    model: str = ""
    messages: list[DraftMessage] = field(default_factory=list)
    leaf_key: str | None = None
    """The last message of the shown branch; None for the newest branch."""
    created_at: datetime | None = None
    updated_at: datetime | None = None
    is_pinned: bool = False
    is_archived: bool = False
    notes: list[str] = field(default_factory=list)
    is_own: bool = False
    """Whether RxChat wrote it: then the order of the messages counts, and empty ones belong to it."""


def message(
    key: str, parent_key: str | None, role: Role, *, is_hidden: bool = False, **content: object
) -> DraftMessage:
    """Return a message of a draft."""
    made = ImportedMessage(parent=None, role=role, **content)  # pyright: ignore[reportArgumentType]
    return DraftMessage(key=key, parent_key=parent_key, message=made, is_hidden=is_hidden)


def arranged(draft: Draft) -> ImportedConversation:
    """Return the conversation of a draft.

    Raises:
        ConversationRefused: if it has no messages or too many, or if they refer to each other in a circle.
    """
    try:
        return _arranged(draft)
    except ConversationRefused as refused:
        raise ConversationRefused(refused.reason, refused.title or clean_title(draft.title)) from None


def _arranged(draft: Draft) -> ImportedConversation:
    _check(draft)
    parents = _Parents(draft)
    kept = [item for item in draft.messages if parents.is_kept[item.key]]
    if not kept:
        raise ConversationRefused("It has no messages.")
    if not draft.external_id:
        raise ConversationRefused("It has no ID, by which RxChat would recognize it the next time.")
    ordered = _ordered(kept, parents, by_time=not draft.is_own)
    messages, places = _placed(ordered, parents, joins=not draft.is_own)
    leaf_key = parents.kept_from(draft.leaf_key)
    leaf = None if draft.is_own else _newest_leaf(messages)
    leaf = leaf if leaf_key is None else places[leaf_key]
    first = next((item.text for item in messages if item.role is Role.USER and item.text), "")
    times = [item.created_at for item in messages if item.created_at]
    model = next((item.model for item in reversed(messages) if item.model), draft.model)
    return ImportedConversation(
        source=draft.source,
        external_id=draft.external_id,
        title=clean_title(draft.title) or title_of(first),
        model=draft.model or model,
        messages=messages,
        leaf=leaf,
        created_at=draft.created_at or min(times, default=None),
        updated_at=draft.updated_at or max(times, default=None),
        is_pinned=draft.is_pinned,
        is_archived=draft.is_archived,
        notes=draft.notes,
    )


def _check(draft: Draft) -> None:
    if len(draft.messages) > limits.MESSAGES:
        raise ConversationRefused(f"It has more than {limits.MESSAGES:,} messages.")
    if len({item.key for item in draft.messages}) < len(draft.messages):
        raise ConversationRefused("Two of its messages have the same ID.")
    sizes = [len(item.message.text) + len(item.message.reasoning) for item in draft.messages]
    if any(
        max(len(item.message.text), len(item.message.reasoning)) > limits.TEXT_CHARACTERS for item in draft.messages
    ):
        raise ConversationRefused(f"One of its messages has more than {limits.TEXT_CHARACTERS:,} characters.")
    if sum(sizes) > limits.CONVERSATION_CHARACTERS:
        raise ConversationRefused(f"Its messages have more than {limits.CONVERSATION_CHARACTERS:,} characters.")


class _Parents:
    """What each message follows, if messages that are not shown are left out."""

    def __init__(self, draft: Draft) -> None:
        self._parent_of = {item.key: item.parent_key for item in draft.messages}
        self.is_kept = {item.key: draft.is_own or _is_shown(item) for item in draft.messages}
        self._known: dict[str, str | None] = {}

    def of(self, key: str) -> str | None:
        """Return the kept message that this one follows."""
        return self.kept_from(self._parent_of[key])

    def kept_from(self, key: str | None) -> str | None:
        """Return a message if it is kept, or the nearest kept one before it; None if there is none."""
        passed: list[str] = []
        seen: set[str] = set()
        while key is not None and key in self._parent_of and not self.is_kept[key]:
            if key in self._known:
                key = self._known[key]
                break
            if key in seen:
                raise ConversationRefused(CIRCLE)
            seen.add(key)
            passed.append(key)
            key = self._parent_of[key]
        found = key if key is not None and self.is_kept.get(key) else None
        self._known.update(dict.fromkeys(passed, found))
        return found


def _is_shown(item: DraftMessage) -> bool:
    said = item.message
    return not item.is_hidden and bool(said.text or said.reasoning or said.error)


def _ordered(kept: list[DraftMessage], parents: _Parents, *, by_time: bool) -> list[DraftMessage]:
    """Return the messages with parents first, and otherwise by time, or in the order of the file."""
    following: dict[str | None, list[tuple[float, int]]] = defaultdict(list)
    for place, item in enumerate(kept):
        at = item.message.created_at
        rank = at.timestamp() if by_time and at else 0.0
        following[parents.of(item.key)].append((rank, place))
    ready = following.pop(None, [])
    heapq.heapify(ready)
    ordered: list[DraftMessage] = []
    while ready:
        rank, place = heapq.heappop(ready)
        item = kept[place]
        ordered.append(item)
        for next_rank, next_place in following.pop(item.key, []):
            heapq.heappush(ready, (max(rank, next_rank), next_place))
    if len(ordered) < len(kept):
        raise ConversationRefused(CIRCLE)
    return ordered


def _placed(
    ordered: list[DraftMessage], parents: _Parents, *, joins: bool
) -> tuple[list[ImportedMessage], dict[str, int]]:
    """Return the messages with the places of their parents, and the place of each message by its key.

    An answer of several parts (before and after a tool) becomes one, if nothing else follows the first part.
    """
    children: dict[str | None, int] = defaultdict(int)
    for item in ordered:
        children[parents.of(item.key)] += 1
    messages: list[ImportedMessage] = []
    places: dict[str, int] = {}
    for item in ordered:
        parent_key = parents.of(item.key)
        parent = places[parent_key] if parent_key is not None else None
        before = messages[parent] if parent is not None else None
        is_part = joins and before is not None and {before.role, item.message.role} == {Role.ASSISTANT}
        if is_part and before is not None and parent is not None and children[parent_key] == 1:
            messages[parent] = _joined(before, item.message)
            places[item.key] = parent
            continue
        at = item.message.created_at or (before.created_at if before else None)
        places[item.key] = len(messages)
        messages.append(replace(item.message, parent=parent, created_at=at))
    return messages, places


def _joined(first: ImportedMessage, second: ImportedMessage) -> ImportedMessage:
    texts = {
        name: "\n\n".join(part for part in (getattr(first, name), getattr(second, name)) if part)
        for name in ("text", "reasoning", "error")
    }
    return replace(first, **texts, model=second.model or first.model, state=second.state)


def _newest_leaf(messages: list[ImportedMessage]) -> int:
    """Return the last message of the branch with the newest version at each step."""
    newest: dict[int | None, int] = {item.parent: place for place, item in enumerate(messages)}
    leaf = newest[None]
    while leaf in newest:
        leaf = newest[leaf]
    return leaf
