"""The dialogs about projects: all of them, one of them, and where conversations are moved."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

import reflex as rx

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.bulk_actions import MOST_AT_ONCE
from rxchat.domain.ids import parse_id, require_id
from rxchat.domain.projects import ProjectContent, ProjectTree
from rxchat.services.app import container
from rxchat.services.chat.projects import Projects
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.sidebar_views import ProjectView
from rxchat.states.platform.auth_guard import requires_user
from rxchat.states.platform.changes import set_changed
from rxchat.states.platform.dialogs import DialogState, dialog_number, ids_in, show_problem, text_in

_guarded = partial(requires_user, refuse=show_problem)
_COLLECTION = "collection-"
"""How the names of the form's boxes begin; the ID follows."""


@dataclass
class ProjectForm:
    """A project in its editor."""

    id: str = ""
    name: str = ""
    parent: str = ""
    instructions: str = ""
    model: str = ""
    collections: list[str] = field(default_factory=list)


@dataclass
class CollectionChoice:
    """A collection that a project may have."""

    id: str
    name: str


class ProjectsState(DialogState, rx.State):
    """What the open dialog about a project shows."""

    opened: int = 0
    """The number of the dialog that the rest belongs to."""
    form: ProjectForm = ProjectForm()
    parents: list[ProjectView] = []
    """The projects in which it can be."""
    collections: list[CollectionChoice] = []
    flash: str = ""
    """What was just done, in words."""
    flashes: int = 0

    @rx.event
    @_guarded
    async def show(self, current_user: CurrentUser, form: dict) -> None:
        """Show the project with the form's `id`, or a new one in its `parent`, in the dialog with its number."""
        self._done()
        tree, project_id = await _projects().of_user(current_user), parse_id(text_in(form, "id"))
        readable = await container.get_services().documents.collections.readable(current_user)
        # The collections of messages' attachments are not chosen.
        choices = [CollectionChoice(str(item.id), item.name) for item in readable]
        inside = {str(found) for found in tree.within(project_id)} if project_id else set()
        places = [place for place in (await self.get_state(SidebarState)).projects if place.id not in inside]
        self.form = _form_of(tree, text_in(form, "id")) if project_id else ProjectForm(parent=text_in(form, "parent"))
        set_changed(self, collections=choices, parents=places)
        self.opened = dialog_number(form)

    @rx.event
    @_guarded
    async def save(self, current_user: CurrentUser, form: dict) -> None:
        """Create a project, or change the one with the form's `id`."""
        content = ProjectContent(
            name=text_in(form, "name"),
            parent_id=require_id(text_in(form, "parent")) if text_in(form, "parent") else None,
            instructions=text_in(form, "instructions"),
            model=text_in(form, "model"),
            collection_ids=tuple(
                require_id(name.removeprefix(_COLLECTION)) for name in form if name.startswith(_COLLECTION)
            ),
        )
        if text_in(form, "id"):
            await _projects().change(current_user, require_id(text_in(form, "id")), content)
        else:
            await _projects().create(current_user, content)
        await self._confirm(current_user, form)

    @rx.event
    @_guarded
    async def delete(self, current_user: CurrentUser, form: dict) -> None:
        """Delete the project with the form's `id`; with its conversations, if `conversations` is "trash"."""
        with_conversations = text_in(form, "conversations") == "trash"
        project_id = require_id(text_in(form, "id"))
        count = await _projects().delete(current_user, project_id, with_conversations=with_conversations)
        words = f"{count:,} conversation{'s are' if count != 1 else ' is'} in the trash."
        self._say(f"The project was deleted. {words if with_conversations else 'Its conversations stay.'}")
        await self._confirm(current_user, form)

    @rx.event
    @_guarded
    async def move(self, current_user: CurrentUser, form: dict) -> None:
        """Move the conversations with the form's `ids` into the project with its `project`, or out of theirs for ""."""
        ids, project = ids_in(form, "ids", MOST_AT_ONCE), text_in(form, "project")
        await _projects().move(current_user, ids, require_id(project) if project else None)
        names = {view.id: view.name for view in (await self.get_state(SidebarState)).projects}
        what = "The conversation is" if len(ids) == 1 else f"{len(ids):,} conversations are"
        self._say(f"{what} in “{names.get(project, 'the project')}”." if project else f"{what} in no project.")
        await self._confirm(current_user, form)

    def _say(self, words: str) -> None:
        self.flash, self.flashes = words, self.flashes + 1

    async def _confirm(self, current_user: CurrentUser, form: dict[str, Any]) -> None:
        await (await self.get_state(SidebarState))._refresh(current_user)
        self._done(form)

    @rx.event
    @_guarded
    async def enter(self, current_user: CurrentUser, project_id: str) -> None:
        """Show a project in the sidebar, and its model on the page for new conversations."""
        sidebar = await self.get_state(SidebarState)
        sidebar.project = project_id
        await sidebar._begin_list(current_user)
        if not self.router_data.get("query", {}).get("conversation_id"):
            await (await self.get_state(ModelPickerState))._show(current_user, "")

    @rx.event
    @_guarded
    async def dismiss(self, current_user: CurrentUser) -> None:
        """Hide what was just done."""
        del current_user
        self.flash = ""


def _projects() -> Projects:
    return container.get_services().chat.organizing.projects


def _form_of(tree: ProjectTree, project_id: str) -> ProjectForm:
    content = tree.get(require_id(project_id)).content
    return ProjectForm(
        id=project_id,
        name=content.name,
        parent=str(content.parent_id or ""),
        instructions=content.instructions,
        model=content.model,
        collections=[str(found) for found in content.collection_ids],
    )
