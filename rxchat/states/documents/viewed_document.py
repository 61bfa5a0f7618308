"""The values of the document viewer."""

from __future__ import annotations

from dataclasses import dataclass

from rxchat.domain.documents import ENCODINGS, TEXT_READERS, DocumentState
from rxchat.domain.files import Document, format_size
from rxchat.domain.retrieval import Passage
from rxchat.domain.versions import VersionState
from rxchat.services.documents.documents import Preview
from rxchat.services.documents.versions import History
from rxchat.states.documents.document_views import passage_address, step_view
from rxchat.states.platform.field_views import milliseconds

_READERS = {
    "plain_text": "Plain text",
    "markdown": "Markdown",
    "delimited": "Table (CSV)",
    "json_data": "JSON",
    "html": "Web page",
    "source_code": "Source code",
    "mail": "E-mail",
}
_OTHER_READERS = {
    "pdf": "PDF",
    "word": "Word document",
    "powerpoint": "PowerPoint presentation",
    "excel": "Excel workbook",
    "opendocument": "OpenDocument",
    "epub": "EPUB book",
    "rtf": "RTF text",
    "image": "Picture",
    "scan": "Recognized text (OCR)",
}
_SCRIPTS = {
    "utf-8": "Unicode",
    "windows-1252": "Western European",
    "windows-1250": "Central European",
    "windows-1251": "Cyrillic",
    "windows-1253": "Greek",
    "windows-1254": "Turkish",
    "windows-1255": "Hebrew",
    "windows-1256": "Arabic",
    "windows-1257": "Baltic",
    "windows-1258": "Vietnamese",
    "windows-874": "Thai",
    "iso-8859-2": "Central European",
    "iso-8859-3": "Maltese, Esperanto",
    "iso-8859-5": "Cyrillic",
    "iso-8859-6": "Arabic",
    "iso-8859-7": "Greek",
    "iso-8859-15": "Western European",
    "iso-8859-16": "Romanian",
    "koi8-r": "Russian",
    "koi8-u": "Ukrainian",
    "macintosh": "Western European, old Macs",
    "x-mac-cyrillic": "Cyrillic, old Macs",
    "ibm437": "DOS",
    "ibm737": "Greek, DOS",
    "ibm850": "Western European, DOS",
    "ibm852": "Central European, DOS",
    "ibm862": "Hebrew, DOS",
    "ibm866": "Cyrillic, DOS",
    "shift_jis": "Japanese",
    "euc-jp": "Japanese",
    "iso-2022-jp": "Japanese",
    "gb18030": "Chinese, simplified",
    "big5": "Chinese, traditional",
    "euc-kr": "Korean",
    "iso-2022-kr": "Korean",
    "johab": "Korean, DOS",
    "hz-gb-2312": "Chinese, simplified, seven bits",
    "utf-7": "Unicode, seven bits",
}
READER_CHOICES = [(reader, _READERS[reader]) for reader in TEXT_READERS]
ENCODING_CHOICES = [(name, f"{name} ({_SCRIPTS[name]})" if name in _SCRIPTS else name) for name in ENCODINGS]
_FIXED_WIDTH = {"text/csv", "text/tab-separated-values", "application/json", "application/jsonl"}


@dataclass
class ViewedDocument:
    """A document as the viewer shows it."""

    id: str = ""
    name: str = ""
    title: str = ""
    facts: str = ""
    """Size, pages, and its state unless it is ready."""
    kind: str = "text"
    """How it is shown: `pdf`, `picture` or `text`."""
    media_type: str = ""
    is_fixed_width: bool = False
    is_ready: bool = False
    collection_id: str = ""
    collection_name: str = ""
    is_own: bool = False
    parent_id: str = ""
    parent_words: str = ""
    reading: str = ""
    """How it was parsed."""
    can_choose_reading: bool = False
    chosen_encoding: str = ""
    chosen_reader: str = ""
    warnings: str = ""
    version: int = 1


@dataclass
class VersionView:
    """A version of the document."""

    id: str
    version: int
    name: str
    role: str
    """`current`, `superseded` or `pending`."""
    words: str
    facts: str
    at: int
    """When it was uploaded, in milliseconds since 1970."""
    can_restore: bool


@dataclass
class VersionNotice:
    """What a reader has to know about other versions, and the link to the one it is about."""

    words: str = ""
    link: str = ""
    id: str = ""


@dataclass
class ChunkView:
    """A chunk of the index."""

    number: int
    facts: str
    heading: str
    text: str
    address: str
    """The document, open at the chunk."""


def viewed_document(found: Preview, collection_name: str) -> ViewedDocument:
    """Return a document as the viewer shows it; `collection_name` is "" if the user may not see the collection."""
    item = found.document
    step = step_view(item)
    state = "Failed" if item.state is DocumentState.FAILED else step.words if step else ""
    pages = "" if item.pages <= 0 else "1 page" if item.pages == 1 else f"{item.pages:,} pages"
    is_superseded = item.version_state is VersionState.SUPERSEDED
    return ViewedDocument(
        id=str(item.id),
        name=item.name,
        title=found.title if found.title != item.name else "",
        facts=" · ".join(filter(None, (format_size(item.size_bytes), pages, state))),
        kind=_kind(item.media_type),
        media_type=item.media_type,
        is_fixed_width=item.media_type in _FIXED_WIDTH,
        is_ready=item.state is DocumentState.READY,
        collection_id=str(item.collection_id) if collection_name else "",
        collection_name=collection_name,
        is_own=found.is_own,
        parent_id=str(item.parent_id) if item.parent_id else "",
        parent_words=f"Attached to {'an earlier version of ' if is_superseded else ''}an e-mail.",
        reading=reading_words(item),
        can_choose_reading=found.is_own and not is_superseded and can_choose_reading(item),
        chosen_encoding=item.chosen_encoding,
        chosen_reader=item.chosen_reader,
        warnings=item.warnings,
        version=item.version,
    )


def _kind(media_type: str) -> str:
    if media_type == "application/pdf":
        return "pdf"
    return "picture" if media_type.startswith("image/") else "text"


def _is_text(item: Document) -> bool:
    return item.media_type.startswith(("text/", "message/")) or any(kind in item.media_type for kind in ("json", "csv"))


def reading_words(item: Document) -> str:
    """Return how a document was parsed, in words: "Read as: Plain text, encoding windows-1252 (chosen)"."""
    name = _READERS.get(item.reader) or _OTHER_READERS.get(item.reader)
    if not name:
        return "Not read." if item.state is DocumentState.FAILED and _is_text(item) else ""
    if not item.encoding:
        return f"Read as: {name}"
    return f"Read as: {name}, encoding {item.encoding} ({'chosen' if item.chosen_encoding else 'detected'})"


def can_choose_reading(item: Document) -> bool:
    """Whether encoding and format can be chosen: of text files, once they are parsed or could not be."""
    if item.state not in {DocumentState.READY, DocumentState.FAILED}:
        return False
    is_text_reader = item.reader in TEXT_READERS or item.chosen_reader in TEXT_READERS
    return is_text_reader or (not item.reader and _is_text(item))


def version_views(history: History) -> list[VersionView]:
    """Return the versions, the newest first."""
    uploaded_by = "you" if history.is_own else history.uploaded_by or "its owner"
    return [
        VersionView(
            id=str(item.id),
            version=item.version,
            name=item.name,
            role=item.version_state.value,
            words=_version_words(item),
            facts=f"Uploaded by {uploaded_by} · {format_size(item.size_bytes)}",
            at=milliseconds(item.created_at),
            can_restore=history.is_own and item.version_state is VersionState.SUPERSEDED and item.parent_id is None,
        )
        for item in history.versions
    ]


def _version_words(item: Document) -> str:
    match item.version_state:
        case VersionState.CURRENT:
            return "in use"
        case VersionState.SUPERSEDED:
            return "earlier version"
    if item.state is DocumentState.FAILED:
        return f"not in use: {item.error or 'it could not be read.'}"
    return "replaces the one in use once it is ready"


def version_notice(shown: Document, versions: list[Document]) -> VersionNotice:
    """Return what has to be known about the shown version; empty for the one in use if nothing replaces it."""
    current = next((item for item in versions if item.version_state is VersionState.CURRENT), None)
    link = (f"Open version {current.version}", str(current.id)) if current else ("", "")
    number, other = shown.version, current.version if current else 0
    if shown.version_state is VersionState.SUPERSEDED:
        return VersionNotice(f"This is version {number}. A newer version is in use.", *link)
    if shown.version_state is VersionState.PENDING:
        if shown.state is DocumentState.FAILED:
            return VersionNotice(f"Version {number} could not be read, so version {other} stays in use.", *link)
        return VersionNotice(f"Version {number} is used once it is ready. Until then, version {other} is.", *link)
    newer = (item for item in versions if item.version_state is VersionState.PENDING and item.version > number)
    if (following := next(newer, None)) is None:
        return VersionNotice()
    if following.state is DocumentState.FAILED:
        words = f"Version {following.version} could not be read, so this one stays in use."
        return VersionNotice(words, "See why", str(following.id))
    words = f"Version {following.version} replaces this one once it is ready."
    return VersionNotice(words, f"Open version {following.version}", str(following.id))


def chunk_view(item: Passage) -> ChunkView:
    """Return a chunk as the viewer shows it."""
    page = f"page {item.page}" if item.page > 0 else ""
    facts = " · ".join(filter(None, (page, f"{item.tokens} tokens")))
    return ChunkView(item.ordinal + 1, facts, item.heading, item.text, passage_address(item))
