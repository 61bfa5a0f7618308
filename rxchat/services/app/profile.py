"""A user's profile: their name, and access to their conversations by administrators."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rxchat.db.accounts import accounts as rows
from rxchat.db.chat import conversations as conversation_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser, valid_name
from rxchat.domain.errors import NotSignedIn
from rxchat.services.platform.access_invalidator import AccessInvalidator

_MOST_READINGS = 50


@dataclass(frozen=True, slots=True)
class Profile:
    """A user's own account, as its page shows it."""

    name: str
    email: str
    role: str
    created_at: datetime
    has_password: bool
    deletion_at: datetime | None
    is_deleted_by_others: bool = False
    """Whether an administrator scheduled the deletion, not the user."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An administrator's access to a user's conversations, with the reason."""

    at: datetime
    reader: str
    reason: str
    conversation_id: str
    """"" if the conversations were only listed."""
    title: str
    is_new: bool
    """Whether the user has not seen it yet."""


class Profiles:
    """Use cases for the user's own profile."""

    def __init__(self, database: Database, access_invalidator: AccessInvalidator) -> None:
        self._database = database
        self._access_invalidator = access_invalidator

    async def get(self, current_user: CurrentUser) -> Profile:
        """Return the user's own account."""
        async with self._database.begin(current_user.user_id) as session:
            user = await rows.get_own(session, current_user.user_id)
        if user is None:
            raise NotSignedIn
        return Profile(
            user.name, user.email, user.role, user.created_at, user.password_hash is not None, user.deletion_at,
            user.deletion_by is not None,
        )  # fmt: skip

    async def readings(self, current_user: CurrentUser) -> list[Reading]:
        """Return administrators' access to the user's conversations, newest first."""
        async with self._database.begin(current_user.user_id) as session:
            user = await rows.get_own(session, current_user.user_id)
            found = await rows.admin_reads(session, _MOST_READINGS)
            titles = await conversation_rows.titles(session, current_user.user_id, [row.conversation for row in found])
        seen = user.admin_reads_seen_at if user else None
        return [
            Reading(
                row.at, row.reader, row.reason, row.conversation, titles.get(row.conversation, ""),
                is_new=seen is None or row.at > seen,
            )
            for row in found
        ]  # fmt: skip

    async def mark_readings_seen(self, current_user: CurrentUser) -> None:
        """Note that the user has seen all of it."""
        async with self._database.begin(current_user.user_id) as session:
            await rows.mark_admin_reads_seen(session, current_user.user_id)

    async def rename(self, current_user: CurrentUser, name: str) -> str:
        """Change the user's name, and return it as stored.

        Raises:
            InvalidInput: when the name is blank or too long.
        """
        name = valid_name(name)
        async with self._database.begin(current_user.user_id) as session:
            await rows.set_name(session, current_user.user_id, name)
        self._access_invalidator.changed(current_user.user_id)
        return name
