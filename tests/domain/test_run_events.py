"""Pieces and cursors of runs: whatever happens to the text, the client has what the server has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from rxchat.domain.run_events import PIECE_CHARACTERS, RunPiece, Sent
from rxchat.domain.runs import ChunkKind

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=30)


class Client:
    """A client that applies pieces as docs/api.md says, and keeps the cursor of each moment."""

    def __init__(self) -> None:
        self.texts = dict.fromkeys(ChunkKind, "")
        self.moments = [("", "", "")]

    def take(self, pieces: list[RunPiece]) -> None:
        for piece in pieces:
            self.texts[piece.kind] = self.texts[piece.kind][: piece.offset] + piece.text
            self.moments.append((piece.cursor, self.texts[ChunkKind.TEXT], self.texts[ChunkKind.REASONING]))


@given(st.lists(st.tuples(TEXT, TEXT), max_size=8), st.tuples(TEXT, TEXT))
def test_a_client_has_the_text_whatever_it_was_before(earlier, final) -> None:
    sent, client = Sent(), Client()
    for text, reasoning in [*earlier, final]:
        client.take(sent.pieces(text, reasoning, may_shrink=True))
        assert (client.texts[ChunkKind.TEXT], client.texts[ChunkKind.REASONING]) == (text, reasoning)
    # From each moment on, in another process and after any change, the same.
    for cursor, text, reasoning in client.moments:
        other, resumed = Sent(), Client()
        resumed.texts = {ChunkKind.TEXT: text, ChunkKind.REASONING: reasoning}
        other.resume(cursor, *final)
        resumed.take(other.pieces(*final, may_shrink=True))
        if cursor:
            assert (resumed.texts[ChunkKind.TEXT], resumed.texts[ChunkKind.REASONING]) == final


@given(TEXT, TEXT, st.integers(0, 60))
def test_every_byte_of_an_answer_is_a_place_to_resume(text: str, reasoning: str, at: int) -> None:
    sent = Sent()
    sent.pieces(text[:at], reasoning)
    other = Sent()
    other.resume(sent.cursor, text, reasoning)
    pieces = other.pieces(text, reasoning)
    assert "".join(piece.text for piece in pieces) == text[at:]
    assert other.cursor == Sent_of(text, reasoning).cursor


def Sent_of(text: str, reasoning: str) -> Sent:  # noqa: N802
    sent = Sent()
    sent.pieces(text, reasoning)
    return sent


def test_a_text_that_is_only_shorter_is_being_read_and_withdraws_nothing() -> None:
    sent = Sent()
    assert len(sent.pieces("one two", "")) == 1
    assert sent.pieces("one", "") == []
    [piece] = sent.pieces("one", "", may_shrink=True)
    assert (piece.offset, piece.text) == (3, "")
    [piece] = sent.pieces("one three", "")
    assert (piece.offset, piece.text) == (3, " three")


def test_long_texts_are_sent_in_several_pieces() -> None:
    pieces = Sent().pieces("x" * (2 * PIECE_CHARACTERS + 1), "")
    assert [(piece.offset, len(piece.text)) for piece in pieces] == [
        (0, PIECE_CHARACTERS), (PIECE_CHARACTERS, PIECE_CHARACTERS), (2 * PIECE_CHARACTERS, 1),
    ]  # fmt: skip
    assert len({piece.cursor for piece in pieces}) == 3


def test_a_cursor_ahead_of_the_text_is_recognized() -> None:
    cursor = Sent_of("one two", "").cursor
    assert Sent.is_ahead(cursor, "one", "") and not Sent.is_ahead(cursor, "one two three", "")
    assert not Sent.is_ahead("nonsense", "", "")
