"""Encodes parsed documents for the pipe from the child process: a JSON header, packed blocks, the text.

A malicious document may control the child, so `decode` validates everything.
"""

from __future__ import annotations

import json
import math
import re
import struct
from collections.abc import Iterable, Sequence
from typing import IO, Any

from rxchat.domain.documents import AttachedFile, Block, BlockKind, ParsedDocument, RecognizedLine, RecognizedPage
from rxchat.domain.errors import DocumentUnreadable, NoTextLayer
from rxchat.domain.text import sanitize
from rxchat.parsers import limits

_KINDS = tuple(BlockKind)
_LENGTH = struct.Struct("<I")
_BLOCK = struct.Struct("<BIIIB")
_HEAD_BYTES = 200_000
_ENCODING = re.compile("[a-z0-9_-]{0,40}")
MOST_BYTES = _LENGTH.size + _HEAD_BYTES + _BLOCK.size * limits.BLOCKS + 4 * limits.TEXT_CHARACTERS
"""The longest valid answer."""


_LINE_CHARACTERS, _LINES = 2_000, 2_000
PAGES_BYTES = 60_000_000
"""The longest encoding of a scan's recognized pages."""


class ProtocolError(Exception):
    """The child sent invalid data."""


def encode(document: ParsedDocument, barriers: Iterable[str] = ()) -> bytes:
    """Encode a document, with the sandbox's barriers that were active."""
    head = {"title": document.title, "pages": document.pages, "notes": document.notes, "blocks": len(document.blocks)}
    head |= {"scanned": document.scanned_pages, "encoding": document.encoding, "barriers": sorted(barriers)}
    blocks = [_BLOCK.pack(_KINDS.index(it.kind), it.start, it.end, it.page, it.level) for it in document.blocks]
    return _framed(head) + b"".join(blocks) + document.text.encode()


def encode_error(sentence: str, *, is_scan: bool = False) -> bytes:
    """Encode the reason of a failure; `is_scan` says that OCR may find text."""
    return _framed({"error": sentence, "is_scan": is_scan})


def _framed(head: dict[str, Any]) -> bytes:
    body = json.dumps(head).encode()
    return _LENGTH.pack(len(body)) + body


def decode(data: bytes) -> ParsedDocument:
    """Decode and validate a document.

    Raises:
        DocumentUnreadable: if the child sent a reason instead; NoTextLayer if OCR may find text.
        ProtocolError: if it breaks an invariant of `ParsedDocument`.
    """
    try:
        (length,) = _LENGTH.unpack_from(data)
        if length > _HEAD_BYTES:
            raise ProtocolError("the head is too long")
        head = json.loads(data[_LENGTH.size : _LENGTH.size + length])
        if isinstance(head, dict) and "error" in head:
            raise (NoTextLayer if head.get("is_scan") is True else DocumentUnreadable)(_sentence(head["error"]))
        return _document(head, memoryview(data)[_LENGTH.size + length :])
    except (struct.error, ValueError, KeyError, TypeError, IndexError, RecursionError) as error:
        raise ProtocolError("the answer cannot be taken apart") from error


def encode_files(files: Sequence[AttachedFile]) -> bytes:
    """Encode files: their names and lengths, then their contents."""
    head = {"files": [[it.name, len(it.content)] for it in files]}
    return _framed(head) + b"".join(it.content for it in files)


def decode_files(data: bytes) -> list[AttachedFile]:
    """Decode and validate files.

    Raises:
        DocumentUnreadable: if the child sent a reason instead.
        ProtocolError: if they exceed the limits.
    """
    try:
        (length,) = _LENGTH.unpack_from(data)
        if length > _HEAD_BYTES:
            raise ProtocolError("the head is too long")
        head = json.loads(data[_LENGTH.size : _LENGTH.size + length])
        if "error" in head:
            raise DocumentUnreadable(_sentence(head["error"]))
        at, files = _LENGTH.size + length, list[AttachedFile]()
        if len(head["files"]) > limits.ATTACHED_FILES or len(data) - at > limits.ATTACHED_BYTES:
            raise ProtocolError("there are too many files")
        for name, size in head["files"]:
            if type(size) is not int or not 0 < size <= len(data) - at or not isinstance(name, str):
                raise ProtocolError("a file is not whole")
            files.append(AttachedFile(sanitize(name), data[at : at + size]))
            at += size
        return files
    except (struct.error, ValueError, KeyError, TypeError, RecursionError) as error:
        raise ProtocolError("the answer cannot be taken apart") from error


def encode_page(page: RecognizedPage) -> bytes:
    """Encode a recognized page as one line of JSON."""
    return json.dumps([page.number, [[it.text, it.left, it.bottom, it.height] for it in page.lines]]).encode()


def decode_page(data: bytes) -> RecognizedPage:
    """Decode a recognized page.

    Raises:
        ProtocolError: if it is invalid.
    """
    try:
        number, lines = json.loads(data)
        if type(number) is not int or not 0 <= number < 1_000_000 or len(lines) > _LINES:
            raise ProtocolError("a page is none")
        return RecognizedPage(number, tuple(_line(*line) for line in lines))
    except (ValueError, TypeError, RecursionError) as error:
        raise ProtocolError("a page is none") from error


def _line(text: object, *places: object) -> RecognizedLine:
    if not isinstance(text, str) or len(text) > _LINE_CHARACTERS or not sanitize(text) == text or len(places) != 3:
        raise ProtocolError("a line is none")
    numbers = [float(place) for place in places if isinstance(place, (int, float)) and math.isfinite(place)]
    if len(numbers) != 3:
        raise ProtocolError("a line is nowhere")
    return RecognizedLine(text, *numbers)


def encode_pages(pages: Iterable[RecognizedPage]) -> bytes:
    """Encode the recognized pages of a scan, which precede the document."""
    body = b"\n".join(encode_page(page) for page in pages)
    return _LENGTH.pack(len(body)) + body


def read_pages(stream: IO[bytes]) -> list[RecognizedPage]:
    """Read the recognized pages that precede the document."""
    (length,) = _LENGTH.unpack(stream.read(_LENGTH.size))
    return [decode_page(line) for line in stream.read(min(length, PAGES_BYTES)).splitlines()]


def barriers(data: bytes) -> frozenset[str]:
    """Return the barriers that the child reports for a document that `decode` accepted."""
    (length,) = _LENGTH.unpack_from(data)
    said = json.loads(data[_LENGTH.size : _LENGTH.size + length]).get("barriers")
    return frozenset(name for name in said if isinstance(name, str)) if isinstance(said, list) else frozenset()


def _document(head: dict[str, Any], rest: memoryview) -> ParsedDocument:
    count, pages, scanned = int(head["blocks"]), int(head["pages"]), int(head["scanned"])
    if not (0 < count <= limits.BLOCKS and 0 <= scanned <= pages <= 1_000_000 and len(head["notes"]) <= limits.NOTES):
        raise ProtocolError("a number is out of bounds")
    text = str(rest[count * _BLOCK.size :], "utf-8")
    if len(text) > limits.TEXT_CHARACTERS or "\0" in text:
        raise ProtocolError("the text is not clean")
    blocks: list[Block] = []
    last = 0
    for kind, start, end, page, level in _BLOCK.iter_unpack(rest[: count * _BLOCK.size]):
        if not (last <= start < end <= len(text) and page <= pages and level <= 9):
            raise ProtocolError("a block is where none can be")
        blocks.append(Block(_KINDS[kind], start, end, page, level))
        last = end
    notes = tuple(_sentence(note) for note in head["notes"])
    title = _sentence(head["title"])[: limits.TITLE_CHARACTERS] if head["title"] else ""
    encoding = head["encoding"]
    if not isinstance(encoding, str) or not _ENCODING.fullmatch(encoding):
        raise ProtocolError("an encoding is none")
    return ParsedDocument(text, tuple(blocks), title, pages, notes, scanned, encoding)


def _sentence(value: object) -> str:
    """Validate a short line of printable text."""
    if not isinstance(value, str) or not value or len(value) > limits.SENTENCE_CHARACTERS:
        raise ProtocolError("a sentence is none")
    return "".join(character if character.isprintable() else " " for character in value)
