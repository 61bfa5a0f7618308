"""The page of a conversation's history: a slider over its events, its messages at that moment, and the map of all versions."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.ids import parse_id, require_id
from rxchat.domain.message_map import collapsed, map_of
from rxchat.services.app import container
from rxchat.services.chat.conversation_history import ConversationHistory, PastConversation
from rxchat.states.chat.history_views import (
    MOST_LINES,
    MapLineView,
    event_words,
    map_views,
    map_width,
    past_messages,
)
from rxchat.states.platform.auth_guard import record_denied_link, requires_user
from rxchat.states.platform.changes import set_changed
from rxchat.states.platform.dialogs import DialogState, show_problem
from rxchat.states.platform.field_views import milliseconds

_CHARACTERS = 60_000
"""How many characters of messages are shown at first."""

_guarded = partial(requires_user, refuse=show_problem)


class HistoryState(DialogState, rx.State):
    """One of the user's conversations at one moment of its life."""

    conversation_id: str = ""
    loaded: bool = False
    missing: bool = False
    title: str = ""
    seq: int = 0
    """The event whose result is shown."""
    latest: int = 0
    """The last event."""
    at: int = 0
    """When it happened, in milliseconds since 1970."""
    words: str = ""
    """What happened."""
    messages: list[dict[str, Any]] = []
    earlier: int = 0
    """How many messages before them are not shown."""
    lines: list[MapLineView] = []
    map_width: int = 0
    hidden_lines: int = 0
    """How many lines at the end of the map are not shown."""
    is_whole: bool = False
    """Whether the map has a line for each message."""
    can_unfold: bool = False
    flash: str = ""
    flashes: int = 0
    can_undo: bool = False
    """Whether what was just done can be undone."""
    _before: int = 0
    """The event before the conversation was last restored."""
    _characters: int = _CHARACTERS

    @rx.event
    @_guarded
    async def load(self, current_user: CurrentUser) -> None:
        """Show the conversation of the address as it is now."""
        named = self.router_data.get("query", {}).get("history_of", "")
        found = parse_id(named)
        self.conversation_id = str(found or "")
        self.loaded, self.missing, self.is_whole = False, found is None, False
        self.flash, self.can_undo, self._characters = "", False, _CHARACTERS
        self._done()
        if found is None:
            return
        try:
            await self._show(current_user, None)
        except NotFound:
            await record_denied_link(self, current_user, "HistoryState.load", self.conversation_id)
            self.missing, self.title = True, ""

    async def _show(self, current_user: CurrentUser, seq: int | None) -> None:
        past = await _history().at(current_user, self._shown(), seq)
        # In a thread, as the replay: a long conversation takes a while.
        messages, earlier = await asyncio.to_thread(past_messages, past.branch, self._characters)
        set_changed(
            self,
            loaded=True,
            missing=False,
            title=past.history.title,
            seq=past.history.seq,
            latest=past.latest.seq,
            at=milliseconds(past.at),
            words=event_words(past.event, past.history),
            messages=messages,
            earlier=earlier,
        )
        await self._show_map(past)

    async def _show_map(self, past: PastConversation) -> None:
        drawn = await asyncio.to_thread(_drawn, past, self._shown(), is_whole=self.is_whole)
        set_changed(
            self,
            lines=drawn.lines,
            map_width=drawn.width,
            hidden_lines=drawn.hidden,
            can_unfold=drawn.can_unfold,
        )

    @rx.event
    @_guarded
    async def show(self, current_user: CurrentUser, seq: str) -> None:
        """Show the conversation after the event with this seq."""
        if not (seq.isascii() and seq.isdigit() and len(seq) < 10):
            raise InvalidInput("The page sent an invalid request. Reload the page.")
        self._characters = _CHARACTERS
        self._done()
        await self._show(current_user, int(seq))

    @rx.event
    @_guarded
    async def show_earlier(self, current_user: CurrentUser) -> None:
        """Show more of the messages at this moment."""
        self._characters *= 4
        await self._show(current_user, self.seq)

    @rx.event
    @_guarded
    async def unfold(self, current_user: CurrentUser) -> None:
        """Show each message in the map, or fold long runs of them again."""
        self.is_whole = not self.is_whole
        await self._show(current_user, self.seq)

    @rx.event
    @_guarded
    async def restore(self, current_user: CurrentUser) -> None:
        """Make the conversation what it was at this moment, and offer to undo it."""
        self._before = await _history().restore(current_user, self._shown(), self.seq)
        self.can_undo = True
        await self._confirm(current_user, "The conversation is as it was then.")

    @rx.event
    @_guarded
    async def undo(self, current_user: CurrentUser) -> None:
        """Return to what was there before the conversation was restored."""
        await _history().restore(current_user, self._shown(), self._before)
        self.can_undo = False
        await self._confirm(current_user, "The conversation is as it was before.")

    async def _confirm(self, current_user: CurrentUser, flash: str) -> None:
        self._done()
        self.flash, self.flashes = flash, self.flashes + 1
        await self._show(current_user, None)

    @rx.event
    @_guarded
    async def fork(self, current_user: CurrentUser) -> Any:
        """Copy what is shown into a new conversation, and go there."""
        fork_id = await _history().fork(current_user, self._shown(), self.seq)
        return rx.redirect(f"/c/{fork_id}")

    @rx.event
    @_guarded
    async def dismiss(self, current_user: CurrentUser) -> None:
        """Hide what was just done."""
        del current_user
        self.flash = ""

    def _shown(self) -> UUID:
        return require_id(self.conversation_id)


@dataclass(frozen=True, slots=True)
class _Drawn:
    """The map as the page shows it."""

    lines: list[MapLineView]
    width: int
    hidden: int
    can_unfold: bool


def _drawn(past: PastConversation, conversation_id: UUID, *, is_whole: bool) -> _Drawn:
    whole = map_of(past.history, conversation_id)
    folded = collapsed(whole)
    lines = whole if is_whole else folded
    return _Drawn(
        lines=map_views(lines, str(conversation_id), past.latest),
        width=map_width(lines),
        hidden=max(0, len(lines) - MOST_LINES),
        can_unfold=len(folded) < len(whole),
    )


def _history() -> ConversationHistory:
    return container.get_services().chat.conversation_history
