"""The page for documents: collections, what is in them, how far it has come, and who may read it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.db.documents import CollectionFacts
from rxchat.domain.accounts import Viewer
from rxchat.domain.errors import DatabaseAway, NotFound
from rxchat.domain.files import Document, spoken_size
from rxchat.domain.ids import parse_id
from rxchat.services import graph
from rxchat.states import sockets
from rxchat.states.access import signed_in, signed_in_background
from rxchat.states.callers import caller_of

_IDLE_SECONDS = 30.0
_BREATH_SECONDS = 0.25
"""Many small steps of many documents are shown together."""
_AWAY_SECONDS = 2.0


@dataclass
class CollectionLine:
    """A collection as one line of the list."""

    id: str
    name: str
    description: str
    documents: int
    chunks: int
    is_own: bool


@dataclass
class DocumentLine:
    """A document as one line of the table."""

    id: str
    name: str
    kind: str
    size: str
    state: str
    percent: int
    note: str
    error: str
    pages: int
    chunks: int
    at: int
    """Milliseconds since 1970."""
    cited: int
    is_found: bool
    """Whether something of it can be found now, perhaps while it is read anew."""


@dataclass
class ShareLine:
    """Somebody who may read the collection."""

    id: str
    kind: str
    name: str


@dataclass
class GroupChoice:
    """A group with which something can be shared."""

    id: str
    name: str


class DocumentsState(rx.State):
    """The collections of whoever looks, and the one that is open."""

    collections: list[CollectionLine] = []
    chosen: str = ""
    documents: list[DocumentLine] = []
    shares: list[ShareLine] = []
    groups: list[GroupChoice] = []
    loaded: bool = False
    done: str = ""
    """What was just done, in a sentence; the page shows it for a moment."""
    created: str = ""
    """The collection that was just created: the page opens it."""

    @rx.event
    @signed_in
    async def load(self, viewer: Viewer) -> Any:
        """Show the collections, and the one that the address names."""
        named = self.router_data.get("query", {}).get("collection_id", "")
        wanted = str(parse_id(named) or "")
        if wanted != self.chosen:
            self.chosen, self.documents, self.shares, self.loaded = wanted, [], [], False
        self.done = self.created = ""
        await self._read(viewer)
        self.groups = [GroupChoice(*item) for item in await graph.current().library.groups(viewer)]
        self.loaded = True
        return DocumentsState.follow

    async def _read(self, viewer: Viewer) -> None:
        library = graph.current().library
        self.collections = [_collection_line(item, viewer) for item in await library.collections(viewer)]
        collection_id = parse_id(self.chosen)
        if collection_id is None:
            return
        try:
            facts, found, cited = await library.documents(viewer, collection_id)
            is_own = facts.owner_id == viewer.user_id
            shares = await library.shares(viewer, collection_id) if is_own else []
        except NotFound:
            # Deleted, or not shared any more: the page says so instead of showing what was.
            self.documents, self.shares = [], []
            return
        self.documents = [_document_line(item, cited.get(item.id, 0)) for item in found]
        self.shares = [ShareLine(str(item.grant_id), item.principal_kind, item.name) for item in shares]

    @rx.event(background=True, supersedes=True)
    @signed_in_background
    async def follow(self, viewer: Viewer) -> None:
        """Keep the page up to date for as long as it is open."""
        async with self:
            chosen, token = self.chosen, self.router.session.client_token
        services = graph.current()
        with (
            services.document_activity.watching(viewer.user_id, parse_id(chosen)) as watch,
            sockets.when_closed(token, watch.poke),
        ):
            while sockets.is_open(token):
                is_new = await watch.wait(_IDLE_SECONDS)
                async with self:
                    if self.chosen != chosen or not _is_here(self):
                        return
                    try:
                        if is_new:
                            await self._read(viewer)
                    except DatabaseAway:
                        watch.poke()
                await asyncio.sleep(_BREATH_SECONDS)

    @rx.event
    @signed_in
    async def create(self, viewer: Viewer, name: str, description: str) -> None:
        """Create a collection; the page goes there."""
        self.created = str(await graph.current().library.create(viewer, name, description))
        await self._read(viewer)

    @rx.event
    @signed_in
    async def rename(self, viewer: Viewer, collection_id: str, name: str, description: str) -> None:
        """Call a collection something else."""
        await graph.current().library.rename(viewer, _id(collection_id), name, description)
        await self._read(viewer)
        self.done = "Saved."

    @rx.event
    @signed_in
    async def remove_collection(self, viewer: Viewer, collection_id: str) -> None:
        """Delete a collection with everything in it."""
        name = next((item.name for item in self.collections if item.id == collection_id), "")
        await graph.current().files.remove_collection(viewer, _id(collection_id))
        await self._read(viewer)
        self.done = f"“{name}” is deleted, with everything in it." if name else "Deleted."

    @rx.event
    @signed_in
    async def remove_documents(self, viewer: Viewer, ids: list) -> None:
        """Delete documents; their files, chunks and vectors go at once."""
        await graph.current().files.remove(viewer, [_id(item) for item in ids[:1_000]])
        await self._read(viewer)
        self.done = "The document is deleted." if len(ids) == 1 else f"{len(ids)} documents are deleted."

    @rx.event
    @signed_in
    async def rename_document(self, viewer: Viewer, document_id: str, name: str) -> None:
        """Call a document something else."""
        await graph.current().library.rename_document(viewer, _id(document_id), name)
        await self._read(viewer)

    @rx.event
    @signed_in
    async def read_again(self, viewer: Viewer, document_id: str) -> None:
        """Have a document read anew."""
        await graph.current().library.read_again(viewer, _id(document_id))
        await self._read(viewer)

    @rx.event
    @signed_in
    async def share(self, viewer: Viewer, kind: str, principal: str) -> None:
        """Let somebody read the collection that is open."""
        name = await graph.current().library.share(viewer, _id(self.chosen), kind, principal, caller_of(self))
        await self._read(viewer)
        self.done = f"{name} can read this collection now."

    @rx.event
    @signed_in
    async def unshare(self, viewer: Viewer, share_id: str) -> None:
        """Take somebody's access to the collection back."""
        name = next((item.name for item in self.shares if item.id == share_id), "They")
        await graph.current().library.unshare(viewer, _id(self.chosen), _id(share_id), caller_of(self))
        await self._read(viewer)
        self.done = f"{name} cannot read this collection any more."


def _is_here(state: DocumentsState) -> bool:
    return str(state.router_data.get("pathname") or "/documents").startswith("/documents")


def _id(value: Any) -> UUID:
    identifier = parse_id(value) if isinstance(value, str) else None
    if identifier is None:
        raise NotFound
    return identifier


def _collection_line(item: CollectionFacts, viewer: Viewer) -> CollectionLine:
    is_own = item.owner_id == viewer.user_id
    return CollectionLine(str(item.id), item.name, item.description, item.documents, item.chunks, is_own)


def _document_line(item: Document, cited: int) -> DocumentLine:
    suffix = item.name.rpartition(".")[2].upper()
    return DocumentLine(
        id=str(item.id),
        name=item.name,
        kind=suffix if 0 < len(suffix) <= 5 else "",
        size=spoken_size(item.size_bytes),
        state=item.state.value,
        percent=round(100 * item.progress),
        note=item.note,
        error=item.error,
        pages=item.pages,
        chunks=item.chunks,
        at=int(item.created_at.timestamp() * 1000),
        cited=cited,
        is_found=item.live_generation is not None,
    )
