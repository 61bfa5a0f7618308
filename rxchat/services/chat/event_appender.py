"""Appends events to a conversation, for a user's request or the queue."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import conversations as rows
from rxchat.db.chat import queued_messages as queue_rows
from rxchat.db.chat import runs as run_rows
from rxchat.db.chat import turn_queries
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.conversation_events import AnswerEnded, AnswerStarted, ConversationEvent, ModelChosen, QuestionAsked
from rxchat.domain.conversations import leaf_after
from rxchat.domain.errors import Conflict, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.messages import QueuedMessage
from rxchat.domain.runs import PartialAnswer
from rxchat.observability import correlation_id
from rxchat.services.access.model_access import may_use_model
from rxchat.tables import Run


@dataclass(slots=True)
class EventAppender:
    """Appends events to one conversation in one transaction, which holds its lock or fails as stale.

    Queued messages are no events: adding one needs the lock.
    """

    session: AsyncSession
    owner_id: UUID
    conversation_id: UUID
    seq: int
    leaf_id: UUID
    """The last message of the branch that the conversation shows; the conversation's ID if it shows none."""
    appended: list[tuple[int, ConversationEvent]] = field(default_factory=list)
    """What was appended so far, each event with its seq."""

    async def append(self, *events: ConversationEvent, runs: Sequence[Run] = ()) -> None:
        """Append events after the last one, and queue runs."""
        self.appended += enumerate(events, self.seq + 1)
        self.leaf_id = leaf_after(self.leaf_id, events)
        self.seq = await rows.append_events(self.session, self.owner_id, self.conversation_id, self.seq, events, runs)

    async def queue_run(
        self,
        message_id: UUID,
        model: str,
        *before: ConversationEvent,
        parent_id: UUID | None = None,
        kept: PartialAnswer | None = None,
    ) -> UUID:
        """Queue a run that writes an answer, and return its ID. `before` events come first.

        With a parent it writes a new answer to this question; without, an answer that exists, again or from its stored text.
        """
        run_id, kept = new_id(), kept or PartialAnswer()
        started = AnswerStarted(
            message_id=message_id,
            parent_id=parent_id,
            run_id=run_id,
            model=model,
            text=kept.text,
            reasoning=kept.reasoning,
        )
        run = Run(
            owner_id=self.owner_id,
            id=run_id,
            conversation_id=self.conversation_id,
            message_id=message_id,
            model=model,
            correlation_id=correlation_id(),
        )
        await self.append(*before, started, runs=[run])
        return run_id

    async def ask(self, question: QueuedMessage, *before: ConversationEvent, parent_id: UUID | None = None) -> None:
        """Add a question after a message, by default the last one shown, and queue the run that answers it."""
        asked = QuestionAsked(
            message_id=question.id,
            parent_id=parent_id or self.leaf_id,
            text=question.text,
            attachments=question.attachments,
            parameters=question.parameters,
        )
        await self.queue_run(new_id(), question.model, *before, asked, parent_id=question.id)

    async def ask_next(self) -> bool:
        """Send the oldest queued message, if its user may still use the model.

        Returns False if there is none that may be sent, or the conversation was deleted.
        """
        conversation = await rows.get_owned(self.session, self.owner_id, self.conversation_id)
        if conversation is None:
            return False
        waiting = next(iter(await queue_rows.for_conversation(self.session, self.owner_id, self.conversation_id)), None)
        if waiting is None or not await may_use_model(self.session, self.owner_id, waiting.model):
            return False
        await queue_rows.remove(self.session, self.owner_id, self.conversation_id, waiting.id)
        chosen = [ModelChosen(model=waiting.model)] if waiting.model != conversation.model else []
        await self.ask(waiting, *chosen)
        return True

    async def end(self, event: AnswerEnded) -> None:
        """Store the end of an answer; after a successful one, send the next queued message."""
        await self.append(event)
        if event.allows_next:
            await self.ask_next()


async def locked(session: AsyncSession, current_user: CurrentUser, conversation_id: UUID) -> EventAppender:
    """Lock a conversation until the transaction ends, to serialize sending, stopping and ending answers."""
    found = await turn_queries.lock(session, current_user.user_id, conversation_id)
    if found is None:
        raise NotFound
    return EventAppender(session, current_user.user_id, conversation_id, found.seq, found.leaf_id)


async def opened(session: AsyncSession, current_user: CurrentUser, conversation_id: UUID) -> EventAppender:
    """Lock one of the user's conversations that is not deleted.

    Raises:
        NotFound: when it is unknown, deleted or another user's.
    """
    begun = await locked(session, current_user, conversation_id)
    if await rows.get_owned(session, current_user.user_id, conversation_id) is None:
        raise NotFound
    return begun


async def idle(
    session: AsyncSession, current_user: CurrentUser, conversation_id: UUID, otherwise: str
) -> EventAppender:
    """Lock a conversation without an answer in progress; raise Conflict with the message `otherwise` if it has one."""
    begun = await opened(session, current_user, conversation_id)
    if await run_rows.active_run(session, current_user.user_id, conversation_id) is not None:
        raise Conflict(otherwise)
    return begun
