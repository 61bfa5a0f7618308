"""The dialogs of projects, the sidebar that shows one, and the conversations that begin in it."""

from __future__ import annotations

import pytest

from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.projects import ProjectsState
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.thread import ThreadState
from tests.peers.scripted_ollama import ScriptedOllama
from tests.states.chat import test_archive
from tests.states.chat.test_archive import recent
from tests.tab import open_tab

pytestmark = pytest.mark.anyio
cookie = test_archive.cookie
"""The session of a user with three conversations."""
QUICK, OTHER = "scripted:tokens=2", "scripted:tokens=3"


async def test_projects_are_made_changed_filled_and_deleted(cookie: str, services: Services) -> None:
    current_user = await services.accounts.sessions.current_user(cookie)
    collection = str(await services.documents.collections.create(current_user, "Plans"))
    async with open_tab(cookie) as tab:
        await tab.do(SidebarState, "load")
        first, second, _ = [row.id for group in tab.shown(SidebarState, "groups") for row in group.rows]
        await tab.do(ProjectsState, "show", form={"id": "", "dialog": "3"})
        assert tab.shown(ProjectsState, "opened") == 3
        assert [item.name for item in tab.shown(ProjectsState, "collections")] == ["Plans"]
        await tab.do(ProjectsState, "save", form={"id": "", "name": " ", "dialog": "3"})
        assert (tab.shown(ProjectsState, "problem_dialog"), tab.shown(ProjectsState, "problem_field")) == (3, "name")
        new = {"id": "", "name": "House", "instructions": "Use meters.", "model": OTHER, "parent": "", "dialog": "4"}
        await tab.do(ProjectsState, "save", form=new | {f"collection-{collection}": "on"})
        [house] = tab.shown(SidebarState, "projects")
        await tab.do(ProjectsState, "save", form={"id": "", "name": "Garden", "parent": house.id, "dialog": "5"})
        house, garden = tab.shown(SidebarState, "projects")
        assert (garden.name, garden.depth, tab.shown(ProjectsState, "done_dialog")) == ("Garden", 1, 5)
        await tab.do(ProjectsState, "show", form={"id": house.id, "dialog": "6"})
        form = tab.shown(ProjectsState, "form")
        assert (form.name, form.instructions, form.model, form.collections) == (
            "House", "Use meters.", OTHER, [collection],
        )  # fmt: skip
        # A project is not offered as its own place.
        assert tab.shown(ProjectsState, "parents") == []
        await tab.do(ProjectsState, "move", form={"ids": [first, second], "project": garden.id, "dialog": "7"})
        assert tab.shown(ProjectsState, "flash") == "2 conversations are in “Garden”."
        await tab.do(ProjectsState, "enter", project_id=house.id)
        assert (recent(tab), tab.shown(SidebarState, "project_name")) == (["Number 0", "Number 1"], "House")
        assert [item.count for item in tab.shown(SidebarState, "projects")] == [2, 2]
        await tab.do(ProjectsState, "move", form={"ids": [first], "project": "", "dialog": "8"})
        assert recent(tab) == ["Number 1"]
        await tab.do(ProjectsState, "move", form={"ids": [first], "project": str(new_id()), "dialog": "9"})
        assert tab.shown(ProjectsState, "problem_dialog") == 9
        await tab.do(ProjectsState, "delete", form={"id": house.id, "conversations": "trash", "dialog": "10"})
        assert tab.shown(ProjectsState, "flash") == "The project was deleted. 1 conversation is in the trash."
        assert (recent(tab), tab.shown(SidebarState, "project")) == (["Number 0", "Number 2"], "")


async def test_a_new_conversation_begins_in_the_project_that_is_shown_with_its_model(
    cookie: str, services: Services, ollama: ScriptedOllama
) -> None:
    ollama.offered = [QUICK, OTHER]
    async with open_tab(cookie) as tab:
        await tab.do(SidebarState, "load")
        tab.visit()
        await tab.send_event(ThreadState, "open")
        await tab.until(lambda: tab.shown(ModelPickerState, "model") == QUICK)
        await tab.do(ProjectsState, "save", form={"id": "", "name": "House", "model": OTHER, "dialog": "4"})
        [house] = tab.shown(SidebarState, "projects")
        await tab.do(ProjectsState, "enter", project_id=house.id)
        assert tab.shown(ModelPickerState, "model") == OTHER
        question = str(new_id())
        await tab.send_event(ThreadState, "send", text="Roof tiles", client_id=question)
        conversation_id = await tab.until(lambda: tab.begun_by(question))
        await tab.until(lambda: recent(tab) == ["Roof tiles"])
        await tab.until(lambda: tab.shown(SidebarState, "opened_project_name") == "House")
        assert tab.shown(SidebarState, "opened") == conversation_id
        await tab.until(tab.answer)
