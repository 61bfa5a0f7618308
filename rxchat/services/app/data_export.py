"""The export of all data of a user."""

from __future__ import annotations

import asyncio
import io
import json
import zipfile
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from rxchat.db.access import audit_log
from rxchat.db.accounts import accounts as rows
from rxchat.db.accounts import credentials
from rxchat.db.accounts import preferences as preference_rows
from rxchat.db.accounts import sessions as session_rows
from rxchat.db.chat import assistants as assistant_rows
from rxchat.db.chat import conversations as conversation_rows
from rxchat.db.chat import drafts as draft_rows
from rxchat.db.chat import imports as import_rows
from rxchat.db.chat import projects as project_rows
from rxchat.db.chat import prompts as prompt_rows
from rxchat.db.chat import public_links as link_rows
from rxchat.db.chat import queued_messages as queue_rows
from rxchat.db.chat import tags as tag_rows
from rxchat.db.documents import documents as document_rows
from rxchat.db.documents import trash as trash_rows
from rxchat.db.documents.trash import DeletedCopy
from rxchat.db.models import quotas as quota_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import NotAllowed, NotFound, NotSignedIn, StorageError
from rxchat.domain.exports.conversation import ExportedConversation
from rxchat.domain.files import Document
from rxchat.domain.ids import new_id
from rxchat.domain.versions import VersionState
from rxchat.services.accounts.rate_limits import RateLimits
from rxchat.services.accounts.sign_in import SignIn
from rxchat.services.app.export_leases import ExportLeases
from rxchat.services.chat.conversation_export import ConversationExport, next_piece
from rxchat.services.documents.files import Files
from rxchat.services.platform.audit import record
from rxchat.services.platform.session_tokens import Purpose, SessionTokens, id_in

_TICKET = timedelta(minutes=1)
_OLD_TICKET = "This download has expired or was started in another browser. Start it again on your account page."
_README = (
    "Everything that RxChat keeps about you.\n\n"
    "account.json        who you are, how you sign in, where you are signed in, your keys (never their words)\n"
    "audit.json          what the audit says that you did\n"
    "imports.json        your last imports, and what was skipped\n"
    "prompts.json        your prompts with all their versions\n"
    "assistants.json     your assistants with all their versions\n"
    "drafts.json         what you have typed and not sent, with the ids of the conversations\n"
    "projects.json       your projects with their instructions, and the ids of the conversations in them\n"
    "tags.json           your tags, and the ids of the conversations that have them\n"
    "usage.json          how much you have asked of each model on each day\n"
    "conversations/      each conversation as JSON, which RxChat can import (the whole file too), and as text to read;\n"
    "                    messages that wait to be sent are in files of their own\n"
    "collections.json    your collections of documents\n"
    "documents.json      what you have uploaded: its name, its file below, and `deleted_at` if it is in the trash,\n"
    "                    where documents are kept for 30 days after they were deleted\n"
    "documents/          the files themselves, by their ids\n"
)


class _Growing(io.RawIOBase):
    """The buffer of a zip file while it is sent: it holds only bytes that were not taken yet."""

    def __init__(self) -> None:
        self._held = bytearray()

    def writable(self) -> bool:
        """Always True."""
        return True

    def write(self, data: Any) -> int:
        """Append bytes."""
        self._held += data
        return len(data)

    def take(self) -> bytes:
        """Return and remove the bytes in the buffer."""
        taken = bytes(self._held)
        self._held.clear()
        return taken


class DataExport:
    """Sends all data of a user as a zip file."""

    def __init__(
        self,
        database: Database,
        tokens: SessionTokens,
        rate_limits: RateLimits,
        sign_in: SignIn,
        files: Files,
        conversation_export: ConversationExport,
    ) -> None:
        self._database = database
        self._tokens = tokens
        self._rate_limits = rate_limits
        self._sign_in = sign_in
        self._files = files
        self._conversation_export = conversation_export
        self._leases = ExportLeases(database)

    async def issue_ticket(self, current_user: CurrentUser, password: str, client_info: ClientInfo) -> str:
        """Return a ticket with which this session can download the data, once and within a minute.

        Raises:
            NotAllowed: when the password is wrong.
            TooManyAttempts: after too many attempts.
        """
        await self._sign_in.reauthenticate(current_user, password, client_info)
        await self._rate_limits.attempt("export", client_info, str(current_user.user_id), counts_alone=True)
        facts = {
            "uid": str(current_user.user_id),
            "sid": str(current_user.session_id),
            "password": current_user.password_version,
            "jti": str(new_id()),
        }
        return self._tokens.seal(Purpose.EXPORT, facts, _TICKET)

    async def download(self, current_user: CurrentUser, ticket: str, client_info: ClientInfo) -> AsyncGenerator[bytes]:
        """Return the data as the pieces of a zip file, which is never stored.

        Raises:
            NotAllowed: when the ticket is of another session, used or expired.
            Conflict: when another download of the user's data is running.
        """
        try:
            facts = self._tokens.open(Purpose.EXPORT, ticket)
        except NotSignedIn as error:
            raise NotAllowed(_OLD_TICKET) from error
        given = (facts.get("uid"), facts.get("sid"), facts.get("password"))
        if given != (str(current_user.user_id), str(current_user.session_id), current_user.password_version):
            raise NotAllowed(_OLD_TICKET)
        async with self._database.begin(current_user.user_id) as session:
            await rows.require_reauthenticated(session, current_user)
            export_id = await self._leases.take(session, current_user.user_id)
            if not await session_rows.consume_token(session, id_in(facts, "jti"), datetime.now(UTC) + _TICKET):
                raise NotAllowed(_OLD_TICKET)
            await record(session, current_user.user_id, "data_exported", client_info)
        pieces = self._pieces(current_user, export_id)
        # Start here: a generator that is never iterated would never release the lease.
        first = await anext(pieces)
        return _joined(first, pieces)

    async def _pieces(self, current_user: CurrentUser, export_id: UUID) -> AsyncGenerator[bytes]:
        async with self._leases.held(current_user.user_id, export_id):
            growing = _Growing()
            with zipfile.ZipFile(growing, "w", zipfile.ZIP_DEFLATED) as archive:  # pyright: ignore[reportArgumentType]
                archive.writestr("README.txt", _README)
                archive.writestr("account.json", _json(await self._account(current_user)))
                archive.writestr("audit.json", _json(await self._audit(current_user)))
                archive.writestr("imports.json", _json(await self._imports(current_user)))
                archive.writestr("prompts.json", _json(await self._prompts(current_user)))
                archive.writestr("assistants.json", _json(await self._assistants(current_user)))
                archive.writestr("drafts.json", _json(await self._drafts(current_user)))
                archive.writestr("tags.json", _json(await self._tags(current_user)))
                archive.writestr("projects.json", _json(await self._projects(current_user)))
                archive.writestr("usage.json", _json(await self._usage(current_user)))
                yield growing.take()
                async with self._database.begin(current_user.user_id) as session:
                    ids = await conversation_rows.ids_owned(session, current_user.user_id)
                for conversation_id in ids:
                    async with aclosing(
                        self._add_conversation(archive, growing, current_user, conversation_id)
                    ) as added:
                        async for piece in added:
                            yield piece
                async for _ in self._documents(archive, current_user):
                    yield growing.take()
            yield growing.take()

    async def _documents(self, archive: zipfile.ZipFile, current_user: CurrentUser) -> AsyncGenerator[None]:
        """Add the user's files, and yield after each part, so that it can be sent."""
        async with self._database.begin(current_user.user_id, snapshot=True) as session:
            collections = await document_rows.collections(session, current_user.user_id)
            found: list[Document | DeletedCopy] = [*await document_rows.all_owned(session, current_user.user_id)]
            found += await trash_rows.list_copies(session)
        own = [item for item in collections if item.owner_id == current_user.user_id]
        facts = [{"id": item.id, "name": item.name, "description": item.description} for item in own]
        archive.writestr("collections.json", _json(facts))
        told = []
        for item in found:
            line = _document_line(item)
            try:
                content = await self._files.whole(current_user.user_id, item, with_trash=True)
                with archive.open(str(line["file"]), "w", force_zip64=True) as out:
                    async for piece in content:
                        await asyncio.to_thread(out.write, piece)
                        yield
            except NotFound:
                line["missing"] = "It was deleted while this was being written."
            except StorageError as error:
                # The rest of the data is useful, and the export lists what is missing.
                line["missing"] = error.message
            told.append(line)
        archive.writestr("documents.json", _json(told))
        yield

    async def _account(self, current_user: CurrentUser) -> dict[str, Any]:
        async with self._database.begin(current_user.user_id) as session:
            user = await rows.get_own(session, current_user.user_id)
            if user is None:
                raise NotSignedIn
            sessions = await session_rows.active(session, current_user.user_id, timedelta(days=3650))
            keys = await credentials.keys(session, current_user.user_id)
            passkeys = await credentials.passkeys(session, current_user.user_id)
            identities = await rows.identities(session, current_user.user_id)
            totp = await credentials.totp(session, current_user.user_id)
            preferences = await preference_rows.get(session, current_user.user_id)
            links = await link_rows.of_owner(session, current_user.user_id)
        return {
            "id": user.id,
            "name": user.name,
            "email": user.email,
            "role": user.role,
            "created_at": user.created_at,
            "email_confirmed_at": user.email_confirmed_at,
            "password_changed_at": user.password_changed_at,
            "custom_instructions": preferences.custom_instructions,
            "default_model": preferences.default_model,
            "has_authenticator_app": totp is not None and totp.confirmed_at is not None,
            "passkeys": [{"name": item.name, "created_at": item.created_at} for item in passkeys],
            "signs_in_with": [{"provider": item.provider, "email": item.email} for item in identities],
            "public_links": [
                {"conversation": item.conversation_id, "created_at": item.created_at, "expires_at": item.expires_at}
                for item in links
            ],
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

    async def _audit(self, current_user: CurrentUser) -> list[dict[str, Any]]:
        async with self._database.begin(current_user.user_id) as session:
            found = await audit_log.by_actor(session, current_user.user_id)
        return [{"at": row.at, "action": row.action, "address": row.address, "data": row.data} for row in found]

    async def _prompts(self, current_user: CurrentUser) -> list[dict[str, Any]]:
        async with self._database.begin(current_user.user_id) as session:
            found = await prompt_rows.all_owned(session, current_user.user_id)
            return [
                {
                    "id": row.id,
                    "deleted_at": row.deleted_at,
                    "versions": [asdict(item) for item in await prompt_rows.versions(session, row)],
                }
                for row in found
            ]

    async def _assistants(self, current_user: CurrentUser) -> list[dict[str, Any]]:
        async with self._database.begin(current_user.user_id) as session:
            found = await assistant_rows.all_owned(session, current_user.user_id)
            return [
                {
                    "id": row.id,
                    "deleted_at": row.deleted_at,
                    "versions": [asdict(item) for item in await assistant_rows.versions(session, row)],
                }
                for row in found
            ]

    async def _usage(self, current_user: CurrentUser) -> list[dict[str, Any]]:
        async with self._database.begin(current_user.user_id) as session:
            found = await quota_rows.own_usage(session, current_user.user_id)
        return [item.model_dump(mode="json", exclude={"user_id"}) for item in found]

    async def _tags(self, current_user: CurrentUser) -> list[dict[str, Any]]:
        async with self._database.begin(current_user.user_id, snapshot=True) as session:
            tags = await tag_rows.of_user(session, current_user.user_id)
            pairs = await tag_rows.of_conversations(session, current_user.user_id)
        return [
            {
                "name": tag.name,
                "color": tag.color,
                "conversations": [conversation_id for conversation_id, tag_id in pairs if tag_id == tag.id],
            }
            for tag in tags
        ]

    async def _drafts(self, current_user: CurrentUser) -> list[dict[str, Any]]:
        async with self._database.begin(current_user.user_id) as session:
            found = await draft_rows.of_user(session, current_user.user_id)
        return [{"conversation": found_id, "text": text, "saved_at": at} for found_id, text, at in found]

    async def _projects(self, current_user: CurrentUser) -> list[dict[str, Any]]:
        async with self._database.begin(current_user.user_id, snapshot=True) as session:
            return [
                {
                    "id": item.id,
                    **asdict(item.content),
                    "conversations": await project_rows.conversations_in(session, current_user.user_id, [item.id]),
                }
                for item in await project_rows.of_user(session, current_user.user_id)
            ]

    async def _imports(self, current_user: CurrentUser) -> list[dict[str, Any]]:
        async with self._database.begin(current_user.user_id) as session:
            return [asdict(report) for report in await import_rows.latest(session, current_user.user_id)]

    async def _add_conversation(
        self, archive: zipfile.ZipFile, growing: _Growing, current_user: CurrentUser, conversation_id: UUID
    ) -> AsyncGenerator[bytes]:
        """Add a conversation as JSON that can be imported and as text to read, and yield what of it can be sent."""
        found = await self._conversation_export.importable(current_user, conversation_id)
        async with self._database.begin(current_user.user_id) as session:
            waiting = await queue_rows.for_conversation(session, current_user.user_id, conversation_id)
        if found is None:
            return
        conversation, pieces = found
        # The name is the id, since a title may contain anything.
        name = Path("conversations") / str(conversation.id)
        with archive.open(f"{name}.json", "w", force_zip64=True) as out:
            # Compression takes processor time that streaming answers need.
            while piece := await asyncio.to_thread(next_piece, pieces):
                await asyncio.to_thread(out.write, piece)
                yield growing.take()
        if waiting:
            told = [{"model": item.model, "text": item.text, "attachments": item.attachments} for item in waiting]
            archive.writestr(f"{name}.waiting.json", _json(told))
        await asyncio.to_thread(archive.writestr, f"{name}.txt", _as_text(conversation))
        yield growing.take()


def _as_text(conversation: ExportedConversation) -> str:
    words = [f"{item.role} ({item.created_at:%Y-%m-%d %H:%M})\n\n{item.text}" for item in conversation.messages]
    return "\n\n".join([conversation.title, *words]) + "\n"


async def _joined(first: bytes, others: AsyncGenerator[bytes]) -> AsyncGenerator[bytes]:
    async with aclosing(others):
        yield first
        async for piece in others:
            yield piece


def _document_line(item: Document | DeletedCopy) -> dict[str, Any]:
    """Return the entry of documents.json for a document."""
    # The id, as for conversations; programs open the file by its suffix, if that is alphanumeric.
    suffix = item.name.rpartition(".")[2]
    file = f"documents/{item.id}" + (f".{suffix}" if suffix.isalnum() and len(suffix) <= 8 else "")
    line = {"name": item.name, "file": file, "uploaded_at": item.created_at, "bytes": item.size_bytes}
    line |= {"collection": item.collection_id, "version": item.version}
    line["is_current"] = item.version_state == VersionState.CURRENT
    if isinstance(item, DeletedCopy):
        line["deleted_at"] = item.deleted_at
    return line


def _json(value: Any) -> str:
    return json.dumps(value, default=str, ensure_ascii=False, indent=1)
