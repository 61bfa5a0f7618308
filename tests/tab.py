"""A browser tab without a browser: sends events to Reflex, and records the updates that a page would receive."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from contextlib import asynccontextmanager
from typing import Any
from uuid import uuid4

import reflex as rx
from reflex.app_mixins.middleware import MiddlewareMixin
from reflex.event import Event
from reflex.istate.manager.memory import StateManagerMemory
from reflex.state import BaseState
from reflex.utils.format import json_dumps
from reflex_base.event.processor import BaseStateEventProcessor

from rxchat.states.app.account import AccountState
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.stream import StreamState
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform.auth_guard import EventAuthMiddleware
from rxchat.states.platform.current_user import CurrentUserState
from tests.support.page import Page

STATES = (ThreadState, SidebarState, StreamState, CurrentUserState, AccountState)
_MARKER = "_rx_state_"


class Tab:
    """The updates of one tab: the latest value of each var, and all patches, packets and redirects in order."""

    def __init__(self, processor: BaseStateEventProcessor, cookie: str = "") -> None:
        """Open a tab whose socket sent this session cookie in its handshake."""
        self.token = str(uuid4())
        self.cookie = f"rxchat_session={cookie}" if cookie else ""
        self.address = ""
        self.path = ""
        self.socket = ""
        self.page = Page(self._resync)
        self.values: dict[str, dict[str, Any]] = {}
        self.patches: list[dict[str, Any]] = []
        self.packets: list[dict[str, Any]] = []
        self.redirects: list[str] = []
        self.frames: list[str] = []
        self._processor = processor
        self._happened = asyncio.Event()
        self._query: dict[str, str] = {}
        self._tasks: list[Any] = []

    def receive(self, update: Any) -> None:
        """Record an update that Reflex would send over the socket."""
        # Serialized as for the socket: only there Reflex leaves out the cookie of the handshake.
        self.frames.append(json_dumps(update))
        for state, changes in (update.delta or {}).items():
            for name, value in changes.items():
                self._take(state, name.removesuffix(_MARKER), value)
        for event in update.events or ():
            if event.name == "_redirect":
                self.redirects.append(event.payload["path"])
        self._happened.set()

    def _take(self, state: str, name: str, value: Any) -> None:
        self.values.setdefault(state, {})[name] = value
        if state == ThreadState.get_full_name() and name == "patch" and value:
            self.patches.append(value)
            self.page.take_patch(value)
        if state == StreamState.get_full_name() and name == "window" and value:
            self.packets.append(value)
            self.page.take_packet(value)

    def shown(self, state: type[rx.State], name: str) -> Any:
        """Return the latest value of a var."""
        return self.values.get(state.get_full_name(), {}).get(name, getattr(state, name, None))

    def begun_by(self, client_id: str) -> str:
        """Return the ID of the conversation that this message began, or ""."""
        born = self.shown(ThreadState, "born") or {}
        return born["conversation_id"] if born.get("client_id") == client_id else ""

    def visit(self, conversation_id: object = None) -> None:
        """Open the address of a conversation, or of a new one."""
        self._query = {"conversation_id": str(conversation_id)} if conversation_id else {}

    async def send_event(self, state: type[BaseState], handler: str, /, **payload: Any) -> None:
        """Send an event as a page does, without waiting for background handlers."""
        await self.send_raw(f"{state.get_full_name()}.{handler}", **payload)

    async def send_raw(self, name: str, /, **payload: Any) -> None:
        """Send any event, as an attacker might."""
        event = Event(
            name=name,
            payload=payload,
            router_data={
                "headers": {"cookie": self.cookie, "origin": "http://127.0.0.1:8000"},
                "query": self._query,
                "pathname": "/c/[conversation_id]" if "conversation_id" in self._query else "/",
                "asPath": self.path
                or (f"/c/{self._query['conversation_id']}" if "conversation_id" in self._query else "/"),
                "token": self.token,
                "ip": self.address,
                "sid": self.socket,
            },
        )
        self._tasks.append(await self._processor.enqueue(self.token, event))

    async def do(self, state: type[BaseState], handler: str, /, **payload: Any) -> None:
        """Send an event, and wait until its handler has finished."""
        await self.send_event(state, handler, **payload)
        await self._tasks[-1]

    def be_at(self, **query: str) -> None:
        """Open an address with these query parameters."""
        self._query = query

    async def until(self, condition: Callable[[], Any], seconds: float = 60) -> Any:
        """Wait until a condition on the recorded updates is true, and return its value."""
        async with asyncio.timeout(seconds):
            while not (found := condition()):
                self._happened.clear()
                await self._happened.wait()
        return found

    def messages(self) -> list[dict[str, Any]]:
        """Return the displayed messages."""
        return self.page.messages

    def answer(self) -> dict[str, Any] | None:
        """Return the last message with its text if it is a finished answer, otherwise None."""
        last = self.page.messages[-1] if self.page.messages else {"role": "", "state": ""}
        return last if last["role"] == "assistant" and last["state"] != "running" else None

    def _resync(self) -> None:
        """Request all messages again, as the page does when a part is missing."""
        self._tasks.append(asyncio.ensure_future(self.send_event(ThreadState, "resync")))


class _Sockets:
    """All tabs of one process, in the form of Reflex's event namespace."""

    def __init__(self, tabs: list[Tab]) -> None:
        self._tabs = {tab.token: tab for tab in tabs}

    async def emit_update(self, update: Any, token: str) -> None:
        """Send an update to its tab."""
        self._tabs[token].receive(update)


@asynccontextmanager
async def open_tabs(*cookies: str) -> AsyncGenerator[list[Tab]]:
    """Open a tab for each cookie, all in one process."""
    middlewares = MiddlewareMixin()
    middlewares.add_middleware(EventAuthMiddleware())
    processor = BaseStateEventProcessor(middleware=middlewares)
    tabs = [Tab(processor, cookie) for cookie in cookies]
    processor.configure(state_manager=StateManagerMemory(), event_namespace=_Sockets(tabs))  # pyright: ignore[reportArgumentType]
    async with processor:
        for tab in tabs:
            # The first event of a page; without it, Reflex assumes that the server was restarted.
            await tab.send_raw("reflex___state____state.hydrate")
            await tab.until(lambda tab=tab: tab.frames)
        try:
            yield tabs
        finally:
            await processor.stop(graceful_shutdown_timeout=0)


@asynccontextmanager
async def open_tab(cookie: str = "") -> AsyncGenerator[Tab]:
    """Open one tab."""
    async with open_tabs(cookie) as tabs:
        yield tabs[0]
