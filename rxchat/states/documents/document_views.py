"""The values of the documents page."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from uuid import UUID

from rxchat.db.documents.documents import CollectionFacts
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.documents import DocumentState
from rxchat.domain.files import Document, format_size
from rxchat.domain.retrieval import Passage
from rxchat.domain.versions import VersionState
from rxchat.domain.viewer_address import viewer_address
from rxchat.states.platform.field_views import milliseconds


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
class StepView:
    """The progress of a document that is not ready."""

    words: str
    percent: int
    """0 if the step has no progress of its own."""


@dataclass
class DocumentView:
    """A document as a row of the table."""

    id: str
    name: str
    kind: str
    size: str
    state: str
    look: str
    """`ready`, `failed` or `under-way`."""
    words: str
    """The state in words; "" while the document is under way (`StepView`)."""
    notes: list[str] = field(default_factory=list)
    pages: str = ""
    cited: int = 0
    at: int = 0
    """Milliseconds since 1970."""
    is_found: bool = False
    """Whether searches find it, possibly in an earlier ingestion."""
    version: int = 1
    is_pending: bool = False
    """Whether it is a newer version that is not in use yet."""
    parent: str = ""
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


NO_COLLECTION = CollectionView("", "", "", 0, 0, is_own=False)
_STEPS = {
    DocumentState.UPLOADING: "Uploading",
    DocumentState.STORED: "Reading",
    DocumentState.PARSED: "Splitting into passages",
    DocumentState.EMBEDDED: "Almost ready",
}
_LOOKS = {DocumentState.READY: "ready", DocumentState.FAILED: "failed"}


def collection_view(item: CollectionFacts, current_user: CurrentUser) -> CollectionView:
    """Return a collection as the page shows it."""
    is_own = item.owner_id == current_user.user_id
    return CollectionView(str(item.id), item.name, item.description, item.documents, item.chunks, is_own)


def document_view(item: Document, cited: int, names: Mapping[UUID, str], *, detailed: bool) -> DocumentView:
    """Return a document as the page shows it.

    Args:
        item: The document.
        cited: How many answers cite it.
        names: The names of the collection's documents, for attachments.
        detailed: Whether the user may see technical details.
    """
    detail = f" ({item.status_detail})" if detailed and item.status_detail else ""
    suffix = item.name.rpartition(".")[2].upper()
    look = _LOOKS.get(item.state, "under-way")
    error = f"{item.error}{detail}" if item.error else ""
    failed = f"Failed: {error}" if error else "Failed"
    is_pending = item.version_state is VersionState.PENDING
    notes = (
        _pending(item) if is_pending else "",
        f"{item.status_text}{detail}" if item.status_text else "",
        item.warnings,
    )
    return DocumentView(
        id=str(item.id),
        name=item.name,
        kind=suffix if 0 < len(suffix) <= 5 else "–",
        size=format_size(item.size_bytes),
        state=item.state.value,
        look=look,
        words={"ready": "Ready", "failed": failed}.get(look, ""),
        notes=[note for note in notes if note],
        pages=str(item.pages) if item.pages else "",
        cited=cited,
        at=milliseconds(item.created_at),
        is_found=item.published_generation is not None,
        version=item.version,
        is_pending=is_pending,
        parent=names.get(item.parent_id, "") if item.parent_id else "",
    )


def _pending(item: Document) -> str:
    if item.state is DocumentState.FAILED:
        return "The earlier version stays in use."
    return "The earlier version is used until this one is ready."


def step_view(item: Document) -> StepView | None:
    """Return the progress of a document; None if it is ready or has failed."""
    if item.state in _LOOKS:
        return None
    percent = round(100 * item.progress)
    if item.state is DocumentState.STORED and percent > 0:
        return StepView(f"Recognizing text {percent} %", percent)
    if item.state is DocumentState.CHUNKED:
        return StepView(f"Embedding {percent} %", percent)
    return StepView(_STEPS.get(item.state, "Waiting"), 0)


def matches(item: DocumentView, words: str, look: str) -> bool:
    """Whether a document's name contains all words, and it is in this state ("" for any)."""
    name = item.name.casefold()
    return (not look or item.look == look) and all(word in name for word in words.casefold().split())


def passage_address(item: Passage) -> str:
    """Return the address of a document, opened at a passage."""
    return viewer_address(item.document_id, item.start, item.end, item.page, item.text)
