"""One user of a running RxChat, as a program: signs up by the set-up link, asks over a tab's socket, reads over HTTP."""

from __future__ import annotations

import asyncio
import json
import time
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID, uuid4

import aiohttp
import httpx
from reflex_base.constants import Reflex

from rxchat.domain.ids import new_id
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.thread import ThreadState
from tests.containers.engine import Failed, until

PASSWORD = "a rather long sentence of its own"
_THREAD = ThreadState.get_full_name()
_PICKER = ModelPickerState.get_full_name()
_ROOT = _THREAD.partition(".")[0]
_MARK = "_rx_state_"
_SEND_SECONDS = 90.0


def counted(last: int) -> str:
    """Return what the counting model says in all."""
    return "".join(f"{number} " for number in range(1, last + 1))


class Visitor:
    """A browser's cookie jar and what it does; requests are repeated while the server is being replaced."""

    def __init__(self, url: str) -> None:
        self.url = url
        self._client = httpx.Client(
            base_url=url, headers={"origin": url}, timeout=30, trust_env=False, follow_redirects=True
        )

    @property
    def cookie(self) -> str:
        """The session cookie's value."""
        return self._client.cookies["rxchat_session"]

    def call(self, method: str, path: str, *, seconds: float = 60, **more: Any) -> httpx.Response:
        """Repeat a request until RxChat answers it, and not a proxy without a backend."""
        answered: list[httpx.Response] = []

        def is_answered() -> bool:
            try:
                answered.append(self._client.request(method, path, **more))
            except httpx.TransportError:
                return False
            return answered[-1].status_code not in {502, 503, 504}

        until(f"{method} {path}", is_answered, seconds)
        if answered[-1].status_code >= 400:
            raise Failed(f"{method} {path}: {answered[-1].status_code} {answered[-1].text[:300]}")
        return answered[-1]

    def set_up(self, link: str) -> None:
        """Become the first administrator by the link that RxChat printed."""
        token = urlsplit(link).fragment.removeprefix("token=")
        self.call("POST", "/api/auth/link", json={"token": token, "kind": "setup"})
        account = {"name": "Ada", "email": "ada@example.org", "password": PASSWORD, "token": token}
        self.call("POST", "/api/auth/setup", json=account)

    def sign_in(self) -> None:
        """Sign in with e-mail and password."""
        self._client.cookies.clear()
        self.call("POST", "/api/auth/sign-in", json={"email": "ada@example.org", "password": PASSWORD})

    def ask(self, text: str, *, model: str = "", collections: tuple[str, ...] = ()) -> UUID:
        """Ask in a new conversation and return its id; the answer is being written then."""
        before = self.conversation_ids()
        asyncio.run(self._ask(text, model, collections))
        (made,) = self.conversation_ids() - before
        return made

    def conversation_ids(self) -> set[UUID]:
        """Return the ids of the user's conversations."""
        return {UUID(item["id"]) for item in self.call("GET", "/api/conversations").json()}

    def answer(self, conversation: UUID) -> dict[str, Any]:
        """Return the last answer of a conversation as it is stored."""
        return self.call("GET", f"/api/conversations/{conversation}").json()["messages"][-1]

    def finished(self, conversation: UUID, seconds: float) -> dict[str, Any]:
        """Wait for the end of an answer and return it."""
        found: list[dict[str, Any]] = []

        def has_ended() -> bool:
            found.append(self.answer(conversation))
            return found[-1]["role"] == "assistant" and found[-1]["state"] != "running"

        until("the answer's end", has_ended, seconds)
        return found[-1]

    def collection(self, name: str) -> str:
        """Create a collection and return its id."""
        return self.call("POST", "/api/collections", json={"name": name}).json()["id"]

    def upload(self, collection: str, name: str, content: bytes, seconds: float = 180) -> str:
        """Upload a file, wait until it is indexed, and return the document's id."""
        where = {"name": name, "collection": collection}
        document = self.call("POST", "/api/files", params=where, content=content).json()["id"]
        shown: list[dict[str, Any]] = []

        def is_ready() -> bool:
            shown.append(self.call("GET", f"/api/documents/{document}").json()["document"])
            return shown[-1]["state"] in {"ready", "failed"}

        until(f"{name} is indexed", is_ready, seconds, every=1)
        if shown[-1]["state"] != "ready":
            raise Failed(f"{name} was not indexed: {shown[-1]}")
        return document

    def download(self, document: str) -> bytes:
        """Return a document's file."""
        return self.call("GET", f"/api/files/{document}").content

    def search(self, question: str, collection: str) -> list[str]:
        """Return the texts of the passages that are found in a collection."""
        found = self.call("POST", "/api/search", json={"question": question, "collections": [collection]}).json()
        return [item["text"] for item in found["passages"]]

    def sources(self, conversation: UUID) -> list[dict[str, Any]]:
        """Return the sources of a conversation's last answer."""
        message = self.answer(conversation)["id"]
        return self.call("GET", f"/api/conversations/{conversation}/messages/{message}/sources").json()

    async def _ask(self, text: str, model: str, collections: tuple[str, ...]) -> None:
        address = self.url.replace("http", "ws", 1) + f"/_event/?EIO=4&transport=websocket&token={uuid4()}"
        headers = {"Cookie": f"rxchat_session={self.cookie}", "Origin": self.url}
        async with (
            asyncio.timeout(_SEND_SECONDS),
            aiohttp.ClientSession(trust_env=False) as client,
            client.ws_connect(address, headers=headers, protocols=[Reflex.VERSION], max_msg_size=0) as socket,
        ):
            await socket.send_str("40/_event," + json.dumps({"event": _event(f"{_ROOT}.hydrate_and_load", {})}))
            await _until_var(socket, _ROOT, "is_hydrated", True)
            if model:
                await _send(socket, f"{_PICKER}.choose", {"name": model})
                await _until_var(socket, _PICKER, "model", model)
            question = str(new_id())
            given = {"text": text, "client_id": question, "attached": {"ids": list(collections)}}
            await _send(socket, f"{_THREAD}.send", given)
            await _until_var(socket, _THREAD, "accepted", question)


def _event(name: str, payload: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "payload": payload, "router_data": {"pathname": "/", "asPath": "/", "query": {}}}


async def _send(socket: aiohttp.ClientWebSocketResponse, name: str, payload: dict[str, Any]) -> None:
    await socket.send_str("42/_event," + json.dumps(["event", _event(name, payload)]))


async def _until_var(socket: aiohttp.ClientWebSocketResponse, state: str, var: str, value: Any) -> None:
    """Read what the server sends until a var of a state has this value."""
    async for message in socket:
        frame = str(message.data)
        if frame == "2":
            await socket.send_str("3")
        if not frame.startswith("42/_event,"):
            continue
        changes = (json.loads(frame[len("42/_event,") :])[1].get("delta") or {}).get(state, {})
        if changes.get(f"refused{_MARK}"):
            raise Failed(f"the question was refused: {changes[f'refused{_MARK}']}")
        if changes.get(f"{var}{_MARK}") == value:
            return
    raise Failed(f"the socket was closed before {var} was {value!r} ({time.strftime('%H:%M:%S')})")
