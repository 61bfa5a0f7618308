"""Use cases for public links: a snapshot of a conversation for everyone who has the link."""

from __future__ import annotations

import asyncio
import secrets
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy.ext.asyncio import AsyncSession

from rxchat.db.chat import conversations as conversation_rows
from rxchat.db.chat import messages as message_rows
from rxchat.db.chat import public_links as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.errors import InvalidInput, LinkPasswordRequired, NotAllowed, NotFound
from rxchat.domain.messages import MessageState, ThreadMessage
from rxchat.domain.permissions import Scope
from rxchat.domain.public_links import (
    PASSWORD_MAXIMUM,
    SNAPSHOT_MESSAGES,
    PublicConversation,
    PublicLink,
    PublicLinkOptions,
    redacted,
    snapshot,
    valid_redactions,
)
from rxchat.services.accounts.passwords import Passwords
from rxchat.services.accounts.rate_limits import Attempt, RateLimits
from rxchat.services.platform.audit import record
from rxchat.services.platform.encryption import SecretBox
from rxchat.tables import PublicLinkRow

LINKS = 100
"""The maximum number of a user's links."""
_TOKEN_BYTES = 16
_TOKEN_CHARACTERS = 64
_PURPOSE = "public link"
_OFF = "Public links are switched off on this RxChat."
_GONE = "This link does not exist, or it has expired or been revoked. Ask for a new one."


class PublicLinks:
    """Use cases for public links. A token has 128 random bits; only its keyed hash is stored."""

    def __init__(
        self,
        database: Database,
        secret_box: SecretBox,
        passwords: Passwords,
        rate_limits: RateLimits,
        *,
        is_enabled: bool = True,
    ) -> None:
        self._database = database
        self._secret_box = secret_box
        self._passwords = passwords
        self._rate_limits = rate_limits
        self._is_enabled = is_enabled

    async def create(
        self, current_user: CurrentUser, conversation_id: UUID, options: PublicLinkOptions, client_info: ClientInfo
    ) -> tuple[PublicLink, str]:
        """Create a link to the branch of a conversation that is shown now; return it with its token, which is not stored.

        Raises:
            InvalidInput: when an option is out of its limits, or there is nothing to show, or too much.
            NotFound: when the user has no such conversation.
            NotAllowed: when links are switched off, or the key lacks the scope.
            TooManyAttempts: after too many.
        """
        require_scope(current_user, Scope.CHAT)
        if not self._is_enabled:
            raise NotAllowed(_OFF)
        options.check()
        hidden = valid_redactions(options.redactions)
        await self._rate_limits.attempt_to_share(current_user.user_id, client_info)
        password_hash = await self._passwords.hash(options.password) if options.password else None
        token, now = secrets.token_urlsafe(_TOKEN_BYTES), datetime.now(UTC)
        owner_id, days = current_user.user_id, options.days
        async with self._database.begin(owner_id) as session:
            title, found = await _shown(session, owner_id, conversation_id)
        # A long conversation takes a while.
        title, messages = redacted(title, hidden), await asyncio.to_thread(snapshot, found, hidden)
        async with self._database.begin(owner_id) as session:
            await rows.remove_expired(session, owner_id)
            if len(await rows.of_owner(session, owner_id)) >= LINKS:
                raise InvalidInput(f"You already have {LINKS} links. Revoke one that you do not need.")
            row = PublicLinkRow(
                owner_id=owner_id,
                conversation_id=conversation_id,
                hash=self._digest(token),
                title=title,
                messages=messages,
                password_hash=password_hash,
                created_at=now,
                expires_at=None if days is None else now + timedelta(days=days),
            )
            await rows.add(session, row)
            await record(
                session, owner_id, "public_link_created", client_info,
                link=str(row.id), conversation=str(conversation_id), has_password=password_hash is not None,
            )  # fmt: skip
        return PublicLink(row.id, conversation_id, title, now, row.expires_at, password_hash is not None), token

    async def of_conversation(self, current_user: CurrentUser, conversation_id: UUID) -> list[PublicLink]:
        """Return the user's links to a conversation, newest first; none for another user's."""
        require_scope(current_user, Scope.READ)
        async with self._database.begin(current_user.user_id) as session:
            return await rows.of_owner(session, current_user.user_id, conversation_id)

    async def revoke(self, current_user: CurrentUser, link_id: UUID, client_info: ClientInfo) -> None:
        """Delete one of the user's links with its snapshot; it shows nothing from then on.

        Raises:
            NotFound: when the user has no such link.
        """
        require_scope(current_user, Scope.CHAT)
        async with self._database.begin(current_user.user_id) as session:
            if not await rows.remove(session, current_user.user_id, link_id):
                raise NotFound("This link no longer exists.")
            await record(session, current_user.user_id, "public_link_revoked", client_info, link=str(link_id))

    async def open(self, token: str, password: str, client_info: ClientInfo) -> PublicConversation:
        """Return what a link shows, for everyone who has it.

        Raises:
            NotFound: when there is no such link, or it is not valid any more.
            LinkPasswordRequired: when its password is missing or wrong.
            TooManyAttempts: after too many wrong links or passwords.
        """
        digest = self._digest(token[:_TOKEN_CHARACTERS])
        attempt = await self._rate_limits.attempt("public_link", client_info, digest.hex())
        async with self._database.begin(None) as session:
            found = await rows.find(session, digest) if self._is_enabled else None
        if found is None:
            raise NotFound(_GONE)
        if found.password_hash is not None and not password:
            # Not a guess: visitors do not know before that there is a password. The guesses before it still count.
            await self._rate_limits.reset(Attempt((), (*attempt.own, *attempt.shared)))
            raise LinkPasswordRequired
        if found.password_hash is not None and not await self._passwords.matches(
            password[:PASSWORD_MAXIMUM], found.password_hash
        ):
            raise LinkPasswordRequired("This is not the password of this link.")
        await self._rate_limits.reset(attempt)
        return PublicConversation(found.title, found.messages, found.created_at, found.expires_at)

    def _digest(self, token: str) -> bytes:
        return self._secret_box.digest(_PURPOSE, token)


async def _shown(session: AsyncSession, owner_id: UUID, conversation_id: UUID) -> tuple[str, list[ThreadMessage]]:
    """Return the title and the finished messages of a conversation."""
    conversation = await conversation_rows.get_owned(session, owner_id, conversation_id)
    if conversation is None:
        raise NotFound
    messages = await message_rows.latest_messages(
        session, owner_id, conversation_id, conversation.leaf_id, limit=SNAPSHOT_MESSAGES + 1
    )
    finished = [message for message in messages if message.state is not MessageState.RUNNING]
    if not finished:
        raise InvalidInput("This conversation has nothing to show yet.")
    return conversation.title, finished
