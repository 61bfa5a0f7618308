"""How a parsed document travels from the child process: a head in JSON, packed blocks, the text.

The child may be in the hands of the document that it read, so `decode` believes nothing.
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
"""No honest answer is longer."""


_LINE_CHARACTERS, _LINES = 2_000, 2_000
PAGES_BYTES = 60_000_000
"""What is known of a scan's pages is never longer."""


class ProtocolError(Exception):
    """What arrived is not what an honest child sends."""


def encode(document: ParsedDocument, barriers: Iterable[str] = ()) -> bytes:
    """Return the document as bytes, and behind which barriers it was read."""
    head = {"title": document.title, "pages": document.pages, "notes": document.notes, "blocks": len(document.blocks)}
    head |= {"scanned": document.scanned_pages, "encoding": document.encoding, "barriers": sorted(barriers)}
    blocks = [_BLOCK.pack(_KINDS.index(it.kind), it.start, it.end, it.page, it.level) for it in document.blocks]
    return _framed(head) + b"".join(blocks) + document.text.encode()


def encode_error(sentence: str, *, is_scan: bool = False) -> bytes:
    """Return why there is no document, as bytes; and whether there are pictures that may show one."""
    return _framed({"error": sentence, "is_scan": is_scan})


def _framed(head: dict[str, Any]) -> bytes:
    body = json.dumps(head).encode()
    return _LENGTH.pack(len(body)) + body


def decode(data: bytes) -> ParsedDocument:
    """Return the document that was sent.

    Raises:
        DocumentUnreadable: when a reason was sent in its place; NoTextLayer when there may be text on pictures.
        Garbled: when it breaks any of the promises that `ParsedDocument` makes.
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
    """Return files as bytes: their names and lengths, and then what is in them."""
    head = {"files": [[it.name, len(it.content)] for it in files]}
    return _framed(head) + b"".join(it.content for it in files)


def decode_files(data: bytes) -> list[AttachedFile]:
    """Return the files that were sent.

    Raises:
        DocumentUnreadable: when a reason was sent in their place.
        Garbled: when they are more, or larger, than an honest child sends.
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
    """Return a recognized page as one line of JSON."""
    return json.dumps([page.number, [[it.text, it.left, it.bottom, it.height] for it in page.lines]]).encode()


def decode_page(data: bytes) -> RecognizedPage:
    """Return the page that was sent.

    Raises:
        Garbled: when it is none.
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
    """Return what is known of a scan, ready to be sent before the document itself."""
    body = b"\n".join(encode_page(page) for page in pages)
    return _LENGTH.pack(len(body)) + body


def read_pages(stream: IO[bytes]) -> list[RecognizedPage]:
    """Read what is known of a scan from before the document itself."""
    (length,) = _LENGTH.unpack(stream.read(_LENGTH.size))
    return [decode_page(line) for line in stream.read(min(length, PAGES_BYTES)).splitlines()]


def barriers(data: bytes) -> frozenset[str]:
    """Return behind which barriers a document was read that `decode` has accepted, as its child says."""
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
    """Return a short line of printable text."""
    if not isinstance(value, str) or not value or len(value) > limits.SENTENCE_CHARACTERS:
        raise ProtocolError("a sentence is none")
    return "".join(character if character.isprintable() else " " for character in value)
