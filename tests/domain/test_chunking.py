"""Cutting: every word of a document is in a chunk, a chunk is a span, and none is larger than the embedder takes."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from rxchat.domain.chunking import LONGEST_CHUNK_TOKENS, chunked, estimated_tokens
from rxchat.domain.documents import Block, BlockKind, ParsedDocument

WORDS = st.text(alphabet="abcdefghij 0123456789.,!?\n-äßж漢\U0001f600", max_size=400)


def document(*parts: tuple[BlockKind, str] | tuple[BlockKind, str, int]) -> ParsedDocument:
    text, blocks = "", []
    for part in parts:
        kind, said = part[0], part[1]
        start = len(text)
        text += said
        blocks.append(Block(kind, start, len(text), level=part[2] if len(part) > 2 else 0))
        text += "\n\n"
    return ParsedDocument(text, tuple(blocks))


def test_headings_are_the_path_to_a_chunk() -> None:
    found = chunked(
        document(
            (BlockKind.HEADING, "# Book", 1),
            (BlockKind.HEADING, "Part one", 2),
            (BlockKind.PARAGRAPH, "First."),
            (BlockKind.HEADING, "Part two", 2),
            (BlockKind.PARAGRAPH, "Second."),
            (BlockKind.HEADING, "Appendix", 1),
            (BlockKind.PARAGRAPH, "Third."),
        ),
        256,
    )
    assert [piece.heading for piece in found] == ["Book › Part one", "Book › Part two", "Appendix"]


def test_a_section_that_fits_is_one_chunk_and_a_long_one_is_several_that_overlap() -> None:
    sentences = " ".join(
        f"Sentence number {number} says something about the weather in spring." for number in range(60)
    )
    made = document((BlockKind.HEADING, "Weather", 1), (BlockKind.PARAGRAPH, sentences))
    found = chunked(made, 256)
    assert len(found) > 2
    for before, after in pairwise(found):
        assert before.start < after.start < before.end <= after.end
    assert chunked(document((BlockKind.PARAGRAPH, "Short."), (BlockKind.PARAGRAPH, "Too.")), 256)[0].end == 12


@settings(max_examples=150)
@given(
    st.lists(st.tuples(st.sampled_from(BlockKind), WORDS, st.integers(1, 4)), max_size=12),
    st.sampled_from([32, 64, 256, 8192]),
)
def test_nothing_is_lost_and_nothing_is_too_large(parts: list, max_tokens: int) -> None:
    made = document(
        *[(kind, said, level if kind is BlockKind.HEADING else 0) for kind, said, level in parts if said.strip()]
    )
    found = chunked(made, max_tokens)
    covered = set()
    for number, piece in enumerate(found):
        assert piece.ordinal == number
        assert 0 <= piece.start < piece.end <= len(made.text)
        assert made.text[piece.start : piece.end].strip()
        assert estimated_tokens(made.text[piece.start : piece.end]) <= min(max_tokens, LONGEST_CHUNK_TOKENS) * 1.2
        covered |= set(range(piece.start, piece.end))
    for block in made.blocks:
        missing = [at for at in range(block.start, block.end) if at not in covered and not made.text[at].isspace()]
        # The marks after a sentence's end may stand between two chunks.
        assert all(made.text[at] in "\"'”’)]" for at in missing), made.text[block.start : block.end]


def test_an_estimate_is_rather_too_high_than_too_low() -> None:
    assert estimated_tokens("the quick brown fox") == 4
    assert estimated_tokens("internationalization") >= 4
    assert estimated_tokens("漢字仮名") >= 4
    assert estimated_tokens("2024-11-22") >= 6
