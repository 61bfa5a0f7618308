"""Files that people upload: what they are called, how large they may be, and the pieces that they are kept in."""

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
"""A file is sent, sealed and kept in pieces of at most so much: what one upload holds in memory."""
NAME_CHARACTERS = 255
"""Of a file's name: no file system in use takes a longer one."""

# Signs above or around numbers, in Arabic, Syriac and Kaithi.
_SEEN_FORMAT_SIGNS = frozenset({*range(0x600, 0x606), 0x6DD, 0x70F, 0x890, 0x891, 0x8E2, 0x110BD, 0x110CD})
_FILLER = re.compile(f"[{FILLERS}{VARIATION_SELECTORS}\u180e]")
_DIRECTORIES = re.compile(r"[/\\]")


@dataclass(frozen=True, slots=True)
class FileLimits:
    """How much may be uploaded."""

    file_bytes: int = 100_000_000
    user_bytes: int = 5_000_000_000
    """Everything that one person keeps."""
    user_files: int = 10_000


@dataclass(frozen=True, slots=True)
class Upload:
    """A file that is on its way, or has just arrived."""

    document_id: UUID
    collection_id: UUID
    file_id: UUID
    name: str
    size_bytes: int
    received_bytes: int
    is_stored: bool = False
    version: int = 1
    """Which version of its document it is; known once it is stored."""
    if_exists: IfExists = IfExists.KEEP
    already_exists: bool = False
    """Whether the same file was there under the same name, so that nothing was added."""


@dataclass(frozen=True, slots=True)
class Part:
    """Where a piece of a file is."""

    start: int
    size_bytes: int
    object_key: str


@dataclass(frozen=True, slots=True)
class EncryptedFile:
    """What is needed to read a stored file."""

    owner_id: UUID
    id: UUID
    size_bytes: int
    key_id: str
    wrapped_key: bytes
    parts: tuple[Part, ...]


@dataclass(frozen=True, slots=True)
class Document:
    """A file in a collection, as its page shows it."""

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
    """What it waits for just now; "" when it does not wait."""
    warnings: str
    """What was left out of it, or how it was read."""
    error: str
    pages: int
    characters: int
    chunks: int
    generation: int
    published_generation: int | None
    created_at: datetime
    encoding: str
    """In which encoding its text file was read; "" when it is none."""
    reader: str
    """Which parser has read it."""
    chosen_encoding: str
    """What the user has chosen; "" when it is detected."""
    chosen_reader: str
    version_series_id: UUID
    version: int
    version_state: VersionState
    parent_id: UUID | None
    """The mail to which this file is attached; None for what was uploaded by itself."""
    status_detail: str = ""
    """What a host said when it failed, and which host that was: for administrators."""

    @property
    def reading(self) -> Reading:
        """How its owner wants it to be read."""
        return Reading(self.chosen_encoding, self.chosen_reader)


def clean_file_name(name: str) -> str:
    """Return what a file is called, for people to read: never a path, and nothing that is not seen.

    Raises:
        InvalidInput: when nothing is left, or it is too long.
    """
    cleaned = _cleaned(name)
    if len(cleaned) > NAME_CHARACTERS:
        raise InvalidInput(
            f"The name of this file has {len(cleaned):,} characters, and {NAME_CHARACTERS} is the most: please shorten it."
        )
    return cleaned


def shortened_file_name(name: str) -> str:
    """Return what a file is called that nobody can be asked to rename: a name that is too long loses the end of its stem.

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
    """Return what two names have in common that are the same but for upper and lower case, as people and most disks see them."""
    return unicodedata.normalize("NFC", unicodedata.normalize("NFD", name).casefold())


def _cleaned(name: str) -> str:
    last = _DIRECTORIES.split(unicodedata.normalize("NFC", name))[-1]
    cleaned = " ".join("".join(" " if it.isspace() else it for it in last if not _is_unseen(it)).split())
    # A name may begin with a dot, but not with something blank before it.
    stem = cleaned.partition(".")[0] if cleaned.startswith(".") is last.lstrip().startswith(".") else " "
    if (stem and _is_blank(stem)) or _is_blank(cleaned.replace(".", "")):
        raise InvalidInput("This file has no name: please give it one and try again.")
    return cleaned


def _is_blank(text: str) -> bool:
    """Whether nothing of a text is seen, though some of it may have a width, or change what stands before it."""
    return all(it.isspace() or it in JOINERS or _FILLER.match(it) for it in text)


def _is_unseen(character: str) -> bool:
    """Whether a character shows nothing by itself, such as one that turns the direction of writing around.

    Joiners stay: names in Persian, languages of India, and emoji are made with them. So do characters that are newer than
    this Python's table of them.
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


def format_size(size_bytes: int) -> str:
    """Return a size as people say it."""
    if size_bytes < 1_000_000:
        return f"{max(1, round(size_bytes / 1000))} kB"
    return f"{size_bytes / 1e6:.1f} MB" if size_bytes < 1e9 else f"{size_bytes / 1e9:.1f} GB"
