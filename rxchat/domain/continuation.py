"""Going on with an answer that was cut off: asking for it, and joining what comes to what is there.

A model that is given the beginning of its answer as the last message of the assistant should go on from there
("prefill"). Some begin anew all the same, some repeat their last words. Both are noticed here and mended where the
words are the same; where a model begins another answer, it is asked in words to go on; and when that fails too, the
answer is left as it is for its person to decide.
"""

from __future__ import annotations

from collections.abc import Sequence

from rxchat.domain.chat import ChatMessage, Role

_DECIDE = 64
"""So many characters that are the same as the answer's beginning are no accident."""
_LEAST = 4
"""An answer that is shorter cannot tell a beginning from a continuation; it is taken as continued."""
_OVERLAP, _LONGEST_OVERLAP = 12, 400
_ENDS = (".", "!", "?", "…", "。", "`", ")", '"', "*", "|", ":)")

GO_ON = (
    "Your answer above was cut off. Go on exactly where it ends, in the middle of a word if need be. "
    "Do not repeat anything of it, do not comment on this, do not begin again."
)


class AnswerRestarted(Exception):
    """The model gives another answer instead of going on with this one."""


def prefilled(messages: Sequence[ChatMessage], answer: str) -> list[ChatMessage]:
    """Return what to ask a model that goes on from the beginning of its answer."""
    return [*messages, ChatMessage(Role.ASSISTANT, answer)]


def continuation_prompt(messages: Sequence[ChatMessage], answer: str) -> list[ChatMessage]:
    """Return what to ask a model that has to be told so."""
    return [*prefilled(messages, answer), ChatMessage(Role.USER, GO_ON)]


def looks_complete(answer: str) -> bool:
    """Whether an answer ends as answers end: a model that adds nothing to it may be right."""
    return answer.rstrip().endswith(_ENDS)


class ContinuationJoiner:
    """Takes the pieces of a continuation, and gives what of them is new.

    Use: `feed` each piece, `close` at the end. Nothing is held back once it is clear how the model goes on.
    """

    def __init__(self, answer: str) -> None:
        """Join to this answer."""
        self._answer = answer
        self._held = ""
        self._is_open = len(answer) < _LEAST
        self._repeats = False

    def feed(self, piece: str) -> str:
        """Return what can be said of it now.

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
        """Return what was held back when nothing more comes.

        Raises:
            AnswerRestarted: when it was the beginning of the same answer, and no more.
        """
        held, self._held = self._held, ""
        if self._repeats and held and len(held) < len(self._answer):
            raise AnswerRestarted
        return "" if self._repeats else held

    def _skip_repeated(self) -> str:
        """The whole answer comes again: what is there already is not said twice."""
        length = min(len(self._held), len(self._answer))
        if self._answer[:length] != self._held[:length]:
            raise AnswerRestarted
        if len(self._held) < len(self._answer):
            return ""
        return self._open(self._held[len(self._answer) :])

    def _skip_overlap(self) -> str:
        """The last words come again, perhaps: they are looked for in the end of what is there."""
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
