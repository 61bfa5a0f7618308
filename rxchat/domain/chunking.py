"""Cutting a document into passages: by its structure first, then by what the embedder takes.

A chunk is a span of the document's text, so that whoever reads the chunk can be shown the very place. Chunks of one
section overlap a little: what stands at a cut is found whole in one of them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rxchat.domain.documents import Block, BlockKind, ParsedDocument

LONGEST_CHUNK_TOKENS = 400
"""Beyond that a passage says too many things to be near any question."""
_OVERLAP_SHARE = 0.15
_HEADING_CHARACTERS = 200

_WORD = re.compile(r"\w+|[^\w\s]")
_SENTENCE_END = re.compile(r"(?<=[.!?…。！？])[\"'”’)\]]*\s+|\n+")
# Markdown is kept as it was written; a heading's marks are not its words.
_MARKUP = re.compile(r"^#{1,6}\s|\s#+\s*$|\n[=-]{2,}\s*$")
_WORD_END = re.compile(r"\s+")


@dataclass(frozen=True, slots=True)
class Chunk:
    """A passage of a document and where it is."""

    ordinal: int
    start: int
    end: int
    page: int
    heading: str
    """The headings above it, the outermost first."""
    tokens: int
    """Estimated, the embedder's own tokens."""


@dataclass(frozen=True, slots=True)
class _Span:
    start: int
    end: int
    page: int
    tokens: int


def estimated_tokens(text: str) -> int:
    """Return about how many tokens a text has for word-piece and byte-pair tokenizers alike, rather too many.

    Every tokenizer has its own count; the embedder has the last word (`TextTooLong`).
    """
    total = 0
    for match in _WORD.finditer(text):
        word = match.group()
        if not word.isascii():
            # Scripts that vocabularies know less of: a token for two bytes.
            total += max(1, len(word.encode("utf-8", "replace")) // 2)
        elif word.isdigit():
            total += (len(word) + 1) // 2
        else:
            total += 1 if len(word) <= 7 else 1 + (len(word) - 4) // 3
    return total


def chunked(document: ParsedDocument, max_tokens: int) -> list[Chunk]:
    """Return the passages of a document for an embedder that takes texts of up to so many tokens."""
    # Name and headings are embedded with the text, and counting is guessing.
    target = min(int(max_tokens * 0.72), LONGEST_CHUNK_TOKENS)
    pieces: list[Chunk] = []
    for heading, blocks in _sections(document):
        spans = [span for block in blocks for span in _split(document.text, block, target)]
        for start, end, page, tokens in _packed(spans, target):
            pieces.append(Chunk(len(pieces), start, end, page, heading, tokens))
    return pieces


def _sections(document: ParsedDocument) -> Iterator[tuple[str, list[Block]]]:
    """Yield what stands under each heading, the heading itself first."""
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
    """Return a block in spans of at most so many tokens: whole, by sentences or lines, or by words."""
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
    """Yield the spans between borders, without white space around them."""
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
            # Something without spaces, such as base64 or a script that has none.
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
    """Yield start, end, page and tokens of chunks: as many spans together as fit, beginning with the last of the one before."""
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
    """Return the last spans of a chunk that fit into so many tokens; never all of it."""
    kept: list[_Span] = []
    for span in reversed(chunk[1:]):
        if sum(item.tokens for item in kept) + span.tokens > room:
            break
        kept.insert(0, span)
    return kept
