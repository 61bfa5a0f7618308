"""The pages of documents: collections, their documents with progress, and sharing."""

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
from rxchat.domain.authorization import sees_details
from rxchat.domain.errors import DatabaseUnavailable, NotFound, RxChatError
from rxchat.domain.files import Document, format_size
from rxchat.domain.ids import parse_id
from rxchat.domain.versions import VersionState
from rxchat.services.app import container
from rxchat.states.platform.auth_guard import current_path, current_user_of, requires_user, requires_user_in_background
from rxchat.states.platform.request_context import client_info_of
from rxchat.states.platform.tab_registry import tabs

_IDLE_SECONDS = 30.0
_BREATH_SECONDS = 0.25
"""Changes of many documents are collected for this long."""
_DOCUMENTS_A_SECOND = 2_000
"""The maximum length of a list: each change sends all of it."""
_AWAY_SECONDS = 2.0


@dataclass
class CollectionView:
    """A collection as an item of the list."""

    id: str
    name: str
    description: str
    documents: int
    chunks: int
    is_own: bool


@dataclass
class DocumentView:
    """A document as a row of the table."""

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
    """Whether searches find it, possibly in an earlier ingestion."""
    version: int
    is_pending: bool
    """Whether it is a newer version that is not in use yet."""
    parent: str
    """The name of the e-mail to which it is attached."""


@dataclass
class DeletedDocumentView:
    """A deleted document that can be restored."""

    id: str
    name: str
    at: int
    """When it was deleted, in milliseconds since 1970."""


@dataclass
class ShareView:
    """A share of the collection."""

    id: str
    kind: str
    name: str


@dataclass
class GroupChoice:
    """A group that the user can share with."""

    id: str
    name: str


@dataclass(frozen=True)
class _Found:
    """The values of the page, read in one transaction."""

    collections: list[CollectionView]
    documents: list[DocumentView]
    shares: list[ShareView]
    deleted: list[DeletedDocumentView]


def _say(state: Any, error: RxChatError, _given: dict[str, Any]) -> bool:
    """Show an error on the page or in the open dialog, where the entered text stays."""
    state.problem = error.message
    state.answers += 1
    return True


_answering = partial(requires_user, refuse=_say)


class DocumentsState(rx.State):
    """The user's collections, and the open one."""

    collections: list[CollectionView] = []
    selected_id: str = ""
    documents: list[DocumentView] = []
    shares: list[ShareView] = []
    deleted: list[DeletedDocumentView] = []
    """The deleted documents of the open collection, if it is the user's own."""
    removed: str = ""
    """The ids of documents that were just deleted and can be restored, for the notice."""
    groups: list[GroupChoice] = []
    embedder: str = ""
    """A sentence about the embedding model."""
    loaded: bool = False
    flash: str = ""
    """A confirmation that the page shows for a moment."""
    created: str = ""
    """The new collection, which the page opens."""
    problem: str = ""
    """The error of the last action."""
    answers: int = 0
    """A counter of responses, by which a dialog recognizes its own."""
    news: int = 0
    """A counter of changes: the viewer reloads its document."""

    @rx.event
    @_answering
    async def load(self, current_user: CurrentUser) -> Any:
        """Show the collections, and the one in the address."""
        named = self.router_data.get("query", {}).get("collection_id", "")
        wanted = str(parse_id(named) or "")
        if wanted != self.selected_id:
            self.selected_id, self.documents, self.shares, self.deleted, self.loaded = wanted, [], [], [], False
        self.flash = self.created = self.problem = self.removed = ""
        self._show(await _read(current_user, self.selected_id))
        self.embedder = await container.get_services().retrieval.search.embedder(current_user)
        self.groups = [
            GroupChoice(*item)
            for item in await container.get_services().documents.collection_shares.groups(current_user)
        ]
        self.loaded = True
        return DocumentsState.follow

    def _show(self, found: _Found) -> None:
        """Show the values; unchanged ones are not sent again."""
        for name in ("collections", "documents", "shares", "deleted"):
            if getattr(self, name) != (value := getattr(found, name)):
                setattr(self, name, value)

    async def _answer(self, current_user: CurrentUser, flash: str = "", removed: str = "") -> None:
        """Show the result, and confirm the action."""
        self._show(await _read(current_user, self.selected_id))
        self.flash, self.problem, self.removed = flash, "", removed
        self.answers += 1

    @rx.event(background=True, supersedes=True)
    @requires_user_in_background
    async def follow(self, current_user: CurrentUser) -> None:
        """Keep the page up to date while it is open."""
        async with self:
            chosen, token = self.selected_id, self.router.session.client_token
        services = container.get_services()
        with (
            services.platform.document_feed.watching(current_user.user_id, parse_id(chosen)) as watch,
            tabs.on_disconnect(token, watch.notify),
        ):
            while tabs.is_open(token):
                is_new = await watch.wait(_IDLE_SECONDS)
                async with self:
                    if self.selected_id != chosen or not _is_here(self):
                        return
                if is_new and not await self._look_again(chosen):
                    watch.notify()
                    await asyncio.sleep(_AWAY_SECONDS)
                await asyncio.sleep(_BREATH_SECONDS + len(self.documents) / _DOCUMENTS_A_SECOND)

    async def _look_again(self, chosen: str) -> bool:
        """Show changes; False if the database does not respond."""
        try:
            # The session is checked each time: permissions may have changed.
            async with self:
                current_user = await current_user_of(self)
            found = await _read(current_user, chosen)
        except DatabaseUnavailable:
            return False
        async with self:
            if self.selected_id == chosen:
                self._show(found)
                self.news += 1
        return True

    @rx.event
    @_answering
    async def create(self, current_user: CurrentUser, name: str, description: str) -> None:
        """Create a collection; the page opens it."""
        self.created = str(await container.get_services().documents.collections.create(current_user, name, description))
        await self._answer(current_user)

    @rx.event
    @_answering
    async def rename(self, current_user: CurrentUser, collection_id: str, name: str, description: str) -> None:
        """Rename a collection."""
        await container.get_services().documents.collections.rename(current_user, _id(collection_id), name, description)
        await self._answer(current_user, "Saved.")

    @rx.event
    @_answering
    async def remove_collection(self, current_user: CurrentUser, collection_id: str) -> None:
        """Delete a collection with its documents."""
        name = next((item.name for item in self.collections if item.id == collection_id), "")
        await container.get_services().documents.files.remove_collection(current_user, _id(collection_id))
        await self._answer(current_user, f"“{name}” was deleted, with all its documents." if name else "Deleted.")

    @rx.event
    @_answering
    async def remove_documents(self, current_user: CurrentUser, ids: str) -> None:
        """Delete documents (ids separated by spaces), and offer to restore them."""
        chosen = [_id(item) for item in ids.split()]
        restorable = await container.get_services().documents.files.remove(current_user, chosen)
        await self._answer(
            current_user,
            "The document was deleted." if len(chosen) == 1 else f"{len(chosen)} documents were deleted.",
            " ".join(map(str, restorable)),
        )

    @rx.event
    @_answering
    async def restore_documents(self, current_user: CurrentUser, ids: str) -> None:
        """Restore deleted documents (ids separated by spaces)."""
        chosen = [_id(item) for item in ids.split()]
        await container.get_services().documents.trash.restore(current_user, chosen, client_info_of(self))
        await self._answer(
            current_user,
            "The document was restored." if len(chosen) == 1 else f"{len(chosen)} documents were restored.",
        )

    @rx.event
    @_answering
    async def delete_for_good(self, current_user: CurrentUser, document_id: str) -> None:
        """Delete a document that is in the trash."""
        await container.get_services().documents.trash.delete_for_good(current_user, _id(document_id))
        await self._answer(current_user, "The document was deleted permanently.")

    @rx.event
    @_answering
    async def rename_document(self, current_user: CurrentUser, document_id: str, name: str) -> None:
        """Rename a document."""
        await container.get_services().documents.documents.rename(current_user, _id(document_id), name)
        await self._answer(current_user, "Saved.")

    @rx.event
    @_answering
    async def read_again(self, current_user: CurrentUser, document_id: str) -> None:
        """Ingest a document again."""
        await container.get_services().documents.documents.reingest(
            current_user, _id(document_id), client_info=client_info_of(self)
        )
        await self._answer(current_user)

    @rx.event
    @_answering
    async def share(self, current_user: CurrentUser, kind: str, principal: str) -> None:
        """Share the open collection."""
        name = await container.get_services().documents.collection_shares.add(
            current_user, _id(self.selected_id), kind, principal, client_info_of(self)
        )
        await self._answer(current_user, f"{name} can now read this collection.")

    @rx.event
    @_answering
    async def unshare(self, current_user: CurrentUser, share_id: str) -> None:
        """Revoke a share of the collection."""
        name = next((item.name for item in self.shares if item.id == share_id), "They")
        await container.get_services().documents.collection_shares.remove(
            current_user, _id(self.selected_id), _id(share_id), client_info_of(self)
        )
        await self._answer(current_user, f"{name} can no longer read this collection.")


async def _read(current_user: CurrentUser, chosen: str) -> _Found:
    """Return the collections, and the content of the chosen one."""
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
        # Deleted or no longer shared: the page says so.
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
