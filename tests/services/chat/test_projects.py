"""Projects: how they are nested, what their conversations get from them, whose they are, and what goes with them."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.conversations import ConversationList
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.ids import new_id
from rxchat.domain.projects import MOST_DEPTH, Project, ProjectContent, ProjectTree, project_message
from rxchat.services.app.container import Services
from rxchat.services.chat import projects as module
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ENDLESS, ended
from tests.services.chat.test_archive import begun, listed

pytestmark = pytest.mark.anyio
MODEL = "scripted:tokens=2"


async def make(services: Services, user: CurrentUser, name: str, parent_id: UUID | None = None, **more: Any) -> UUID:
    return await services.chat.organizing.projects.create(user, ProjectContent(name, parent_id, **more))


async def in_project(services: Services, user: CurrentUser, project_id: UUID) -> list[str]:
    found = await services.chat.organizing.sidebar.lists(user, None, project_id=project_id)
    return sorted(item.title for item in found.recent)


async def test_projects_are_nested_without_circles_and_to_a_depth(
    services: Services, current_user: CurrentUser
) -> None:
    projects = services.chat.organizing.projects
    house = await make(services, current_user, "  House ")
    garden = await make(services, current_user, "Garden", house)
    shed = await make(services, current_user, "Shed", garden)
    boats = await make(services, current_user, "Boats")
    tree = await projects.of_user(current_user)
    assert [(project.content.name, depth) for project, depth in tree.ordered()] == [
        ("Boats", 0), ("House", 0), ("Garden", 1), ("Shed", 2),
    ]  # fmt: skip
    assert MOST_DEPTH == 3
    for wrong in (shed, garden, house):
        with pytest.raises(InvalidInput, match="in itself"):
            await projects.change(current_user, house, ProjectContent("House", wrong))
    for project_id in (None, boats):
        with pytest.raises(InvalidInput, match="nested"):
            if project_id:
                await projects.change(current_user, boats, ProjectContent("Boats", shed))
            else:
                await make(services, current_user, "Deep", shed)
    # What moves takes what is in it along, which may be too deep then.
    with pytest.raises(InvalidInput, match="nested"):
        await projects.change(current_user, house, ProjectContent("House", boats))
    await projects.change(current_user, garden, ProjectContent("Garden", boats))
    tree = await projects.of_user(current_user)
    assert [project.content.name for project in tree.around(shed)] == ["Shed", "Garden", "Boats"]
    for content in (ProjectContent(" "), ProjectContent("x" * 81), ProjectContent("x", instructions="x" * 4_001)):
        with pytest.raises(InvalidInput):
            await projects.create(current_user, content)


async def test_conversations_begin_in_a_project_and_move_in_and_out(
    services: Services, current_user: CurrentUser
) -> None:
    projects = services.chat.organizing.projects
    house = await make(services, current_user, "House")
    garden = await make(services, current_user, "Garden", house)
    turn = await services.chat.messages.send_message(current_user, None, "roof", MODEL, project_id=house)
    first, second = turn.conversation_id, await begun(services, current_user, "roses")
    await projects.move(current_user, [second], garden)
    assert await in_project(services, current_user, house) == ["roof", "roses"]
    assert await in_project(services, current_user, garden) == ["roses"]
    sidebar = await services.chat.organizing.sidebar.lists(current_user, None, opened=first)
    assert sidebar.opened_project_id == house
    assert [(item.content.name, item.count) for item, _ in sidebar.projects.ordered()] == [("House", 1), ("Garden", 1)]
    await projects.move(current_user, [first, second], garden)
    assert await in_project(services, current_user, garden) == ["roof", "roses"]
    await projects.move(current_user, [first], None)
    assert await in_project(services, current_user, house) == ["roses"]
    with pytest.raises(NotFound, match="Choose another one"):
        await services.chat.messages.send_message(current_user, None, "lost", MODEL, project_id=new_id())
    assert sorted(await listed(services, current_user, ConversationList.CURRENT)) == ["roof", "roses"]


async def test_the_model_gets_the_instructions_of_all_projects_around_after_those_of_the_user(
    services: Services, current_user: CurrentUser, ollama: ScriptedOllama
) -> None:
    await services.app.preferences.set_instructions(current_user, "Be brief.")
    house = await make(services, current_user, "House", instructions="Use meters.")
    garden = await make(services, current_user, "Garden", house, instructions="Name the plants in Latin.", model="m")
    turn = await services.chat.messages.send_message(current_user, None, "roses", MODEL, project_id=garden)
    await ended(services, current_user, turn.conversation_id)
    systems = [item["content"] for item in ollama.asked[-1]["messages"] if item["role"] == "system"]
    assert len(systems) == 2 and "Be brief." in systems[0]
    assert systems[1].endswith("Use meters.\n\nName the plants in Latin.")
    await services.chat.organizing.projects.move(current_user, [turn.conversation_id], None)
    await services.chat.messages.send_message(current_user, turn.conversation_id, "more", MODEL)
    await ended(services, current_user, turn.conversation_id)
    assert "Latin" not in str([item for item in ollama.asked[-1]["messages"] if item["role"] == "system"])
    assert (await services.chat.organizing.projects.of_user(current_user)).model_of(garden) == "m"


async def test_deleting_a_project_keeps_its_conversations_or_moves_them_to_the_trash(
    services: Services, current_user: CurrentUser
) -> None:
    projects = services.chat.organizing.projects
    first, second = [await begun(services, current_user, words) for words in ("roof", "roses")]

    async def filled() -> UUID:
        house = await make(services, current_user, "House")
        await projects.move(current_user, [first], house)
        await projects.move(current_user, [second], await make(services, current_user, "Garden", house))
        return house

    assert await projects.delete(current_user, await filled(), with_conversations=False) == 0
    assert await listed(services, current_user, ConversationList.CURRENT) == ["roses", "roof"]
    house = await filled()
    await services.chat.messages.send_message(current_user, second, "go", ENDLESS)
    assert await projects.delete(current_user, house, with_conversations=True) == 2
    assert await listed(services, current_user, ConversationList.CURRENT) == []
    assert len(await projects.of_user(current_user)) == 0
    await services.chat.conversations.restore(current_user, second)
    assert (await ended(services, current_user, second)).state == "stopped"


async def test_another_user_neither_sees_nor_uses_a_project(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    stranger, projects = add_user(owner_url, "Stranger"), services.chat.organizing.projects
    house, mine = await make(services, current_user, "House"), await begun(services, current_user, "mine")
    theirs, boats = await begun(services, stranger, "theirs"), await make(services, stranger, "Boats")
    assert [item.content.name for item, _ in (await projects.of_user(stranger)).ordered()] == ["Boats"]
    with pytest.raises(NotFound):
        await make(services, stranger, "x", house)
    with pytest.raises(NotFound):
        await projects.change(stranger, house, ProjectContent("x"))
    with pytest.raises(NotFound):
        await projects.change(stranger, boats, ProjectContent("x", house))
    with pytest.raises(NotFound):
        await projects.delete(stranger, house, with_conversations=True)
    for conversations, project_id in (([theirs], house), ([mine], boats), ([theirs, mine], None)):
        with pytest.raises(NotFound):
            await projects.move(stranger, conversations, project_id)
    with pytest.raises(NotFound):
        await services.chat.messages.send_message(stranger, None, "x", MODEL, project_id=house)
    collection = await services.documents.collections.create(current_user, "Private")
    for unknown in (collection, new_id()):
        with pytest.raises(NotFound, match="collections"):
            await projects.change(stranger, boats, ProjectContent("Boats", collection_ids=(unknown,)))
    await projects.change(current_user, house, ProjectContent("House", collection_ids=(collection, collection)))
    assert (await projects.of_user(current_user)).get(house).content.collection_ids == (collection,)


async def test_search_finds_in_projects_and_in_those_inside(services: Services, current_user: CurrentUser) -> None:
    house = await make(services, current_user, "My House")
    garden = await make(services, current_user, "Garden", house)
    first, second = [await begun(services, current_user, words) for words in ("Boats in the pond", "Boats")]
    await services.chat.organizing.projects.move(current_user, [first], garden)
    await services.chat.organizing.tags.add(current_user, [first, second], "work")

    async def found(query: str) -> set[str]:
        return {item.title for item in await services.chat.search.search(current_user, query)}

    for query in ("project:garden boats", 'project:"my house"', 'tag:work project:"MY HOUSE" boats'):
        assert await found(query) == {"Boats in the pond"}, query
    assert await found("project:unknown boats") == set() == await found("project:garden ships")


async def test_there_is_an_end_to_projects(
    services: Services, current_user: CurrentUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "MOST_PROJECTS", 1)
    await make(services, current_user, "one")
    with pytest.raises(InvalidInput, match="Delete one first"):
        await make(services, current_user, "two")


def test_a_tree_survives_a_circle_and_a_missing_parent() -> None:
    one, two, alone = new_id(), new_id(), new_id()
    tree = ProjectTree(
        [
            Project(one, ProjectContent("one", two)),
            Project(two, ProjectContent("two", one)),
            Project(alone, ProjectContent("alone", new_id())),
        ]
    )
    assert [project.id for project, _ in tree.ordered()] == [alone]
    assert len(tree.around(one)) <= MOST_DEPTH
    assert project_message(["", ""]) == []
