"""Searches of several users at once: slots go round between users, and one user cannot have endless ones waiting."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from rxchat.domain.errors import TooManyAttempts
from rxchat.domain.ids import new_id
from rxchat.services.retrieval.search_slots import AT_ONCE, AT_ONCE_OF_ONE_USER, WAITING_OF_ONE_USER, SearchSlots

pytestmark = pytest.mark.anyio


class Searching:
    """Searches that hold their slot until each is told to end."""

    def __init__(self) -> None:
        self.slots = SearchSlots()
        self.running: list[UUID] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._ends: list[asyncio.Event] = []

    async def begin(self, user_id: UUID, count: int = 1, *, is_answer: bool = False) -> list[asyncio.Task[None]]:
        async def search() -> None:
            async with self.slots.slot(user_id, is_answer=is_answer):
                self.running.append(user_id)
                self._ends.append(ended := asyncio.Event())
                await ended.wait()

        tasks = [asyncio.create_task(search()) for _ in range(count)]
        self.tasks += tasks
        await settle()
        return tasks

    async def end_one(self) -> None:
        """End the search that began first of those that run."""
        self._ends.pop(0).set()
        await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


async def test_another_users_search_begins_when_the_next_slot_is_free() -> None:
    searching, (alice, bob, carol) = Searching(), (new_id(), new_id(), new_id())
    await searching.begin(alice, 10)
    await searching.begin(bob, 10)
    assert searching.running == [alice] * AT_ONCE_OF_ONE_USER + [bob] * (AT_ONCE - AT_ONCE_OF_ONE_USER)
    await searching.begin(carol)
    for _ in range(2):
        await searching.end_one()
    assert carol in searching.running[AT_ONCE : AT_ONCE + 2]


async def test_a_user_alone_has_no_more_than_their_own_slots() -> None:
    searching, alice = Searching(), new_id()
    await searching.begin(alice, 5)
    assert len(searching.running) == AT_ONCE_OF_ONE_USER
    await searching.begin(bob := new_id())
    assert searching.running[-1] == bob


async def test_slots_go_round_between_the_users_who_wait() -> None:
    searching, users = Searching(), [new_id() for _ in range(6)]
    for user in users:
        await searching.begin(user, 4)
    for _ in range(12):
        await searching.end_one()
    assert {user: searching.running[AT_ONCE:].count(user) for user in users} == dict.fromkeys(users, 2)


async def test_too_many_searches_of_one_user_are_refused_with_a_time_and_others_are_not() -> None:
    searching, alice = Searching(), new_id()
    refused = [task for task in await searching.begin(alice, 40) if task.done()]
    assert len(refused) == 40 - WAITING_OF_ONE_USER - AT_ONCE_OF_ONE_USER
    for task in refused:
        with pytest.raises(TooManyAttempts) as found:
            task.result()
        assert found.value.retry_after_seconds > 0
    assert not any(task.done() for task in await searching.begin(alice, 3, is_answer=True))
    await searching.begin(bob := new_id())
    assert searching.running[-1] == bob


async def test_a_search_that_is_given_up_leaves_its_slot_or_its_position() -> None:
    searching, alice = Searching(), new_id()
    tasks = await searching.begin(alice, AT_ONCE_OF_ONE_USER + 2)
    tasks[-1].cancel()
    tasks[0].cancel()
    await settle()
    assert len(searching.running) == AT_ONCE_OF_ONE_USER + 1
    for task in tasks[1:]:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
    assert not searching.slots._waiting and not searching.slots._running


async def test_a_slot_that_is_granted_and_given_up_at_once_is_free_again() -> None:
    slots, alice = SearchSlots(), new_id()

    async def search() -> None:
        async with slots.slot(alice):
            await asyncio.sleep(0)

    for _ in range(AT_ONCE * 3):
        task = asyncio.create_task(search())
        await asyncio.sleep(0)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    await asyncio.wait_for(search(), 60)
    assert not slots._waiting and not slots._running
