"""Splits a document into chunks: by its structure first, then by the embedding model's limit.

A chunk is a span of the document's text, so that a page can show the exact place. Chunks of one section overlap a
little, so that a statement at a border is complete in one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rxchat.domain.documents import Block, BlockKind, ParsedDocument

LONGEST_CHUNK_TOKENS = 400
"""A longer chunk contains too many statements for its vector to be near a query."""
_OVERLAP_SHARE = 0.15
_HEADING_CHARACTERS = 200

_WORD = re.compile(r"\w+|[^\w\s]")
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])[\"'”’)\]]*\s+|\n+")
# Markdown text is kept as written; the marks of a heading are not part of its words.
_MARKUP = re.compile(r"^#{1,6}\s|\s#+\s*$|\n[=-]{2,}\s*$")
_WORD_END = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A part of a document's text with its position."""

    ordinal: int
    start: int
    end: int
    page: int
    heading: str
    """The headings above it, outermost first."""
    tokens: int
    """An estimate of the embedding model's tokens."""


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    page: int
    tokens: int


def estimated_tokens(text: str) -> int:
    """Return the approximate number of tokens for word-piece and byte-pair tokenizers, rather too many.

    Every tokenizer counts differently; the embedding model reports the exact limit (`TextTooLong`).
    """
    total = 0
    for match in _WORD.finditer(text):
        word = match.group()
        if not word.isascii():
            # Vocabularies have few tokens for such scripts: one for two bytes.
            total += max(1, len(word.encode("utf-8", "replace")) // 2)
        elif word.isdigit():
            total += (len(word) + 1) // 2
        else:
            total += 1 if len(word) <= 7 else 1 + (len(word) - 4) // 3
    return total


def chunked(document: ParsedDocument, max_tokens: int) -> list[Chunk]:
    """Return the chunks of a document for an embedding model that accepts `max_tokens` tokens."""
    # The name and headings are embedded with the text, and the count is an estimate.
    target = min(int(max_tokens * 0.72), LONGEST_CHUNK_TOKENS)
    pieces: list[Chunk] = []
    for heading, blocks in _sections(document):
        spans = [span for block in blocks for span in _split(document.text, block, target)]
        for start, end, page, tokens in _packed(spans, target):
            pieces.append(Chunk(len(pieces), start, end, page, heading, tokens))
    return pieces


def _sections(document: ParsedDocument) -> Iterator[tuple[str, list[Block]]]:
    """Yield the blocks below each heading, starting with the heading itself."""
    path: list[tuple[int, str]] = []
    heading, blocks = "", []
    for block in document.blocks:
        if block.kind is BlockKind.HEADING:
            if any(item.kind is not BlockKind.HEADING for item in blocks):
                yield heading, blocks
                blocks = []
            level = block.level or 1
            words = " ".join(_MARKUP.sub("", document.text[block.start : block.end]).split())[:_HEADING_CHARACTERS]
            path = [(above, text) for above, text in path if above < level] + [(level, words)]
            heading = " › ".join(text for _, text in path)
        blocks.append(block)
    if blocks:
        yield heading, blocks


def _split(text: str, block: Block, target: int) -> list[_Span]:
    """Return a block in spans of at most `target` tokens: whole, by sentences or lines, or by words."""
    whole = estimated_tokens(text[block.start : block.end])
    if whole <= target:
        return [_Span(block.start, block.end, block.page, whole)]
    spans = []
    for start, end in _cut(text, block.start, block.end, _SENTENCE_END):
        tokens = estimated_tokens(text[start:end])
        if tokens <= target:
            spans.append(_Span(start, end, block.page, tokens))
        else:
            spans += [_Span(low, high, block.page, count) for low, high, count in _by_words(text, start, end, target)]
    return spans


def _cut(text: str, start: int, end: int, border: re.Pattern[str]) -> Iterator[tuple[int, int]]:
    """Yield the spans between borders, without surrounding white space."""
    at = start
    for match in border.finditer(text, start, end):
        if match.start() > at:
            yield at, match.start()
        at = match.end()
    if at < end:
        yield at, end


def _by_words(text: str, start: int, end: int, target: int) -> Iterator[tuple[int, int, int]]:
    """Yield spans of whole words, and of parts of a word that is longer than a chunk."""
    low, high, total = start, start, 0
    for word_start, word_end in _cut(text, start, end, _WORD_END):
        tokens = estimated_tokens(text[word_start:word_end])
        if total and total + tokens > target:
            yield low, high, total
            low, total = word_start, 0
        if tokens > target:
            # Text without spaces, such as base64 or a script that has none.
            step = max(1, (word_end - word_start) * target // tokens // 2)
            for at in range(word_start, word_end, step):
                stop = min(at + step, word_end)
                yield at, stop, estimated_tokens(text[at:stop])
            low, high, total = word_end, word_end, 0
            continue
        low = word_start if not total else low
        high, total = word_end, total + tokens
    if total:
        yield low, high, total


def _packed(spans: Sequence[_Span], target: int) -> Iterator[tuple[int, int, int, int]]:
    """Yield start, end, page and tokens of chunks: as many spans as fit, starting with the last of the previous chunk."""
    room = int(target * _OVERLAP_SHARE)
    chunk: list[_Span] = []
    total = 0
    for span in spans:
        if chunk and total + span.tokens > target:
            yield chunk[0].start, chunk[-1].end, chunk[0].page, total
            chunk = _tail(chunk, room)
            total = sum(item.tokens for item in chunk)
            if total + span.tokens > target:
                chunk, total = [], 0
        chunk.append(span)
        total += span.tokens
    if chunk:
        yield chunk[0].start, chunk[-1].end, chunk[0].page, total


def _tail(chunk: Sequence[_Span], room: int) -> list[_Span]:
    """Return the last spans of a chunk that fit into `room` tokens, but never all of them."""
    kept: list[_Span] = []
    for span in reversed(chunk[1:]):
        if sum(item.tokens for item in kept) + span.tokens > room:
            break
        kept.insert(0, span)
    return kept
