"""JSON and JSON Lines, laid out so that people and models can read them."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers.builder import TextBuilder
from rxchat.parsers.plain_text import read

_LINES = frozenset({".jsonl", ".ndjson"})
_TOO_DEEP = "This JSON is nested too deeply to be read: save it flatter and try again."


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the data; the keys at the top are headings, and each item of a list is a block."""
    builder = TextBuilder(len(content))
    text = read(builder, content)
    try:
        if suffix in _LINES:
            _add_items(builder, _lines(text))
        else:
            _add_value(builder, _loaded(text))
    except RecursionError as error:
        raise DocumentUnreadable(_TOO_DEEP) from error
    return builder.built()


def _add_value(builder: TextBuilder, value: Any) -> None:
    if isinstance(value, dict):
        for key, inner in value.items():
            if builder.is_full:
                return
            builder.heading(key, 1)
            builder.add(BlockKind.CODE, _laid_out(inner, builder.room))
    elif isinstance(value, list):
        _add_items(builder, value)
    else:
        builder.add(BlockKind.CODE, _laid_out(value, builder.room))


def _add_items(builder: TextBuilder, items: Iterable[Any]) -> None:
    for item in items:
        if builder.is_full:
            return
        builder.add(BlockKind.CODE, _laid_out(item, builder.room))


def _lines(text: str) -> Iterator[Any]:
    # Not splitlines: U+2028 and its like may stand in strings, and a record ends at a newline only.
    for number, line in enumerate(text.split("\n"), start=1):
        record = line.strip("\ufeff\x1e \t\r")
        if record:
            yield _loaded(record, f" (line {number:,})")


def _loaded(text: str, where: str = "") -> Any:
    """Return what the text says.

    Raises:
        DocumentUnreadable: when it is not JSON; with the place.
    """
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        where = where or f" (line {error.lineno:,})"
        raise DocumentUnreadable(f"This JSON is damaged{where}: check it and try again.") from error
    except ValueError as error:
        raise DocumentUnreadable(f"This JSON has a number of thousands of digits{where}.") from error


def _laid_out(value: Any, room: int) -> str:
    """Return the value over several lines; a little more than there is room for at most."""
    pieces: list[str] = []
    length = 0
    for piece in json.JSONEncoder(indent=2, ensure_ascii=False).iterencode(value):
        pieces.append(piece)
        length += len(piece)
        if length > room:
            break
    return "".join(pieces)
