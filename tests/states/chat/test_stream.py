"""The window on the end of an answer: where it begins, what it carries, how much of it."""

from __future__ import annotations

from rxchat.domain.ids import new_id
from rxchat.domain.runs import ChunkKind
from rxchat.services.chat.answer_stream import AnswerStream
from rxchat.states.chat.stream import Window


def test_a_window_begins_a_little_back_and_counts_as_javascript_does() -> None:
    answer = AnswerStream(new_id(), new_id())
    window = Window("m", ChunkKind.TEXT)
    assert window.packet(answer) is None
    packets = []
    for piece in ("a🙂", "b", "c", "d", "🙂e"):
        answer.add(ChunkKind.TEXT, piece)
        packets.append(window.packet(answer))
    assert [(packet["offset"], packet["text"]) for packet in packets if packet] == [
        (0, "a🙂"),
        (0, "a🙂b"),
        (0, "a🙂bc"),
        (3, "bcd"),
        (4, "cd🙂e"),
    ]
    assert window.packet(answer) is None


def test_no_packet_is_over_64_kb_whatever_was_written_at_once() -> None:
    answer = AnswerStream(new_id(), new_id())
    window, text = Window("m", ChunkKind.TEXT), "🙂" * 45_000
    answer.add(ChunkKind.TEXT, text)
    shown = b""
    while (packet := window.packet(answer)) is not None:
        assert len(packet["text"].encode()) < 64_000
        shown = shown[: packet["offset"] * 2] + packet["text"].encode("utf-16-le")
    assert shown.decode("utf-16-le") == text and window.has_all_of(answer)


def test_a_window_begins_anew_when_what_it_showed_was_taken_back() -> None:
    answer = AnswerStream(new_id(), new_id())
    window = Window("m", ChunkKind.TEXT)
    answer.add(ChunkKind.TEXT, "one two three")
    window.packet(answer)
    answer.truncate(ChunkKind.TEXT, 7)
    assert not window.has_all_of(answer)
    packet = window.packet(answer)
    assert packet is not None and (packet["offset"], packet["text"]) == (0, "one two")
