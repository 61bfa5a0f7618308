"""Documents on their way: uploaded, read, cut, embedded, found by those who may."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import Viewer
from rxchat.domain.retrieval import Scope, Way
from rxchat.services.graph import Services
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended
from tests.services.grounded import EMBEDDER, ready

pytestmark = pytest.mark.anyio

HANDBOOK = """# Handbook

## Holidays

Everybody has thirty days of holidays in a year. They are asked for in the calendar.

## Coffee

The coffee machine is cleaned on Fridays by whoever drank last.
"""


@pytest.fixture
async def ollama(ollama: ScriptedOllama) -> ScriptedOllama:
    ollama.offered = ["scripted:tokens=2,text=Thirty days [1]. ", EMBEDDER]
    return ollama


async def test_a_document_is_read_and_found(services: Services, viewer: Viewer) -> None:
    collection = await services.library.create(viewer, "Team")
    document = await ready(services, viewer, collection, "handbook.md", HANDBOOK)
    assert document.chunks >= 2
    for way in Way:
        found = await services.retrieval.search(
            viewer, "when is the coffee machine cleaned?", Scope((collection,)), way=way
        )
        assert not found.notice
        assert found.passages[0].heading == "Handbook › Coffee"
    best = found.passages[0]
    assert HANDBOOK[best.start : best.end] == best.text


async def test_an_answer_is_grounded_and_its_citations_are_checked(services: Services, viewer: Viewer) -> None:
    collection = await services.library.create(viewer, "Team")
    await ready(services, viewer, collection, "handbook.md", HANDBOOK)
    from rxchat.services.attaching import Attached

    turn = await services.chats.ask(
        viewer, None, "How many holidays?", "scripted:tokens=2,text=Thirty days [1]. ", attached=Attached((collection,))
    )
    answer = await ended(services, viewer, turn.conversation_id)
    assert [(item["number"], item["verified"]) for item in answer.citations] == [(1, True), (1, True)]
    sources = await services.library.sources(viewer, viewer.user_id, turn.conversation_id, answer.id)
    assert sources[0].is_cited
    assert "holidays" in "".join(source.text for source in sources)
