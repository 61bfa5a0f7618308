"""Closes tabs of ended sessions: immediately by a Postgres notification, otherwise within seconds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from urllib.parse import quote

import structlog

from rxchat.background import background_task
from rxchat.domain.errors import DatabaseUnavailable, NotSignedIn
from rxchat.services.app import container
from rxchat.states.platform.tab_registry import tabs

log = structlog.get_logger(__name__)

_EVERY_SECONDS = 3.0
"""How long a tab stays open at most after its session has ended, without a notification."""
_RESTS = 10
"""How many of these intervals pass between checks while notifications arrive: sessions also expire."""

_OPEN_PAGES = frozenset({"/sign-in", "/setup", "/register", "/join", "/forgot", "/reset", "/confirm"})
"""Pages where a tab may stay without a session: they show nothing, and what to do next."""


def track(client_token: str, cookie: str, page: str) -> None:
    """Record the session of a tab."""
    # A link's token is in the fragment, which is part of the path that a tab reports.
    if cookie and page.partition("#")[0].partition("?")[0].rstrip("/") not in _OPEN_PAGES:
        tabs.set_session(client_token, cookie, page)
    else:
        tabs.clear_session(client_token)


@asynccontextmanager
async def watching() -> AsyncGenerator[None]:
    """Check all tabs of this process while the context is open."""
    changed = asyncio.Event()
    container.get_services().platform.access_invalidator.on_change(lambda _user_id: changed.set())
    try:
        async with background_task(_watch(changed), "session watchdog"):
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
                # A slow tab must not stop the watchdog.
                log.exception("the session watchdog could not check all tabs")


async def check() -> int:
    """Close every tab whose session has ended. Returns their number."""
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
        log.info("tabs whose session had ended were closed", count=ended)
    return ended


async def _is_valid(cookie: str) -> bool:
    try:
        await container.get_services().accounts.sessions.current_user(cookie, enrolling=True)
    except NotSignedIn:
        return False
    return True
