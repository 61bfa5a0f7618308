"""A person's own data: what they are called, all of it to take along, and an account that goes away for good."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from rxchat.db.access import audit_log
from rxchat.db.accounts import accounts as rows
from rxchat.db.accounts import credentials
from rxchat.db.accounts import sessions as session_rows
from rxchat.db.chat import conversations as conversation_rows
from rxchat.db.chat import queue as queue_rows
from rxchat.db.documents import documents as document_rows
from rxchat.db.documents import trash as trash_rows
from rxchat.db.documents.trash import DeletedCopy
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import Caller, Viewer, valid_name
from rxchat.domain.errors import Conflict, LastAdministrator, NotAllowed, NotFound, NotSignedIn, StorageError
from rxchat.domain.files import Document
from rxchat.domain.ids import new_id
from rxchat.domain.versions import VersionState
from rxchat.observability import correlation_id
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.accounts.sign_in import SignIn
from rxchat.services.app.export_leases import ExportLeases
from rxchat.services.documents.files import Files
from rxchat.services.platform.change_feeds import AccessInvalidator
from rxchat.services.platform.session_tokens import Purpose, SessionTokens, id_in

_MOST_READINGS = 50
_GRACE = timedelta(days=7)
_TICKET = timedelta(minutes=1)
_OLD_TICKET = "This download was begun elsewhere or too long ago. Begin it again on your account page."
_README = (
    "Everything that RxChat keeps about you.\n\n"
    "account.json        who you are, how you sign in, where you are signed in, your keys (never their words)\n"
    "audit.json          what the audit says that you did\n"
    "conversations/      each conversation as JSON with its messages, and as text to read\n"
    "collections.json    your collections of documents\n"
    "documents.json      what you have uploaded: its name, its file below, and `deleted_at` if it is in the trash,\n"
    "                    where documents are kept for 30 days after they were deleted\n"
    "documents/          the files themselves, by their ids\n"
)


@dataclass(frozen=True, slots=True)
class Profile:
    """What a person sees of their own account."""

    name: str
    email: str
    role: str
    created_at: datetime
    has_password: bool
    deletion_at: datetime | None
    is_deleted_by_others: bool = False
    """Whether an administrator has asked for the deletion, and not the person."""


@dataclass(frozen=True, slots=True)
class Reading:
    """An administrator has listed or read conversations of a person, for a reason."""

    at: datetime
    reader: str
    reason: str
    conversation_id: str
    """Empty when they were only listed."""
    title: str
    is_new: bool
    """Whether the person has not been told of it."""


class _Growing(io.RawIOBase):
    """What a zip file is written to while it is sent: it holds only what was not taken yet."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        """It is for nothing else."""
        return True

    def write(self, data: Any) -> int:
        """Hold some bytes."""
        self._held += data
        return len(data)

    def take(self) -> bytes:
        """Return what was written since the last time."""
        taken = bytes(self._held)
        self._held.clear()
        return taken


class MyData:
    """The use cases around one's own account."""

    def __init__(
        self,
        database: Database,
        tokens: SessionTokens,
        limits: RateLimits,
        access: AccessInvalidator,
        authentication: SignIn,
        files: Files,
        *,
        grace: timedelta = _GRACE,
    ) -> None:
        """Know where truth lives, and how long an account waits before it is gone."""
        self._files = files
        self._database = database
        self._tokens = tokens
        self._limits = limits
        self._leases = ExportLeases(database)
        self._access = access
        self._authentication = authentication
        self.grace = grace

    async def profile(self, viewer: Viewer) -> Profile:
        """Return the person's own account."""
        async with self._database.begin(viewer.user_id) as session:
            user = await rows.own(session, viewer.user_id)
        if user is None:
            raise NotSignedIn
        return Profile(
            user.name, user.email, user.role, user.created_at, user.password_hash is not None, user.deletion_at,
            user.deletion_by is not None,
        )  # fmt: skip

    async def readings(self, viewer: Viewer) -> list[Reading]:
        """Return what administrators have read of the person's conversations, and why; the newest first."""
        async with self._database.begin(viewer.user_id) as session:
            user = await rows.own(session, viewer.user_id)
            found = await rows.readings_of_mine(session, _MOST_READINGS)
            titles = await conversation_rows.titles(session, viewer.user_id, [row.conversation for row in found])
        seen = user.readings_seen_at if user else None
        return [
            Reading(
                row.at, row.reader, row.reason, row.conversation, titles.get(row.conversation, ""),
                is_new=seen is None or row.at > seen,
            )
            for row in found
        ]  # fmt: skip

    async def see_readings(self, viewer: Viewer) -> None:
        """Note that the person has been told of all of these."""
        async with self._database.begin(viewer.user_id) as session:
            await rows.see_readings(session, viewer.user_id)

    async def rename(self, viewer: Viewer, name: str) -> str:
        """Change what the person is called, and return it as it was stored.

        Raises:
            InvalidInput: when the name is blank or too long.
        """
        name = valid_name(name)
        async with self._database.begin(viewer.user_id) as session:
            await rows.set_name(session, viewer.user_id, name)
        self._access.changed(viewer.user_id)
        return name

    async def delete_account(self, viewer: Viewer, password: str, caller: Caller) -> datetime:
        """Have the account deleted after the grace time, and return when that is; until then it can be kept.

        Raises:
            NotAllowed: when the password is wrong.
            LastAdministrator: when nobody would administer any more.
        """
        await self._authentication.reauthenticate(viewer, password, caller)
        await self._require_own_decision(viewer)
        at = datetime.now(UTC) + self.grace
        async with self._database.begin(viewer.user_id) as session:
            await rows.lock_administrators(session)
            await rows.require_reauthenticated(session, viewer)
            if viewer.role == "admin" and await rows.is_last_administrator(session, viewer.user_id):
                raise LastAdministrator
            await rows.set_deletion(session, viewer.user_id, at)
            await session_rows.end(session, viewer.user_id, but=viewer.session_id, reason="account to be deleted")
            await session_rows.revoke_keys(session, viewer.user_id)
            await audit_log.append(session, viewer.user_id, "deletion_requested", caller.address, correlation_id())
        self._access.changed(viewer.user_id)
        return at

    async def _require_own_decision(self, viewer: Viewer) -> None:
        async with self._database.begin(viewer.user_id) as session:
            user = await rows.own(session, viewer.user_id)
        if user is not None and user.deletion_by is not None:
            raise Conflict("An administrator has scheduled the deletion of this account: ask them to keep it.")

    async def keep_account(self, viewer: Viewer, caller: Caller) -> None:
        """Take the wish to be deleted back.

        Raises:
            Conflict: when it was an administrator's wish.
        """
        await self._require_own_decision(viewer)
        async with self._database.begin(viewer.user_id) as session:
            await rows.set_deletion(session, viewer.user_id, None)
            await audit_log.append(session, viewer.user_id, "deletion_withdrawn", caller.address, correlation_id())

    async def begin_export(self, viewer: Viewer, password: str, caller: Caller) -> str:
        """Return a ticket that this very sign-in can take everything along with, once and within a minute.

        Raises:
            NotAllowed: when the password is wrong.
            TooManyAttempts: when it was done too often.
        """
        await self._authentication.reauthenticate(viewer, password, caller)
        await self._limits.attempt("export", caller, str(viewer.user_id), counts_alone=True)
        facts = {
            "uid": str(viewer.user_id),
            "sid": str(viewer.session_id),
            "password": viewer.password_version,
            "jti": str(new_id()),
        }
        return self._tokens.seal(Purpose.EXPORT, facts, _TICKET)

    async def export(self, viewer: Viewer, ticket: str, caller: Caller) -> AsyncGenerator[bytes]:
        """Return everything about the user as the pieces of a zip file, which is nowhere but on its way.

        Raises:
            NotAllowed: when the ticket is another sign-in's, used or too old.
            Conflict: when the user's data is on its way already.
        """
        try:
            facts = self._tokens.open(Purpose.EXPORT, ticket)
        except NotSignedIn as error:
            raise NotAllowed(_OLD_TICKET) from error
        given = (facts.get("uid"), facts.get("sid"), facts.get("password"))
        if given != (str(viewer.user_id), str(viewer.session_id), viewer.password_version):
            raise NotAllowed(_OLD_TICKET)
        async with self._database.begin(viewer.user_id) as session:
            await rows.require_reauthenticated(session, viewer)
            export_id = await self._leases.take(session, viewer.user_id)
            if not await session_rows.spend_token(session, id_in(facts, "jti"), datetime.now(UTC) + _TICKET):
                raise NotAllowed(_OLD_TICKET)
            await audit_log.append(session, viewer.user_id, "data_exported", caller.address, correlation_id())
        pieces = self._pieces(viewer, export_id)
        # Begun here: one that is never asked for its first piece never comes to its end either.
        first = await anext(pieces)
        return _joined(first, pieces)

    async def _pieces(self, viewer: Viewer, export_id: UUID) -> AsyncGenerator[bytes]:
        async with self._leases.held(viewer.user_id, export_id):
            growing = _Growing()
            with zipfile.ZipFile(growing, "w", zipfile.ZIP_DEFLATED) as archive:  # pyright: ignore[reportArgumentType]
                archive.writestr("README.txt", _README)
                archive.writestr("account.json", _json(await self._account(viewer)))
                archive.writestr("audit.json", _json(await self._audit(viewer)))
                yield growing.take()
                async with self._database.begin(viewer.user_id) as session:
                    ids = await conversation_rows.ids_owned(session, viewer.user_id)
                for conversation_id in ids:
                    await self._add_conversation(archive, viewer, conversation_id)
                    yield growing.take()
                async for _ in self._documents(archive, viewer):
                    yield growing.take()
            yield growing.take()

    async def _documents(self, archive: zipfile.ZipFile, viewer: Viewer) -> AsyncGenerator[None]:
        """Add the user's files, and yield after each piece, so that it can be sent."""
        async with self._database.begin(viewer.user_id, snapshot=True) as session:
            collections = await document_rows.collections(session, viewer.user_id)
            found: list[Document | DeletedCopy] = [*await document_rows.all_owned(session, viewer.user_id)]
            found += await trash_rows.copies(session)
        own = [item for item in collections if item.owner_id == viewer.user_id]
        facts = [{"id": item.id, "name": item.name, "description": item.description} for item in own]
        archive.writestr("collections.json", _json(facts))
        told = []
        for item in found:
            line = _document_line(item)
            try:
                content = await self._files.whole(viewer.user_id, item, with_trash=True)
                with archive.open(str(line["file"]), "w", force_zip64=True) as out:
                    async for piece in content:
                        await asyncio.to_thread(out.write, piece)
                        yield
            except NotFound:
                line["missing"] = "It was deleted while this was being written."
            except StorageError as error:
                # The rest is worth having, and what is missing is said.
                line["missing"] = error.message
            told.append(line)
        archive.writestr("documents.json", _json(told))
        yield

    async def _account(self, viewer: Viewer) -> dict[str, Any]:
        async with self._database.begin(viewer.user_id) as session:
            user = await rows.own(session, viewer.user_id)
            if user is None:
                raise NotSignedIn
            sessions = await session_rows.active(session, viewer.user_id, timedelta(days=3650))
            keys = await credentials.keys(session, viewer.user_id)
            passkeys = await credentials.passkeys(session, viewer.user_id)
            identities = await rows.identities(session, viewer.user_id)
            totp = await credentials.totp(session, viewer.user_id)
        return {
            "id": user.id,
            "name": user.name,
            "email": user.email,
            "role": user.role,
            "created_at": user.created_at,
            "email_confirmed_at": user.email_confirmed_at,
            "password_changed_at": user.password_changed_at,
            "has_authenticator_app": totp is not None and totp.confirmed_at is not None,
            "passkeys": [{"name": item.name, "created_at": item.created_at} for item in passkeys],
            "signs_in_with": [{"provider": item.provider, "email": item.email} for item in identities],
            "sessions": [
                {
                    "kind": item.kind,
                    "browser": item.user_agent,
                    "address": item.address,
                    "created_at": item.created_at,
                    "last_seen_at": item.last_seen_at,
                }
                for item in sessions
            ],
            "keys": [
                {"name": item.name, "prefix": item.prefix, "scopes": item.scopes, "created_at": item.created_at}
                for item in keys
            ],
        }

    async def _audit(self, viewer: Viewer) -> list[dict[str, Any]]:
        async with self._database.begin(viewer.user_id) as session:
            found = await audit_log.of_person(session, viewer.user_id)
        return [{"at": row.at, "action": row.action, "address": row.address, "data": row.data} for row in found]

    async def _add_conversation(self, archive: zipfile.ZipFile, viewer: Viewer, conversation_id: UUID) -> None:
        async with self._database.begin(viewer.user_id) as session:
            row = await conversation_rows.get_whatever_owned(session, viewer.user_id, conversation_id)
            messages = await conversation_rows.latest_messages(
                session, viewer.user_id, conversation_id, limit=1_000_000
            )
            waiting = await queue_rows.for_conversation(session, viewer.user_id, conversation_id)
        if row is None:
            return
        told = {
            "id": row.id,
            "title": row.title,
            "created_at": row.created_at,
            "removed_at": row.removed_at,
            "messages": [
                {"role": item.role, "model": item.model, "at": item.created_at, "text": item.text,
                 "reasoning": item.reasoning}
                for item in messages
            ],
            "waiting": [{"model": item.model, "text": item.text} for item in waiting],
        }  # fmt: skip
        words = "\n\n".join(f"{item.role} ({item.created_at:%Y-%m-%d %H:%M})\n\n{item.text}" for item in messages)
        # The name is the id alone: a title may hold anything.
        name = Path("conversations") / str(row.id)
        # Packing takes processor time that answers want.
        await asyncio.to_thread(archive.writestr, f"{name}.json", _json(told))
        await asyncio.to_thread(archive.writestr, f"{name}.txt", f"{row.title}\n\n{words}\n")


async def _joined(first: bytes, others: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(others):
        yield first
        async for piece in others:
            yield piece


def _document_line(item: Document | DeletedCopy) -> dict[str, Any]:
    """Return what documents.json says of a document."""
    # The id alone, as with conversations; a suffix that is letters and digits says with what it is opened.
    suffix = item.name.rpartition(".")[2]
    file = f"documents/{item.id}" + (f".{suffix}" if suffix.isalnum() and len(suffix) <= 8 else "")
    line = {"name": item.name, "file": file, "uploaded_at": item.created_at, "bytes": item.size_bytes}
    line |= {"collection": item.collection_id, "version": item.version}
    line["is_current"] = item.version_state == VersionState.CURRENT.value
    if isinstance(item, DeletedCopy):
        line["deleted_at"] = item.deleted_at
    return line


def _json(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False, indent=1)
