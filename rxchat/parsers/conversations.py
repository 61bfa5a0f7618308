"""A sandboxed child process that reads an export of conversations from standard input.

Started by rxchat/adapters/import_reading.py as: python -m rxchat.parsers.conversations PARENT_PID. It writes frames to standard
output, each a length of four bytes and JSON: {"found": number}, {"conversation": ...}, {"refused": ...}, and at the end
{"failed": sentence} or {"end": true}. Its input is a file, since a ZIP archive is read from its end.
"""

from __future__ import annotations

import json
import os
import re
import sys
import zipfile
import zlib
from collections.abc import Iterator
from pathlib import PurePosixPath
from typing import BinaryIO

from rxchat.domain.errors import DocumentUnreadable
from rxchat.domain.imports import limits
from rxchat.domain.imports.conversation import ConversationRefused
from rxchat.domain.imports.json_items import spans
from rxchat.domain.imports.reading import read
from rxchat.parsers import sandbox

CPU_SECONDS = 600
MEMORY_BYTES = 2_500_000_000
"""Address space; a file of 200 MB needs about 0.6 GB of it."""
_OUTPUT = 1
_ENCRYPTED = 0x1
_ZIP = b"PK\x03\x04"
_CONVERSATIONS = re.compile(r"conversations?(?:[-_ ]?\d{1,6})?\.json", re.IGNORECASE)
_WAITING = ".waiting.json"
_DAMAGED = "This file is damaged: it cannot be unpacked. Download the export again."
_TOO_LARGE = "This file is too large when unpacked. Unpack it yourself, and import the conversations in parts."
_NOTHING = "This ZIP file contains no conversations: no JSON file is in it."
_TOO_MANY = f"Only the first {limits.CONVERSATIONS:,} conversations of a file are imported. Split it for the others."
_MEMORY = "Reading this file needs more memory than RxChat allows. Split it and try again."


def main(arguments: list[str]) -> int:
    """Read the file of this process, and write what is in it."""
    (parent_pid,) = arguments
    sandbox.begin(int(parent_pid), sandbox.Limits(CPU_SECONDS, MEMORY_BYTES))
    sys.setrecursionlimit(limits.PARSER_DEPTH)
    sandbox.seal()
    try:
        _read_all(sys.stdin.buffer)
        _write({"end": True})
    except DocumentUnreadable as unreadable:
        _write({"failed": unreadable.message})
    except MemoryError:
        _write({"failed": _MEMORY})
    return 0


def _read_all(file: BinaryIO) -> None:
    count = 0
    for content in contents(file):
        # The whole file is checked before anything of it is imported.
        found = list(spans(content))
        _write({"found": len(found)})
        for start, end in found:
            count += 1
            if count > limits.CONVERSATIONS:
                raise DocumentUnreadable(_TOO_MANY)
            _write(_answer(content[start:end]))


def _answer(item: bytes) -> dict[str, object]:
    try:
        if len(item) > limits.CONVERSATION_BYTES:
            raise ConversationRefused(f"It is larger than {limits.CONVERSATION_BYTES // 1_000_000} MB.")
        return {"conversation": read(item).as_plain()}
    except ConversationRefused as refused:
        return {"refused": {"title": refused.title[:200], "reason": refused.reason}}


def contents(file: BinaryIO) -> Iterator[bytes]:
    """Return the JSON files of an upload: itself, or those in a ZIP archive that have conversations.

    Raises:
        DocumentUnreadable: if it is damaged, or too large when unpacked.
    """
    if file.read(len(_ZIP)) != _ZIP:
        file.seek(0)
        yield file.read()
        return
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            for entry in _entries(archive):
                yield _unpacked(archive, entry)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, ValueError, OSError) as error:
        raise DocumentUnreadable(_DAMAGED) from error


def _entries(archive: zipfile.ZipFile) -> list[zipfile.ZipInfo]:
    """Return the entries that have conversations, after their declared sizes were checked."""
    entries = archive.infolist()
    if len(entries) > limits.ENTRIES:
        raise DocumentUnreadable(_TOO_LARGE)
    found = [entry for entry in entries if entry.filename.lower().endswith(".json")]
    chosen = [entry for entry in found if _has_conversations(PurePosixPath(entry.filename))] or found
    if not chosen:
        raise DocumentUnreadable(_NOTHING)
    if any(entry.flag_bits & _ENCRYPTED for entry in chosen):
        raise DocumentUnreadable("This ZIP file is protected by a password. Unpack it, and import the JSON file in it.")
    if sum(entry.file_size for entry in chosen) > limits.UNPACKED_BYTES or any(map(_is_bomb, chosen)):
        raise DocumentUnreadable(_TOO_LARGE)
    return chosen


def _has_conversations(path: PurePosixPath) -> bool:
    if path.name.lower().endswith(_WAITING):
        return False
    return path.parent.name.lower() == "conversations" or _CONVERSATIONS.fullmatch(path.name) is not None


def _is_bomb(entry: zipfile.ZipInfo) -> bool:
    return entry.file_size > limits.RATIO_FREE_BYTES and entry.file_size > limits.RATIO * entry.compress_size


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """Return an entry, up to the size that the archive declares."""
    with archive.open(entry) as stream:
        content = stream.read(entry.file_size + 1)
    if len(content) > entry.file_size:
        raise DocumentUnreadable(_DAMAGED)
    return content


def _write(frame: dict[str, object]) -> None:
    encoded = json.dumps(frame).encode()
    left = memoryview(len(encoded).to_bytes(4, "big") + encoded)
    while left:
        left = left[os.write(_OUTPUT, left) :]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
