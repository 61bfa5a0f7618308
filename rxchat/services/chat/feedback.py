"""Use cases for ratings of answers: users give them, administrators read them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from uuid import UUID

from rxchat.db.chat import feedback as rows
from rxchat.db.chat import messages as message_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require, require_scope
from rxchat.domain.chat import Role
from rxchat.domain.conversation_events import AnswerRated
from rxchat.domain.errors import Conflict, NotFound
from rxchat.domain.feedback import ModelRatings, Rating, ReceivedFeedback, valid_comment, valid_reasons
from rxchat.domain.messages import MessageState
from rxchat.domain.permissions import Permission, Scope
from rxchat.services.chat.event_appender import opened

PAGE = 50
"""The number of ratings on a page."""


class Feedback:
    """Use cases for ratings. A rating is an event of the conversation; the last one counts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def rate(
        self,
        current_user: CurrentUser,
        conversation_id: UUID,
        message_id: UUID,
        rating: Rating | None,
        *,
        reasons: Iterable[str] = (),
        comment: str = "",
    ) -> None:
        """Rate an answer of one's own conversation, or take the rating back (None). The same one again has no effect.

        Raises:
            InvalidInput: when a reason is unknown, or the comment too long.
            NotFound: when the user has no such answer.
            Conflict: when the answer is still being written.
        """
        require_scope(current_user, Scope.CHAT)
        value = (
            {"rating": rating.value, "reasons": valid_reasons(reasons), "comment": valid_comment(comment)}
            if rating
            else {}
        )
        async with self._database.begin(current_user.user_id) as session:
            begun = await opened(session, current_user, conversation_id)
            message = await message_rows.get_message(session, begun.owner_id, conversation_id, message_id)
            path = await message_rows.path_to(session, begun.owner_id, conversation_id, message_id)
            if message is None or message.role is not Role.ASSISTANT or any(path.values()):
                raise NotFound("This message is no longer there.")
            if message.state is MessageState.RUNNING:
                raise Conflict("This answer is still being written.")
            before = {name: given for name, given in message.feedback.items() if name != "at"}
            if value != before:
                at = {"at": datetime.now(UTC).isoformat(timespec="microseconds")} if value else {}
                await begun.append(AnswerRated(message_id=message_id, feedback={**value, **at}))

    async def received(
        self, current_user: CurrentUser, before: ReceivedFeedback | None = None
    ) -> list[ReceivedFeedback]:
        """Return a page of all users' ratings, newest first, older than one of them.

        Raises:
            NotAllowed: without the permission.
        """
        require(current_user, Permission.FEEDBACK_READ)
        since = before.at.astimezone(UTC).isoformat(timespec="microseconds") if before else ""
        async with self._database.begin(current_user.user_id) as session:
            return await rows.received(session, since, PAGE)

    async def by_model(self, current_user: CurrentUser) -> list[ModelRatings]:
        """Return the number of ratings of each model, most first.

        Raises:
            NotAllowed: without the permission.
        """
        require(current_user, Permission.FEEDBACK_READ)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.by_model(session)
