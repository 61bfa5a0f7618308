"""Reasoning that a model writes into its answer between tags, because its host does not separate it.

Templates of DeepSeek-R1, Qwen and others write `<think>` themselves, so that a host that does not know them sends only
the closing tag: then everything before it was reasoning.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from rxchat.domain.runs import ChunkKind

_OPENING = ("<think>", "<thinking>", "<thought>", "[think]")
_CLOSING = re.compile(r"</(?:think|thinking|thought)>|\[/think\]", re.IGNORECASE)
_LONGEST = len("</thinking>")
_MOST_SPACE = 1_000
"""How much space before the first letter is waited for."""


@dataclass(frozen=True, slots=True)
class TaggedText:
    """A piece of the answer or of its reasoning."""

    kind: ChunkKind
    text: str
    ends_reasoning: bool = False
    """True if this piece and all text of the answer before it were reasoning."""


class ReasoningTags:
    """Separates the reasoning from the text of one answer, piece by piece."""

    def __init__(self, said: str = "") -> None:
        """Start at the beginning of an answer, or after the text that it has already."""
        self._kind: ChunkKind | None = ChunkKind.TEXT if said else None
        """None before the first letter."""
        self._held = ""
        """What may be the beginning of a tag."""
        self._answer: str | None = said
        """The answer so far, if a closing tag may follow; None if not."""
        self._skips_space = False
        self._drops_tag = False
        """Whether the text may begin with the closing tag of what the host has separated."""

    def has_other_reasoning(self) -> None:
        """Note that the host separates the reasoning itself: a closing tag in the text has no meaning then."""
        self._answer = None
        self._drops_tag = not self._kind

    def feed(self, text: str) -> list[TaggedText]:
        """Return what is certain of the text so far."""
        self._held += text
        if self._kind is None:
            self._begin()
        found = self._take_reasoning() if self._kind is ChunkKind.REASONING else []
        return [*found, *self._take_text()] if self._kind is ChunkKind.TEXT else found

    def close(self) -> list[TaggedText]:
        """Return the rest, when the answer has ended."""
        held, self._held = self._held, ""
        return [TaggedText(self._kind or ChunkKind.TEXT, held)] if held else []

    def _begin(self) -> None:
        if self._drops_tag and (closing := _CLOSING.match(self._held.lstrip())):
            self._held, self._kind, self._skips_space = self._held.lstrip()[closing.end() :], ChunkKind.TEXT, True
            return
        start = self._held.lstrip().lower()
        tag = next((tag for tag in _OPENING if start.startswith(tag)), "")
        if tag:
            self._held = self._held.lstrip()[len(tag) :]
            self._kind, self._answer, self._skips_space = ChunkKind.REASONING, None, True
        elif len(self._held) > _MOST_SPACE or not any(tag.startswith(start) for tag in self._beginnings()):
            self._kind = ChunkKind.TEXT

    def _beginnings(self) -> tuple[str, ...]:
        return (*_OPENING, "</think>", "</thinking>", "</thought>", "[/think]") if self._drops_tag else _OPENING

    def _take_reasoning(self) -> list[TaggedText]:
        closing = _CLOSING.search(self._held)
        if closing is None:
            return self._begun(ChunkKind.REASONING, self._certain())
        before, self._held = self._held[: closing.start()], self._held[closing.end() :]
        found = self._begun(ChunkKind.REASONING, before)
        self._kind, self._skips_space = ChunkKind.TEXT, True
        return found

    def _begun(self, kind: ChunkKind, text: str) -> list[TaggedText]:
        """Return a piece that begins with its first letter."""
        begun = text.lstrip() if self._skips_space else text
        self._skips_space = self._skips_space and not begun
        return [TaggedText(kind, begun)] if begun else []

    def _take_text(self) -> list[TaggedText]:
        found: list[TaggedText] = []
        if self._answer is not None:
            tags = _CLOSING.finditer(self._held)
            closing = next((tag for tag in tags if not _is_code(self._answer + self._held[: tag.start()])), None)
            if closing is None:
                certain = self._certain()
                self._answer += certain
                return [TaggedText(ChunkKind.TEXT, certain)] if certain else []
            found.append(TaggedText(ChunkKind.TEXT, self._held[: closing.start()], ends_reasoning=True))
            self._held, self._answer, self._skips_space = self._held[closing.end() :], None, True
        rest, self._held = self._held, ""
        return [*found, *self._begun(ChunkKind.TEXT, rest)]

    def _certain(self) -> str:
        """Return what cannot be a part of a tag, and hold the rest."""
        at = self._held.rfind("<", max(0, len(self._held) - _LONGEST))
        at = self._held.rfind("[", max(0, len(self._held) - _LONGEST)) if at < 0 else at
        certain = self._held if at < 0 else self._held[:at]
        self._held = self._held[len(certain) :]
        return certain


def _is_code(before: str) -> bool:
    """Whether a tag after this text stands in code: the answer is about such tags."""
    is_in_block = any(before.count(fence) % 2 == 1 for fence in ("```", "~~~"))
    return is_in_block or before.rpartition("\n")[2].replace("```", "").count("`") % 2 == 1
