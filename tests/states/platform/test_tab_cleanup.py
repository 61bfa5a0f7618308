"""What is held of tabs that are closed, and of those that are open for long."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator

import pytest
from reflex.istate.manager.memory import StateManagerMemory
from reflex.istate.manager.token import BaseStateToken

from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform import sockets, tab_cleanup
from rxchat.states.platform.tab_registry import tabs
from tests.states.platform.test_sockets import Namespace
from tests.tab import open_tab

pytestmark = pytest.mark.anyio

_ROOT = ThreadState.get_root_state()
OPEN, CLOSED = (BaseStateToken(ident=ident, cls=_ROOT) for ident in ("tab", "closed"))


@pytest.fixture
async def namespace() -> AsyncGenerator[Namespace]:
    found = Namespace()
    sockets.install(found)
    await found.open("tab", "socket")
    yield found
    tabs.attach(None)


@pytest.fixture
async def manager() -> StateManagerMemory:
    found = StateManagerMemory()
    for token in (OPEN, CLOSED):
        await found.get_state(token)
    return found


def _ends_in(manager: StateManagerMemory, token: BaseStateToken) -> float:
    return manager._token_expires_at[token.cache_key][0] - time.time()


@pytest.mark.usefixtures("namespace")
async def test_a_closed_tab_is_let_go_after_its_grace(manager: StateManagerMemory) -> None:
    tab_cleanup.tidy(manager)
    assert set(manager.states) == {OPEN.cache_key, CLOSED.cache_key}
    assert 0 < _ends_in(manager, CLOSED) <= tab_cleanup.GRACE_SECONDS < _ends_in(manager, OPEN)
    tab_cleanup.tidy(manager, grace_seconds=0)
    assert set(manager.states) == {OPEN.cache_key}
    assert set(manager._token_expires_at) == {OPEN.cache_key}
    assert CLOSED.lock_key not in manager._states_locks
    await manager.close()


async def test_what_reflex_keeps_is_known_by_the_tab_it_belongs_to() -> None:
    async with open_tab() as tab:
        context = tab._processor._root_context
        assert context is not None
        manager = context.state_manager
        assert isinstance(manager, StateManagerMemory)
        assert {token.ident for _, token in manager._token_expires_at.values()} == {tab.token}


@pytest.mark.usefixtures("namespace")
async def test_its_grace_is_not_given_twice_and_ends_when_it_is_back(manager: StateManagerMemory) -> None:
    tab_cleanup.tidy(manager, grace_seconds=20)
    tab_cleanup.tidy(manager, grace_seconds=90)
    assert _ends_in(manager, CLOSED) <= 20
    await manager.get_state(CLOSED)
    assert _ends_in(manager, CLOSED) > tab_cleanup.GRACE_SECONDS
    await manager.close()


@pytest.mark.usefixtures("namespace")
async def test_an_open_tab_keeps_its_state_however_long_nothing_happens_there(manager: StateManagerMemory) -> None:
    manager._token_expires_at[OPEN.cache_key] = (time.time() - 1, OPEN)
    tab_cleanup.tidy(manager)
    assert OPEN.cache_key in manager.states
    assert _ends_in(manager, OPEN) > tab_cleanup.GRACE_SECONDS
    await manager.close()


@pytest.mark.usefixtures("namespace")
async def test_a_state_that_is_being_worked_on_stays(manager: StateManagerMemory) -> None:
    async with manager.modify_state(CLOSED):
        tab_cleanup.tidy(manager, grace_seconds=0)
        assert CLOSED.cache_key in manager.states
    await manager.close()


@pytest.mark.usefixtures("namespace")
async def test_the_server_tidies_by_itself(manager: StateManagerMemory, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tab_cleanup, "_EVERY_SECONDS", 0.01)
    seen: list[object] = []
    monkeypatch.setattr(tab_cleanup, "tidy", seen.append)
    async with tab_cleanup.tidied(manager):
        async with asyncio.timeout(60):
            while len(seen) < 2:
                await asyncio.sleep(0.01)
    assert seen[0] is manager
    await manager.close()
