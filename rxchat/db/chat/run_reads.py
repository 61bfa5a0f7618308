"""Queries about runs for those who follow them."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import text

from rxchat.db.platform.single_reads import Read
from rxchat.domain.run_events import FollowedRun
from rxchat.domain.runs import RunState

_RUN = text(
    """
    SELECT run.id, run.conversation_id, run.message_id, run.model, run.state,
           NOT is_leased(run.state, run.lease_until) AS is_waiting,
           NOT EXISTS (SELECT FROM run AS later
                        WHERE later.owner_id = run.owner_id AND later.conversation_id = run.conversation_id
                          AND later.message_id = run.message_id AND later.created_at > run.created_at) AS is_latest,
           message.text, message.reasoning, message.error_code, message.error, message.tokens, message.seconds
      FROM run
      JOIN message ON message.owner_id = run.owner_id AND message.id = run.message_id AND NOT message.is_deleted
      JOIN conversation ON conversation.owner_id = run.owner_id AND conversation.id = run.conversation_id
     WHERE run.owner_id = :owner AND run.id = :run AND conversation.deleted_at IS NULL
    """
)
_OF_QUESTION = text(
    """
    SELECT run.id, run.message_id
      FROM message
      JOIN run ON run.owner_id = message.owner_id AND run.conversation_id = message.conversation_id
              AND run.message_id = message.id
     WHERE message.owner_id = :owner AND message.conversation_id = :conversation AND message.parent_id = :question
     ORDER BY run.created_at DESC LIMIT 1
    """
)


async def followed(read: Read, owner_id: UUID, run_id: UUID) -> FollowedRun | None:
    """Return a run with the text of its message; None if it is unknown, deleted or another user's."""
    found = await read(_RUN, {"owner": owner_id, "run": run_id})
    if not found:
        return None
    facts = found[0]._asdict()
    return FollowedRun(**facts | {"state": RunState(facts["state"])})


async def of_question(read: Read, owner_id: UUID, conversation_id: UUID, question_id: UUID) -> tuple[UUID, UUID] | None:
    """Return the latest run that answers a question, and the ID of its answer; None while the question is queued."""
    asked = {"owner": owner_id, "conversation": conversation_id, "question": question_id}
    found = await read(_OF_QUESTION, asked)
    return (found[0].id, found[0].message_id) if found else None
