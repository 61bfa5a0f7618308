"""Uploaded files: their names, limits and encrypted parts."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from rxchat.domain.documents import DocumentState, Reading
from rxchat.domain.errors import InvalidInput
from rxchat.domain.invisible import FILLERS, JOINERS, VARIATION_SELECTORS
from rxchat.domain.versions import IfExists, VersionState

PART_BYTES = 2 * 1024 * 1024
"""Files are sent, encrypted and stored in parts of at most this size, which one upload holds in memory."""
NAME_CHARACTERS = 255
"""The maximum length of a file's name: no common file system accepts longer ones."""

# Signs above or around numbers, in Arabic, Syriac and Kaithi.
_SEEN_FORMAT_SIGNS = frozenset({*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD})
_FILLER = re.compile(f"[{FILLERS}{VARIATION_SELECTORS}\u180e]")
_DIRECTORIES = re.compile(r"[/\\]")


@dataclass(frozen=True, slots=True)
class FileLimits:
    """Limits for uploads."""

    file_bytes: int = 100_000_000
    user_bytes: int = 5_000_000_000
    """The total size of a user's files."""
    user_files: int = 10_000


@dataclass(frozen=True, slots=True)
class Upload:
    """An upload, in progress or complete."""

    document_id: UUID
    collection_id: UUID
    file_id: UUID
    name: str
    size_bytes: int
    received_bytes: int
    is_stored: bool = False
    version: int = 1
    """The version of its document; known once the upload is stored."""
    if_exists: IfExists = IfExists.KEEP
    already_exists: bool = False
    """Whether the same file already existed under the same name, so that nothing was added."""


@dataclass(frozen=True, slots=True)
class Part:
    """The position of an encrypted part."""

    start: int
    size_bytes: int
    object_key: str


@dataclass(frozen=True, slots=True)
class EncryptedFile:
    """Everything that is needed to decrypt a stored file."""

    owner_id: UUID
    id: UUID
    size_bytes: int
    key_id: str
    wrapped_key: bytes
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A document of a collection, as its page shows it."""

    owner_id: UUID
    id: UUID
    collection_id: UUID
    file_id: UUID
    name: str
    media_type: str
    size_bytes: int
    state: DocumentState
    progress: float
    status_text: str
    """What ingestion waits for; "" if it does not wait."""
    warnings: str
    """What was left out, or how the file was parsed."""
    error: str
    pages: int
    characters: int
    chunks: int
    generation: int
    published_generation: int | None
    created_at: datetime
    encoding: str
    """The detected or chosen encoding of a text file; "" for other files."""
    reader: str
    """The parser that was used."""
    chosen_encoding: str
    """The encoding that the user has chosen; "" if it is detected."""
    chosen_reader: str
    version_series_id: UUID
    version: int
    version_state: VersionState
    parent_id: UUID | None
    """The e-mail to which this file is attached; None for a file that was uploaded by itself."""
    status_detail: str = ""
    """For administrators: the error of a host, and which host it was."""

    @property
    def reading(self) -> Reading:
        """How the owner wants the file to be parsed."""
        return Reading(self.chosen_encoding, self.chosen_reader)


_PICTURE_SUFFIXES = (".png", ".jpg", ".jpeg", ".webp", ".gif")


def clean_file_name(name: str) -> str:
    """Return a file's name for display: never a path, and without invisible characters.

    Raises:
        InvalidInput: when nothing is left, or the name is too long.
    """
    cleaned = _cleaned(name)
    if len(cleaned) > NAME_CHARACTERS:
        raise InvalidInput(
            f"The name of this file has {len(cleaned):,} characters; the maximum is {NAME_CHARACTERS}. Shorten it.",
            field="name",
        )
    return cleaned


def shortened_file_name(name: str) -> str:
    """Return the name of a file that no user can rename, with its stem shortened if it is too long.

    Raises:
        InvalidInput: when nothing is left.
    """
    cleaned = _cleaned(name)
    if len(cleaned) <= NAME_CHARACTERS:
        return cleaned
    stem, dot, suffix = cleaned.rpartition(".")
    if not dot or len(suffix) > 20:
        return cleaned[:NAME_CHARACTERS].rstrip()
    return f"{stem[: NAME_CHARACTERS - len(suffix) - 1].rstrip()}.{suffix}"


def file_name_key(name: str) -> str:
    """Return a key that is equal for names that differ only in case, as on most file systems."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _cleaned(name: str) -> str:
    last = _DIRECTORIES.split(unicodedata.normalize("NFC", name))[-1]
    cleaned = " ".join("".join(" " if it.isspace() else it for it in last if not _is_unseen(it)).split())
    # A name may begin with a dot, but not with blank characters before it.
    stem = cleaned.partition(".")[0] if cleaned.startswith(".") is last.lstrip().startswith(".") else " "
    if (stem and _is_blank(stem)) or _is_blank(cleaned.replace(".", "")):
        raise InvalidInput("This file has no name. Rename it and try again.", field="name")
    return cleaned


def _is_blank(text: str) -> bool:
    """Whether no character of a text is visible, even if some have a width or combine with others."""
    return all(it.isspace() or it in JOINERS or _FILLER.match(it) for it in text)


def _is_unseen(character: str) -> bool:
    """Whether a character is invisible, such as one that sets the text direction.

    Joiners are allowed: names in Persian and Indic languages and emoji need them. Characters that are newer than this
    Python's Unicode table are allowed, too.
    """
    if character in JOINERS or character.isspace():
        return False
    match unicodedata.category(character):
        case "Cf":
            return ord(character) not in _SEEN_FORMAT_SIGNS
        case "Cn":
            return ord(character) & 0xFFFE == 0xFFFE or 0xFDD0 <= ord(character) <= 0xFDEF
        case category:
            return category in {"Cc", "Cs"}


def is_picture(name: str) -> bool:
    """Whether a file with this name is a picture that models can see."""
    return name.lower().endswith(_PICTURE_SUFFIXES)


def format_size(size_bytes: int) -> str:
    """Return a size in words, such as "2 MB"."""
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1000))} kB"
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes < 1e9 else f"{size_bytes / 1e9:.1f} GB"
