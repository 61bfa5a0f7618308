"""What travels from a child process, and what is not believed."""

from __future__ import annotations

import json
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxchat.domain.documents import AttachedFile, Block, BlockKind, ParsedDocument
from rxchat.domain.errors import DocumentUnreadable, NoTextLayer
from rxchat.parsers import protocol

DOCUMENT = ParsedDocument(
    "Häppy\n\n🍏 tree",
    (Block(BlockKind.HEADING, 0, 5, 1, 2), Block(BlockKind.CODE, 7, 13, 2)),
    "T",
    2,
    ("A note.",),
    1,
)


def test_a_document_arrives_as_it_was_sent() -> None:
    assert protocol.decode(protocol.encode(DOCUMENT)) == DOCUMENT


def test_a_reason_arrives_as_it_was_sent() -> None:
    with pytest.raises(DocumentUnreadable, match=r"^It is broken\.$"):
        protocol.decode(protocol.encode_error("It is broken."))


def test_a_reason_arrives_with_what_can_be_done_about_it() -> None:
    with pytest.raises(NoTextLayer):
        protocol.decode(protocol.encode_error("Only pictures.", is_scan=True))
    with pytest.raises(DocumentUnreadable) as caught:
        protocol.decode(protocol.encode_error("It is broken."))
    assert type(caught.value) is DocumentUnreadable


def test_barriers_arrive_and_lies_about_them_are_none() -> None:
    assert protocol.barriers(protocol.encode(DOCUMENT, ("seccomp", "cpu"))) == {"seccomp", "cpu"}
    head = json.dumps({"barriers": "seccomp"}).encode()
    assert protocol.barriers(struct.pack("<I", len(head)) + head) == frozenset()


@given(st.binary() | st.binary().map(lambda it: struct.pack("<I", len(it)) + it))
def test_random_bytes_are_garbled(data: bytes) -> None:
    with pytest.raises(protocol.ProtocolError):
        protocol.decode(data)


@given(st.integers(0, len(protocol.encode(DOCUMENT)) - 1), st.binary(max_size=3))
def test_a_changed_document_is_garbled_or_keeps_the_promises(place: int, put: bytes) -> None:
    sent = protocol.encode(DOCUMENT)
    try:
        document = protocol.decode(sent[:place] + put + sent[place + len(put) :])
    except (protocol.ProtocolError, DocumentUnreadable):
        return
    last = 0
    for block in document.blocks:
        assert last <= block.start < block.end <= len(document.text)
        last = block.end


@pytest.mark.parametrize(
    "head",
    [
        [],
        "error",
        {},
        {"error": ""},
        {"error": "x" * 501},
        {"error": 7},
        {"title": "", "pages": -1, "scanned": 0, "notes": [], "blocks": 1},
        {"title": "", "pages": 0, "scanned": 0, "notes": [], "blocks": -1},
        {"title": "", "pages": 0, "scanned": 0, "notes": [], "blocks": 10**9},
        {"title": "", "pages": 0, "scanned": 0, "notes": ["x"] * 21, "blocks": 1},
        {"title": "", "pages": 1, "scanned": 2, "notes": [], "blocks": 1},
        {"title": "", "pages": 1, "scanned": -1, "notes": [], "blocks": 1},
        {"title": "", "pages": 1, "notes": [], "blocks": 1},
        {"title": [], "pages": 0, "scanned": 0, "notes": [7], "blocks": 1},
    ],
)
def test_a_head_that_lies_is_garbled(head: object) -> None:
    body = json.dumps(head).encode()
    block = struct.pack("<BIIIB", 0, 0, 1, 0, 0)
    with pytest.raises(protocol.ProtocolError):
        protocol.decode(struct.pack("<I", len(body)) + body + block + b"text")


@pytest.mark.parametrize(
    ("block", "text"),
    [
        ((9, 0, 1, 0, 0), b"text"),
        ((0, 0, 5, 0, 0), b"text"),
        ((0, 1, 1, 0, 0), b"text"),
        ((0, 0, 1, 1, 0), b"text"),
        ((0, 0, 1, 0, 10), b"text"),
        ((0, 0, 1, 0, 0), b"te\0t"),
        ((0, 0, 1, 0, 0), b"te\xff"),
        ((0, 0, 1, 0, 0), b"te\xed\xa0\x80"),
    ],
)
def test_a_block_or_text_that_lies_is_garbled(block: tuple[int, ...], text: bytes) -> None:
    body = json.dumps({"title": "", "pages": 0, "scanned": 0, "notes": [], "blocks": 1}).encode()
    with pytest.raises(protocol.ProtocolError):
        protocol.decode(struct.pack("<I", len(body)) + body + struct.pack("<BIIIB", *block) + text)


def test_control_characters_in_a_reason_do_not_reach_a_log() -> None:
    with pytest.raises(DocumentUnreadable) as caught:
        protocol.decode(protocol.encode_error("a\x1b[31mb\nc"))
    assert caught.value.message == "a [31mb c"


@pytest.mark.parametrize(
    "files",
    [[["a.txt", 0]], [["a.txt", 6]], [["a.txt", -1]], [["a.txt", True]], [[None, 1]], [["a.txt"]], [["a", 1]] * 60, 7],
)
def test_files_that_no_honest_child_sends_are_refused(files: object) -> None:
    head = json.dumps({"files": files}).encode()
    with pytest.raises(protocol.ProtocolError):
        protocol.decode_files(len(head).to_bytes(4, "little") + head + b"12345")


def test_files_travel_whole() -> None:
    files = [AttachedFile("Übersicht.txt", b"one"), AttachedFile("b\x00.txt", bytes(range(256)))]
    assert [item.content for item in protocol.decode_files(protocol.encode_files(files))] == [b"one", bytes(range(256))]
    with pytest.raises(DocumentUnreadable, match="No\\."):
        protocol.decode_files(protocol.encode_error("No."))
