"""Whoever is signed out is out of every open tab: within the moment that Postgres tells of it, and surely in seconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.parse import quote

import structlog

from rxchat.domain.errors import DatabaseUnavailable, NotSignedIn
from rxchat.services.app import container
from rxchat.states.platform.background_tasks import background_task
from rxchat.states.platform.tab_registry import tabs

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 3.0
"""How long a tab stays open after its session has ended when nobody tells of it: at most this, and the look itself."""
_RESTS = 10
"""How many such times pass between two looks while Postgres does tell: sessions also end by themselves."""

_OPEN_PAGES = frozenset({"/sign-in", "/setup", "/register", "/join", "/forgot", "/reset", "/confirm"})
"""Where a tab stays, whatever becomes of its session: these pages show nothing, and say how it goes on."""


def track(client_token: str, cookie: str, page: str) -> None:
    """Remember with which session a tab is open."""
    # A link's token stands behind the "#", which is part of the address that a tab tells.
    if cookie and page.partition("#")[0].partition("?")[0].rstrip("/") not in _OPEN_PAGES:
        tabs.set_session(client_token, cookie, page)
    else:
        tabs.clear_session(client_token)


@asynccontextmanager
async def watching() -> AsyncGenerator[None]:
    """Look after all tabs of this process for as long as the context is open."""
    changed = asyncio.Event()
    container.get_services().platform.access_invalidator.on_change(lambda _user_id: changed.set())
    try:
        async with background_task(_watch(changed), "guard"):
            yield
    finally:
        for client_token in tabs.sessions():
            tabs.clear_session(client_token)


async def _watch(changed: asyncio.Event) -> None:
    rests = 0
    while True:
        with suppress(TimeoutError):
            async with asyncio.timeout(_EVERY_SECONDS):
                await changed.wait()
        rests += 1
        if (
            changed.is_set()
            or rests >= _RESTS
            or not container.get_services().platform.access_invalidator.is_up_to_date
        ):
            changed.clear()
            rests = 0
            try:
                await check()
            except DatabaseUnavailable:
                pass
            except Exception:
                # Whoever looks after the doors must not fall asleep over one of them.
                log.exception("the guard could not look after all tabs")


async def check() -> int:
    """Send away every tab whose session does not count any more; return how many there were."""
    for token in [token for token in tabs.sessions() if not tabs.is_open(token)]:
        tabs.clear_session(token)
    ended = 0
    for cookie in {cookie for cookie, _ in tabs.sessions().values()}:
        if await _is_valid(cookie):
            continue
        for token, (theirs, page) in tabs.sessions().items():
            if theirs == cookie:
                tabs.clear_session(token)
                ended += 1
                await tabs.force_navigate(token, f"/sign-in?next={quote(page, safe='/')}")
    if ended:
        log.info("tabs were closed whose session had ended", count=ended)
    return ended


async def _is_valid(cookie: str) -> bool:
    try:
        await container.get_services().accounts.sessions.current_user(cookie, enrolling=True)
    except NotSignedIn:
        return False
    return True
