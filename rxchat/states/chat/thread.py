"""The state of one conversation: open, send, stop, retry, continue, queue."""

from __future__ import annotations

from contextlib import suppress
from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import sees_details
from rxchat.domain.errors import Conflict, InvalidInput, NotFound, RxChatError
from rxchat.domain.ids import new_id, parse_id, require_id
from rxchat.services.app import container
from rxchat.services.chat.conversations import ThreadPage
from rxchat.services.chat.messages import Turn
from rxchat.states.chat.chosen_assistant import ChosenAssistantState
from rxchat.states.chat.configuration import ConfigurationState
from rxchat.states.chat.context_sources import ContextSourcesState, attached_of
from rxchat.states.chat.live_updates import NO_RUN, LiveUpdates
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.own_quotas import OwnQuotasState
from rxchat.states.chat.presenters import in_pieces, message_view
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.platform.auth_guard import (
    ANY_LENGTH,
    record_denied_link,
    requires_user,
    requires_user_in_background,
    show_errors_in,
)
from rxchat.states.platform.changes import set_changed
from rxchat.states.platform.current_user import CurrentUserState, Navigation

_NOTHING: dict[str, Any] = {}
_SEQ_DIGITS = 10
_ID_CHARACTERS = 64


def _give_back(state: ThreadState, error: RxChatError, given: dict[str, Any]) -> bool:
    """Show a refusal under the composer, and return the text to it."""
    client_id = given.get("client_id")
    if not isinstance(client_id, str) or not isinstance(given.get("text"), str):
        return False
    # A refusal has its own id, since a reconnected page receives the last one again.
    state.refused = {"id": client_id[:64], "text": error.message, "refusal": str(new_id())}
    return True


def _offer_older_again(state: ThreadState, _error: RxChatError, _given: dict[str, Any]) -> bool:
    """Send an empty page of older messages, so that the renderer can try again; the banner shows the error."""
    state._add_patch(change="prepend", items=[], older=True)
    return False


@show_errors_in
class ThreadState(rx.State):
    """One conversation in one tab; `patch` carries changes, never the whole history."""

    conversation_id: str = ""
    title: str = ""
    missing: bool = False
    is_shared: bool = False
    """Whether it is another user's, who shares it: it can only be read."""
    patch: dict[str, Any] = {}
    run: dict[str, Any] = NO_RUN
    refused: dict[str, str] = {}
    accepted: str = ""
    born: dict[str, str] = {}
    """The conversation that a message began (`conversation_id`), and the ID of that message (`client_id`)."""
    problem: str = ""
    unread_seq: int = 0
    """The seq of the event that ended the last answer, until the page says that it was seen; otherwise 0."""
    waiting: list[dict[str, Any]] | None = None
    """The queued messages, next one first; None until they were loaded."""
    _rest: list[dict[str, Any]] = []
    _patches: int = 0
    _seq: int = 0
    """The last event that the page shows."""
    _leaf_id: UUID | None = None
    """The last message of the branch that the page shows."""

    @rx.event
    @partial(requires_user, reopens=True)
    async def open(self, current_user: CurrentUser) -> Any:
        """Show the conversation in the address, or the page for a new one."""
        arrived = await self.get_state(CurrentUserState)
        navigation = arrived._navigation
        if navigation is Navigation.EXPECTED:
            return None
        message_id = parse_id(self.router_data.get("query", {}).get("m", ""))
        with_other = not self._addressed() and (await self.get_state(ChosenAssistantState))._is_other(self._assistant())
        if navigation is Navigation.CHANGES_QUERY and message_id is None and not with_other:
            # Reflex cancels what the previous navigation started.
            return ThreadState.attend
        named, before = self._addressed(), self.conversation_id
        wanted = str(parse_id(named) or "")
        if wanted and wanted != named:
            # The address is not canonical, as with capitals: redirect, and change nothing until then.
            return rx.redirect(f"/c/{wanted}", replace=True)
        self.conversation_id = wanted
        self.missing, self.problem, self.run, self.refused = False, "", NO_RUN, {}
        self.accepted = ""
        if not self.conversation_id:
            self.waiting = []
        elif self.conversation_id != before:
            # The queue is loaded by `attend`; a reconnected page keeps what it shows.
            self.waiting = None
        if named and not self.conversation_id:
            self.missing = True
            return ThreadState.attend
        page = None
        if self.conversation_id:
            try:
                page = await _page_with(current_user, UUID(self.conversation_id), message_id)
                await self._show_context_sources(current_user)
            except NotFound:
                await record_denied_link(self, current_user, "ThreadState.open", self.conversation_id)
                self.missing, self.title, self.waiting = True, "", []
                return ThreadState.attend
        model = await self._show_setup(current_user, page)
        if navigation is not Navigation.CHANGES_QUERY or with_other:
            # A model that was chosen meanwhile stays.
            await (await self.get_state(ModelPickerState))._show(current_user, model)
        self._show_page(page, current_user, message_id)
        arrived._complete()
        return ThreadState.attend

    async def _show_setup(self, current_user: CurrentUser, page: ThreadPage | None) -> str:
        """Show the assistant and what is set, and return the model that the conversation or the assistant has."""
        shown, chosen = await self.get_state(ConfigurationState), await self.get_state(ChosenAssistantState)
        if page is None:
            shown._show_new()
            return await chosen._show_new(current_user, self._assistant())
        shown._show(self.conversation_id, page.configuration)
        chosen._show(self.conversation_id, page.assistant)
        return page.model

    async def _show_context_sources(self, current_user: CurrentUser) -> None:
        known = await container.get_services().chat.context_sources.of(current_user, UUID(self.conversation_id))
        (await self.get_state(ContextSourcesState))._show(self.conversation_id, known)

    def _show_page(self, page: ThreadPage | None, current_user: CurrentUser, message_id: UUID | None = None) -> None:
        self.title = page.title if page else ""
        self._seq = page.seq if page else 0
        self._leaf_id = page.leaf_id if page else None
        set_changed(self, is_shared=page is not None and not page.is_own, unread_seq=page.unread_seq if page else 0)
        detailed, messages = sees_details(current_user), page.messages if page else []
        views = [message_view(message, detailed=detailed) for message in messages]
        items, self._rest = in_pieces(views, first=str(message_id or ""))
        self._add_patch(change="set", items=items, older=page.has_older if page else False)

    def _add_patch(self, **patch: Any) -> None:
        self._patches += 1
        self.patch = {"number": self._patches, **patch} | ({"more": True} if self._rest else {})

    @rx.event(background=True, supersedes=True)
    @requires_user_in_background
    async def reopen(self, current_user: CurrentUser) -> Any:
        """Load the page again after the database has recovered."""
        del current_user
        return [CurrentUserState.enter, SidebarState.load, ThreadState.open]

    @rx.event(background=True, supersedes=True)
    @requires_user_in_background
    async def attend(self, current_user: CurrentUser) -> None:
        """Show all changes from now on, while this tab shows this page."""
        async with self:
            conversation_id, seq, leaf_id = self.conversation_id, self._seq, self._leaf_id
            token = self.router.session.client_token
        await LiveUpdates(self, current_user, parse_id(conversation_id), seq, leaf_id, token).run()

    @rx.event
    @partial(requires_user, refuse=_give_back, longest=ANY_LENGTH)
    async def send(self, current_user: CurrentUser, text: str, client_id: str, attached: dict = _NOTHING) -> Any:
        """Send a message; the page keeps the draft until `accepted` names it, and gets it back with `refused`."""
        question_id = parse_id(client_id)
        if question_id is None:
            raise InvalidInput("This message has no valid id. Reload the page.")
        picker = await self.get_state(ModelPickerState)
        await picker._show_if_needed(current_user)
        # A new process knows only the address before `open`.
        conversation_id = parse_id(self.conversation_id or self._addressed())
        # A new conversation begins in the project that the sidebar shows, as its page says.
        project_id = None if conversation_id else parse_id((await self.get_state(SidebarState)).project)
        configured = None if conversation_id else (await self.get_state(ConfigurationState))._for_new()
        assistant_id = None if conversation_id else (await self.get_state(ChosenAssistantState))._for_new()
        turn = await container.get_services().chat.messages.send_message(
            current_user,
            conversation_id,
            text,
            picker.model,
            question_id=question_id,
            attached=attached_of(attached),
            project_id=project_id,
            configuration=configured,
            assistant_id=assistant_id,
        )
        is_elsewhere = turn.conversation_id != conversation_id
        # After any failure the page stays as it is, and sends again.
        page = await self._begun_page(current_user, turn) if is_elsewhere else None
        self.accepted = client_id
        set_changed(self, refused={}, problem="")
        if page is None:
            return OwnQuotasState.remind
        # The state switches to the new conversation before the address changes. The browser changes it, if the user has
        # not gone elsewhere meanwhile: a redirect would take them back.
        self.conversation_id, self.waiting = str(turn.conversation_id), None
        picker._is_chosen = False
        self.born = {"conversation_id": self.conversation_id, "client_id": client_id}
        if turn.begun is None:
            await self._show_context_sources(current_user)
        else:
            (await self.get_state(ContextSourcesState))._show(self.conversation_id, [])
        await self._show_setup(current_user, page)
        self._show_page(page, current_user)
        # The page follows the answer at once, and loads nothing when it arrives at the address.
        (await self.get_state(CurrentUserState))._expect(f"/c/{self.conversation_id}")
        return [ThreadState.attend, OwnQuotasState.remind]

    async def _begun_page(self, current_user: CurrentUser, turn: Turn) -> ThreadPage:
        """Return the page of the conversation that a message from the page for new ones is in."""
        if turn.begun is not None:
            return ThreadPage.of_new(turn.conversation_id, turn.begun)
        return await container.get_services().chat.conversations.open(current_user, turn.conversation_id)

    @rx.event
    @requires_user
    async def stop(self, current_user: CurrentUser, message_id: str = "") -> None:
        """Stop this answer, in any tab or process; without an id, the one in progress."""
        answer_id = require_id(message_id) if message_id else None
        await container.get_services().chat.messages.stop(current_user, self._named(), answer_id)

    @rx.event
    @requires_user
    async def retry(self, current_user: CurrentUser, message_id: str) -> None:
        """Generate a failed answer again."""
        await container.get_services().chat.messages.retry(current_user, self._named(), require_id(message_id))

    @rx.event
    @requires_user
    async def go_on(self, current_user: CurrentUser, message_id: str) -> None:
        """Continue an interrupted answer from its stored text."""
        await container.get_services().chat.messages.continue_answer(
            current_user, self._named(), require_id(message_id)
        )

    @rx.event
    @partial(requires_user, longest=ANY_LENGTH)
    async def change_waiting(self, current_user: CurrentUser, message_id: str, text: str) -> None:
        """Change the text of a queued message."""
        await container.get_services().chat.messages.edit_queued(
            current_user, self._named(), require_id(message_id), text
        )

    @rx.event
    @requires_user
    async def withdraw(self, current_user: CurrentUser, message_id: str) -> None:
        """Remove a queued message; the page puts its text into the composer."""
        await container.get_services().chat.messages.cancel_queued(current_user, self._named(), require_id(message_id))

    @rx.event
    @requires_user
    async def ask_next(self, current_user: CurrentUser) -> None:
        """Send the next queued message after a failed answer."""
        await container.get_services().chat.messages.send_next_queued(current_user, self._named())

    @rx.event
    @partial(requires_user, refuse=_offer_older_again)
    async def older(self, current_user: CurrentUser, before_id: str) -> None:
        """Show older messages, once the page has all that it requested before."""
        if self._rest:
            self._add_patch(change="prepend", items=[], older=True)
            return
        page = await container.get_services().chat.conversations.open(
            current_user, self._named(), before=require_id(before_id)
        )
        detailed = sees_details(current_user)
        items, rest = in_pieces([message_view(item, detailed=detailed) for item in page.messages])
        self._rest += rest
        self._add_patch(change="prepend", items=items, older=page.has_older, before=before_id)

    @rx.event
    @requires_user
    async def more(self, current_user: CurrentUser) -> None:
        """Send the next piece of a long text: no event is over 64 kB."""
        del current_user
        if self._rest:
            self._add_patch(**self._rest.pop(0))

    @rx.event
    @partial(requires_user, reopens=True)
    async def resync(self, current_user: CurrentUser) -> Any:
        """Send everything again, because the renderer has missed a patch."""
        page = await container.get_services().chat.conversations.open(current_user, self._named())
        if page.run is None:
            self.run = NO_RUN
        self._show_page(page, current_user)
        return ThreadState.attend

    @rx.event
    @requires_user
    async def read(self, current_user: CurrentUser, conversation_id: str, seq: str) -> None:
        """Record that the page has shown the end of an answer to the user; in all tabs it is read then."""
        if not (seq.isascii() and seq.isdigit() and len(seq) < _SEQ_DIGITS):
            raise InvalidInput("This is no event of a conversation.")
        reads = container.get_services().chat.organizing.reads
        await reads.mark(current_user, require_id(conversation_id), int(seq))
        if conversation_id == self.conversation_id and int(seq) == self.unread_seq:
            self.unread_seq = 0

    def _addressed(self) -> str:
        return self.router_data.get("query", {}).get("conversation_id", "")

    def _assistant(self) -> str:
        """The assistant in the address of the page for a new conversation; "" if it names none."""
        named = self.router_data.get("query", {}).get("assistant", "")
        return named[:_ID_CHARACTERS] if isinstance(named, str) else ""

    def _named(self) -> UUID:
        return require_id(self.conversation_id)


async def _page_with(current_user: CurrentUser, conversation_id: UUID, message_id: UUID | None) -> ThreadPage:
    """Return the page of a conversation; with a message, the branch and the part of it where that is."""
    chat = container.get_services().chat
    if message_id is not None:
        # Another user's branch stays as it is, and so does that of an answer in progress.
        with suppress(NotFound, Conflict):
            await chat.branches.reveal(current_user, conversation_id, message_id)
    return await chat.conversations.open(current_user, conversation_id, down_to=message_id)
