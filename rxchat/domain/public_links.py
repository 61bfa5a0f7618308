"""Snapshots of conversations for public links: what they contain, and what is blacked out in them."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from rxchat.domain.errors import InvalidInput
from rxchat.domain.messages import MessageState, ThreadMessage

SNAPSHOT_MESSAGES = 2_000
_SNAPSHOT_CHARACTERS = 5_000_000
LIFETIME_DAYS = 365
"""The longest lifetime of a link that expires."""
PASSWORD_MINIMUM, PASSWORD_MAXIMUM = 8, 1_000
_REDACTIONS = 50
_REDACTION_CHARACTERS = 200
_BLACK = "█"
_SPACE = re.compile(r"\s{2,}|[^\S ]")


@dataclass(frozen=True, slots=True)
class PublicMessage:
    """A message as a public link shows it: without reasoning, sources, attachments and errors."""

    id: str
    role: str
    model: str
    text: str
    state: str
    at: int
    """Milliseconds since 1970; 0 if unknown."""


@dataclass(frozen=True, slots=True)
class PublicLink:
    """A public link as its owner sees it; its token is known only to who has the link."""

    id: UUID
    conversation_id: UUID
    title: str
    created_at: datetime
    expires_at: datetime | None
    """None: it never expires."""
    has_password: bool


@dataclass(frozen=True, slots=True)
class PublicLinkOptions:
    """What a user chooses for a new link."""

    days: int | None = None
    """When it expires; None for never."""
    password: str = ""
    """What visitors have to enter; "" for nothing."""
    redactions: str = ""
    """Texts to black out, one in each line."""

    def check(self) -> None:
        """Check the lifetime and the password.

        Raises:
            InvalidInput: when one is out of its limits.
        """
        if self.days is not None and not 1 <= self.days <= LIFETIME_DAYS:
            raise InvalidInput(f"A link can be valid from 1 to {LIFETIME_DAYS} days, or forever.", field="days")
        if self.password and not PASSWORD_MINIMUM <= len(self.password) <= PASSWORD_MAXIMUM:
            raise InvalidInput(f"Choose a password of at least {PASSWORD_MINIMUM} characters.", field="password")


@dataclass(frozen=True, slots=True)
class PublicConversation:
    """What a public link shows."""

    title: str
    messages: list[dict[str, Any]]
    """Each a `PublicMessage` by field."""
    created_at: datetime
    expires_at: datetime | None


def valid_redactions(lines: str) -> list[str]:
    """Return the texts to black out, one in each line, longest first.

    Raises:
        InvalidInput: when there are too many, or one is too long.
    """
    texts = {line.strip() for line in lines.splitlines() if line.strip()}
    if len(texts) > _REDACTIONS or any(len(item) > _REDACTION_CHARACTERS for item in texts):
        raise InvalidInput(
            f"Black out at most {_REDACTIONS} texts of {_REDACTION_CHARACTERS} characters each.", field="redactions"
        )
    return sorted(texts, key=len, reverse=True)


def redacted(text: str, redactions: Sequence[str]) -> str:
    """Return the text with each of these texts blacked out, in any case, each by the same mark, which does not show its length.

    White space may differ, as where a line is broken. The time is in proportion to the text and the number of redactions.
    """
    if not redactions:
        return text
    words, runs = _normalized(text)
    spans: list[tuple[int, int]] = []
    for item in redactions:
        wanted = _normalized(item)[0]
        at = words.find(wanted)
        while at >= 0:
            spans.append((_place(runs, at), _place(runs, at + len(wanted) - 1) + 1))
            at = words.find(wanted, at + len(wanted))
    kept, end = [], 0
    for start, stop in sorted(spans):
        if start >= end:
            kept += [text[end:start], _BLACK * 5]
        end = max(end, stop)
    return "".join([*kept, text[end:]])


def _normalized(text: str) -> tuple[str, list[tuple[int, int]]]:
    """Return the text in lower case with single spaces, and how many characters are missing before each place from which on it differs."""
    lowered = text.lower()
    if len(lowered) != len(text):
        # A few characters become two in lower case, such as U+0130.
        lowered = "".join(one if len(one) == 1 else character for character in text for one in [character.lower()])
    parts, runs, end, missing = [], [(0, 0)], 0, 0
    for found in _SPACE.finditer(lowered):
        parts += [lowered[end : found.start()], " "]
        end = found.end()
        missing += end - found.start() - 1
        runs.append((end - missing, missing))
    return "".join([*parts, lowered[end:]]), runs


def _place(runs: list[tuple[int, int]], at: int) -> int:
    """Return the place in the text of a place in its normalized form."""
    return at + runs[bisect_right(runs, at, key=lambda run: run[0]) - 1][1]


def snapshot(messages: Sequence[ThreadMessage], redactions: Sequence[str]) -> list[dict[str, Any]]:
    """Return the messages of a branch for a public link.

    Raises:
        InvalidInput: when they are too many or too long.
    """
    if len(messages) > SNAPSHOT_MESSAGES:
        raise InvalidInput(f"A link can show {SNAPSHOT_MESSAGES:,} messages. Begin a new chat from an earlier message.")
    if sum(len(message.text) for message in messages) > _SNAPSHOT_CHARACTERS:
        raise InvalidInput("This conversation is too long for a link. Begin a new chat from an earlier message.")
    return [asdict(_public(message, redactions)) for message in messages]


def _public(message: ThreadMessage, redactions: Sequence[str]) -> PublicMessage:
    is_whole = message.state is MessageState.DONE
    return PublicMessage(
        str(message.id), message.role.value, message.model, redacted(message.text, redactions),
        (MessageState.DONE if is_whole else MessageState.STOPPED).value,
        int(message.created_at.timestamp() * 1000) if message.created_at else 0,
    )  # fmt: skip
