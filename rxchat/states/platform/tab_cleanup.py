"""What the server holds of each tab: let go soon after the tab is closed, and kept while it is open.

Reflex keeps a tab's state for an hour after its last event, whether the tab is still there or not. A closed one would hold
0.2 MB for all that time, and one that is open for long without a word would lose its state.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager

from reflex.istate.manager import StateManager
from reflex.istate.manager.memory import StateManagerMemory

from rxchat.background import background_task
from rxchat.states.platform.tab_registry import tabs

_EVERY_SECONDS = 30.0
GRACE_SECONDS = 60.0
"""How long a tab may lose its line without losing what is only in its state: an offer to undo, an open filter."""


@asynccontextmanager
async def tidied(manager: StateManager) -> AsyncGenerator[None]:
    """Let go of closed tabs while the context is open."""
    async with background_task(_tidy_forever(manager), "tab cleanup"):
        yield


async def _tidy_forever(manager: StateManager) -> None:
    while isinstance(manager, StateManagerMemory):
        await asyncio.sleep(_EVERY_SECONDS)
        tidy(manager)


def tidy(manager: StateManagerMemory, *, grace_seconds: float = GRACE_SECONDS) -> None:
    """Begin the last moments of the tabs that are closed, let go of those that had them, and keep the open ones.

    Reflex has no public way to end a tab's state; this is the only place that knows its own, and a test watches over it.
    """
    ends_at = time.time() + grace_seconds
    for key, (expires_at, token) in list(manager._token_expires_at.items()):
        if tabs.is_open(token.ident):
            manager._track_token(token)
        else:
            manager._token_expires_at[key] = (min(expires_at, ends_at), token)
    manager._purge_expired_tokens()
