"""The page for documents: collections, what is in them, how far it has come, and who may read it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.db.documents.documents import CollectionFacts
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import DatabaseUnavailable, NotFound, RxChatError
from rxchat.domain.files import Document, format_size
from rxchat.domain.ids import parse_id
from rxchat.domain.permissions import sees_details
from rxchat.domain.versions import VersionState
from rxchat.services.app import container
from rxchat.states.platform.auth_guard import current_path, current_user_of, requires_user, requires_user_in_background
from rxchat.states.platform.request_context import client_info_of
from rxchat.states.platform.tab_registry import tabs

_IDLE_SECONDS = 30.0
_BREATH_SECONDS = 0.25
"""Many small steps of many documents are shown together."""
_DOCUMENTS_A_SECOND = 2_000
"""How much of a long list is sent to a tab: each change of it sends all of it."""
_AWAY_SECONDS = 2.0


@dataclass
class CollectionView:
    """A collection as one line of the list."""

    id: str
    name: str
    description: str
    documents: int
    chunks: int
    is_own: bool


@dataclass
class DocumentView:
    """A document as one line of the table."""

    id: str
    name: str
    kind: str
    size: str
    state: str
    percent: int
    status_text: str
    warnings: str
    error: str
    pages: int
    chunks: int
    at: int
    """Milliseconds since 1970."""
    cited: int
    is_found: bool
    """Whether something of it can be found now, perhaps while it is read anew."""
    version: int
    is_pending: bool
    """Whether it is a newer version that is not in use (yet)."""
    parent: str
    """The name of the mail to which it is attached."""


@dataclass
class DeletedDocumentView:
    """A deleted document that can be restored."""

    id: str
    name: str
    at: int
    """When it was deleted, in milliseconds since 1970."""


@dataclass
class ShareView:
    """Somebody who may read the collection."""

    id: str
    kind: str
    name: str


@dataclass
class GroupChoice:
    """A group with which something can be shared."""

    id: str
    name: str


@dataclass(frozen=True)
class _Found:
    """What the page shows, as it was read at one moment."""

    collections: list[CollectionView]
    documents: list[DocumentView]
    shares: list[ShareView]
    deleted: list[DeletedDocumentView]


def _say(state: Any, error: RxChatError, _given: dict[str, Any]) -> bool:
    """Say what went wrong on the page itself, or in the dialog that is open: what was typed stays there."""
    state.problem = error.message
    state.answers += 1
    return True


_answering = partial(requires_user, refuse=_say)


class DocumentsState(rx.State):
    """The collections of whoever looks, and the one that is open."""

    collections: list[CollectionView] = []
    chosen: str = ""
    documents: list[DocumentView] = []
    shares: list[ShareView] = []
    deleted: list[DeletedDocumentView] = []
    """The deleted documents of the collection that is open, if it is the user's own."""
    removed: str = ""
    """The ids of the documents that were just deleted and can be restored: the notice offers it."""
    groups: list[GroupChoice] = []
    embedder: str = ""
    """Which embedding model is used, in a sentence."""
    loaded: bool = False
    done: str = ""
    """What was just done, in a sentence; the page shows it for a moment."""
    created: str = ""
    """The collection that was just created: the page opens it."""
    problem: str = ""
    """Why what was asked for last did not happen."""
    answers: int = 0
    """How many events were answered: a dialog waits for its own."""
    news: int = 0
    """How often something has happened since the page was opened: a document that is shown is looked at again."""

    @rx.event
    @_answering
    async def load(self, current_user: CurrentUser) -> Any:
        """Show the collections, and the one that the address names."""
        named = self.router_data.get("query", {}).get("collection_id", "")
        wanted = str(parse_id(named) or "")
        if wanted != self.chosen:
            self.chosen, self.documents, self.shares, self.deleted, self.loaded = wanted, [], [], [], False
        self.done = self.created = self.problem = self.removed = ""
        self._show(await _read(current_user, self.chosen))
        self.embedder = await container.get_services().retrieval.search.embedder(current_user)
        self.groups = [
            GroupChoice(*item)
            for item in await container.get_services().documents.collection_shares.groups(current_user)
        ]
        self.loaded = True
        return DocumentsState.follow

    def _show(self, found: _Found) -> None:
        """Show what was read; what is the same is not sent again."""
        for name in ("collections", "documents", "shares", "deleted"):
            if getattr(self, name) != (value := getattr(found, name)):
                setattr(self, name, value)

    async def _answer(self, current_user: CurrentUser, done: str = "", removed: str = "") -> None:
        """Show what has become of it, and say that it was done."""
        self._show(await _read(current_user, self.chosen))
        self.done, self.problem, self.removed = done, "", removed
        self.answers += 1

    @rx.event(background=True, supersedes=True)
    @requires_user_in_background
    async def follow(self, current_user: CurrentUser) -> None:
        """Keep the page up to date for as long as it is open."""
        async with self:
            chosen, token = self.chosen, self.router.session.client_token
        services = container.get_services()
        with (
            services.platform.document_feed.watching(current_user.user_id, parse_id(chosen)) as watch,
            tabs.on_disconnect(token, watch.notify),
        ):
            while tabs.is_open(token):
                is_new = await watch.wait(_IDLE_SECONDS)
                async with self:
                    if self.chosen != chosen or not _is_here(self):
                        return
                if is_new and not await self._look_again(chosen):
                    watch.notify()
                    await asyncio.sleep(_AWAY_SECONDS)
                await asyncio.sleep(_BREATH_SECONDS + len(self.documents) / _DOCUMENTS_A_SECOND)

    async def _look_again(self, chosen: str) -> bool:
        """Show what has changed; False when the database is away just now."""
        try:
            # Who looks is asked each time, too: what they may do has perhaps changed.
            async with self:
                current_user = await current_user_of(self)
            found = await _read(current_user, chosen)
        except DatabaseUnavailable:
            return False
        async with self:
            if self.chosen == chosen:
                self._show(found)
                self.news += 1
        return True

    @rx.event
    @_answering
    async def create(self, current_user: CurrentUser, name: str, description: str) -> None:
        """Create a collection; the page goes there."""
        self.created = str(await container.get_services().documents.collections.create(current_user, name, description))
        await self._answer(current_user)

    @rx.event
    @_answering
    async def rename(self, current_user: CurrentUser, collection_id: str, name: str, description: str) -> None:
        """Call a collection something else."""
        await container.get_services().documents.collections.rename(current_user, _id(collection_id), name, description)
        await self._answer(current_user, "Saved.")

    @rx.event
    @_answering
    async def remove_collection(self, current_user: CurrentUser, collection_id: str) -> None:
        """Delete a collection with everything in it."""
        name = next((item.name for item in self.collections if item.id == collection_id), "")
        await container.get_services().documents.files.remove_collection(current_user, _id(collection_id))
        await self._answer(current_user, f"“{name}” is deleted, with everything in it." if name else "Deleted.")

    @rx.event
    @_answering
    async def remove_documents(self, current_user: CurrentUser, ids: str) -> None:
        """Delete documents (their ids, with blanks between them), and offer to restore those that can be."""
        chosen = [_id(item) for item in ids.split()]
        restorable = await container.get_services().documents.files.remove(current_user, chosen)
        await self._answer(
            current_user,
            "The document is deleted." if len(chosen) == 1 else f"{len(chosen)} documents are deleted.",
            " ".join(map(str, restorable)),
        )

    @rx.event
    @_answering
    async def restore_documents(self, current_user: CurrentUser, ids: str) -> None:
        """Restore deleted documents (their ids, with blanks between them)."""
        chosen = [_id(item) for item in ids.split()]
        await container.get_services().documents.trash.restore(current_user, chosen, client_info_of(self))
        await self._answer(
            current_user, "The document is restored." if len(chosen) == 1 else f"{len(chosen)} documents are restored."
        )

    @rx.event
    @_answering
    async def delete_for_good(self, current_user: CurrentUser, document_id: str) -> None:
        """Delete a document that is in the trash."""
        await container.get_services().documents.trash.delete_for_good(current_user, _id(document_id))
        await self._answer(current_user, "The document is deleted for good.")

    @rx.event
    @_answering
    async def rename_document(self, current_user: CurrentUser, document_id: str, name: str) -> None:
        """Call a document something else."""
        await container.get_services().documents.documents.rename(current_user, _id(document_id), name)
        await self._answer(current_user, "Saved.")

    @rx.event
    @_answering
    async def read_again(self, current_user: CurrentUser, document_id: str) -> None:
        """Have a document read anew."""
        await container.get_services().documents.documents.reingest(
            current_user, _id(document_id), client_info=client_info_of(self)
        )
        await self._answer(current_user)

    @rx.event
    @_answering
    async def share(self, current_user: CurrentUser, kind: str, principal: str) -> None:
        """Let somebody read the collection that is open."""
        name = await container.get_services().documents.collection_shares.add(
            current_user, _id(self.chosen), kind, principal, client_info_of(self)
        )
        await self._answer(current_user, f"{name} can read this collection now.")

    @rx.event
    @_answering
    async def unshare(self, current_user: CurrentUser, share_id: str) -> None:
        """Take somebody's access to the collection back."""
        name = next((item.name for item in self.shares if item.id == share_id), "They")
        await container.get_services().documents.collection_shares.remove(
            current_user, _id(self.chosen), _id(share_id), client_info_of(self)
        )
        await self._answer(current_user, f"{name} cannot read this collection any more.")


async def _read(current_user: CurrentUser, chosen: str) -> _Found:
    """Return the collections, and what is in the chosen one."""
    services = container.get_services().documents
    collections = [_collection_line(item, current_user) for item in await services.collections.readable(current_user)]
    collection_id = parse_id(chosen)
    if collection_id is None:
        return _Found(collections, [], [], [])
    try:
        facts, found, cited = await services.documents.in_collection(current_user, collection_id)
        is_own = facts.owner_id == current_user.user_id
        shares = await services.collection_shares.of_collection(current_user, collection_id) if is_own else []
        deleted = await services.trash.documents(current_user, collection_id) if is_own else []
    except NotFound:
        # Deleted, or not shared any more: the page says so instead of showing what was.
        return _Found([item for item in collections if item.id != chosen], [], [], [])
    names = {item.id: item.name for item in found}
    return _Found(
        collections,
        [_document_line(item, cited.get(item.id, 0), names, detailed=sees_details(current_user)) for item in found],
        [ShareView(str(item.grant_id), item.principal_kind, item.name) for item in shares],
        [DeletedDocumentView(str(item.id), item.name, int(item.deleted_at.timestamp() * 1000)) for item in deleted],
    )


def _is_here(state: DocumentsState) -> bool:
    return current_path(state).startswith("/documents")


def _id(value: Any) -> UUID:
    identifier = parse_id(value) if isinstance(value, str) else None
    if identifier is None:
        raise NotFound
    return identifier


def _collection_line(item: CollectionFacts, current_user: CurrentUser) -> CollectionView:
    is_own = item.owner_id == current_user.user_id
    return CollectionView(str(item.id), item.name, item.description, item.documents, item.chunks, is_own)


def _document_line(item: Document, cited: int, names: Mapping[UUID, str], *, detailed: bool) -> DocumentView:
    detail = f" ({item.status_detail})" if detailed and item.status_detail else ""
    suffix = item.name.rpartition(".")[2].upper()
    return DocumentView(
        id=str(item.id),
        name=item.name,
        kind=suffix if 0 < len(suffix) <= 5 else "",
        size=format_size(item.size_bytes),
        state=item.state.value,
        percent=round(100 * item.progress),
        status_text=f"{item.status_text}{detail}" if item.status_text else "",
        warnings=item.warnings,
        error=f"{item.error}{detail}" if item.error else "",
        pages=item.pages,
        chunks=item.chunks,
        at=int(item.created_at.timestamp() * 1000),
        cited=cited,
        is_found=item.published_generation is not None,
        version=item.version,
        is_pending=item.version_state is VersionState.PENDING,
        parent=names.get(item.parent_id, "") if item.parent_id else "",
    )
