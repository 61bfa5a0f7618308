"""A tab without a browser: it speaks engine.io over a websocket as the built pages do, and counts what it receives."""

from __future__ import annotations

import asyncio
import json
import socket as sockets
import struct
import time
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID, uuid4

import aiohttp
from reflex_base.constants import Reflex

from rxchat.domain.ids import new_id
from rxchat.states.chat.stream import StreamState
from rxchat.states.chat.thread import ThreadState
from tests.support.page import Page

_STREAM = StreamState.get_full_name()
_THREAD = ThreadState.get_full_name()
_ROOT = _THREAD.partition(".")[0]
_MARK = "_rx_state_"
_PATIENCE_SECONDS = 60.0
_STAMP_DIGITS = len("1700000000000")
_BYTES_RECEIVED_AT = 128


@dataclass(slots=True)
class Turn:
    """What one tab received from Enter to the end of the answer."""

    asked_at: float
    bytes_received: int = 0
    wire_bytes: int = 0
    """What the kernel received meanwhile: frames with their heads, as they are compressed, or not."""
    bytes_streamed: int = 0
    """The part of it that are windows on the growing text."""
    packets: int = 0
    first_at: float = 0.0
    """When the first window came."""
    text: str = ""
    latencies: list[float] = field(default_factory=list)
    """How many milliseconds each token took from the model's write to here, when the model writes stamps."""
    arrivals: list[tuple[float, int]] = field(default_factory=list)
    """When how many characters came."""
    given_whole: bool = False
    """Whether the text came with its ending, since the windows had not brought all of it."""
    gaps: list[str] = field(default_factory=list)
    """What was missing when the page asked for all of it again."""
    is_broken: bool = False
    """Whether the line was cut before the end."""


@dataclass
class Tab:
    """One conversation on one socket."""

    socket: aiohttp.ClientWebSocketResponse
    conversation_id: UUID | None
    """None on the page for a new conversation, until it has begun."""
    deflates: bool
    turn: Turn = field(default_factory=lambda: Turn(time.time()))
    _hydrated: asyncio.Event = field(default_factory=asyncio.Event)
    _ended: asyncio.Event = field(default_factory=asyncio.Event)
    _finished: bool = False
    _run_state: str = ""
    _answered_before: str = ""
    """The answer that was the last one when the question was asked."""
    _asking: set[asyncio.Task[None]] = field(default_factory=set)
    _page: Page = field(init=False)

    def __post_init__(self) -> None:
        """Show nothing yet."""
        self._page = Page(self._resync, self._more)

    async def ask(self, text: str = "Please tell me all of it.", *, patience: float = _PATIENCE_SECONDS) -> Turn:
        """Send a question and return what came until its answer was complete on the page."""
        self._ended.clear()
        self._finished = False
        self.turn = Turn(time.time())
        self._answered_before = (self._page.last_answer() or {"id": ""})["id"]
        wire_before = self._wire_bytes()
        await self._send_event(f"{_THREAD}.send", {"text": text, "client_id": str(new_id())})
        try:
            async with asyncio.timeout(patience):
                await self._ended.wait()
        except TimeoutError as error:
            told = f"{len(self.turn.text)} characters, finished: {self._finished}, shown as: {self._run_state!r}"
            raise TimeoutError(f"no end after {patience:.0f} s: {told}, gaps: {self.turn.gaps}") from error
        self.turn.wire_bytes = self._wire_bytes() - wire_before
        return self.turn

    async def stop(self) -> None:
        """Press Stop; the tab that asked displays the result."""
        await self._send_event(f"{_THREAD}.stop", {})

    def _wire_bytes(self) -> int:
        """What the kernel has received on this socket (tcpi_bytes_received of Linux' tcp_info)."""
        connection: sockets.socket = self.socket.get_extra_info("socket")
        told = connection.getsockopt(sockets.IPPROTO_TCP, sockets.TCP_INFO, _BYTES_RECEIVED_AT + 8)
        return struct.unpack_from("Q", told, _BYTES_RECEIVED_AT)[0]

    def _boot(self) -> dict[str, Any]:
        return {"name": f"{_ROOT}.hydrate_and_load", "payload": {}, "router_data": self._router_data()}

    async def _open(self) -> None:
        boot = self._boot()
        await self.socket.send_str("40/_event," + json.dumps({"event": boot}))
        async with asyncio.timeout(_PATIENCE_SECONDS):
            await self._hydrated.wait()

    async def _send_event(self, name: str, payload: dict[str, Any]) -> None:
        event = {"name": name, "payload": payload, "router_data": self._router_data()}
        await self.socket.send_str("42/_event," + json.dumps(["event", event]))

    def _router_data(self) -> dict[str, Any]:
        if self.conversation_id is None:
            return {"pathname": "/", "asPath": "/", "query": {}}
        path = f"/c/{self.conversation_id}"
        return {"pathname": path, "asPath": path, "query": {"conversation_id": str(self.conversation_id)}}

    async def _listen(self) -> None:
        async for message in self.socket:
            frame: str = message.data
            if frame == "2":
                await self.socket.send_str("3")
            size = len(frame.encode())
            self.turn.bytes_received += size
            if not frame.startswith("42/_event,"):
                continue
            update = json.loads(frame[len("42/_event,") :])[1]
            delta = update.get("delta") or {}
            born = delta.get(_THREAD, {}).get(f"born{_MARK}")
            if born and self.conversation_id is None:
                await self._go_to(born["conversation_id"])
            window = delta.get(_STREAM, {}).get(f"window{_MARK}")
            if window:
                self._take_window(size, window)
            else:
                self._take_changes(delta)
        self.turn.is_broken = True
        self._ended.set()

    async def _go_to(self, conversation_id: str) -> None:
        """Be on the page of the conversation that has begun, and load it as pages are loaded."""
        self.conversation_id = UUID(conversation_id)
        boot = self._boot()
        await self._send_event(boot["name"], boot["payload"])

    def _take_window(self, size: int, window: dict[str, Any]) -> None:
        turn = self.turn
        turn.first_at = turn.first_at or time.time()
        turn.packets += 1
        turn.bytes_streamed += size
        before = len(turn.text)
        self._page.take_packet(window)
        turn.text = self._page.text(window["message_id"])
        arrived_at = time.time()
        turn.arrivals.append((arrived_at, len(turn.text) - before))
        now = arrived_at * 1000
        turn.latencies += [now - int(stamp) for stamp in turn.text[before:].split() if len(stamp) == _STAMP_DIGITS]

    def _take_changes(self, delta: dict[str, Any]) -> None:
        if delta.get(_ROOT, {}).get(f"is_hydrated{_MARK}"):
            self._hydrated.set()
        changes = delta.get(_THREAD, {})
        if patch := changes.get(f"patch{_MARK}"):
            self._page.take_patch(patch)
            self._take_ending(patch)
        self._run_state = changes.get(f"run{_MARK}", {"state": self._run_state})["state"]
        # The last of a turn: the page says that nothing is being answered.
        if self._finished and not self._run_state:
            self._ended.set()

    def _take_ending(self, patch: dict[str, Any]) -> None:
        answer = self._page.last_answer()
        if answer is None or answer["id"] == self._answered_before or answer["state"] == "running":
            return
        # A tab that missed the end of the text is given the whole with its ending, a long one piece by piece.
        self._finished = not self._page.awaits_more
        self.turn.given_whole = patch["change"] != "finish"
        self.turn.text = answer["text"]

    def _resync(self) -> None:
        """Ask for all of it again, as the page does when something is missing."""
        self.turn.gaps.append(f"something before character {len(self.turn.text)} is missing")
        self._later("resync")

    def _more(self) -> None:
        """Ask for the next piece of a long text, as the page does."""
        self._later("more")

    def _later(self, handler: str) -> None:
        asking = asyncio.create_task(self._send_event(f"{_THREAD}.{handler}", {}))
        self._asking.add(asking)
        asking.add_done_callback(self._asking.discard)


@asynccontextmanager
async def open_tab(url: str, cookie: str, conversation_id: UUID | None) -> AsyncGenerator[Tab]:
    """Open a conversation, or the page for a new one, as a tab does, while the context is open."""
    address = url.replace("http", "ws", 1) + f"/_event/?EIO=4&transport=websocket&token={uuid4()}"
    headers = {"Cookie": f"rxchat_session={cookie}", "Origin": url}
    # Browsers offer permessage-deflate, so this does too.
    async with (
        aiohttp.ClientSession(trust_env=False) as client,
        client.ws_connect(address, headers=headers, protocols=[Reflex.VERSION], compress=15, max_msg_size=0) as socket,
    ):
        tab = Tab(socket, conversation_id, deflates=bool(socket.compress))
        listening = asyncio.create_task(tab._listen())
        try:
            await tab._open()
            yield tab
        finally:
            listening.cancel()
            with suppress(asyncio.CancelledError):
                await listening
