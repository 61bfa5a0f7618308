"""JSON and JSON Lines, formatted for users and models."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers.builder import TextBuilder
from rxchat.parsers.plain_text import read

_LINES = frozenset({".jsonl", ".ndjson"})
_ENCODER = json.JSONEncoder(ensure_ascii=False)
_TOO_DEEP = "This JSON is nested too deeply. Flatten it and try again."


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the data; top-level keys are headings, and each item of a list is a block."""
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


class _Literal(str):
    """A number, true, false or null as in the source: a search for 1.10 must not need 1.1."""

    __slots__ = ()


class _Members(list[tuple[str, Any]]):
    """The members of an object in order; names may be repeated."""

    __slots__ = ()


def _add_value(builder: TextBuilder, value: Any) -> None:
    if isinstance(value, _Members):
        for key, inner in value:
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
    # Not splitlines: strings may contain U+2028 and the like, and only a newline ends a record.
    for number, line in enumerate(text.split("\n"), start=1):
        record = line.strip("\ufeff\x1e \t\r")
        if record:
            yield _loaded(record, f" (line {number:,})")


def _loaded(text: str, where: str = "") -> Any:
    """Parse JSON, with numbers as in the source.

    Raises:
        DocumentUnreadable: if it is not JSON; the message names the position.
    """
    try:
        return json.loads(
            text, parse_int=_Literal, parse_float=_Literal, parse_constant=_Literal, object_pairs_hook=_Members
        )
    except json.JSONDecodeError as error:
        where = where or f" (line {error.lineno:,})"
        raise DocumentUnreadable(f"This JSON is damaged{where}: check it and try again.") from error


def _laid_out(value: Any, room: int) -> str:
    """Format a value over several lines; stops soon after `room` characters."""
    pieces: list[str] = []
    length = 0
    for piece in _pieces(value, "\n"):
        pieces.append(piece)
        length += len(piece)
        if length > room:
            break
    return "".join(pieces)


def _pieces(value: Any, line: str) -> Iterator[str]:
    """Yield the text of a value in parts; `line` is the beginning of each of its lines."""
    match value:
        case _Literal():
            yield value
        case _Members() | list() if not value:
            yield "{}" if isinstance(value, _Members) else "[]"
        case _Members():
            for index, (key, inner) in enumerate(value):
                yield f"{',' if index else '{'}{line}  {_encoded(key)}: "
                yield from _pieces(inner, f"{line}  ")
            yield f"{line}}}"
        case list():
            for index, inner in enumerate(value):
                yield f"{',' if index else '['}{line}  "
                yield from _pieces(inner, f"{line}  ")
            yield f"{line}]"
        case _:
            yield _encoded(value)


def _encoded(value: str | bool | None) -> str:
    return _ENCODER.encode(value)
