"""A user's tags, and the conversations that have them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import tags as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.errors import Conflict, InvalidInput, NotFound
from rxchat.domain.permissions import Scope
from rxchat.domain.tags import MOST_TAGS, Tag, TagColor, next_color, tag_name
from rxchat.services.chat.bulk_actions import require_few


class Tags:
    """Makes, renames and deletes tags, and adds them to conversations of their user."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def of_user(self, current_user: CurrentUser) -> list[Tag]:
        """Return the user's tags by name."""
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.of_user(session, current_user.user_id)

    async def counts(self, current_user: CurrentUser, conversation_ids: Sequence[UUID]) -> dict[UUID, int]:
        """Return how many of these conversations have each tag that one of them has.

        Raises:
            NotFound: when one of them does not exist, is deleted or another user's.
        """
        require_scope(current_user, Scope.READ)
        found: dict[UUID, int] = {}
        async with self._database.begin(current_user.user_id) as session:
            await _require_owned(session, current_user, conversation_ids)
            for _, tag_id in await rows.of_conversations(session, current_user.user_id, conversation_ids):
                found[tag_id] = found.get(tag_id, 0) + 1
        return found

    async def create(self, current_user: CurrentUser, name: str, color: TagColor | None = None) -> UUID:
        """Create a tag, and return its ID; if the user has one of this name, in capitals or not, that of this one.

        Raises:
            InvalidInput: when the name is blank or too long, or the user has too many.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            return await self._create(session, current_user, name, color)

    async def _create(
        self, session: AsyncSession, current_user: CurrentUser, name: str, color: TagColor | None
    ) -> UUID:
        name, known = tag_name(name), await rows.of_user(session, current_user.user_id)
        same = next((tag.id for tag in known if tag.name.lower() == name.lower()), None)
        if same is not None:
            return same
        if len(known) >= MOST_TAGS:
            raise InvalidInput(f"You have {MOST_TAGS} tags. Delete one first.", field="name")
        chosen = color or next_color(tag.color for tag in known)
        tag_id = await rows.create(session, current_user.user_id, name, chosen)
        await rows.notify_tabs(session, current_user.user_id)
        return tag_id

    async def change(
        self, current_user: CurrentUser, tag_id: UUID, *, name: str | None = None, color: TagColor | None = None
    ) -> None:
        """Change a tag's name or color, or both.

        Raises:
            InvalidInput: when the name is blank, too long, or another tag's.
            NotFound: when the tag does not exist or is another user's.
        """
        require_scope(current_user, Scope.CHAT)
        values: dict[str, Any] = {} if name is None else {"name": tag_name(name)}
        values |= {} if color is None else {"color": color}
        try:
            async with self._database.begin(current_user.user_id) as session:
                is_known = (
                    await rows.change(session, current_user.user_id, tag_id, values)
                    if values
                    else await rows.exists(session, current_user.user_id, tag_id)
                )
                if not is_known:
                    raise NotFound("This tag does not exist: it was deleted, maybe in another tab.")
                await rows.notify_tabs(session, current_user.user_id)
        except Conflict as error:
            raise InvalidInput("Another tag has this name.", field="name") from error

    async def delete(self, current_user: CurrentUser, tag_id: UUID) -> None:
        """Delete a tag; the conversations that have it stay.

        Raises:
            NotFound: when it does not exist or is another user's.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            if not await rows.remove(session, current_user.user_id, tag_id):
                raise NotFound("This tag does not exist: it was deleted, maybe in another tab.")
            await rows.notify_tabs(session, current_user.user_id)

    async def set(
        self, current_user: CurrentUser, conversation_ids: Sequence[UUID], tag_id: UUID, *, is_set: bool
    ) -> None:
        """Add a tag to conversations, or remove it from them: all of them, or none.

        Raises:
            InvalidInput: when there are too many.
            NotFound: when the tag or one of them does not exist, is deleted or another user's.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            await _require_owned(session, current_user, conversation_ids)
            if not await rows.exists(session, current_user.user_id, tag_id):
                raise NotFound("This tag does not exist: it was deleted, maybe in another tab.")
            await rows.set_tag(session, current_user.user_id, conversation_ids, tag_id, is_set=is_set)
            await rows.notify_tabs(session, current_user.user_id)

    async def add(self, current_user: CurrentUser, conversation_ids: Sequence[UUID], name: str) -> UUID:
        """Add the tag with this name to conversations, a new one if the user has none of this name; return its ID.

        Raises:
            InvalidInput: when the name is blank or too long, or there are too many.
            NotFound: when one of them does not exist, is deleted or another user's.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            await _require_owned(session, current_user, conversation_ids)
            tag_id = await self._create(session, current_user, name, None)
            await rows.set_tag(session, current_user.user_id, conversation_ids, tag_id, is_set=True)
        return tag_id


async def _require_owned(session: AsyncSession, current_user: CurrentUser, conversation_ids: Sequence[UUID]) -> None:
    wanted = set(conversation_ids)
    require_few(list(wanted))
    if await rows.count_owned(session, current_user.user_id, list(wanted)) != len(wanted):
        raise NotFound("One of these conversations does not exist. Nothing was changed: reload the page.")
