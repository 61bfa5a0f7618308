"""The shown branch of a conversation as Markdown."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from rxchat.domain.chat import Role
from rxchat.domain.exports.conversation import CitedSource, ExportedConversation
from rxchat.domain.messages import MessageState, ThreadMessage

_SIGNS = re.compile(r"([\\`*_\[\]<>#|!])")
_FENCE = re.compile(r"^ {0,3}(`{3,}|~{3,})", re.MULTILINE)
ENDINGS = {
    MessageState.RUNNING: "This answer was still being written.",
    MessageState.STOPPED: "This answer was stopped.",
    MessageState.FAILED: "This answer failed.",
    MessageState.INTERRUPTED: "This answer was interrupted.",
}
"""The sentences below answers that are not complete."""


def markdown(conversation: ExportedConversation, exported_at: datetime) -> Iterator[str]:
    """Return the file in pieces."""
    yield f"# {escaped(conversation.title)}\n\n"
    yield f"Exported from RxChat, {moment_words(exported_at)}.\n"
    for message in conversation.branch:
        yield f"\n---\n\n## {_heading(message)}\n\n"
        yield from _content(message, conversation.sources.get(message.id, []))


def _heading(message: ThreadMessage) -> str:
    return " · ".join(escaped(part) for part in heading_parts(message))


def heading_parts(message: ThreadMessage) -> list[str]:
    """Return what stands above a message: whose it is, the model, the time."""
    who = "Question" if message.role is Role.USER else "Answer"
    when = [moment_words(message.created_at)] if message.created_at else []
    return [who, *([message.model] if message.model else []), *when]


def _content(message: ThreadMessage, sources: list[CitedSource]) -> Iterator[str]:
    if message.reasoning:
        quoted = "\n".join(f"> {line}".rstrip() for line in message.reasoning.strip().splitlines())
        yield f"> **Reasoning**\n>\n{quoted}\n\n"
    if message.text:
        yield f"{_closed(message.text.strip())}\n"
    for ending in endings(message):
        yield f"\n*{escaped(ending)}*\n"
    for label, lines in (("Attached", attachment_names(message)), ("Sources", [_source(item) for item in sources])):
        if lines:
            yield f"\n{label}:\n\n" + "".join(f"- {escaped(line)}\n" for line in lines)


def _source(item: CitedSource) -> str:
    return f"[{item.number}] {item.words}"


def attachment_names(message: ThreadMessage) -> list[str]:
    """Return the names of what was sent with a message, as far as the reader may know them."""
    return [str(item["name"]) for item in message.attachments if item.get("name")]


def endings(message: ThreadMessage) -> list[str]:
    """Return the sentences below an answer: why it is not complete, and its warnings."""
    ending = ENDINGS.get(message.state, "")
    said = " ".join(part for part in (ending, message.error) if part)
    return [*([said] if said else []), *message.warnings]


def moment_words(moment: datetime) -> str:
    """Return a moment in words that mean the same everywhere."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def escaped(words: str) -> str:
    """Return words that mean nothing in Markdown."""
    return _SIGNS.sub(r"\\\1", words)


def _closed(text: str) -> str:
    """Return a text whose last block of code is closed, as one of a stopped answer may not be: it would swallow the rest."""
    fence = ""
    for found in _FENCE.finditer(text):
        mark = found[1]
        if not fence:
            fence = mark
        elif mark[0] == fence[0] and len(mark) >= len(fence):
            fence = ""
    return f"{text}\n{fence}" if fence else text
