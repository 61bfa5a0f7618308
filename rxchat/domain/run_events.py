"""What a follower of a run is sent, and the cursor with which it resumes at the exact code point.

A piece has the offset at which it begins, and replaces everything from there on. Pieces follow each other, except after text
became reasoning, or an engine died before it had stored its last words: then a piece begins before the end of what was sent.
"""

from __future__ import annotations

import re
import zlib
from dataclasses import dataclass, field
from itertools import takewhile
from uuid import UUID

from rxchat.domain.runs import ChunkKind, RunState

PIECE_CHARACTERS = 16_000
"""The longest piece in one event, in code points."""
_CURSOR = re.compile(r"(\d{1,9})-([0-9a-f]{8})-(\d{1,9})-([0-9a-f]{8})")


@dataclass(frozen=True, slots=True)
class FollowedRun:
    """A run as its followers read it from the database."""

    id: UUID
    conversation_id: UUID
    message_id: UUID
    model: str
    state: RunState
    is_waiting: bool
    """Whether no engine writes it at the moment."""
    is_latest: bool
    """Whether no later run has written the same message again: then the message has this run's text."""
    text: str
    reasoning: str
    error_code: str
    error: str
    tokens: int
    seconds: float

    @property
    def is_over(self) -> bool:
        """Whether it has ended."""
        return self.state not in {RunState.QUEUED, RunState.RUNNING}


@dataclass(frozen=True, slots=True)
class RunProgress:
    """A run is `queued` at a position, or `running`."""

    run: FollowedRun
    state: RunState
    position: int = 0


@dataclass(frozen=True, slots=True)
class RunPiece:
    """A piece of the text or of the reasoning, which replaces everything from its offset on."""

    kind: ChunkKind
    offset: int
    """In code points."""
    text: str
    cursor: str
    """Resumes after this piece."""


@dataclass(frozen=True, slots=True)
class RunEnded:
    """A run has ended: the last event."""

    run: FollowedRun
    cursor: str


RunEvent = RunProgress | RunPiece | RunEnded


@dataclass(slots=True)
class _Sent:
    """The text of one kind that a follower has, and its checksum."""

    text: str = ""
    checksum: int = 0
    is_unknown: bool = False
    """Whether the follower has another text than this, which has to be replaced from its start."""

    def piece(self, whole: str, *, may_shrink: bool) -> tuple[int, str] | None:
        """Return what leads from the sent text to the whole one, as an offset and a text; None if there is nothing to send.

        Without `may_shrink`, a text that is only shorter is not complete yet: another process is reading it.
        """
        if self.is_unknown and (whole or may_shrink):
            offset, self.is_unknown = 0, False
        elif whole.startswith(self.text):
            offset = len(self.text)
            if offset == len(whole):
                return None
        elif self.text.startswith(whole):
            if not may_shrink:
                return None
            offset = len(whole)
        else:
            offset = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(whole, self.text, strict=False)))
        text = whole[offset : offset + PIECE_CHARACTERS]
        self._add(offset, text)
        return offset, text

    def _add(self, offset: int, text: str) -> None:
        if offset < len(self.text):
            self.text, self.checksum = self.text[:offset], zlib.crc32(self.text[:offset].encode())
        self.checksum = zlib.crc32(text.encode(), self.checksum)
        self.text += text

    def resume(self, length: int, checksum: int, whole: str) -> None:
        """Take over what a follower had, if it is the beginning of the text; otherwise the follower gets all of it again."""
        head = whole[:length]
        if len(head) == length and zlib.crc32(head.encode()) == checksum:
            self.text, self.checksum = head, checksum
        else:
            self.is_unknown = True


@dataclass(slots=True)
class Sent:
    """What a follower of a run has so far."""

    reasoning: _Sent = field(default_factory=_Sent)
    text: _Sent = field(default_factory=_Sent)

    @property
    def cursor(self) -> str:
        """The cursor with which a follower resumes from here: lengths and checksums, so that any process understands it."""
        return "-".join(f"{len(sent.text)}-{sent.checksum:08x}" for sent in (self.text, self.reasoning))

    def resume(self, cursor: str, text: str, reasoning: str) -> None:
        """Resume from a cursor, given the text as it is now. A cursor that is invalid, or of another text, begins at the start."""
        found = _CURSOR.fullmatch(cursor)
        if found is None:
            self.text.is_unknown = self.reasoning.is_unknown = True
            return
        lengths, checksums = [int(found[1]), int(found[3])], [int(found[2], 16), int(found[4], 16)]
        self.text.resume(lengths[0], checksums[0], text)
        self.reasoning.resume(lengths[1], checksums[1], reasoning)

    @staticmethod
    def is_ahead(cursor: str, text: str, reasoning: str) -> bool:
        """Whether a cursor is of more text than is known: it is being stored, or was lost with its engine."""
        found = _CURSOR.fullmatch(cursor)
        return found is not None and (int(found[1]) > len(text) or int(found[3]) > len(reasoning))

    def pieces(self, text: str, reasoning: str, *, may_shrink: bool = False) -> list[RunPiece]:
        """Return the pieces that lead to this text and reasoning, reasoning first."""
        pieces: list[RunPiece] = []
        for kind, sent, whole in (
            (ChunkKind.REASONING, self.reasoning, reasoning),
            (ChunkKind.TEXT, self.text, text),
        ):
            while (found := sent.piece(whole, may_shrink=may_shrink)) is not None:
                pieces.append(RunPiece(kind, *found, self.cursor))
        return pieces
