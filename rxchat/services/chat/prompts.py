"""Prompts: the user's library and what others share with them, with every version kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

import structlog

from rxchat.db.access import roles as role_rows
from rxchat.db.chat import prompts as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.authorization import is_allowed, require, require_scope
from rxchat.domain.errors import Conflict, InvalidInput, NotAllowed, NotFound
from rxchat.domain.permissions import Action, Grant, Permission, Resource, ResourceKind, Scope
from rxchat.domain.prompt_variables import fill, variables_in
from rxchat.domain.prompts import (
    MOST_BYTES,
    MOST_PROMPTS,
    MOST_VERSIONS,
    Prompt,
    PromptContent,
    PromptSummary,
    PromptVersion,
    numbered,
    valid_content,
)
from rxchat.domain.text import sanitize
from rxchat.services.access.shares import Shareable
from rxchat.services.platform.audit import record
from rxchat.tables import PromptRow

log = structlog.get_logger(__name__)

KEPT = timedelta(days=30)
"""How long a deleted prompt can be restored."""
_FULL = f"You have {MOST_PROMPTS} prompts, which is the maximum. Delete some that you no longer need."
_NO_SPACE = (
    f"Your prompts have {MOST_BYTES // 1_000_000} MB of text with all their versions, which is the maximum."
    " Delete some permanently that you no longer need."
)
_OLD = "This prompt was changed meanwhile: version {newest} is the newest. Your text is kept here."
_ALL_VERSIONS = f"This prompt has {MOST_VERSIONS:,} versions, which is the maximum. Duplicate it, and change the copy."


@dataclass(frozen=True, slots=True)
class PromptChoice:
    """A prompt in the list that `/` opens."""

    id: UUID
    command: str
    title: str
    has_variables: bool
    is_own: bool


@dataclass(frozen=True, slots=True)
class DeletedPrompt:
    """A deleted prompt that can be restored."""

    id: UUID
    title: str
    deleted_at: datetime


class Prompts:
    """Use cases for prompts."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def library(self, current_user: CurrentUser) -> list[PromptSummary]:
        """Return the prompts that the user may read, their own first.

        Raises:
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            found = await rows.readable(session, current_user.user_id)
            grants = await role_rows.grants_on(session, ResourceKind.PROMPT, rows.ids(found))
        shared = {grant.resource for grant in grants}
        return [
            PromptSummary(
                row.owner_id, row.id, row.title, row.command, row.description, row.version, row.updated_at,
                is_shared=row.owner_id == current_user.user_id and str(row.id) in shared,
                may_write=_may(current_user, Action.WRITE, row, grants),
            )
            for row in found
            if _may(current_user, Action.READ, row, grants)
        ]  # fmt: skip

    async def search(self, current_user: CurrentUser, words: str, limit: int) -> list[PromptChoice]:
        """Return the readable prompts whose commands or titles contain the words.

        Raises:
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            found = await rows.search(session, current_user.user_id, sanitize(words).strip(), limit)
            grants = await role_rows.grants_on(session, ResourceKind.PROMPT, rows.ids(found))
        return [
            PromptChoice(row.id, row.command, row.title, bool(variables_in(row.text)), row.owner_id == current_user.user_id)
            for row in found
            if _may(current_user, Action.READ, row, grants)
        ]  # fmt: skip

    async def get(self, current_user: CurrentUser, prompt_id: UUID) -> Prompt:
        """Return a prompt that the user may read.

        Raises:
            NotFound: when it does not exist or the user may not read it.
        """
        async with self._database.begin(current_user.user_id) as session:
            row, may_write = await _readable(session, current_user, prompt_id)
        return Prompt(row.owner_id, row.id, rows.content_of(row), row.version, row.updated_at, may_write)

    async def filled(self, current_user: CurrentUser, prompt_id: UUID, values: Mapping[str, str]) -> str:
        """Return the text of a prompt with values for its variables.

        Raises:
            NotFound: when it does not exist or the user may not read it.
            InvalidInput: when a value is missing or not allowed, or the result is too long.
        """
        found = await self.get(current_user, prompt_id)
        return fill(found.content.text, {name: sanitize(value) for name, value in values.items()})

    async def create(
        self, current_user: CurrentUser, *, title: str, command: str, text: str, description: str = ""
    ) -> UUID:
        """Create a prompt and return its ID. Without a command it gets the one that its title makes.

        Raises:
            NotAllowed: without the permission to start conversations.
            InvalidInput: when something is blank, too long or not allowed, the user has a prompt with this command, or
                the maximum number.
        """
        require(current_user, Permission.CONVERSATIONS_CREATE)
        content = valid_content(title=title, command=command, text=text, description=description)
        async with self._database.begin(current_user.user_id) as session:
            await _require_room(session, current_user)
            await _require_space(session, current_user.user_id)
            await _require_free(session, current_user.user_id, content.command)
            return await rows.add(session, current_user.user_id, content)

    async def duplicate(self, current_user: CurrentUser, prompt_id: UUID) -> UUID:
        """Copy a prompt that the user may read into their own library, with a free command. Returns the copy's ID.

        Raises:
            NotFound: when it does not exist or the user may not read it.
            NotAllowed: without the permission to start conversations.
            InvalidInput: when the user has the maximum number.
        """
        require(current_user, Permission.CONVERSATIONS_CREATE)
        async with self._database.begin(current_user.user_id) as session:
            row, _ = await _readable(session, current_user, prompt_id)
            await _require_room(session, current_user)
            await _require_space(session, current_user.user_id)
            command = await _free_command(session, current_user.user_id, row.command)
            content = PromptContent(row.title, command, row.text, row.description)
            return await rows.add(session, current_user.user_id, content)

    async def change(
        self, current_user: CurrentUser, prompt_id: UUID, version: int, *, title: str, command: str, text: str,
        description: str, client_info: ClientInfo,
    ) -> int:  # fmt: skip
        """Change a prompt whose newest version is known, and return the new version; what is unchanged makes none.

        Only the owner may change the command.

        Raises:
            NotFound: when it does not exist or the user may not read it.
            NotAllowed: when the user may only read it.
            Conflict: when there is a newer version, or there are too many.
            InvalidInput: when something is blank, too long or not allowed.
        """
        content = valid_content(title=title, command=command, text=text, description=description)
        async with self._database.begin(current_user.user_id) as session:
            row = await _writable(session, current_user, prompt_id)
            return await self._save(session, current_user, row, version, content, client_info)

    async def restore_version(
        self, current_user: CurrentUser, prompt_id: UUID, number: int, version: int, client_info: ClientInfo
    ) -> int:
        """Make an earlier version the newest one, as a new version, whose number is returned; the command stays.

        Raises:
            NotFound: when the prompt or the version does not exist, or the user may not read it.
            NotAllowed: when the user may only read it.
            Conflict: when there is a newer version than `version`, or there are too many.
        """
        async with self._database.begin(current_user.user_id) as session:
            row = await _writable(session, current_user, prompt_id)
            old = await rows.version(session, row, number)
            if old is None:
                raise NotFound
            content = PromptContent(old.title, row.command, old.text, old.description)
            return await self._save(session, current_user, row, version, content, client_info, number)

    async def _save(
        self, session: rows.AsyncSession, current_user: CurrentUser, row: PromptRow, version: int, content: PromptContent,
        client_info: ClientInfo, restored_from: int | None = None,
    ) -> int:  # fmt: skip
        if row.version != version:
            raise Conflict(_OLD.format(newest=row.version))
        if content == rows.content_of(row):
            return row.version
        if row.version >= MOST_VERSIONS:
            raise Conflict(_ALL_VERSIONS)
        await _require_space(session, row.owner_id)
        is_own = row.owner_id == current_user.user_id
        if content.command != row.command:
            if not is_own:
                raise InvalidInput("Only the owner of a prompt can change its command.", field="command")
            await _require_free(session, row.owner_id, content.command, row.id)
        if not await rows.change(session, row, content, current_user.user_id, restored_from):
            # Another transaction has changed it since it was read.
            raise Conflict(_OLD.format(newest=row.version + 1))
        if not is_own:
            await record(
                session, current_user.user_id, "prompt_changed", client_info,
                prompt=str(row.id), version=row.version + 1,
            )  # fmt: skip
        return row.version + 1

    async def versions(self, current_user: CurrentUser, prompt_id: UUID) -> list[PromptVersion]:
        """Return all versions of a prompt that the user may change, the newest first.

        Raises:
            NotFound: when it does not exist or the user may not read it.
            NotAllowed: when the user may only read it: earlier versions may say what was not meant for readers.
        """
        async with self._database.begin(current_user.user_id) as session:
            row = await _writable(session, current_user, prompt_id)
            return await rows.versions(session, row)

    async def remove(self, current_user: CurrentUser, prompt_id: UUID) -> None:
        """Delete one of the user's own prompts. It can be restored for 30 days, with its versions and shares.

        Raises:
            NotFound: when it does not exist or the user may not read it.
            NotAllowed: when it is another user's.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            row, _ = await _readable(session, current_user, prompt_id)
            if row.owner_id != current_user.user_id:
                raise NotAllowed("Only the owner of a prompt can delete it.")
            if not await rows.set_deleted(session, current_user.user_id, prompt_id):
                raise NotFound

    async def restore(self, current_user: CurrentUser, prompt_id: UUID) -> str:
        """Restore a deleted prompt, and return its command: with a number, if another prompt has it by now.

        Raises:
            NotFound: when it is not among the user's deleted ones.
            InvalidInput: when the user has the maximum number.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            await _require_room(session, current_user)
            row = await rows.owned(session, current_user.user_id, prompt_id, is_deleted=True)
            if row is None:
                raise NotFound
            content = rows.content_of(row)
            command = await _free_command(session, current_user.user_id, content.command)
            await rows.set_restored(session, row, command)
            if command != content.command:
                renamed = PromptContent(content.title, command, content.text, content.description)
                await rows.change(session, row, renamed, current_user.user_id)
        return command

    async def delete_for_good(self, current_user: CurrentUser, prompt_id: UUID) -> None:
        """Delete a deleted prompt permanently, with its versions and shares.

        Raises:
            NotFound: when it is not among the user's deleted ones.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            if not await rows.remove_deleted(session, current_user.user_id, prompt_id):
                raise NotFound

    async def deleted(self, current_user: CurrentUser) -> list[DeletedPrompt]:
        """Return the user's deleted prompts that can be restored, the latest deleted first.

        Raises:
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            return [DeletedPrompt(*row) for row in await rows.deleted(session, current_user.user_id)]

    async def purge(self) -> None:
        """Delete the prompts of all users permanently whose time is over."""
        while True:
            async with self._database.begin(None) as session:
                purged = await rows.purge(session, KEPT)
            if not purged:
                return
            log.info("deleted prompts were purged", count=purged)


async def require_owned(session: rows.AsyncSession, current_user: CurrentUser, prompt_id: UUID) -> None:
    """Require that a prompt is the user's own.

    Raises:
        NotFound: when it does not exist, is deleted, or is another user's.
    """
    if await rows.owned(session, current_user.user_id, prompt_id) is None:
        raise NotFound


SHARED_PROMPTS = Shareable(
    ResourceKind.PROMPT, Scope.CHAT, require_owned, "prompt_shared", "prompt_unshared", Permission.COLLECTIONS_CREATE
)


async def _readable(session: rows.AsyncSession, current_user: CurrentUser, prompt_id: UUID) -> tuple[PromptRow, bool]:
    """Return a prompt that the user may read, and whether they may change it."""
    require_scope(current_user, Scope.READ)
    row = await rows.get(session, prompt_id)
    grants = await role_rows.grants_on(session, ResourceKind.PROMPT, [str(prompt_id)])
    if row is None or not _may(current_user, Action.READ, row, grants):
        raise NotFound
    return row, _may(current_user, Action.WRITE, row, grants)


async def _writable(session: rows.AsyncSession, current_user: CurrentUser, prompt_id: UUID) -> PromptRow:
    """Return a prompt that the user may change."""
    require_scope(current_user, Scope.CHAT)
    row, may_write = await _readable(session, current_user, prompt_id)
    if not may_write:
        raise NotAllowed("You may use this prompt, but not change it. Duplicate it, and change the copy.")
    return row


def _may(current_user: CurrentUser, action: Action, row: PromptRow, grants: list[Grant]) -> bool:
    return is_allowed(current_user, action, Resource(ResourceKind.PROMPT, str(row.id), row.owner_id), grants)


async def _require_room(session: rows.AsyncSession, current_user: CurrentUser) -> None:
    await rows.lock_library(session, current_user.user_id)
    if await rows.count(session, current_user.user_id) >= MOST_PROMPTS:
        raise InvalidInput(_FULL)


async def _require_space(session: rows.AsyncSession, owner_id: UUID) -> None:
    if await rows.stored_bytes(session, owner_id) >= MOST_BYTES:
        raise InvalidInput(_NO_SPACE)


async def _require_free(
    session: rows.AsyncSession, owner_id: UUID, command: str, other_than: UUID | None = None
) -> None:
    """Require that a user has no other prompt with this command, and keep it so until the transaction ends."""
    await rows.lock_library(session, owner_id)
    if command in await rows.commands(session, owner_id, other_than):
        raise InvalidInput(
            f"You already have a prompt with the command “/{command}”. Choose another one.", field="command"
        )


async def _free_command(session: rows.AsyncSession, owner_id: UUID, wanted: str) -> str:
    taken = await rows.commands(session, owner_id)
    return next(
        command
        for command in (wanted, *(numbered(wanted, number) for number in range(2, MOST_PROMPTS + 3)))
        if command not in taken
    )
