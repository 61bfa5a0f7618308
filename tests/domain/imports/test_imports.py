"""Exports of other systems become conversations of RxChat, or are refused with a sentence."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import pytest

from rxchat.domain.chat import Role
from rxchat.domain.errors import DocumentUnreadable
from rxchat.domain.imports import json_items, limits
from rxchat.domain.imports.conversation import ConversationRefused, ImportedConversation
from rxchat.domain.imports.reading import read
from rxchat.domain.messages import MessageState
from tests.domain.imports import samples


def read_one(item: Any) -> ImportedConversation:
    found = read(json.dumps(item).encode())
    # What the child process sends is what it has read.
    assert ImportedConversation.from_plain(json.loads(json.dumps(found.as_plain()))) == found
    return found


def lines(found: ImportedConversation) -> list[tuple[int | None, str, str]]:
    return [(item.parent, item.role.value, item.text) for item in found.messages]


def refusal(item: Any) -> str:
    with pytest.raises(ConversationRefused) as refused:
        read(item if isinstance(item, bytes) else json.dumps(item).encode())
    return refused.value.reason


def test_a_conversation_of_chatgpt() -> None:
    found = read_one(samples.chatgpt())
    assert lines(found) == [
        (None, "user", "What is this?\n\n(Attached: photo.png)"),
        (0, "assistant", "A **bird** ([Birds](https://birds.example))."),
        (1, "user", "Which one?"),
        (2, "assistant", "A robin."),
        (1, "user", "How old?"),
        (4, "assistant", "Two years."),
    ]
    assert found.messages[1].reasoning == "Looking\nIt has wings."
    assert [item.model for item in found.messages] == ["", "gpt-5-thinking", "", "gpt-4o", "", "gpt-4o"]
    assert (found.title, found.leaf, found.model) == ("Bird in a photo", 3, "gpt-4o")
    assert found.created_at == datetime(2025, 1, 1, 12, 0, 0, 123000, tzinfo=UTC)
    assert found.external_id == "6775c0a0-1111-8000-9000-aaaaaaaaaaaa"
    assert found.notes == ["1 attached file or picture is not in the export."]
    assert "secret" not in json.dumps(found.as_plain())


def test_a_conversation_of_claude_with_and_without_a_tree() -> None:
    found = read_one(samples.claude())
    question = "Sum up\n\npaste.txt:\n\n````\none\n```\ntwo\n````\n\n(Attached: scan.pdf)"
    assert lines(found) == [
        (None, "user", question),
        (0, "assistant", "Two lines:\n\nSum:\n\n```python\nprint(1 + 1)\n```"),
        (0, "assistant", "One and two."),
    ]
    assert (found.messages[1].reasoning, found.leaf, found.title) == ("Two lines.", 2, "A summary")
    assert found.notes == ["1 file is not in the export."]
    older = read_one(samples.claude(tree=False))
    assert [item.parent for item in older.messages] == [None, 0]


def test_a_chat_of_open_webui() -> None:
    found = read_one(samples.open_webui())
    assert lines(found) == [
        (None, "user", "Why?\n\n(Attached: salt.pdf)"),
        (0, "assistant", "Salt dissolves."),
        (0, "assistant", ""),
    ]
    assert found.messages[1].reasoning == "It is <simple>.\nYes."
    assert (found.messages[2].state, found.messages[2].error) == (MessageState.FAILED, "The model is gone.")
    assert (found.leaf, found.is_archived, found.is_pinned) == (1, True, True)
    # The oldest chats have only a list.
    old = samples.open_webui()
    old["chat"] = {
        "title": "Old",
        "messages": [{"role": "user", "content": "a"}, {"role": "assistant", "content": "b"}],
    }
    assert lines(read_one(old)) == [(None, "user", "a"), (0, "assistant", "b")]


def test_a_conversation_of_librechat_as_a_list_and_as_a_tree() -> None:
    found = read_one(samples.librechat())
    assert lines(found) == [
        (None, "user", "Hi"),
        (0, "assistant", "Hello"),
        (0, "assistant", "Good day"),
        (1, "user", "And?"),
    ]
    assert (found.messages[1].reasoning, found.messages[2].state) == ("A greeting.", MessageState.STOPPED)
    assert (found.external_id, found.title, found.model) == ("lc-1", "Greeting", "gpt-4o")
    tree = read_one(samples.librechat_tree(4))
    assert [(item.parent, item.text) for item in tree.messages] == [
        (None, "message 1"),
        (0, "message 2"),
        (1, "message 3"),
        (2, "message 4"),
    ]
    assert tree.leaf == 3


@contextmanager
def deep_recursion() -> Iterator[None]:
    before = sys.getrecursionlimit()
    sys.setrecursionlimit(limits.PARSER_DEPTH)
    yield
    sys.setrecursionlimit(before)


def test_a_tree_of_a_thousand_messages_is_read() -> None:
    with deep_recursion():
        item = json.dumps(samples.librechat_tree(1_000)).encode()
        assert list(json_items.spans(item)) == [(0, len(item))]
        assert len(read(item).messages) == 1_000


def test_texts_that_cannot_be_stored_are_cleaned() -> None:
    item = samples.chatgpt(title="a\x00b\ud800c")
    item["mapping"]["q2"]["message"]["content"]["parts"] = ["x\x00y\udfffz"]
    found = read_one(item)
    assert found.title == "a\ufffdb\ufffdc"
    assert found.messages[2].text == "x\ufffdy\ufffdz"


def test_trees_that_are_none_are_refused() -> None:
    circle = samples.chatgpt()
    circle["mapping"]["q1"]["parent"] = "a1"
    hidden = samples.chatgpt()
    hidden["mapping"]["system"]["parent"] = "context"
    itself = samples.librechat()
    itself["messages"][3]["parentMessageId"] = "l4"
    for item in (circle, hidden, itself):
        assert refusal(item) == "Its messages refer to each other in a circle."
    twice = samples.claude()
    twice["chat_messages"][1]["uuid"] = "m1"
    assert refusal(twice) == "Two of its messages have the same ID."
    assert refusal(samples.chatgpt(mapping={})) == "It has no messages."
    assert "no ID" in refusal(samples.claude(uuid=None))
    many = samples.claude(chat_messages=[{"uuid": str(n), "text": "x"} for n in range(limits.MESSAGES + 1)])
    assert refusal(many) == "It has more than 20,000 messages."
    long = samples.claude(chat_messages=[{"uuid": "a", "text": "x" * (limits.TEXT_CHARACTERS + 1)}])
    assert refusal(long) == "One of its messages has more than 1,000,000 characters."


def test_a_parent_that_is_not_in_the_file_counts_as_none() -> None:
    item = samples.librechat()
    item["messages"][3]["parentMessageId"] = "gone"
    assert [message.parent for message in read_one(item).messages] == [None, 0, 0, None]


WRONG: list[Any] = [None, 7, -1.5, 1e400, "x", "\ud800", True, [], [None], [[]], {}, {"a": {}}, [{}], {"x": [1]}]


@pytest.mark.parametrize(
    "make", [samples.chatgpt, samples.claude, samples.open_webui, samples.librechat, samples.librechat_tree]
)
def test_values_of_any_kind_anywhere_are_imported_or_refused_and_nothing_else(make: Any) -> None:
    sample = make()

    def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
        yield from [path] if path else []
        for key in value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ():
            yield from places(value[key], (*path, key))

    for path in places(sample):
        for wrong in WRONG:
            item = json.loads(json.dumps(sample))
            inner = item
            for key in path[:-1]:
                inner = inner[key]
            inner[path[-1]] = wrong
            with suppress(ConversationRefused):
                read_one(item)


def test_what_is_no_conversation_is_refused_with_a_sentence() -> None:
    assert refusal([]) == "It is no conversation in a form that RxChat knows."
    assert refusal({"title": "x"}) == "It is no conversation in a form that RxChat knows."
    assert refusal(b"{nonsense}") == "It is not valid JSON."
    assert refusal(b'{"a": ' + b"[" * 100_000) == "It is not valid JSON."


def spans(data: bytes) -> list[bytes]:
    return [data[start:end] for start, end in json_items.spans(data)]


def test_a_file_is_divided_into_its_items() -> None:
    assert spans(b'\xef\xbb\xbf [ {"a": "]}\\" {"}, {"b": [{}]} , [{"c": 1}], 7 ]\n') == [
        b'{"a": "]}\\" {"}',
        b'{"b": [{}]}',
    ]
    assert spans(b' {"a": {"b": 1}} ') == [b'{"a": {"b": 1}}']
    assert spans(b"[]") == []


@pytest.mark.parametrize(
    "data",
    [b"", b"  ", b"7", b"[", b"[{]}", b"{}}", b"{}{}", b'["', b'{"a": "' + b'\\"' * 1_000_000, b"PK\x03\x04", b"\x00" * 1_000,
     b'["' + b"x" * 5_000_000],
)  # fmt: skip
def test_a_file_that_is_no_json_is_refused(data: bytes) -> None:
    with pytest.raises(DocumentUnreadable, match="not valid JSON"):
        spans(data)


def test_a_file_that_is_nested_too_deeply_is_refused() -> None:
    with pytest.raises(DocumentUnreadable, match="nested too deeply"):
        spans(b"[" * 1_000_000)


def test_answers_of_several_parts_become_one_but_versions_stay_apart() -> None:
    item = samples.claude()
    item["chat_messages"] += [
        {
            "uuid": "m4",
            "sender": "assistant",
            "text": "And more.",
            "parent_message_uuid": "m3",
            "created_at": "2025-02-03T10:00:09Z",
        },
        {
            "uuid": "m5",
            "sender": "assistant",
            "text": "x",
            "parent_message_uuid": "m2",
            "created_at": "2025-02-03T10:00:09Z",
        },
        {
            "uuid": "m6",
            "sender": "assistant",
            "text": "y",
            "parent_message_uuid": "m2",
            "created_at": "2025-02-03T10:00:09Z",
        },
    ]
    found = read_one(item)
    assert [item.text for item in found.messages if item.role is Role.ASSISTANT][1:] == [
        "One and two.\n\nAnd more.",
        "x",
        "y",
    ]
    assert [item.parent for item in found.messages] == [None, 0, 0, 1, 1]
