"""Markdown: the source is the text, and its structure defines the blocks."""

from __future__ import annotations

import re

from markdown_it import MarkdownIt
from markdown_it.token import Token

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.parsers.builder import TextBuilder, clean
from rxchat.parsers.plain_text import read

_FRONT_MATTER = re.compile(r"\A---\n(.{0,20000}?)\n(?:---|\.\.\.)\n", re.DOTALL)
_KINDS = {
    "fence": BlockKind.CODE,
    "code_block": BlockKind.CODE,
    "bullet_list_open": BlockKind.LIST,
    "ordered_list_open": BlockKind.LIST,
    "table_open": BlockKind.TABLE,
    "heading_open": BlockKind.HEADING,
}


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the source text, in Markdown's blocks."""
    del suffix
    builder = TextBuilder(len(content))
    text = clean(builder.cut(read(builder, content)))
    if front := _FRONT_MATTER.match(text):
        builder.add(BlockKind.CODE, front.group(1))
        text = text[front.end() :]
    _add_blocks(builder, text)
    return builder.built()


def _add_blocks(builder: TextBuilder, text: str) -> None:
    parser = MarkdownIt("commonmark").enable("table")
    # Only blocks matter here; parsing inline elements is most of the work, and the most vulnerable part.
    parser.core.ruler.enableOnly(["normalize", "block"])
    lines = text.split("\n")
    reached = 0
    tokens = parser.parse(text)
    for index, token in enumerate(tokens):
        if token.level != 0 or token.map is None:
            continue
        first, last = token.map
        # Link definitions are no blocks in Markdown, but are text.
        builder.add(BlockKind.PARAGRAPH, "\n".join(lines[reached:first]))
        reached = last
        if token.type != "hr":
            _add_block(builder, token, tokens[index + 1 : index + 2], "\n".join(lines[first:last]))
    builder.add(BlockKind.PARAGRAPH, "\n".join(lines[reached:]))


def _add_block(builder: TextBuilder, token: Token, following: list[Token], source: str) -> None:
    kind = _KINDS.get(token.type, BlockKind.PARAGRAPH)
    level = int(token.tag[1:]) if kind is BlockKind.HEADING else 0
    builder.add(kind, source, level=level)
    if level == 1 and not builder.title and following:
        builder.title = following[0].content
