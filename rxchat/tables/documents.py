"""Files, documents, chunks and vectors, and the sources of answers."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

from pgvector.sqlalchemy import HALFVEC
from sqlalchemy import BigInteger, ForeignKeyConstraint, Identity, Index, text
from sqlalchemy.dialects.postgresql import JSONB, REAL, TSVECTOR
from sqlmodel import Field

from rxchat.domain.conversation_events import ContextKind
from rxchat.domain.documents import CollectionKind, DocumentState
from rxchat.domain.ids import new_id
from rxchat.domain.versions import IfExists, VersionState
from rxchat.tables.base import Table, enum_column, moment, owned_key


class Collection(Table, table=True):
    """A collection of documents, which are shared together."""

    __table_args__ = (
        Index("ix_collection_id", "id"),
        Index(
            "uq_collection_draft", "owner_id", "draft_key", unique=True, postgresql_where=text("draft_key IS NOT NULL")
        ),
    )

    owner_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    kind: CollectionKind = enum_column(CollectionKind)
    name: str
    description: str = ""
    draft_key: UUID | None = None
    """The browser's key for the attachments of a message that is not sent yet."""
    created_at: datetime = moment(default_now=True)


class StoredFile(Table, table=True):
    """An uploaded file, encrypted with its own key."""

    __table_args__ = (
        Index(
            "uq_stored_file_digest", "owner_id", "digest", unique=True, postgresql_where=text("stored_at IS NOT NULL")
        ),
        Index("ix_stored_file_key", "key_id"),
        Index("ix_stored_file_unfinished", "touched_at", postgresql_where=text("stored_at IS NULL")),
    )

    owner_id: UUID = Field(primary_key=True, foreign_key="user_account.id", ondelete="CASCADE")
    id: UUID = Field(default_factory=new_id, primary_key=True)
    size_bytes: int = Field(sa_type=BigInteger)
    received_bytes: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
    digest: bytes | None = None
    """A keyed hash of the plain content, which is equal only for equal files of one owner."""
    key_id: str
    wrapped_key: bytes
    created_at: datetime = moment(default_now=True)
    touched_at: datetime = moment(default_now=True)
    finalize_lease_until: datetime | None = moment(nullable=True)
    """The end of the lease of the process that finalizes the upload."""
    stored_at: datetime | None = moment(nullable=True)


class FilePart(Table, table=True):
    """One encrypted part of a file, an object in the store."""

    __table_args__ = (
        ForeignKeyConstraint(["owner_id", "file_id"], ["stored_file.owner_id", "stored_file.id"], ondelete="CASCADE"),
        Index("uq_file_part_object", "object_key", unique=True),
    )

    owner_id: UUID = owned_key()
    file_id: UUID = Field(primary_key=True)
    start: int = Field(primary_key=True, sa_type=BigInteger)
    size_bytes: int
    object_key: str


class DocumentRow(Table, table=True):
    """A document of a collection, and the state of its ingestion."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "collection_id"], ["collection.owner_id", "collection.id"], ondelete="CASCADE"
        ),
        ForeignKeyConstraint(["owner_id", "file_id"], ["stored_file.owner_id", "stored_file.id"]),
        Index("ix_document_id", "id"),
        Index("ix_document_collection", "collection_id"),
        Index("ix_document_file", "owner_id", "file_id"),
        Index("ix_document_unfinished", "updated_at", postgresql_where=text("state NOT IN ('ready', 'failed')")),
        Index("ix_document_waiting", "owner_id", postgresql_where=text("state NOT IN ('ready', 'failed')")),
        Index("ix_document_embedded", "embedded_index", postgresql_where=text("published_generation IS NOT NULL")),
        Index(
            "ix_document_lexeme_version", "lexeme_version", postgresql_where=text("published_generation IS NOT NULL")
        ),
        ForeignKeyConstraint(["owner_id", "parent_id"], ["document.owner_id", "document.id"], ondelete="CASCADE"),
        Index("uq_document_version", "owner_id", "version_series_id", "version", unique=True),
        Index(
            "uq_document_current",
            "owner_id",
            "version_series_id",
            unique=True,
            postgresql_where=text("version_state = 'current'"),
        ),
        Index("ix_document_parent", "owner_id", "parent_id", postgresql_where=text("parent_id IS NOT NULL")),
        Index("ix_document_name", "owner_id", "collection_id", "name"),
        Index("ix_document_deleted", "deleted_at", postgresql_where=text("deleted_at IS NOT NULL")),
    )

    owner_id: UUID = owned_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    collection_id: UUID
    file_id: UUID
    name: str
    media_type: str
    size_bytes: int = Field(sa_type=BigInteger)
    state: DocumentState = enum_column(DocumentState)
    progress: float = Field(default=0.0, sa_type=REAL, sa_column_kwargs={"server_default": "0"})
    """The progress of the current step, 0 to 1."""
    status_text: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The reason for which it waits."""
    warnings: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """Notes of the parser about text that was left out, and how the file was read."""
    error: str = Field(default="", sa_column_kwargs={"server_default": ""})
    pages: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    characters: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    chunks: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    generation: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    """The number of the current or last ingestion."""
    published_generation: int | None = None
    """The generation that searches find; None until the first one is complete."""
    fence: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """Grows with each claim of a job, so that writes of an older job are refused."""
    attempts: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    """The number of claims since the last progress."""
    embedded_index: int | None = None
    """The index that contains all vectors of the published generation."""
    lexeme_version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    """The version of the rules by which its lexemes were indexed (domain/lexemes.py)."""
    retry_at: datetime | None = moment(nullable=True)
    """The time of the next attempt to embed it after a failure."""
    created_at: datetime = moment(default_now=True)
    updated_at: datetime = moment(default_now=True)
    encoding: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The encoding in which the text file was read."""
    reader: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The parser that read it."""
    chosen_encoding: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """The encoding that its owner chose; "" to detect it."""
    chosen_reader: str = Field(default="", sa_column_kwargs={"server_default": ""})
    version_series_id: UUID = Field(
        default_factory=new_id, sa_column_kwargs={"server_default": text("gen_random_uuid()")}
    )
    """The ID that all versions of a document share."""
    version: int = Field(default=1, sa_column_kwargs={"server_default": "1"})
    version_state: VersionState = enum_column(
        VersionState, default=VersionState.CURRENT, sa_column_kwargs={"server_default": "current"}
    )
    if_exists: IfExists = enum_column(IfExists, default=IfExists.KEEP, sa_column_kwargs={"server_default": "keep"})
    """The upload's choice for a name that is taken; used when the upload is stored."""
    parent_id: UUID | None = None
    """The document (a mail) to which this file is attached."""
    deleted_at: datetime | None = moment(nullable=True)
    """When it was moved to the trash; policies hide it since then."""
    status_detail: str = Field(default="", sa_column_kwargs={"server_default": ""})
    """A failed host and its message, for administrators."""


class DocumentText(Table, table=True):
    """The parsed text and blocks of a document."""

    __table_args__ = (
        ForeignKeyConstraint(["owner_id", "document_id"], ["document.owner_id", "document.id"], ondelete="CASCADE"),
    )

    owner_id: UUID = owned_key()
    document_id: UUID = Field(primary_key=True)
    generation: int = Field(primary_key=True)
    collection_id: UUID
    title: str
    text: str
    blocks: list[Any] = Field(sa_type=JSONB)


class RecognizedPageRow(Table, table=True):
    """The recognized lines of a scan's page, while other pages are not recognized yet."""

    __table_args__ = (
        ForeignKeyConstraint(["owner_id", "document_id"], ["document.owner_id", "document.id"], ondelete="CASCADE"),
    )

    owner_id: UUID = owned_key()
    document_id: UUID = Field(primary_key=True)
    generation: int = Field(primary_key=True)
    page: int = Field(primary_key=True)
    lines: list[Any] = Field(sa_type=JSONB)


class ChunkRow(Table, table=True):
    """A part of a document's text that is embedded and searched."""

    __table_args__ = (
        ForeignKeyConstraint(["owner_id", "document_id"], ["document.owner_id", "document.id"], ondelete="CASCADE"),
        Index("uq_chunk_ordinal", "owner_id", "document_id", "generation", "ordinal", unique=True),
        Index("ix_chunk_collection", "collection_id"),
        Index("ix_chunk_lexemes", "lexemes", postgresql_using="gin"),
    )

    owner_id: UUID = owned_key()
    id: UUID = Field(default_factory=new_id, primary_key=True)
    document_id: UUID
    generation: int
    collection_id: UUID
    ordinal: int
    page: int
    heading: str
    start: int
    end: int
    tokens: int
    hash: bytes
    text: str
    lexemes: Any = Field(sa_type=TSVECTOR)


class EmbeddingIndexRow(Table, table=True):
    """The index of one embedding model's vectors; one index is active at a time."""

    __table_args__ = (
        Index("uq_embedding_index_model", "model", "dimensions", "query_prefix", "document_prefix", unique=True),
        Index("uq_embedding_index_active", "state", unique=True, postgresql_where=text("state = 'active'")),
    )

    id: int | None = Field(default=None, primary_key=True, sa_column_args=(Identity(),))
    model: str
    dimensions: int
    max_tokens: int
    query_prefix: str = Field(default="", sa_column_kwargs={"server_default": ""})
    document_prefix: str = Field(default="", sa_column_kwargs={"server_default": ""})
    state: str
    created_at: datetime = moment(default_now=True)


class ChunkVector(Table, table=True):
    """A chunk's vector in one index."""

    __table_args__ = (
        ForeignKeyConstraint(["owner_id", "chunk_id"], ["chunk.owner_id", "chunk.id"], ondelete="CASCADE"),
        Index("ix_chunk_vector_collection", "collection_id", "index_id"),
    )

    owner_id: UUID = owned_key()
    chunk_id: UUID = Field(primary_key=True)
    index_id: int = Field(primary_key=True, foreign_key="embedding_index.id")
    document_id: UUID
    collection_id: UUID
    embedding: Any = Field(sa_type=HALFVEC, nullable=False)


class FrequentLexeme(Table, table=True):
    """A lexeme that occurs in many chunks."""

    lexeme: str = Field(primary_key=True)
    frequency: float = Field(sa_type=REAL)


class ConversationSource(Table, table=True):
    """A context source of a conversation: a collection or a document."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "conversation_id"], ["conversation.owner_id", "conversation.id"], ondelete="CASCADE"
        ),
    )

    owner_id: UUID = owned_key()
    conversation_id: UUID = Field(primary_key=True)
    id: UUID = Field(primary_key=True)
    kind: ContextKind = enum_column(ContextKind)
    name: str
    created_at: datetime = moment(default_now=True)


class MessageSource(Table, table=True):
    """A source of an answer, with its text at the time of the answer."""

    __table_args__ = (
        ForeignKeyConstraint(
            ["owner_id", "conversation_id"], ["conversation.owner_id", "conversation.id"], ondelete="CASCADE"
        ),
        Index("ix_message_source_conversation", "owner_id", "conversation_id"),
        Index("ix_message_source_document", "document_id", postgresql_where=text("is_cited")),
    )

    owner_id: UUID = owned_key()
    message_id: UUID = Field(primary_key=True)
    number: int = Field(primary_key=True)
    conversation_id: UUID
    document_owner_id: UUID
    document_id: UUID
    collection_id: UUID
    chunk_id: UUID
    name: str
    heading: str
    page: int
    start: int
    end: int
    text: str
    hash: bytes
    score: float = Field(sa_type=REAL)
    is_cited: bool = Field(default=False, sa_column_kwargs={"server_default": "false"})
