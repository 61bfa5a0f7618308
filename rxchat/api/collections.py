"""Collections, their documents, and search for passages: for the document viewer and API clients."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Query, Request
from pydantic import BaseModel, Field

from rxchat.api.requests import ServicesDep, SignedIn, client_info_of
from rxchat.domain.authorization import is_permitted
from rxchat.domain.citation_cards import CitationCard, SourceLine, cards_of, source_lines
from rxchat.domain.documents import Reading
from rxchat.domain.files import Document
from rxchat.domain.permissions import Permission
from rxchat.domain.retrieval import Passage, SearchScope
from rxchat.domain.versions import VersionState

router = APIRouter(prefix="/api", tags=["documents"])


class NewCollection(BaseModel):
    """The name of a collection."""

    name: str = Field(max_length=1_000)
    description: str = Field(default="", max_length=5_000)


class CollectionOut(BaseModel):
    """A collection, and the number of its documents and chunks."""

    id: UUID
    name: str
    description: str
    documents: int
    chunks: int
    is_own: bool


class DocumentOut(BaseModel):
    """A document, and the progress of its ingestion."""

    id: UUID
    collection_id: UUID
    name: str
    media_type: str
    size_bytes: int
    state: str
    progress: float
    status_text: str
    warnings: str
    error: str
    pages: int
    characters: int
    chunks: int
    created_at: datetime
    encoding: str
    reader: str
    chosen_encoding: str
    chosen_reader: str
    version: int
    version_state: VersionState
    parent_id: UUID | None
    times_cited: int = 0


class HistoryOut(BaseModel):
    """All versions of a document, the newest first; each is a document with its own ID."""

    versions: list[DocumentOut]
    uploaded_by: str
    is_own: bool


class DeletedOut(BaseModel):
    """A deleted document that can be restored."""

    id: UUID
    name: str
    size_bytes: int
    deleted_at: datetime


class FileNames(BaseModel):
    """The names of files that are to be uploaded."""

    names: list[Annotated[str, Field(max_length=1_000)]] = Field(max_length=1_000)


class HowToRead(BaseModel):
    """The encoding and format in which to parse a text file; empty to detect them."""

    encoding: str = Field(default="", max_length=40)
    reader: str = Field(default="", max_length=40)


class TextOut(BaseModel):
    """A document and a part of its text; `start` is an offset in code points."""

    document: DocumentOut
    title: str
    text: str
    start: int
    characters: int
    is_own: bool


class PassageOut(BaseModel):
    """A passage, its position in the document, and how the search ranked it."""

    document_id: UUID
    collection_id: UUID
    name: str
    heading: str
    page: int
    ordinal: int
    start: int
    end: int
    tokens: int
    text: str
    score: float = 0.0
    vector_rank: int | None = None
    text_rank: int | None = None
    distance: float | None = None


class Question(BaseModel):
    """The search query, and the collections or documents to search."""

    question: str = Field(max_length=10_000)
    collections: list[UUID] = Field(default_factory=list, max_length=200)
    documents: list[UUID] = Field(default_factory=list, max_length=200)
    k: int = Field(default=8, ge=1, le=50)


class FoundOut(BaseModel):
    """The passages found, the best first."""

    passages: list[PassageOut]
    notice: str


class SourceOut(BaseModel):
    """A source of an answer; without its text if the user may not read it any more."""

    number: int
    name: str
    heading: str
    page: int
    start: int
    end: int
    text: str
    document_id: UUID
    is_cited: bool
    is_there: bool
    is_allowed: bool


class CitationsOut(BaseModel):
    """The citations of an answer in their order, and the sources that its model was shown."""

    cards: list[CitationCard]
    sources: list[SourceLine]


@router.get("/collections")
async def list_collections(current_user: SignedIn, services: ServicesDep) -> list[CollectionOut]:
    """List the collections that the user may read, their own first."""
    return [
        CollectionOut(
            id=item.id, name=item.name, description=item.description, documents=item.documents, chunks=item.chunks,
            is_own=item.owner_id == current_user.user_id,
        )
        for item in await services.documents.collections.readable(current_user)
    ]  # fmt: skip


@router.post("/collections", status_code=201)
async def create_collection(body: NewCollection, current_user: SignedIn, services: ServicesDep) -> dict[str, UUID]:
    """Create a collection."""
    return {"id": await services.documents.collections.create(current_user, body.name, body.description)}


@router.delete("/collections/{collection_id}", status_code=204)
async def delete_collection(collection_id: UUID, current_user: SignedIn, services: ServicesDep) -> None:
    """Delete a collection with everything in it."""
    await services.documents.files.remove_collection(current_user, collection_id)


@router.get("/collections/{collection_id}/documents")
async def list_documents(collection_id: UUID, current_user: SignedIn, services: ServicesDep) -> list[DocumentOut]:
    """List a collection's documents, the newest first."""
    _, found, cited = await services.documents.documents.in_collection(current_user, collection_id)
    return [_document(item, cited.get(item.id, 0)) for item in found]


@router.post("/collections/{collection_id}/taken-names")
async def find_taken_names(
    collection_id: UUID, body: FileNames, current_user: SignedIn, services: ServicesDep
) -> dict[str, list[str]]:
    """Return those of the file names that documents of the collection already have."""
    return {"taken": await services.documents.versions.taken_names(current_user, collection_id, body.names)}


@router.get("/documents/{document_id}")
async def get_document(
    document_id: UUID,
    current_user: SignedIn,
    services: ServicesDep,
    start: Annotated[int, Query(ge=0, le=100_000_000)] = 0,
) -> TextOut:
    """Return a document and a part of its text."""
    found = await services.documents.documents.preview(current_user, document_id, start)
    return TextOut(
        document=_document(found.document, found.times_cited),
        title=found.title,
        text=found.text,
        start=found.start,
        characters=found.characters,
        is_own=found.is_own,
    )


@router.get("/collections/{collection_id}/deleted-documents")
async def list_deleted_documents(
    collection_id: UUID, current_user: SignedIn, services: ServicesDep
) -> list[DeletedOut]:
    """List the deleted documents of a user's own collection that can be restored, the latest deleted first."""
    found = await services.documents.trash.documents(current_user, collection_id)
    return [
        DeletedOut(id=item.id, name=item.name, size_bytes=item.size_bytes, deleted_at=item.deleted_at) for item in found
    ]


@router.delete("/documents/{document_id}", status_code=204)
async def delete_document(document_id: UUID, current_user: SignedIn, services: ServicesDep) -> None:
    """Delete a document. Searches do not find it any more; it can be restored for 30 days."""
    await services.documents.files.remove(current_user, [document_id])


@router.delete("/deleted-documents/{document_id}", status_code=204)
async def purge_document(document_id: UUID, current_user: SignedIn, services: ServicesDep) -> None:
    """Delete a deleted document permanently."""
    await services.documents.trash.delete_for_good(current_user, document_id)


@router.post("/deleted-documents/{document_id}/restore")
async def restore_deleted_document(
    document_id: UUID, request: Request, current_user: SignedIn, services: ServicesDep
) -> DocumentOut:
    """Restore a deleted document. Searches find it once it is embedded again."""
    [found] = await services.documents.trash.restore(current_user, [document_id], client_info_of(request))
    return _document(found, 0)


@router.post("/documents/{document_id}/read-again", status_code=204)
async def reingest_document(
    document_id: UUID, request: Request, current_user: SignedIn, services: ServicesDep, body: HowToRead | None = None
) -> None:
    """Re-ingest a document, optionally with another encoding or format."""
    reading = Reading(body.encoding, body.reader) if body else None
    await services.documents.documents.reingest(current_user, document_id, reading, client_info=client_info_of(request))


@router.get("/documents/{document_id}/versions")
async def list_versions(document_id: UUID, current_user: SignedIn, services: ServicesDep) -> HistoryOut:
    """List all versions of a document, given the ID of any of them."""
    found = await services.documents.versions.history(current_user, document_id)
    return HistoryOut(
        versions=[_document(item, 0) for item in found.versions],
        uploaded_by=found.uploaded_by,
        is_own=found.is_own,
    )


@router.post("/documents/{document_id}/restore", status_code=201)
async def restore_version(
    document_id: UUID, request: Request, current_user: SignedIn, services: ServicesDep
) -> DocumentOut:
    """Make an earlier version the newest one; it replaces the current one once it is ready."""
    return _document(await services.documents.versions.restore(current_user, document_id, client_info_of(request)), 0)


@router.get("/documents/{document_id}/chunks")
async def list_chunks(
    document_id: UUID,
    current_user: SignedIn,
    services: ServicesDep,
    first: Annotated[int, Query(ge=0, le=10_000_000)] = 0,
    limit: Annotated[int, Query(ge=1, le=200)] = 50,
) -> list[PassageOut]:
    """Return a document's chunks as they are indexed."""
    return [
        _passage(item) for item in await services.documents.documents.chunks(current_user, document_id, first, limit)
    ]


@router.post("/search")
async def search_documents(body: Question, current_user: SignedIn, services: ServicesDep) -> FoundOut:
    """Search for passages, in the same way as for an answer."""
    where = SearchScope(tuple(body.collections), tuple(body.documents))
    found = await services.retrieval.search.search(current_user, body.question, where, k=body.k)
    # It quotes other hosts' messages: only for administrators, who can do something about it.
    detail = found.detail if is_permitted(current_user, Permission.SETTINGS_MANAGE) else ""
    notice = f"{found.notice} ({detail})" if detail else found.notice
    return FoundOut(passages=[_passage(item) for item in found.passages], notice=notice)


@router.get("/conversations/{conversation_id}/messages/{message_id}/sources")
async def list_sources(
    conversation_id: UUID, message_id: UUID, current_user: SignedIn, services: ServicesDep
) -> list[SourceOut]:
    """Return the sources of an answer, as far as the user may read them now."""
    owner_id = await services.chat.conversations.owner_of(current_user, conversation_id)
    found = await services.documents.documents.shown_sources(current_user, owner_id, conversation_id, message_id)
    return [SourceOut.model_validate(item, from_attributes=True) for item in found]


@router.get("/conversations/{conversation_id}/messages/{message_id}/citations")
async def list_citations(
    conversation_id: UUID, message_id: UUID, current_user: SignedIn, services: ServicesDep
) -> CitationsOut:
    """Return what a page says about the citations of an answer, and about its sources."""
    citations, sources = await services.chat.conversations.citations(current_user, conversation_id, message_id)
    return CitationsOut(cards=cards_of(citations, sources), sources=source_lines(citations, sources))


def _document(item: Document, times_cited: int) -> DocumentOut:
    return DocumentOut.model_validate(item, from_attributes=True).model_copy(update={"times_cited": times_cited})


def _passage(item: Passage) -> PassageOut:
    return PassageOut.model_validate(item, from_attributes=True)
