"""What a user does with a message: edit it, answer again, choose a version, delete it, fork from it."""

from __future__ import annotations

from functools import partial
from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import InvalidInput
from rxchat.domain.feedback import Rating
from rxchat.domain.ids import require_id
from rxchat.domain.text import ANSWER_CHARACTERS, MESSAGE_CHARACTERS
from rxchat.services.app import container
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.dialogs import DialogState, show_problem, text_in


class MessageActionsState(DialogState, rx.State):
    """The actions of the messages of the conversation that the tab shows; LiveUpdates shows their effect, in every tab."""

    deleted: str = ""
    """What was deleted, for the offer to undo."""
    deleted_id: str = ""
    """The message that was deleted last."""
    _deleted_in: str = ""

    @rx.event
    @partial(requires_user, longest=MESSAGE_CHARACTERS, refuse=show_problem)
    async def edit(self, current_user: CurrentUser, form: dict) -> None:
        """Ask another version of a question: its `id`, the new `text`, and the ID of the new one (`client_id`)."""
        await container.get_services().chat.branches.edit_question(
            current_user,
            await self._shown(),
            require_id(text_in(form, "id")),
            text_in(form, "text"),
            await self._model(current_user),
            question_id=require_id(text_in(form, "client_id")),
        )
        self._done(form)

    @rx.event
    @partial(requires_user, longest=ANSWER_CHARACTERS, refuse=show_problem)
    async def edit_answer(self, current_user: CurrentUser, form: dict) -> None:
        """Add a version of an answer (`id`) with the `text` that the user has written."""
        await container.get_services().chat.branches.edit_answer(
            current_user, await self._shown(), require_id(text_in(form, "id")), text_in(form, "text")
        )
        self._done(form)

    @rx.event
    @requires_user
    async def regenerate(self, current_user: CurrentUser, message_id: str) -> None:
        """Answer again, with the model that is chosen now."""
        await container.get_services().chat.branches.regenerate(
            current_user, await self._shown(), require_id(message_id), await self._model(current_user)
        )

    @rx.event
    @requires_user
    async def show_version(self, current_user: CurrentUser, message_id: str) -> None:
        """Show another version of a message, with what follows it."""
        await container.get_services().chat.branches.choose_version(
            current_user, await self._shown(), require_id(message_id)
        )

    @rx.event
    @requires_user
    async def rate(self, current_user: CurrentUser, message_id: str, rating: str) -> None:
        """Rate an answer `good` or `bad`; "" takes the rating back."""
        await container.get_services().chat.feedback.rate(
            current_user, await self._shown(), require_id(message_id), _rating(rating)
        )

    @rx.event
    @partial(requires_user, refuse=show_problem)
    async def explain(self, current_user: CurrentUser, form: dict) -> None:
        """Add reasons (`reason:KEY`) and a `comment` to the rating of an answer (`id`, `rating`)."""
        await container.get_services().chat.feedback.rate(
            current_user,
            await self._shown(),
            require_id(text_in(form, "id")),
            _rating(text_in(form, "rating")),
            reasons=[name.partition(":")[2] for name in form if name.startswith("reason:")],
            comment=text_in(form, "comment"),
        )
        self._done(form)

    @rx.event
    @requires_user
    async def delete(self, current_user: CurrentUser, message_id: str) -> None:
        """Delete a message with what follows it, and offer to undo it."""
        conversation_id = await self._shown()
        followed = await container.get_services().chat.branches.delete(
            current_user, conversation_id, require_id(message_id)
        )
        rest = "" if not followed else f", and {followed} after it" if followed > 1 else ", and one after it"
        self.deleted = f"Message deleted{rest}."
        self.deleted_id, self._deleted_in = message_id, str(conversation_id)

    @rx.event
    @requires_user
    async def undo_delete(self, current_user: CurrentUser) -> Any:
        """Restore the message that was just deleted, and show its conversation."""
        conversation_id = require_id(self._deleted_in)
        await container.get_services().chat.branches.restore(current_user, conversation_id, require_id(self.deleted_id))
        self.deleted = ""
        shown = (await self.get_state(ThreadState)).conversation_id
        return rx.redirect(f"/c/{conversation_id}") if shown != str(conversation_id) else None

    @rx.event
    @requires_user
    async def dismiss_deleted(self, current_user: CurrentUser) -> None:
        """Hide the offer to undo."""
        del current_user
        self.deleted = ""

    @rx.event
    @requires_user
    async def fork(self, current_user: CurrentUser, message_id: str) -> Any:
        """Copy the conversation up to a message into a new one, and go there."""
        fork_id = await container.get_services().chat.forks.fork(
            current_user, await self._shown(), require_id(message_id)
        )
        return rx.redirect(f"/c/{fork_id}")

    async def _shown(self) -> UUID:
        return require_id((await self.get_state(ThreadState)).conversation_id)

    async def _model(self, current_user: CurrentUser) -> str:
        picker = await self.get_state(ModelPickerState)
        await picker._show_if_needed(current_user)
        return picker.model


def _rating(value: str) -> Rating | None:
    if value and value not in set(Rating):
        raise InvalidInput("This is no rating. Reload the page.")
    return Rating(value) if value else None
