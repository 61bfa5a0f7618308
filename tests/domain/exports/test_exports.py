"""Conversations as Markdown, HTML and RxChat's own JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path

import pytest

from rxchat.domain.chat import Role
from rxchat.domain.exports import own_json
from rxchat.domain.exports.conversation import CitedSource, ExportedConversation, ExportFormat, StoredEvent
from rxchat.domain.exports.html import html
from rxchat.domain.exports.markdown import markdown
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState, ThreadMessage
from rxchat.domain.signatures import SigningKey

AT = datetime(2026, 11, 30, 17, 5, tzinfo=UTC)
KEY = SigningKey(b"k" * 32)
HARMLESS_TAGS = frozenset(
    {
        *(
            "html",
            "head",
            "meta",
            "title",
            "style",
            "body",
            "header",
            "main",
            "article",
            "h1",
            "h2",
            "h3",
            "h4",
            "h5",
            "h6",
        ),
        *(
            "p",
            "div",
            "details",
            "summary",
            "pre",
            "code",
            "table",
            "thead",
            "tbody",
            "tr",
            "th",
            "td",
            "ul",
            "ol",
            "li",
        ),
        *("blockquote", "strong", "em", "s", "a", "br", "hr"),
    }
)
CORPUS = Path(__file__).parents[2] / "security" / "corpus" / "hostile-markdown.jsonl"


def a_conversation(*texts: str, title: str = "A <b>title</b> & more") -> ExportedConversation:
    conversation_id = new_id()
    messages: list[ThreadMessage] = []
    for place, text in enumerate(texts):
        messages.append(
            ThreadMessage(
                id=new_id(),
                seq=place,
                role=Role.ASSISTANT if place % 2 else Role.USER,
                text=text,
                model="llama3.2:1b" if place % 2 else "",
                parent_id=messages[-1].id if messages else conversation_id,
                created_at=AT,
            )
        )
    leaf_id = messages[-1].id if messages else conversation_id
    event = StoredEvent(1, "answer_ended", AT, {"text": "x", "error_detail": "http://10.0.0.7 refused"})
    return ExportedConversation(
        id=conversation_id, title=title, model="llama3.2:1b", created_at=AT, updated_at=AT, leaf_id=leaf_id,
        messages=messages, events=[event],
    )  # fmt: skip


def file_of(conversation: ExportedConversation) -> dict:
    return json.loads(b"".join(own_json.pieces(conversation, KEY, AT)))


class Seen(HTMLParser):
    """What a browser would make elements and attributes of."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[tuple[str, str]] = set()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes |= {(name, value or "") for name, value in attrs}


def assert_harmless(text: str) -> None:
    seen = Seen(text)
    assert seen.tags <= HARMLESS_TAGS
    assert not [
        name for name, _ in seen.attributes if name.startswith("on") or name in {"src", "srcset", "style", "action"}
    ]
    addresses = [value for name, value in seen.attributes if name == "href"]
    assert all(value.startswith(("http://", "https://", "mailto:", "#")) for value in addresses), addresses


def test_markdown_has_the_shown_branch_with_who_when_and_what_was_cited() -> None:
    conversation = a_conversation("What is *up*?", "The sky [1].\n\n```python\nprint(1)")
    other = replace(conversation.messages[1], id=new_id(), text="another version")
    answer = replace(conversation.messages[1], reasoning="Let me\nthink", state=MessageState.STOPPED)
    question = replace(conversation.messages[0], attachments=[{"id": "x", "kind": "document", "name": "sky_map.pdf"}])
    conversation = replace(
        conversation,
        messages=[question, answer, other],
        sources={answer.id: [CitedSource(1, "sky_map.pdf", "Above", 3)]},
    )
    text = "".join(markdown(conversation, AT))
    assert text.startswith("# A \\<b\\>title\\</b\\> & more\n")
    assert "## Question · 2026-11-30 17:05 UTC\n\nWhat is *up*?\n" in text
    assert (
        "## Answer · llama3.2:1b · 2026-11-30 17:05 UTC\n\n> **Reasoning**\n>\n> Let me\n> think\n\nThe sky [1]."
        in text
    )
    # The block of code that the stopped answer left open does not swallow what follows.
    assert "print(1)\n```\n\n*This answer was stopped.*\n" in text
    assert "Attached:\n\n- sky\\_map.pdf\n" in text
    assert "Sources:\n\n- \\[1\\] sky\\_map.pdf, Above, page 3\n" in text
    assert "another version" not in text


def test_html_is_one_file_that_loads_and_runs_nothing() -> None:
    hostile = (
        "<script>alert(1)</script> <img src=x onerror=alert(1)> ![a](https://evil.example/p.png) [x](javascript:alert(1))"
        " [y](data:text/html,x) [z](//evil.example/x) <https://ok.example> [k](https://ok.example 'a\" onload=\"x')"
        '\n\n```js" onload="alert(1)\n<b>code</b>\n```\n\n<svg onload=alert(1)>\n\n| a | b |\n|---|---|\n| <i>1</i> | 2 |'
    )
    text = "".join(html(a_conversation("Show <me>", hostile), AT))
    assert_harmless(text)
    assert "default-src &#x27;none&#x27;" in text
    assert "<title>A &lt;b&gt;title&lt;/b&gt; &amp; more</title>" in text
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in text
    # A picture of another host is a link: loading it would say that the file was read.
    assert '<a href="https://evil.example/p.png" rel="noopener noreferrer">a</a>' in text
    assert "<pre><code>&lt;b&gt;code&lt;/b&gt;" in text and "<td>&lt;i&gt;1&lt;/i&gt;</td>" in text


def test_no_text_of_the_hostile_corpus_becomes_an_element() -> None:
    texts = [json.loads(line) for line in CORPUS.read_text().splitlines()]
    assert len(texts) >= 100
    for text in texts:
        assert_harmless("".join(html(a_conversation(text, text, title=text), AT)))


def test_a_signed_file_is_recognized_until_it_is_changed() -> None:
    file = file_of(a_conversation("Hi \U0001f600", "Hello \u2028"))
    assert own_json.signed_by(file) == KEY.public_key
    assert (file["format"], file["version"]) == ("rxchat-conversation", 1)
    # Which host failed, and how, is for administrators only.
    assert "10.0.0.7" not in json.dumps(file)
    # A program that indents the file changes nothing.
    assert own_json.signed_by(json.loads(json.dumps(file, indent=4, sort_keys=True))) == KEY.public_key
    for change in (
        lambda it: it["conversation"].update(title="other"),
        lambda it: it["conversation"]["messages"][1].update(text="other"),
        lambda it: it["conversation"]["messages"].pop(),
        lambda it: it["conversation"]["messages"].reverse(),
        lambda it: it["conversation"]["events"].pop(),
        lambda it: it["signature"].update(value="00"),
        lambda it: it["signature"].update(public_key="no key"),
    ):
        changed = json.loads(json.dumps(file))
        change(changed)
        assert own_json.signed_by(changed) == ""
    del file["signature"]
    assert own_json.signed_by(file) is None


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Plans: 2026/27 <draft>", "Plans 2026 27 draft.md"),
        ("../../etc/passwd", "etc passwd.md"),
        ("\u202e", "Conversation.md"),
        ("x" * 300, "x" * 80 + ".md"),
    ],
)
def test_a_file_has_a_name_that_every_system_takes(title: str, name: str) -> None:
    assert ExportFormat.MARKDOWN.file_name(title) == name
