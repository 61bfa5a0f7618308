"""Assistants: those of the user and what others share with them, with every version kept."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import structlog
from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.access import roles as role_rows
from rxchat.db.chat import assistants as rows
from rxchat.db.chat import conversation_sources as source_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.api_errors import VersionMismatch
from rxchat.domain.assistants import (
    MOST_ASSISTANTS,
    MOST_VERSIONS,
    Assistant,
    AssistantContent,
    AssistantVersion,
    ChosenAssistant,
    valid_content,
)
from rxchat.domain.authorization import is_allowed, require, require_scope
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from rxchat.domain.model_parameters import options_of
from rxchat.domain.permissions import Action, Grant, Permission, Resource, ResourceKind, Scope
from rxchat.domain.ports import ChatModel
from rxchat.services.access.shares import Shareable
from rxchat.services.chat.context_sources import are_collections
from rxchat.services.models.parameters import require_taken
from rxchat.services.platform.audit import record
from rxchat.tables import AssistantRow

log = structlog.get_logger(__name__)

KEPT = timedelta(days=30)
"""How long a deleted assistant can be restored."""
_FULL = f"You have {MOST_ASSISTANTS} assistants, which is the maximum. Delete some that you no longer need."
_OLD = "This assistant was changed meanwhile: version {newest} is the newest. What you entered is kept here."
_ALL_VERSIONS = f"It has {MOST_VERSIONS:,} versions, which is the maximum. Duplicate it, and change the copy."


@dataclass(frozen=True, slots=True)
class DeletedAssistant:
    """A deleted assistant that can be restored."""

    id: UUID
    name: str
    deleted_at: datetime


class Assistants:
    """Use cases for assistants."""

    def __init__(self, database: Database, model: ChatModel) -> None:
        self._database = database
        self._model = model

    async def readable(
        self, current_user: CurrentUser, *, after: tuple[str, UUID] | None = None, limit: int = 1_000
    ) -> list[Assistant]:
        """Return assistants that the user may read, by name; those after a name (in small letters) and an ID.

        Raises:
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            found = await rows.readable(session, after=after, limit=limit)
            grants = await role_rows.grants_on(session, ResourceKind.ASSISTANT, rows.ids(found))
        return [_shown(current_user, row, grants) for row in found if _may(current_user, Action.READ, row, grants)]

    async def get(self, current_user: CurrentUser, assistant_id: UUID) -> Assistant:
        """Return an assistant that the user may read.

        Raises:
            NotFound: when it does not exist or the user may not read it.
        """
        async with self._database.begin(current_user.user_id) as session:
            row, grants = await _readable(session, current_user, assistant_id)
        return _shown(current_user, row, grants)

    async def create(self, current_user: CurrentUser, content: AssistantContent) -> UUID:
        """Create an assistant and return its ID.

        Raises:
            NotAllowed: without the permission to start conversations.
            InvalidInput: when something is blank, too long or not allowed, its model does not take a parameter, or the user
                has the maximum number.
        """
        require(current_user, Permission.CONVERSATIONS_CREATE)
        content = await self._valid(current_user, content)
        async with self._database.begin(current_user.user_id) as session:
            await _require_room(session, current_user)
            await _require_collections(session, current_user, content.collection_ids)
            return await rows.add(session, current_user.user_id, content)

    async def duplicate(self, current_user: CurrentUser, assistant_id: UUID) -> UUID:
        """Copy an assistant that the user may read, without collections that they may not read. Returns the copy's ID.

        Raises:
            NotFound: when it does not exist or the user may not read it.
            NotAllowed: without the permission to start conversations.
            InvalidInput: when the user has the maximum number.
        """
        require(current_user, Permission.CONVERSATIONS_CREATE)
        async with self._database.begin(current_user.user_id) as session:
            row, _ = await _readable(session, current_user, assistant_id)
            await _require_room(session, current_user)
            content = AssistantContent.of(row.content)
            known = await source_rows.readable(session, list(content.collection_ids))
            kept = tuple(found for found in content.collection_ids if found in known)
            return await rows.add(session, current_user.user_id, replace(content, collection_ids=kept))

    async def change(
        self,
        current_user: CurrentUser,
        assistant_id: UUID,
        content: AssistantContent,
        client_info: ClientInfo,
        *,
        version: int | None,
    ) -> int:
        """Change an assistant whose newest version is known, and return the new version; what is unchanged makes none.

        Conversations that have begun with it keep the version that they have.

        Raises:
            NotFound: when it does not exist or the user may not read it.
            NotAllowed: when the user may only use it.
            VersionMismatch: when there is a newer version than `version`.
            Conflict: when there are too many versions.
            InvalidInput: when something is not allowed.
        """
        content = await self._valid(current_user, content)
        async with self._database.begin(current_user.user_id) as session:
            row = await _writable(session, current_user, assistant_id)
            return await _save(session, current_user, row, version or row.version, content, client_info)

    async def restore_version(
        self, current_user: CurrentUser, assistant_id: UUID, number: int, version: int, client_info: ClientInfo
    ) -> int:
        """Make an earlier version the newest one, as a new version, whose number is returned.

        Raises:
            NotFound: when the assistant or the version does not exist, or the user may not read it.
            NotAllowed: when the user may only use it.
            VersionMismatch: when there is a newer version than `version`.
            Conflict: when there are too many versions.
        """
        async with self._database.begin(current_user.user_id) as session:
            row = await _writable(session, current_user, assistant_id)
            old = await rows.version(session, row, number)
            if old is None:
                raise NotFound
            return await _save(session, current_user, row, version, old, client_info, number)

    async def versions(self, current_user: CurrentUser, assistant_id: UUID) -> list[AssistantVersion]:
        """Return all versions of an assistant that the user may change, the newest first.

        Raises:
            NotFound: when it does not exist or the user may not read it.
            NotAllowed: when the user may only use it: earlier versions may say what was not meant for others.
        """
        async with self._database.begin(current_user.user_id) as session:
            return await rows.versions(session, await _writable(session, current_user, assistant_id))

    async def remove(self, current_user: CurrentUser, assistant_id: UUID) -> None:
        """Delete one of the user's own assistants. It can be restored for 30 days, with its versions and shares.

        Raises:
            NotFound: when it does not exist or the user may not read it.
            NotAllowed: when it is another user's.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            row, _ = await _readable(session, current_user, assistant_id)
            if row.owner_id != current_user.user_id:
                raise NotAllowed("Only the owner of an assistant can delete it.")
            if not await rows.set_deleted(session, current_user.user_id, assistant_id, is_deleted=True):
                raise NotFound

    async def restore(self, current_user: CurrentUser, assistant_id: UUID) -> str:
        """Restore a deleted assistant, and return its name.

        Raises:
            NotFound: when it is not among the user's deleted ones.
            InvalidInput: when the user has the maximum number.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            await _require_room(session, current_user)
            row = await rows.owned(session, current_user.user_id, assistant_id, is_deleted=True)
            if row is None or not await rows.set_deleted(session, row.owner_id, row.id, is_deleted=False):
                raise NotFound
            return row.name

    async def delete_for_good(self, current_user: CurrentUser, assistant_id: UUID) -> None:
        """Delete a deleted assistant permanently, with its versions and shares.

        Raises:
            NotFound: when it is not among the user's deleted ones.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            if not await rows.remove_deleted(session, current_user.user_id, assistant_id):
                raise NotFound

    async def deleted(self, current_user: CurrentUser) -> list[DeletedAssistant]:
        """Return the user's deleted assistants that can be restored, the latest deleted first.

        Raises:
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            return [DeletedAssistant(*row) for row in await rows.deleted(session, current_user.user_id)]

    async def purge(self) -> None:
        """Delete the assistants of all users permanently whose time is over."""
        while True:
            async with self._database.begin(None) as session:
                purged = await rows.purge(session, KEPT)
            if not purged:
                return
            log.info("deleted assistants were purged", count=purged)

    async def _valid(self, current_user: CurrentUser, content: AssistantContent) -> AssistantContent:
        content = valid_content(content)
        if content.model:
            await require_taken(self._model, content.model, options_of(content.parameters), current_user)
        return content


async def chosen(session: AsyncSession, current_user: CurrentUser, assistant_id: UUID) -> ChosenAssistant:
    """Return the newest version of an assistant that the user may use, as a conversation has it.

    Raises:
        NotFound: when it does not exist, or the user may not use it.
    """
    row, _ = await _readable(session, current_user, assistant_id)
    return ChosenAssistant(row.id, row.version, AssistantContent.of(row.content))


async def require_owned(session: AsyncSession, current_user: CurrentUser, assistant_id: UUID) -> None:
    """Require that an assistant is the user's own.

    Raises:
        NotFound: when it does not exist, is deleted, or is another user's.
    """
    if await rows.owned(session, current_user.user_id, assistant_id) is None:
        raise NotFound


SHARED_ASSISTANTS = Shareable(
    ResourceKind.ASSISTANT,
    Scope.CHAT,
    require_owned,
    "assistant_shared",
    "assistant_unshared",
    Permission.COLLECTIONS_CREATE,
)


async def _save(
    session: AsyncSession, current_user: CurrentUser, row: AssistantRow, version: int, content: AssistantContent,
    client_info: ClientInfo, restored_from: int | None = None,
) -> int:  # fmt: skip
    if row.version != version:
        raise VersionMismatch(_OLD.format(newest=row.version))
    now = AssistantContent.of(row.content)
    if content == now:
        return row.version
    if row.version >= MOST_VERSIONS:
        raise Conflict(_ALL_VERSIONS)
    # What an earlier version had may stay, as when another user's collection was shared only with the owner.
    known = content.collection_ids if restored_from else now.collection_ids
    await _require_collections(session, current_user, [found for found in content.collection_ids if found not in known])
    if not await rows.change(session, row, content, current_user.user_id, restored_from):
        # Another transaction has changed it since it was read.
        raise VersionMismatch(_OLD.format(newest=row.version + 1))
    if row.owner_id != current_user.user_id:
        await record(
            session, current_user.user_id, "assistant_changed", client_info,
            assistant=str(row.id), version=row.version + 1,
        )  # fmt: skip
    return row.version + 1


async def _readable(
    session: AsyncSession, current_user: CurrentUser, assistant_id: UUID
) -> tuple[AssistantRow, list[Grant]]:
    """Return an assistant that the user may read, and the grants on it."""
    require_scope(current_user, Scope.READ)
    row = await rows.get(session, assistant_id)
    grants = await role_rows.grants_on(session, ResourceKind.ASSISTANT, [str(assistant_id)])
    if row is None or not _may(current_user, Action.READ, row, grants):
        raise NotFound
    return row, grants


async def _writable(session: AsyncSession, current_user: CurrentUser, assistant_id: UUID) -> AssistantRow:
    """Return an assistant that the user may change."""
    require_scope(current_user, Scope.CHAT)
    row, grants = await _readable(session, current_user, assistant_id)
    if not _may(current_user, Action.WRITE, row, grants):
        raise NotAllowed("You may use this assistant, but not change it. Duplicate it, and change the copy.")
    return row


def _may(current_user: CurrentUser, action: Action, row: AssistantRow, grants: list[Grant]) -> bool:
    return is_allowed(current_user, action, Resource(ResourceKind.ASSISTANT, str(row.id), row.owner_id), grants)


def _shown(current_user: CurrentUser, row: AssistantRow, grants: list[Grant]) -> Assistant:
    return Assistant(
        row.owner_id,
        row.id,
        AssistantContent.of(row.content),
        row.version,
        row.updated_at,
        may_write=_may(current_user, Action.WRITE, row, grants),
        is_shared=row.owner_id == current_user.user_id and any(grant.resource == str(row.id) for grant in grants),
    )


async def _require_room(session: AsyncSession, current_user: CurrentUser) -> None:
    await rows.lock_all(session, current_user.user_id)
    if await rows.count(session, current_user.user_id) >= MOST_ASSISTANTS:
        raise InvalidInput(_FULL)


async def _require_collections(session: AsyncSession, current_user: CurrentUser, ids: Sequence[UUID]) -> None:
    if not await are_collections(session, current_user, ids):
        raise InvalidInput(
            "One of these collections does not exist, or is not shared with you.", field="collection_ids"
        )
