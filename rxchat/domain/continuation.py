"""Continuing an interrupted answer: the prompt, and joining the continuation to the existing text.

A model that gets the beginning of its answer as the last assistant message should continue from there ("prefill").
Some models start again from the beginning, and some repeat their last words. This module detects both and removes the
repetition. If a model writes a different answer, it is asked in words to continue; if that fails too, the answer
stays as it is, and the user decides.
"""

from __future__ import annotations

from collections.abc import Sequence

from rxchat.domain.chat import ChatMessage, Role

_DECIDE = 64
"""If this many characters equal the answer's beginning, the model repeats it."""
_LEAST = 4
"""A shorter answer cannot be distinguished from a continuation; the new text is appended."""
_OVERLAP, _LONGEST_OVERLAP = 12, 400
_ENDS = (".", "!", "?", "…", "。", "`", ")", '"', "*", "|", ":)")

GO_ON = (
    "Your answer above was cut off. Go on exactly where it ends, in the middle of a word if need be. "
    "Do not repeat anything of it, do not comment on this, do not begin again."
)


class AnswerRestarted(Exception):
    """The model writes another answer instead of continuing this one."""


def prefilled(messages: Sequence[ChatMessage], answer: str) -> list[ChatMessage]:
    """Return the messages for a model that continues a prefilled answer."""
    return [*messages, ChatMessage(Role.ASSISTANT, answer)]


def continuation_prompt(messages: Sequence[ChatMessage], answer: str) -> list[ChatMessage]:
    """Return the messages for a model that has to be asked in words to continue."""
    return [*prefilled(messages, answer), ChatMessage(Role.USER, GO_ON)]


def looks_complete(answer: str) -> bool:
    """Whether an answer ends like a complete one, so that a model may have nothing to add."""
    return answer.rstrip().endswith(_ENDS)


class ContinuationJoiner:
    """Takes the pieces of a continuation and returns the text that is new.

    Call `feed` for each piece, and `close` at the end. Text is held back only until it is clear how the model
    continues.
    """

    def __init__(self, answer: str) -> None:
        self._answer = answer
        self._held = ""
        self._is_open = len(answer) < _LEAST
        self._repeats = False

    def feed(self, piece: str) -> str:
        """Return the new text that is certain after this piece.

        Raises:
            AnswerRestarted: when the model gives another answer.
        """
        if self._is_open:
            return piece
        self._held += piece
        if self._repeats:
            return self._skip_repeated()
        same = len(self._held) <= len(self._answer) and self._answer.startswith(self._held)
        enough = min(_DECIDE, len(self._answer))
        if same and len(self._held) < enough:
            return ""
        if self._answer[:enough] == self._held[:enough]:
            self._repeats = True
            return self._skip_repeated()
        return self._skip_overlap()

    def close(self) -> str:
        """Return the text that was held back, at the end of the continuation.

        Raises:
            AnswerRestarted: when it was only the beginning of the same answer.
        """
        held, self._held = self._held, ""
        if self._repeats and held and len(held) < len(self._answer):
            raise AnswerRestarted
        return "" if self._repeats else held

    def _skip_repeated(self) -> str:
        """Drop repeated text when the model writes the whole answer again."""
        length = min(len(self._held), len(self._answer))
        if self._answer[:length] != self._held[:length]:
            raise AnswerRestarted
        if len(self._held) < len(self._answer):
            return ""
        return self._open(self._held[len(self._answer) :])

    def _skip_overlap(self) -> str:
        """Drop repeated text when the continuation begins with the last words of the answer."""
        if len(self._held) < _OVERLAP:
            return ""
        end = self._answer[-_LONGEST_OVERLAP:]
        at = end.find(self._held[:_OVERLAP])
        while at >= 0:
            tail = end[at:]
            if self._held.startswith(tail):
                return self._open(self._held[len(tail) :])
            if tail.startswith(self._held):
                return ""
            at = end.find(self._held[:_OVERLAP], at + 1)
        return self._open(self._held)

    def _open(self, rest: str) -> str:
        self._is_open, self._held = True, ""
        return rest
