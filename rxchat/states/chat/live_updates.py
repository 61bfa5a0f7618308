"""Keeps one tab up to date: waits for changes of its user's conversations, and shows them."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import ExitStack, asynccontextmanager, suppress
from typing import Any, Protocol, Self, TypeVar, cast
from uuid import UUID

import reflex as rx
import structlog
from reflex.state import BaseState

from rxchat import observability
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.conversation_events import (
    AnswerEnded,
    AssistantChosen,
    ContextSourceAttached,
    ContextSourceDetached,
    ConversationConfigured,
    ConversationEvent,
    ConversationRenamed,
    ModelChosen,
)
from rxchat.domain.errors import DatabaseBusy, DatabaseUnavailable, NotFound
from rxchat.domain.ids import require_id
from rxchat.domain.model_parameters import Configuration
from rxchat.domain.runs import ActiveRun, ChunkKind
from rxchat.services.app import container
from rxchat.services.chat.answer_stream import AnswerStream
from rxchat.services.platform.change_feeds import ChangeSubscription
from rxchat.states.chat.chosen_assistant import ChosenAssistantState
from rxchat.states.chat.configuration import ConfigurationState
from rxchat.states.chat.context_sources import ContextSourcesState
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.presenters import run_view, waiting_view
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.stream import Window, may_push, pause_seconds, push, streaming
from rxchat.states.chat.thread_patches import Patch, ThreadPatches
from rxchat.states.platform.auth_guard import current_user_of
from rxchat.states.platform.tab_registry import tabs

log = structlog.get_logger(__name__)

_IDLE_SECONDS = 20.0
_AWAY_SECONDS = 1.0
_CHECK_SECONDS = 30.0
"""How often a stream checks the session if no notification arrives."""
_UNSURE_SECONDS = 4.0
"""The same while Postgres notifications are interrupted."""
_PLACE_SECONDS = 2.0
"""How often the position in the queue is updated."""
_LOADING_SECONDS = 1.0
"""After this time the page shows that the model is being loaded."""
_SIDEBAR_SECONDS = 0.5
"""How long the list of conversations waits for the first token of a new answer."""
NO_RUN: dict[str, Any] = {"id": "", "state": "", "started": 0, "note": ""}


_S = TypeVar("_S", bound=BaseState)


class ThreadPage(Protocol):
    """What is used here of the state of the page (states/chat/thread.py)."""

    conversation_id: str
    title: str
    missing: bool
    problem: str
    run: dict[str, Any]
    waiting: list[dict[str, Any]] | None
    unread_seq: int
    _seq: int
    _leaf_id: UUID | None
    _rest: list[dict[str, Any]]

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *error: object) -> None: ...

    async def get_state(self, state_cls: type[_S]) -> _S:
        """Return another state of the same tab."""
        ...

    def _add_patch(self, **patch: Any) -> None: ...


class _PageLeft(Exception):
    """The tab shows another conversation, which has its own LiveUpdates."""


class LiveUpdates:
    """Updates one tab on one page. Every change of the page's state is a separate patch; tokens are sent outside of Reflex's state."""

    def __init__(
        self,
        state: ThreadPage,
        current_user: CurrentUser,
        conversation_id: UUID | None,
        seq: int,
        leaf_id: UUID | None,
        client_token: str,
    ) -> None:
        self._state = state
        self._current_user = current_user
        self._conversation_id = conversation_id
        self._shown = str(conversation_id or "")
        self._seq = seq
        self._client_token = client_token
        self._patches = ThreadPatches(leaf_id)
        self._windows = self._patches.windows
        # Equal to no run, so that the first one is shown.
        self._shown_run: tuple[UUID, str, int] | None = (conversation_id or UUID(int=0), "", 0)
        self._place = 0
        self._being_read: Sequence[str] = ()
        self._waiting_since: tuple[UUID | None, float] = (None, 0.0)
        """The run that waits for its first token, and since when."""
        self._is_away = False

    async def run(self) -> None:
        """Keep the page up to date until the tab is closed or its user is signed out."""
        activity = container.get_services().platform.conversation_feed
        observability.FOLLOWERS.inc()
        try:
            with (
                suppress(_PageLeft),
                activity.watching(self._current_user.user_id, self._conversation_id) as watch,
                tabs.on_disconnect(self._client_token, watch.notify),
            ):
                while tabs.is_open(self._client_token):
                    await self._stay(watch)
        finally:
            observability.FOLLOWERS.dec()

    async def _stay(self, watch: ChangeSubscription) -> None:
        try:
            await self._catch_up(watch)
        except DatabaseUnavailable as error:
            await self._say_away(error)
            await asyncio.sleep(_AWAY_SECONDS)
        except NotFound:
            # The conversation was deleted; the sidebar still needs updates.
            self._conversation_id = None
            async with self._page() as state:
                state.missing, state.title = True, ""

    @asynccontextmanager
    async def _page(self) -> AsyncGenerator[ThreadPage]:
        """Change the page's state, if it still shows this conversation."""
        async with self._state as state:
            if state.conversation_id != self._shown:
                raise _PageLeft
            yield state

    async def _catch_up(self, watch: ChangeSubscription) -> None:
        run = await self._show_news()
        if run is None or run.message_id in self._windows:
            await self._show_sidebar()
        # Otherwise it can wait for the first token.
        await self._say_back()
        if run is not None:
            await self._follow(run, watch)
        else:
            await self._show_no_run()
        if run is None or watch.poked:
            await watch.wait(_IDLE_SECONDS)
        async with self._page() as state:
            picker = await state.get_state(ModelPickerState)
            if picker.notice:
                await picker._show_if_needed(self._current_user)
            # A socket keeps its cookie after signing out, so check the session's record.
            self._current_user = await current_user_of(cast("rx.State", state))

    async def _show_news(self) -> ActiveRun | None:
        if self._conversation_id is None:
            return None
        news = await container.get_services().chat.conversations.news(
            self._current_user, self._conversation_id, self._seq
        )
        patches, seq = await self._patches.of(self._current_user, self._conversation_id, news.events)
        *first, last = patches or [None]
        for patch in first:
            # A variable has one value in each update, and two patches are two values.
            async with self._page() as state:
                _apply(state, patch)
        waiting = [waiting_view(message) for message in news.waiting]
        self._place = news.place
        # Read before the events count as shown: after a failure they are read again.
        are_sources_new = any(
            isinstance(event, (ContextSourceAttached, ContextSourceDetached)) for _, event in news.events
        )
        context_sources = container.get_services().chat.context_sources
        sources = await context_sources.of(self._current_user, self._conversation_id) if are_sources_new else None
        async with self._page() as state:
            _apply(state, last)
            if sources is not None:
                (await state.get_state(ContextSourcesState))._show(self._shown, sources)
            self._seq = state._seq = max(seq, self._seq)
            state._leaf_id = self._patches.leaf_id
            for event_seq, event in news.events:
                await self._show_event(state, event_seq, event)
            if waiting != state.waiting:
                state.waiting = waiting
            if news.run is not None and self._is_new(news.run):
                # In the same update as its message: each one costs the browser a redraw.
                await self._put_run(state, news.run, "waiting", self._place if news.run.is_waiting else 0)
        return news.run

    async def _show_event(self, state: Any, seq: int, event: ConversationEvent) -> None:
        """Show what an event changes beside the messages."""
        match event:
            case ConversationRenamed(title=title):
                state.title = title
            case AnswerEnded():
                # The page says when it was seen.
                state.unread_seq = seq
            case ConversationConfigured() | AssistantChosen() if state.is_shared:
                # How it is set is for its owner alone.
                pass
            case ConversationConfigured(system_prompt=system_prompt, parameters=parameters):
                shown = await state.get_state(ConfigurationState)
                shown._show(self._shown, Configuration(system_prompt, parameters))
            case AssistantChosen():
                chosen = await state.get_state(ChosenAssistantState)
                conversation_assistants = container.get_services().chat.conversation_assistants
                mark = await conversation_assistants.of(self._current_user, require_id(self._shown))
                chosen._show(self._shown, mark)
            case ModelChosen(model=model):
                (await state.get_state(ModelPickerState))._choose(model, model)
            case _:
                pass

    def _is_new(self, run: ActiveRun) -> bool:
        """Whether a run has just begun, and no word of its answer can be there."""
        return run.message_id not in self._windows and (run.is_waiting or run.message_id in self._patches.models)

    async def _show_sidebar(self) -> None:
        is_shown = False
        # Not shown if an action of the user has changed the list meanwhile.
        while not is_shown:
            async with self._state as state:
                sidebar = await state.get_state(SidebarState)
                listing, times_shown = sidebar._listing(), sidebar._times_shown
            found = await listing.read(self._current_user, self._shown)
            async with self._state as state:
                sidebar = await state.get_state(SidebarState)
                is_shown = sidebar._times_shown == times_shown
                if is_shown:
                    sidebar._show(found, self._shown)

    async def _follow(self, run: ActiveRun, watch: ChangeSubscription) -> None:
        """Stream a run until it ends, another change must be shown, or the session must be checked."""
        message_id = str(run.message_id)
        is_new_here = run.message_id not in self._windows
        windows = self._windows.setdefault(
            run.message_id, (Window(message_id, ChunkKind.REASONING), Window(message_id, ChunkKind.TEXT))
        )
        self._patches.models[run.message_id] = run.model
        since = time.monotonic()
        sidebar_at = time.monotonic() + _SIDEBAR_SECONDS if is_new_here else None
        with streaming(), ExitStack() as nudging:
            async with container.get_services().chat.answer_streams.following(run.owner_id, run.id) as answer:
                nudging.enter_context(watch.nudging(answer.wake))
                while True:
                    has_begun = bool(answer.text or answer.reasoning)
                    if not has_begun:
                        await self._show_run(run, "waiting")
                    is_new = await self._push(windows, answer)
                    if has_begun:
                        # After the first words, which the user waits for.
                        await self._show_run(run, "answering")
                    is_all = windows[0].has_all_of(answer) and windows[1].has_all_of(answer)
                    is_left = not tabs.is_open(self._client_token)
                    is_time = time.monotonic() - since > self._check_seconds(run)
                    if (answer.ended and is_all) or watch.poked or is_left or is_time:
                        return
                    if sidebar_at is not None and (is_new or time.monotonic() > sidebar_at):
                        sidebar_at = None
                        await self._show_sidebar()
                        continue
                    if is_new or not is_all:
                        # The first piece goes out at once; from then on as many as can be seen.
                        await asyncio.sleep(pause_seconds())
                    elif not await answer.changed(
                        _SIDEBAR_SECONDS if sidebar_at else self._rest_seconds(run, has_begun=has_begun)
                    ) and (not tabs.is_open(self._client_token)):
                        return

    def _check_seconds(self, run: ActiveRun) -> float:
        if run.is_waiting:
            return _PLACE_SECONDS
        # The session watchdog closes tabs of ended sessions; this check is for missed notifications.
        return _CHECK_SECONDS if container.get_services().platform.access_invalidator.is_up_to_date else _UNSURE_SECONDS

    def _rest_seconds(self, run: ActiveRun, *, has_begun: bool) -> float:
        return _IDLE_SECONDS / 2 if has_begun and not run.is_waiting else _PLACE_SECONDS

    async def _push(self, windows: tuple[Window, Window], answer: AnswerStream) -> bool:
        if not may_push(self._client_token):
            return False
        packets = [packet for window in windows if (packet := window.packet(answer)) is not None]
        for packet in packets:
            await push(packet)
        return bool(packets)

    async def _show_run(self, run: ActiveRun, run_state: str) -> None:
        place = self._place if run.is_waiting and run_state == "waiting" else 0
        if run_state == "waiting" and not run.is_waiting:
            run_state = await self._preparation(run)
        if self._shown_run != (run.id, f"{run_state} {len(self._being_read)}", place):
            async with self._page() as state:
                await self._put_run(state, run, run_state, place)

    async def _put_run(self, state: ThreadPage, run: ActiveRun, run_state: str, place: int) -> None:
        """Show a run that is `waiting`, `reading` attached files, `loading` its model, or `answering`."""
        self._shown_run = (run.id, f"{run_state} {len(self._being_read)}", place)
        looked_at, note = (await state.get_state(ContextSourcesState)).attached, ""
        if run_state != "answering":
            note = self._note(run, run_state, place, looked_at)
        state.run = run_view(run, has_begun=run_state == "answering", note=note)

    async def _preparation(self, run: ActiveRun) -> str:
        """Return what a claimed run is doing before it answers; looked up only after a moment."""
        if self._waiting_since[0] != run.id:
            self._waiting_since = run.id, time.monotonic()
        if time.monotonic() - self._waiting_since[1] <= _LOADING_SECONDS:
            return "waiting"
        sources = container.get_services().chat.context_sources
        self._being_read = await sources.being_read(self._current_user, run.conversation_id)
        if self._being_read:
            return "reading"
        return "loading" if await container.get_services().models.catalog.is_loading(run.model) else "waiting"

    def _note(self, run: ActiveRun, run_state: str, place: int, looked_at: list[dict[str, str]]) -> str:
        """Return the text of the typing indicator; the position in the queue only after a moment."""
        if self._waiting_since[0] != run.id:
            self._waiting_since = run.id, time.monotonic()
        if run_state == "reading":
            names = self._being_read
            return f"Reading {names[0]}" if len(names) == 1 else f"Reading {len(names)} files"
        if run_state == "loading":
            return f"Loading the model {run.model}"
        if not place or time.monotonic() - self._waiting_since[1] < _PLACE_SECONDS / 2:
            if looked_at and not run.is_waiting:
                where = looked_at[0]["name"] if len(looked_at) == 1 else f"{len(looked_at)} collections and files"
                return f"Searching {where}"
            return f"Waiting for {run.model}"
        ahead = place - 1
        return (
            f"In the queue: {ahead} {'answer' if ahead == 1 else 'answers'} ahead of yours"
            if ahead
            else "In the queue: yours is next"
        )

    async def _show_no_run(self) -> None:
        if self._shown_run is not None:
            self._shown_run = None
            async with self._page() as state:
                state.run = dict(NO_RUN)

    async def _say_away(self, error: DatabaseUnavailable) -> None:
        if not self._is_away:
            self._is_away = True
            async with self._page() as state:
                state.problem = error.message

    async def _say_back(self) -> None:
        self._is_away = False
        async with self._page() as state:
            # A handler may have shown the failure of the database meanwhile.
            if state.problem in {DatabaseUnavailable().message, DatabaseBusy().message}:
                state.problem = ""


def _apply(state: ThreadPage, patch: Patch | None) -> None:
    if patch is not None:
        # The page fetches the rest, one piece after another.
        state._rest += patch[1]
        state._add_patch(**patch[0])
