"""Searches for passages: one at a time, in turn for the users who wait, and not in the threads that encrypt files."""

from __future__ import annotations

import asyncio
import threading
from uuid import UUID

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import NotFound, TooManyAttempts
from rxchat.domain.passages import PassageRef, Span, find_passage
from rxchat.services.app.container import Services
from rxchat.services.retrieval import passage_search
from tests.factories import add_user
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.grounded import EMBEDDER, ready

pytestmark = pytest.mark.anyio

WORDS = "Preface.\n" + "All is well in the house. " * 20_000 + "The keys hang behind the door."
KEYS = PassageRef(5, 9, 0, "The keys hang")


@pytest.fixture
def ada(current_user: CurrentUser, ollama: ScriptedOllama) -> CurrentUser:
    ollama.offered = ["scripted:tokens=2", EMBEDDER]
    return current_user


async def document_of(services: Services, owner: CurrentUser, words: str = WORDS) -> UUID:
    collection = await services.documents.collections.create(owner, "House")
    return (await ready(services, owner, collection, "rules.txt", words)).id


async def test_a_passage_far_away_is_found_and_shown(services: Services, ada: CurrentUser, owner_url: str) -> None:
    document = await document_of(services, ada)
    passages = services.retrieval.passages
    found, span, is_changed = await passages.around(ada, document, KEYS, 100, 1_000)
    at = WORDS.index("The keys hang")
    assert span == Span(at, at + len("The keys hang")) and not is_changed
    assert found.text[at - found.start :].startswith("The keys hang")
    found, span, is_changed = await passages.around(ada, document, PassageRef(0, 0, 0, "The windows"), 100, 1_000)
    assert (found.start, span, is_changed) == (0, None, True)
    with pytest.raises(NotFound):
        await passages.around(add_user(owner_url, "Mallory"), document, KEYS, 100, 1_000)


async def test_many_searches_of_one_user_delay_those_of_another_by_one(
    services: Services, ada: CurrentUser, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    grace = add_user(owner_url, "Grace")
    short = "The keys hang behind the door."
    of = {owner: await document_of(services, owner, short) for owner in (ada, grace)}
    going_on, begun, ended = threading.Semaphore(0), asyncio.Event(), list[str]()
    loop = asyncio.get_running_loop()

    def slow(text: str, first: int, wanted: PassageRef) -> Span | None:
        assert threading.current_thread().name.startswith("passages")
        loop.call_soon_threadsafe(begun.set)
        assert going_on.acquire(timeout=60)
        return find_passage(text, first, wanted)

    async def search(owner: CurrentUser) -> None:
        await services.retrieval.passages.around(owner, of[owner], KEYS, 100, 1_000)
        ended.append(owner.name)

    monkeypatch.setattr(passage_search, "find_passage", slow)
    first = [asyncio.create_task(search(ada)) for _ in range(4)]
    await begun.wait()
    second = asyncio.create_task(search(grace))
    slots = services.retrieval.passages._slots
    async with asyncio.timeout(60):
        while len(slots._waiting) < 2:
            await asyncio.sleep(0.01)
    # A passage that is where it was waits for none of them.
    there = PassageRef(0, 8, 0, "The keys")
    assert (await services.retrieval.passages.around(grace, of[grace], there, 100, 1_000))[1] == Span(0, 8)
    for _ in range(5):
        going_on.release()
    await asyncio.gather(*first, second)
    assert ended.index("Grace") <= 1


async def test_a_user_who_has_too_many_waiting_is_refused(
    services: Services, ada: CurrentUser, monkeypatch: pytest.MonkeyPatch
) -> None:
    document = await document_of(services, ada, "The keys hang behind the door.")
    going_on = threading.Event()
    monkeypatch.setattr(passage_search, "find_passage", lambda *_given: going_on.wait(60) and None)
    searches = [asyncio.create_task(services.retrieval.passages.around(ada, document, KEYS, 9, 9)) for _ in range(9)]
    slots = services.retrieval.passages._slots
    async with asyncio.timeout(60):
        while len(slots._waiting.get(ada.user_id, ())) < 8:
            await asyncio.sleep(0.01)
    with pytest.raises(TooManyAttempts):
        await services.retrieval.passages.around(ada, document, KEYS, 9, 9)
    going_on.set()
    await asyncio.gather(*searches)
