"""What may come over the websocket at all, before Reflex sees it."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
import structlog
from engineio.async_socket import AsyncSocket
from reflex.state import State
from reflex.utils.token_manager import LocalTokenManager
from socketio import AsyncServer
from structlog.processors import KeyValueRenderer
from structlog.testing import CapturingLogger

from rxchat.asgi_extensions import ABORT, LONGEST_PACKET
from rxchat.states.chat.context_sources import ContextSourcesState
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform import sockets
from rxchat.states.platform.tab_registry import tabs

pytestmark = pytest.mark.anyio

FIND = f"{ContextSourcesState.get_full_name()}.find"
NAME = f"{ThreadState.get_full_name()}.stop"
HYDRATE = f"{State.get_full_name()}.hydrate_and_load"
IS_HYDRATED = f"{State.get_full_name()}.set_is_hydrated"


class Namespace:
    """As much of Reflex's namespace as is guarded."""

    def __init__(self) -> None:
        self.processed: list[Any] = []
        # Reflex's own, so that what is read of it is what it keeps.
        self._token_manager = LocalTokenManager()
        self.namespace = "/"
        self.server: AsyncServer | None = None

    async def emit_update(self, update: object, token: str) -> None:
        """Nothing is shown here."""

    async def disconnect(self, sid: str) -> None:
        """Nothing is connected here."""

    @property
    def sid_to_token(self) -> dict[str, str]:
        return self._token_manager.sid_to_token

    async def open(self, token: str, sid: str) -> None:
        """Have a tab connect."""
        await self._token_manager.link_token_to_sid(token, sid)

    def on_disconnect(self, sid: str) -> asyncio.Task[None] | None:
        token = self.sid_to_token.get(sid)
        return asyncio.create_task(self._token_manager.disconnect_token(token, sid)) if token else None

    async def on_event(self, sid: str, data: Any) -> None:
        self.processed.append((sid, data))


def nested(depth: int) -> list[Any]:
    """A list in a list, so deep."""
    found: list[Any] = []
    for _ in range(depth):
        found = [found]
    return found


@pytest.fixture
def namespace() -> Iterator[Namespace]:
    found = Namespace()
    # An open socket, as far as events go.
    found.sid_to_token["socket"] = "tab of the socket"
    sockets.install(found)
    yield found
    tabs.attach(None)


async def test_an_event_of_a_known_handler_goes_through(namespace: Namespace) -> None:
    place = {"pathname": "/c/x", "asPath": "/c/x?a=1", "query": {"a": "1", "splat": ["2", "3"]}}
    events = [
        {"name": NAME, "payload": {}, "router_data": place, "token": "tab"},
        {"name": HYDRATE, "payload": {}, "router_data": place},
        {"name": HYDRATE, "payload": {"vars": {}, "hashes": ["a"]}},
        {"name": IS_HYDRATED, "payload": {"value": True}},
    ]
    for event in events:
        await namespace.on_event("socket", event)
    assert namespace.processed == [("socket", event) for event in events]


async def test_lone_surrogates_of_an_event_are_replaced_wherever_they_are(namespace: Namespace) -> None:
    place = {"pathname": "/c/x", "query": {"a\ud800": "b\udfff", "splat": ["🙂\ud800"]}}
    event = {"name": FIND, "payload": {"words": "x\ud800y🙂"}, "router_data": place, "token": "tab\udead"}
    await namespace.on_event("socket", event)
    clean = {"pathname": "/c/x", "query": {"a\ufffd": "b\ufffd", "splat": ["🙂\ufffd"]}}
    expected = {"name": FIND, "payload": {"words": "x\ufffdy🙂"}, "router_data": clean, "token": "tab\ufffd"}
    assert namespace.processed == [("socket", expected)]


async def test_an_event_as_long_as_a_packet_may_be_reaches_its_handler(namespace: Namespace) -> None:
    namespace.server = AsyncServer(async_mode="asgi")
    sockets.install(namespace)
    assert namespace.server.eio.max_http_buffer_size == LONGEST_PACKET


@pytest.mark.parametrize(
    "data",
    [
        None,
        7,
        [],
        "a string",
        '{"name": "x"}',
        {},
        {"name": None},
        {"name": ["x"]},
        {"name": "no.such.handler", "payload": {"text": "canary"}},
        {"name": NAME, "payload": "canary"},
        {"name": NAME, "payload": {}, "router_data": ["canary"]},
        {"name": NAME, "payload": {}, "router_data": {"query": ["canary"]}},
        {"name": NAME, "payload": {}, "router_data": {"query": {"a": {}}}},
        {"name": NAME, "payload": {}, "router_data": {"query": {"a": "x" * 5_000}}},
        {"name": NAME, "payload": {}, "router_data": {"query": {"splat": [""] * 5_000}}},
        {"name": NAME, "payload": {}, "router_data": {"query": {"splat": ["x", 7]}}},
        {"name": NAME, "payload": {}, "router_data": {"query": {"splat": {}}}},
        {"name": NAME, "payload": {}, "router_data": {"query": {"conversation_id": ["canary"]}}},
        {"name": NAME, "payload": {}, "router_data": {"query": {"document_id": []}}},
        {"name": NAME, "payload": {}, "router_data": {"query": {"a": ["canary"]}}},
        {"name": NAME, "payload": {}, "router_data": {"query": {"a": None}}},
        {"name": NAME, "payload": {}, "router_data": {"query": {"a": True}}},
        {"name": NAME, "payload": {}, "router_data": {"query": {"a": nested(900)}}},
        {"name": NAME, "payload": {}, "router_data": {"query": {str(n): ["x" * 50] * 2 for n in range(50)}}},
        {"name": NAME, "payload": {}, "router_data": {"query": {"a": [7]}}},
        {"name": NAME, "payload": {}, "router_data": {"pathname": 7}},
        {"name": NAME, "payload": {}, "router_data": None},
        {"name": NAME, "payload": None, "router_data": {}},
        {"name": NAME, "payload": {}, "router_data": {"query": None}},
        {"name": NAME, "payload": {}, "router_data": {"asPath": None}},
        {"name": NAME, "payload": {}, "router_data": {"asPath": "http://["}},
        {"name": NAME, "payload": {}, "router_data": {"asPath": "//["}},
        {"name": NAME, "payload": {}, "router_data": {"asPath": "/\ud800"}},
        {"name": NAME, "payload": {}, "router_data": {"pathname": "/" + "x" * 5_000}},
        {"name": NAME, "payload": {}, "router_data": {"pathname": "/", "asPath": {}}},
        {"name": NAME, "payload": {}, "router_data": {"headers": {"cookie": "canary"}}},
        {"name": NAME, "payload": {}, "router_data": {"token": "canary"}},
        {"name": HYDRATE, "payload": {"canary": 1}},
        {"name": HYDRATE, "payload": {"vars": []}},
        {"name": HYDRATE, "payload": {"vars": {"canary": 1}}},
        {"name": HYDRATE, "payload": {"hashes": [7]}},
        {"name": IS_HYDRATED, "payload": {}},
        {"name": IS_HYDRATED, "payload": {"value": "canary"}},
        {"name": "x" * 100_000},
    ],
    ids=str,
)
async def test_everything_else_is_refused_in_one_line_without_its_words(
    namespace: Namespace, monkeypatch: pytest.MonkeyPatch, data: Any
) -> None:
    # A logger of its own: the module's keeps the output that it was first used with, which another test may have had.
    lines = CapturingLogger()
    monkeypatch.setattr(sockets, "log", structlog.wrap_logger(lines, processors=[KeyValueRenderer()]))
    await namespace.on_event("socket", data)
    assert namespace.processed == []
    (line,) = lines.calls
    assert "refused an invalid event" in str(line)
    assert "canary" not in str(line) and "Traceback" not in str(line)


async def test_an_event_whose_socket_is_closed_is_neither_handled_nor_logged(namespace: Namespace) -> None:
    """Several arrive at once, and the first ones have closed it: Reflex would log the others with all their words."""
    await namespace.on_event("closed", {"name": HYDRATE, "payload": {}})
    assert namespace.processed == []


async def test_what_waits_for_a_slow_line_is_counted_where_the_libraries_keep_it(namespace: Namespace) -> None:
    server = AsyncServer(async_mode="asgi")
    namespace.namespace, namespace.server = "/_event", server
    await namespace.open("tab", await server.manager.connect("line", "/_event"))  # pyright: ignore[reportGeneralTypeIssues]
    assert tabs.backlog("tab") == tabs.backlog("another") == 0
    server.eio.sockets["line"] = line = AsyncSocket(server.eio, "line")
    for _ in range(3):
        await line.queue.put("a packet")
    assert tabs.backlog("tab") == 3


@pytest.mark.parametrize(("size", "most"), [(10, 600), (1_000_000, 6)])
async def test_a_socket_for_which_too_much_waits_is_closed_and_nothing_is_kept(
    namespace: Namespace, size: int, most: int
) -> None:
    """It does not read; what would be shown next is read when its page connects again."""
    server, ended = AsyncServer(async_mode="asgi"), asyncio.Event()
    namespace.namespace, namespace.server = "/_event", server
    sockets.install(namespace)
    await namespace.open("tab", await server.manager.connect("line", "/_event"))  # pyright: ignore[reportGeneralTypeIssues]
    server.eio.sockets["line"] = AsyncSocket(server.eio, "line")
    server.environ["line"] = {"asgi.scope": {"extensions": {ABORT: ended.set}}}
    most_waiting = 0
    for _ in range(most):
        if not ended.is_set():
            await server.emit(
                "event", "x" * size, to=server.manager.sid_from_eio_sid("line", "/_event"), namespace="/_event"
            )
            most_waiting = max(most_waiting, tabs.backlog("tab"))
    assert ended.is_set() and most_waiting * size <= 5_000_000 and most_waiting <= 512
    assert tabs.backlog("tab") == 0


async def test_a_tab_is_there_as_long_as_it_has_a_socket(namespace: Namespace) -> None:
    await namespace.open("tab", "socket")
    assert tabs.is_open("tab") and not tabs.is_open("another")
    told: list[str] = []
    with tabs.on_disconnect("tab", lambda: told.append("closed")):
        leaving = namespace.on_disconnect("socket")
        assert leaving is not None and not told
        await leaving
        await asyncio.sleep(0)
        assert told == ["closed"]
    assert not tabs.is_open("tab")
    assert tabs._callbacks == {}
