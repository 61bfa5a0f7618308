"""Source code and settings files, in blocks that belong together."""

from __future__ import annotations

from collections.abc import Iterator

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.parsers.builder import TextBuilder, clean
from rxchat.parsers.plain_text import decoded

_SHORT_LINES = 8
_LONG_LINES = 80


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the code, split at blank lines before something that is not indented: a definition, mostly."""
    del suffix
    builder = TextBuilder()
    for block in _blocks(clean(builder.cut(decoded(content))).split("\n")):
        builder.add(BlockKind.CODE, "\n".join(block))
        if builder.is_full:
            break
    return builder.built()


def _blocks(lines: list[str]) -> Iterator[list[str]]:
    """Yield runs of lines; short ones go together, and long ones end at any blank line."""
    block: list[str] = []
    for line in lines:
        after_blank = bool(block) and not block[-1].strip()
        is_start = bool(line.strip()) and not line[0].isspace() and line[0] not in ")}]"
        if after_blank and ((is_start and len(block) > _SHORT_LINES) or len(block) > _LONG_LINES):
            yield block
            block = []
        block.append(line)
    yield block
