"""Programs that use the API: clients with keys, on a real server where streams matter."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx
from starlette.responses import PlainTextResponse

from rxchat.api.gateway import Gateway
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.security.http import api_of
from tests.server.serving import served_by

CALLER = ClientInfo("203.0.113.7", "a program")


async def key_of(services: Services, user: CurrentUser, *scopes: str) -> str:
    """A new key of a user's, with these scopes (read and chat)."""
    _, secret = await services.accounts.api_credentials.create_key(
        user, name="k", scopes=list(scopes or ("read", "chat")), days=None, client_info=CALLER
    )
    return secret


@asynccontextmanager
async def serving(settings: Settings) -> AsyncGenerator[str]:
    """Serve the API on a real socket, and return its address: in-process clients get a response when it has ended."""
    async with served_by(Gateway(PlainTextResponse("a page"), api_of(settings), settings)) as served:
        yield f"http://127.0.0.1:{served.port}"


def program(url: str, key: str) -> httpx.AsyncClient:
    """A client with a key."""
    return httpx.AsyncClient(base_url=url, headers={"authorization": f"Bearer {key}"}, timeout=60)


@dataclass
class Event:
    """A server-sent event."""

    name: str
    data: Any
    id: str = ""


async def events_of(response: httpx.Response) -> AsyncGenerator[Event]:
    """Parse server-sent events as browsers do."""
    fields: dict[str, str] = {}
    async for line in response.aiter_lines():
        if not line:
            if "data" in fields:
                yield Event(fields.get("event", "message"), json.loads(fields["data"]), fields.get("id", ""))
            fields = {}
        elif not line.startswith(":"):
            name, _, value = line.partition(": ")
            fields[name] = value


@dataclass
class Reader:
    """What a client keeps of a run's events."""

    text: str = ""
    reasoning: str = ""
    last_id: str = ""
    pieces: int = 0
    ended: Any = None
    states: tuple[str, ...] = ()

    def take(self, event: Event) -> None:
        """Apply an event as docs/api.md says."""
        self.last_id = event.id or self.last_id
        match event.name:
            case "run.text":
                self.pieces += 1
                self.text = self.text[: event.data["offset"]] + event.data["text"]
            case "run.reasoning":
                self.reasoning = self.reasoning[: event.data["offset"]] + event.data["text"]
            case "run.progress":
                self.states += (event.data["state"],)
            case "run.ended":
                self.ended = event.data
            case _:
                raise AssertionError(event)

    async def follow(self, client: httpx.AsyncClient, run_id: str, until: int = -1) -> Reader:
        """Read a run's events from the last one on, up to the end, or until the text has so many characters."""
        headers = {"last-event-id": self.last_id} if self.last_id else {}
        async with (
            asyncio.timeout(60),
            client.stream("GET", f"/api/v1/runs/{run_id}/events", headers=headers) as response,
        ):
            assert response.status_code == 200, await response.aread()
            async for event in events_of(response):
                self.take(event)
                if 0 <= until <= len(self.text):
                    break
        return self
