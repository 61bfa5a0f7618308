"""The patches of a conversation's new events, for the thread of one tab."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import sees_details
from rxchat.domain.chat import Role
from rxchat.domain.conversation_events import (
    AnswerEnded,
    AnswerStarted,
    BranchChosen,
    ConversationEvent,
    MessageAdded,
    MessageDeleted,
    MessageRestored,
    QuestionAsked,
)
from rxchat.domain.conversations import MessageChange, changes_of, leaf_after
from rxchat.domain.messages import ThreadMessage
from rxchat.services.app import container
from rxchat.states.chat.presenters import ending_view, in_pieces, message_view
from rxchat.states.chat.stream import Window

Patch = tuple[dict[str, Any], list[dict[str, Any]]]
"""A patch, and the further pieces of its long texts."""
_BRANCH_MESSAGES = 60
"""How many messages of another branch replace those of the one that was shown; beyond them the last ones are shown."""


class ThreadPatches:
    """Makes the patches, and keeps what they depend on."""

    def __init__(self, leaf_id: UUID | None) -> None:
        self.leaf_id = leaf_id
        """The last message that the tab shows; the conversation's ID if it shows none."""
        self.windows: dict[UUID, tuple[Window, Window]] = {}
        """The windows of each answer (reasoning, text), by the id of its message."""
        self.models: dict[UUID, str] = {}
        """The models of the answers in progress."""

    async def of(
        self, current_user: CurrentUser, conversation_id: UUID, events: list[tuple[int, ConversationEvent]]
    ) -> tuple[list[Patch], int]:
        """Return the patches of these events, and the seq of the last event that they contain (0 if there is none)."""
        branch_points = self._branch_points(events)
        if branch_points:
            patch = await self._other_branch(
                current_user, conversation_id, branch_points[0] if len(branch_points) == 1 else None
            )
            # The page may contain later events already: showing them twice shows the same.
            return [patch], events[-1][0]
        patches: list[Patch] = []
        questions: list[dict[str, Any]] = []
        for seq, event in events:
            for change in changes_of(seq, event):
                match change:
                    case ThreadMessage(role=Role.USER, id=message_id):
                        question = await _whole(current_user, conversation_id, change)
                        questions = [_now(question) | {"client_id": str(message_id)}]
                    case ThreadMessage(id=message_id, model=model):
                        self.models[message_id] = model
                        patches.append(await self._answer(current_user, conversation_id, change, questions))
                        questions = []
                    case MessageChange(id=message_id, feedback=feedback) if feedback is not None:
                        patches.append(({"change": "rate", "id": str(message_id), "feedback": feedback}, []))
                    case AnswerEnded():
                        patches.append(await self._ending(current_user, conversation_id, change))
                    case _:
                        pass
        if self.leaf_id is not None:
            self.leaf_id = leaf_after(self.leaf_id, [event for _, event in events])
        return patches, events[-1][0] if events else 0

    def _branch_points(self, events: list[tuple[int, ConversationEvent]]) -> list[UUID]:
        """Return the messages after which the thread changes, other than by what follows the last one shown."""
        found, leaf_id = [], self.leaf_id
        for _, event in events:
            match event:
                case QuestionAsked() | AnswerStarted():
                    if event.parent_id not in {None, leaf_id}:
                        found.append(event.parent_id)
                case BranchChosen() | MessageAdded() | MessageDeleted() | MessageRestored():
                    # Also if the last message stays: the versions of others are counted again.
                    found.append(event.parent_id)
                case _:
                    pass
            leaf_id = leaf_after(leaf_id, [event]) if leaf_id is not None else None
        return found

    async def _other_branch(self, current_user: CurrentUser, conversation_id: UUID, after: UUID | None) -> Patch:
        """Return the patch that shows another branch from a message on, as it is stored now."""
        page = await container.get_services().chat.conversations.open(
            current_user, conversation_id, after=after, limit=_BRANCH_MESSAGES
        )
        detailed = sees_details(current_user)
        items, rest = in_pieces([message_view(message, detailed=detailed) for message in page.messages])
        before = page.messages[0].parent_id if page.messages else page.leaf_id
        self.leaf_id = page.leaf_id
        has_older = page.has_older if items else page.leaf_id != conversation_id
        return {"change": "branch", "after": str(before), "items": items, "older": has_older}, rest

    async def _answer(
        self,
        current_user: CurrentUser,
        conversation_id: UUID,
        change: ThreadMessage,
        questions: list[dict[str, Any]],
    ) -> Patch:
        """Return the patch of an answer that begins, with its question, or that is written again."""
        if change.parent_id is None:
            whole = await container.get_services().chat.conversations.message(current_user, conversation_id, change.id)
            running = replace(change, versions=whole.versions, created_at=whole.created_at)
            return {"change": "replace", "item": message_view(running)}, []
        items, rest = in_pieces([*questions, _now(change)])
        return {"change": "append", "items": items}, rest

    async def _ending(self, current_user: CurrentUser, conversation_id: UUID, event: AnswerEnded) -> Patch:
        # Drop the windows of finished answers.
        sent = self.windows.pop(event.message_id, None)
        model = self.models.pop(event.message_id, "")
        detailed = sees_details(current_user)
        if sent is not None and sent[0].showed(event.reasoning) and sent[1].showed(event.text):
            return {"change": "finish", "item": ending_view(event, model, detailed=detailed)}, []
        # It ended before this tab could follow, or another process wrote the end.
        return await _again(current_user, conversation_id, event.message_id)


async def _again(current_user: CurrentUser, conversation_id: UUID, message_id: UUID) -> Patch:
    """Return the patch that shows a message as it is stored now."""
    whole = await container.get_services().chat.conversations.message(current_user, conversation_id, message_id)
    item, rest = in_pieces([message_view(whole, detailed=sees_details(current_user))])
    return {"change": "replace", "item": item[0]}, rest


async def _whole(current_user: CurrentUser, conversation_id: UUID, message: ThreadMessage) -> ThreadMessage:
    """Return a question with its attachments as far as this tab's user may read them."""
    if not message.attachments:
        return message
    return await container.get_services().chat.conversations.message(current_user, conversation_id, message.id)


def _now(message: ThreadMessage) -> dict[str, Any]:
    return message_view(replace(message, created_at=datetime.now(UTC)))
