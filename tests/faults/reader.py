"""A user's tab without a browser: it reconnects by itself as the page does, and stores what it displays.

Pending questions follow exactly the page's rules (rxchat/ui/client: outbox.js, thread-state.js, feeds.jsx):
- nothing is sent without a connection, nor before the first `set` after a reconnect;
- a question has arrived if `accepted` names it, or if a message of a patch or a queued message has its ID;
- one that has not arrived is sent again after every `set`, and every ten seconds on an open connection;
- if a question is accepted after it was sent twice, or after a `set` without it, a `resync` requests it;
- a refusal ends it. The user presses Enter again, which sends the same text with the same ID.
Unlike a page, a reader never starts a new conversation.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from contextlib import suppress
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
_BACKOFF_SECONDS = 0.2
_LONGEST_BACKOFF = 10
_HANDSHAKE_SECONDS = 20.0
_PRESS_AGAIN_SECONDS = 0.5
_PATIENCE_SECONDS = 10.0
"""PATIENCE of outbox.js."""
_LOOK_EVERY_SECONDS = 1.0


class WaitedInVain(AssertionError):
    """A reader did not display the expected state in time."""


class Reader:
    """One tab on one conversation; `asked` are the questions whose acceptance it has seen."""

    def __init__(self, url: str, cookie: str, conversation_id: UUID, *, door: int) -> None:
        """`door` is the port of the proxy through which it connects."""
        self.conversation_id = conversation_id
        self.page = Page(lambda: self._later(self._send("resync", {})))
        self.accepted: set[str] = set()
        self.connections = 0
        self.run_state = ""
        self._run_id = ""
        self.problem = ""
        self._door = door
        self._headers = {"Cookie": f"rxchat_session={cookie}", "Origin": url, "Host": url.partition("://")[2]}
        self._token = str(uuid4())
        self._socket: aiohttp.ClientWebSocketResponse | None = None
        self._question: tuple[str, str] | None = None
        self._is_refused = False
        self._refusal = ""
        self._sent_at = -_PATIENCE_SECONDS
        self._times_sent = 0
        self._is_held = True
        self._asked_last = ""
        self._is_hydrated = False
        self._seen = asyncio.Event()
        self._tasks: set[asyncio.Task[None]] = set()
        self._living: asyncio.Task[None] | None = None

    async def open(self) -> None:
        """Connect, and stay connected until `close`; returns when the page is loaded."""
        self._living = asyncio.create_task(self._live())
        self._later(self._look_after_the_question())
        await self.until(lambda: self._is_hydrated and self.page.number is not None, 90, "the page")

    async def close(self) -> None:
        """Close the tab."""
        tasks = [task for task in (self._living, *self._tasks) if task is not None]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def go_through(self, door: int) -> None:
        """Connect through another line from the next time on."""
        self._door = door

    async def reload(self) -> None:
        """Reload the page: clears the displayed messages, and keeps the tab's token."""
        self.page = Page(lambda: self._later(self._send("resync", {})))
        self._is_hydrated = False
        if self._socket is not None:
            await self._socket.close()

    def ask(self, text: str) -> str:
        """Send a question, again after each refusal; returns the question's ID."""
        self._asked_last = str(new_id())
        self._question = self._asked_last, text
        self._press_enter()
        return self._asked_last

    def stop(self) -> None:
        """Press Stop, if the page displays a running answer."""
        if self._run_id:
            self._later(self._send("stop", {"message_id": self._run_id}))

    def retry(self) -> None:
        """Press Retry at the last answer."""
        answer = self.page.last_answer()
        assert answer is not None
        self._later(self._send("retry", {"message_id": answer["id"]}))

    @property
    def text(self) -> str:
        """Return the displayed text of the last answer."""
        answer = self.page.last_answer()
        return self.page.text(answer["id"]) if answer else ""

    @property
    def state(self) -> str:
        """Return the state of the last answer: running, done, failed, stopped, interrupted; "" if there is none."""
        answer = self.page.last_answer()
        return answer["state"] if answer else ""

    @property
    def is_quiet(self) -> bool:
        """Whether every question is taken, every answer over, and nothing is said to be on its way."""
        shown = self._asked_last == "" or self.page.find(self._asked_last) is not None
        return self._question is None and shown and self.state != "running" and not self.run_state

    async def until(self, condition: Callable[[], object], seconds: float, what: str) -> None:
        """Wait until the page shows something.

        Raises:
            WaitedInVain: it did not in so many seconds.
        """
        try:
            async with asyncio.timeout(seconds):
                while not condition():
                    self._seen.clear()
                    await self._seen.wait()
        except TimeoutError:
            raise WaitedInVain(f"waited {seconds:g} s for {what}; {self}") from None

    def __repr__(self) -> str:
        """Say what it shows."""
        shown = f"{self.state or 'no answer'}, ...{self.text[-20:]!r}, run {self.run_state!r}, problem {self.problem!r}"
        return (
            f"<reader of {self.conversation_id}: {shown}, asks {self._question}, connected {self.connections} times,"
            f" resynced {self.page.resyncs} times, hydrated {self._is_hydrated}, patch {self.page.number}>"
        )

    def _later(self, work: Any) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _live(self) -> None:
        failures = 0
        async with aiohttp.ClientSession(trust_env=False) as client:
            while True:
                before = self.connections
                with suppress(aiohttp.ClientError, OSError, TimeoutError):
                    await self._connect(client)
                failures = 0 if self.connections > before else min(failures + 1, _LONGEST_BACKOFF)
                self._seen.set()
                await asyncio.sleep(_BACKOFF_SECONDS * failures)

    async def _connect(self, client: aiohttp.ClientSession) -> None:
        async with asyncio.timeout(_HANDSHAKE_SECONDS):
            socket = await client.ws_connect(
                f"ws://127.0.0.1:{self._door}/_event/?EIO=4&transport=websocket&token={self._token}",
                headers=self._headers,
                protocols=[Reflex.VERSION],
                max_msg_size=0,
            )
        try:
            self._is_hydrated = False
            boot = {"name": f"{_ROOT}.hydrate_and_load", "payload": {}, "router_data": self._router_data()}
            await socket.send_str("40/_event," + json.dumps({"event": boot}))
            await self._listen(socket)
        finally:
            self._socket = None
            self._is_held = True
            await socket.close()

    async def _listen(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        patience = _HANDSHAKE_SECONDS
        while True:
            message = await socket.receive(patience)
            if message.type is not aiohttp.WSMsgType.TEXT:
                return
            frame: str = message.data
            if frame == "2":
                await socket.send_str("3")
            elif frame.startswith("0{"):
                # As engine.io's client does: a connection without a ping for this time is dead.
                about = json.loads(frame[1:])
                patience = (about["pingInterval"] + about["pingTimeout"]) / 1000
            elif frame.startswith("40/_event"):
                self.connections += 1
                self._socket = socket
                self.page.connected_again()
            elif frame.startswith("42/_event,"):
                name, content = json.loads(frame[len("42/_event,") :])[:2]
                if name == "event":
                    self._take(content.get("delta") or {})
                elif name == "new_token":
                    self._token = content
            self._seen.set()

    def _take(self, delta: dict[str, Any]) -> None:
        window = delta.get(_STREAM, {}).get(f"window{_MARK}")
        if window:
            self.page.take_packet(window)
        changes = {name.removesuffix(_MARK): value for name, value in delta.get(_THREAD, {}).items()}
        if "patch" in changes:
            self._take_patch(changes["patch"])
        if "run" in changes:
            self.run_state, self._run_id = changes["run"]["state"], changes["run"]["id"]
        if "problem" in changes:
            self.problem = changes["problem"]
        if changes.get("accepted"):
            self._take_accepted(changes["accepted"])
        for message in changes.get("waiting") or ():
            self._accept(message["id"])
        if changes.get("refused"):
            self._refuse(changes["refused"])
        if delta.get(_ROOT, {}).get(f"is_hydrated{_MARK}"):
            self._is_hydrated = True
        self._flush()

    def _take_patch(self, patch: dict[str, Any]) -> None:
        if patch.get("change") == "set":
            self._is_held = False
            self._sent_at = -_PATIENCE_SECONDS
        self.page.take_patch(patch)
        if self._question and self.page.find(self._question[0]):
            self._accept(self._question[0])

    def _take_accepted(self, client_id: str) -> None:
        is_pending = self._question is not None and self._question[0] == client_id
        self._accept(client_id)
        if is_pending and self._times_sent > 1:
            self.page.ask_once()

    def _refuse(self, refused: dict[str, Any]) -> None:
        if refused["refusal"] == self._refusal:
            return
        self._refusal = refused["refusal"]
        if self._question and refused["id"] == self._question[0] and not self._is_refused:
            self.problem = refused["text"]
            self._is_refused = True
            self._later(self._press_again())

    def _accept(self, client_id: str) -> None:
        self.accepted.add(client_id)
        if self._question and self._question[0] == client_id:
            self._question = None

    async def _press_again(self) -> None:
        await asyncio.sleep(_PRESS_AGAIN_SECONDS)
        self._press_enter()

    def _press_enter(self) -> None:
        self._is_refused = False
        self._sent_at, self._times_sent = -_PATIENCE_SECONDS, 0
        self._flush()

    async def _look_after_the_question(self) -> None:
        while True:
            await asyncio.sleep(_LOOK_EVERY_SECONDS)
            self._flush()

    def _flush(self) -> None:
        now = asyncio.get_running_loop().time()
        if self._question is None or self._is_refused or self._is_held or now - self._sent_at < _PATIENCE_SECONDS:
            return
        self._sent_at, self._times_sent = now, self._times_sent + 1
        client_id, text = self._question
        self._later(self._send("send", {"text": text, "client_id": client_id}))

    async def _send(self, handler: str, payload: dict[str, Any]) -> None:
        event = {"name": f"{_THREAD}.{handler}", "payload": payload, "router_data": self._router_data()}
        if self._socket is not None:
            with suppress(ConnectionError, aiohttp.ClientError):
                await self._socket.send_str("42/_event," + json.dumps(["event", event]))

    def _router_data(self) -> dict[str, Any]:
        path = f"/c/{self.conversation_id}"
        return {"pathname": path, "asPath": path, "query": {"conversation_id": str(self.conversation_id)}}
