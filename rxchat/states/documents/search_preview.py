"""The tab "Test search" of a collection: what a question finds in it, in which order and why."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import partial
from typing import Any

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import is_permitted
from rxchat.domain.errors import NotFound, RxChatError
from rxchat.domain.ids import parse_id
from rxchat.domain.permissions import Permission
from rxchat.domain.retrieval import Passage, SearchScope
from rxchat.services.app import container
from rxchat.states.documents.document_views import passage_address
from rxchat.states.documents.documents import DocumentsState
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.dialogs import DialogState, show_problem, text_in

_LONGEST_QUESTION = 2_000
_BEFORE_MARKED = 120
_SHORTEST_STEM = 3
_WORD = re.compile(r"[^\W_]+")
_STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "by",
        "can",
        "did",
        "do",
        "does",
        "for",
        "from",
        "had",
        "has",
        "have",
        "how",
        "i",
        "in",
        "into",
        "is",
        "it",
        "its",
        "me",
        "my",
        "of",
        "on",
        "or",
        "our",
        "that",
        "the",
        "their",
        "they",
        "this",
        "to",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "who",
        "whom",
        "whose",
        "why",
        "will",
        "with",
        "you",
        "your",
    ]
)


@dataclass
class TextPart:
    """A part of a passage's text."""

    text: str
    is_marked: bool
    """Whether it is a word of the question."""


@dataclass
class PassageView:
    """A passage that was found."""

    key: str
    name: str
    heading: str
    page: str
    parts: list[TextPart]
    reason: str
    address: str


def _refused(state: SearchPreviewState, error: RxChatError, given: dict[str, Any]) -> bool:
    """Show an error as the answer."""
    state.number += 1
    return show_problem(state, error, given)


class SearchPreviewState(DialogState, rx.State):
    """The last question to the open collection, and what it found."""

    question: str = ""
    searched_id: str = ""
    """The collection that was searched."""
    passages: list[PassageView] = []
    notice: str = ""
    number: int = 0
    """A counter of answers."""

    @rx.event
    @partial(requires_user, refuse=_refused)
    async def search(self, current_user: CurrentUser, form: dict) -> None:
        """Search the open collection, in the same way as for an answer."""
        question = text_in(form, "question").strip()[:_LONGEST_QUESTION]
        selected = (await self.get_state(DocumentsState)).selected_id
        collection_id = parse_id(selected)
        if not question or collection_id is None:
            raise NotFound
        self.question, self.searched_id, self.passages, self.notice = question, selected, [], ""
        found = await container.get_services().retrieval.search.search(
            current_user, question, SearchScope((collection_id,), ())
        )
        # It quotes other hosts' messages: only for administrators, who can do something about it.
        detail = found.detail if is_permitted(current_user, Permission.SETTINGS_MANAGE) else ""
        self.notice = f"{found.notice} ({detail})" if detail else found.notice
        self.passages = [_passage_view(item, question) for item in found.passages]
        self._done()
        self.number += 1


def _passage_view(item: Passage, question: str) -> PassageView:
    ranks = [f"{way} #{rank}" for way, rank in (("by meaning", item.vector_rank), ("by words", item.text_rank)) if rank]
    reason = f"score {item.score:.4f}" + (f" · found {', '.join(ranks)}" if ranks else "")
    return PassageView(
        key=f"{item.document_id}-{item.ordinal}",
        name=item.name,
        heading=item.heading,
        page=f"page {item.page}" if item.page > 0 else "",
        parts=shown_parts(item.text, question),
        reason=reason,
        address=passage_address(item),
    )


def marked_parts(text: str, question: str) -> list[TextPart]:
    """Return a text in parts: the words of the question, and those that begin with them, are marked."""
    words = [word.casefold() for word in _WORD.findall(question)]
    asked = [word for word in words if word not in _STOP_WORDS] or words
    parts: list[TextPart] = []

    def append(part: str, *, is_marked: bool) -> None:
        if not part:
            return
        if parts and parts[-1].is_marked == is_marked:
            parts[-1].text += part
        else:
            parts.append(TextPart(part, is_marked))

    end = 0
    for match in _WORD.finditer(text):
        append(text[end : match.start()], is_marked=False)
        word = match.group().casefold()
        append(match.group(), is_marked=any(_is_form_of(word, one) for one in asked))
        end = match.end()
    append(text[end:], is_marked=False)
    return parts


def _is_form_of(word: str, asked: str) -> bool:
    return word == asked or (len(asked) >= _SHORTEST_STEM and word.startswith(asked))


def shown_parts(text: str, question: str) -> list[TextPart]:
    """Return the parts from a little before the first marked word: the page shows the first lines only."""
    parts = marked_parts(text, question)
    if len(parts) < 2 or parts[0].is_marked or len(parts[0].text) <= 2 * _BEFORE_MARKED:
        return parts
    before = re.sub(r"^\S*\s+", "", parts[0].text[-_BEFORE_MARKED:])
    return [TextPart(f"… {before}", is_marked=False), *parts[1:]]
