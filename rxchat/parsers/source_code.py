"""Source code and configuration files, in blocks of related lines."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.parsers.builder import TextBuilder, clean
from rxchat.parsers.plain_text import read

# PEP 263's comment, XML's declaration, and CSS's rule.
_DECLARED = re.compile(rb"(?:coding[:=]\s*|encoding\s*=\s*[\"']|\A@charset \")([\w.:-]{1,40})")
_DECLARED_WITHIN = 200
_SHORT_LINES = 8
_LONG_LINES = 80


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the code, split at blank lines before an unindented line, mostly a definition."""
    del suffix
    builder = TextBuilder(len(content))
    for block in _blocks(clean(builder.cut(read(builder, content, _declared(content)))).split("\n")):
        builder.add(BlockKind.CODE, "\n".join(block))
        if builder.is_full:
            break
    return builder.built()


def _declared(content: bytes) -> str:
    """Return the encoding that the beginning of a file declares; "" without one."""
    declared = _DECLARED.search(content[:_DECLARED_WITHIN])
    return declared.group(1).decode("ascii") if declared else ""


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Yield blocks of lines; short ones are joined, and long ones end at any blank line."""
    block: list[str] = []
    for line in lines:
        after_blank = bool(block) and not block[-1].strip()
        is_start = bool(line.strip()) and not line[0].isspace() and line[0] not in ")}]"
        if after_blank and ((is_start and len(block) > _SHORT_LINES) or len(block) > _LONG_LINES):
            yield block
            block = []
        block.append(line)
    yield block
