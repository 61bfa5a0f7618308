"""A temporary chat: it is only in the memory of this tab and of the process that serves it, and is gone with the tab."""

from __future__ import annotations

import asyncio
import time
from contextlib import aclosing
from functools import partial
from typing import Any

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.chat import ChatMessage, ReasoningDelta, Role, TextDelta
from rxchat.domain.errors import Conflict, InvalidInput, RxChatError
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState, ThreadMessage
from rxchat.domain.preferences import instructions_message
from rxchat.domain.text import MESSAGE_CHARACTERS
from rxchat.services.app import container
from rxchat.services.chat.completions import Question
from rxchat.services.chat.messages import valid_question
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.presenters import message_view
from rxchat.states.platform.auth_guard import current_user_of, requires_user, requires_user_in_background
from rxchat.states.platform.dialogs import DialogState, show_problem, text_in
from rxchat.states.platform.tab_registry import tabs

_MOST_MESSAGES = 100
"""How many messages a temporary chat may have."""
_CONTEXT_CHARACTERS = 60_000
"""How many characters of earlier messages the model gets."""
_LEAST_PAUSE = 0.1
_CHARACTERS_A_SECOND = 60_000
"""How much of a growing answer is sent, which limits how often a long one is shown."""
_CHECK_SECONDS = 4.0
"""How often the session is checked while an answer is written."""

_guarded = partial(requires_user, refuse=show_problem)


class TemporaryChatState(DialogState, rx.State):
    """The messages of one tab. Nothing of it is written to the database, to a file or to a log."""

    messages: list[dict[str, Any]] = []
    answer: list[dict[str, Any]] = []
    """The answer that is being written, while there is one."""
    is_busy: bool = False
    accepted: int = 0
    """How many messages were accepted: the field is emptied by it."""
    _said: list[ChatMessage] = []
    _socket: str = ""
    _run: int = 0
    """The number of the answer that is written last; a stopped one has an older number."""

    @rx.event
    @_guarded
    async def load(self, current_user: CurrentUser) -> None:
        """Show what this tab has said; a page that was loaded again begins empty."""
        socket = self.router.session.session_id
        if socket != self._socket:
            self._clear()
        self._socket = socket
        await (await self.get_state(ModelPickerState))._show_if_needed(current_user)

    @rx.event
    @_guarded
    async def clear(self, current_user: CurrentUser) -> None:
        """Forget everything that was said."""
        del current_user
        self._clear()

    def _clear(self) -> None:
        self.messages, self.answer, self._said = [], [], []
        self.is_busy = False
        self._run += 1
        self._done()

    @rx.event
    @partial(requires_user, longest=MESSAGE_CHARACTERS, refuse=show_problem)
    async def send(self, current_user: CurrentUser, form: dict) -> Any:
        """Ask the model that is chosen."""
        picker = await self.get_state(ModelPickerState)
        await picker._show_if_needed(current_user)
        if self.is_busy:
            raise Conflict("An answer is being written. Wait for it, or stop it first.")
        if len(self.messages) >= _MOST_MESSAGES:
            raise InvalidInput(f"A temporary chat can have {_MOST_MESSAGES} messages. Begin another one.")
        text = valid_question(text_in(form, "text"))
        await container.get_services().chat.completions.require(current_user, picker.model)
        self._done()
        self._said = [*self._said, ChatMessage(Role.USER, text)]
        self.messages = [*self.messages, _view(Role.USER, text)]
        self.answer = [_view(Role.ASSISTANT, "", model=picker.model, state=MessageState.RUNNING)]
        self.is_busy, self.accepted, self._run = True, self.accepted + 1, self._run + 1
        return TemporaryChatState.write

    @rx.event
    @_guarded
    async def stop(self, current_user: CurrentUser) -> None:
        """Stop the answer; what was written stays."""
        del current_user
        if self.is_busy:
            self._end(MessageState.STOPPED)

    @rx.event(background=True, supersedes=True)
    @requires_user_in_background
    async def write(self, current_user: CurrentUser) -> None:
        """Write the answer, until it has ended, was stopped, or the tab is gone."""
        async with self:
            token, run, model = (
                self.router.session.client_token,
                self._run,
                self.answer[0]["model"] if self.answer else "",
            )
            said = list(self._said)
        if not model:
            return
        instructions = (await container.get_services().app.preferences.get(current_user)).custom_instructions
        question = Question(model, [[*instructions_message(instructions), *_latest(said)]])
        try:
            await self._follow(current_user, question, run, token)
        except RxChatError as error:
            await self._fail(run, error.message)
        else:
            async with self:
                if self._run == run and self.is_busy:
                    self._end(MessageState.DONE)

    async def _follow(self, current_user: CurrentUser, question: Question, run: int, token: str) -> None:
        text = reasoning = ""
        shown_at = checked_at = time.monotonic()
        asked = container.get_services().chat.completions.ask(current_user, question)
        async with aclosing(asked) as parts_of_answer:
            async for parts in parts_of_answer:
                for _, event in parts or ():
                    match event:
                        case TextDelta(text=more):
                            text += more
                        case ReasoningDelta(text=more):
                            reasoning += more
                        case _:
                            pass
                now = time.monotonic()
                pause = max(_LEAST_PAUSE, (len(text) + len(reasoning)) / _CHARACTERS_A_SECOND)
                if now - shown_at < pause and parts:
                    await asyncio.sleep(0)
                    continue
                is_due = now - checked_at > _CHECK_SECONDS
                if not tabs.is_open(token) or not await self._grow(run, text, reasoning, checks_session=is_due):
                    return
                shown_at, checked_at = now, now if is_due else checked_at
        await self._grow(run, text, reasoning)

    async def _grow(self, run: int, text: str, reasoning: str, *, checks_session: bool = False) -> bool:
        """Show the text so far; False if this answer was stopped."""
        async with self:
            if checks_session:
                await current_user_of(self)
            if self._run != run or not self.is_busy or not self.answer:
                return False
            self.answer = [{**self.answer[0], "text": text, "reasoning": reasoning}]
            return True

    async def _fail(self, run: int, problem: str) -> None:
        async with self:
            if self._run == run and self.is_busy:
                self.answer = [{**item, "error": problem} for item in self.answer]
                self._end(MessageState.FAILED)

    def _end(self, state: MessageState) -> None:
        """Keep the answer as it is now."""
        for item in self.answer:
            self.messages = [*self.messages, {**item, "state": state.value}]
            if item["text"]:
                self._said = [*self._said, ChatMessage(Role.ASSISTANT, item["text"])]
        self.answer, self.is_busy = [], False
        self._run += 1


def _latest(said: list[ChatMessage]) -> list[ChatMessage]:
    """Return the last messages that fit into the context, and at least the question."""
    room, found = _CONTEXT_CHARACTERS, []
    for message in reversed(said):
        room -= len(message.content)
        if found and room < 0:
            break
        found.append(message)
    return found[::-1]


def _view(role: Role, text: str, *, model: str = "", state: MessageState = MessageState.DONE) -> dict[str, Any]:
    view = message_view(ThreadMessage(id=new_id(), seq=0, role=role, text=text, model=model, state=state))
    return {"text": "", "reasoning": "", **view}
