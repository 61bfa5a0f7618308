"""Ollama, through its official client: chat, the list of models, and each of its failures as one of ours.

How the daemon behaves was measured on version 0.32.15; its API is described at https://docs.ollama.com/api.
"""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from typing import Any
from urllib.parse import unquote, urlsplit, urlunsplit
from urllib.request import getproxies, proxy_bypass

import aiohttp
import httpx
import ollama
import structlog

from rxchat.adapters.ollama_stream import MEGABYTES, LineTooLong, Silent, chat_events, message_body, tool_body
from rxchat.domain.chat import AnswerFinished, ChatEvent, ChatMessage, ModelInfo, ToolSpec
from rxchat.domain.errors import (
    ModelBroke,
    ModelError,
    ModelHostAway,
    ModelRefused,
    ModelSilent,
    ModelUnknown,
)
from rxchat.domain.text import storable

log = structlog.get_logger(__name__)

_CONNECT_SECONDS = 5.0
_LIST_SECONDS = 10.0


class OllamaChatModel:
    """The models of one or several Ollama daemons; each model is asked for at the first host that has it."""

    def __init__(
        self,
        hosts: Sequence[str],
        *,
        first_token_seconds: float = 120.0,
        token_seconds: float = 60.0,
        demo_hosts: Sequence[str] = (),
    ) -> None:
        """Prepare a client for each host; nothing is connected yet."""
        # By the address that people may see: a user and a password in it are for the daemon's proxy alone.
        self._clients = {_public(host): _client(host) for host in hosts}
        self._credentials = {_public(host): _credentials(host) for host in hosts}
        self._streams: dict[str, aiohttp.ClientSession] = {}
        self._first_token_seconds = first_token_seconds
        self._token_seconds = token_seconds
        self._demo_hosts = frozenset(map(_public, demo_hosts))
        self._host_of: dict[str, str] = {}

    async def models(self) -> list[ModelInfo]:
        """Return what the hosts offer; a model that several have is named once.

        Raises:
            ModelHostAway: when none of the hosts answers.
        """
        answers = await asyncio.gather(*(self._models_at(host) for host in self._clients), return_exceptions=True)
        offered: dict[str, ModelInfo] = {}
        failures: list[ModelError] = []
        for answer in answers:
            if isinstance(answer, ModelError):
                failures.append(answer)
            elif isinstance(answer, BaseException):
                raise answer
            else:
                for model in answer:
                    offered.setdefault(model.name, model)
        if failures and len(failures) == len(answers):
            raise failures[0]
        self._host_of = {model.name: model.host for model in offered.values()}
        return list(offered.values())

    async def _models_at(self, host: str) -> list[ModelInfo]:
        with _translated(host, ""):
            try:
                async with asyncio.timeout(_LIST_SECONDS):
                    # Not the client's list(): its types drop `capabilities`, which newer daemons send.
                    response = await self._clients[host]._client.get("/api/tags")
            except TimeoutError as error:
                raise ModelHostAway(f"The model host {host} does not answer. Is Ollama running there?") from error
            response.raise_for_status()
            rows = response.json().get("models") or []
            return [self._info(host, row) for row in rows if isinstance(row, dict) and row.get("model")]

    def _info(self, host: str, row: dict[str, Any]) -> ModelInfo:
        details = row.get("details") or {}
        return ModelInfo(
            name=str(row["model"]),
            host=host,
            size_bytes=int(row.get("size") or 0),
            parameters=str(details.get("parameter_size") or ""),
            context_tokens=int(details.get("context_length") or 0),
            capabilities=frozenset(map(str, row.get("capabilities") or ())),
            is_demo=host in self._demo_hosts,
        )

    async def chat(
        self, model: str, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec] = ()
    ) -> AsyncGenerator[ChatEvent]:
        """Stream an answer; see the ChatModel port.

        Raises:
            ModelError: each failure as the subclass that says what it was.
        """
        host = await self._host_for(model)
        asked = [message_body(message) for message in messages]
        offered = [tool_body(tool) for tool in tools]
        log.info("model call", host=_short(host), model=model, messages=len(asked), tools=len(offered))
        begun: list[bool] = []
        with _translated(host, model, begun):
            events = chat_events(
                self._stream(host), model, asked, self._first_token_seconds, self._token_seconds, offered
            )
            try:
                async with aclosing(events):
                    async for event in events:
                        begun[:] = [True]
                        yield event
                        if isinstance(event, AnswerFinished):
                            return
            except Silent as error:
                raise ModelSilent(
                    f"{model} on {_short(host)} said nothing for {error.seconds:g} seconds. It may be overloaded or too"
                    " large for its host: try again, or choose a smaller model."
                ) from error
            except LineTooLong as error:
                raise ModelBroke(f"{_short(host)} sent a line of over {MEGABYTES} MB; is it Ollama?") from error
            raise ModelBroke(f"{_short(host)} stopped in the middle of the answer; what was said so far is kept.")

    def _stream(self, host: str) -> aiohttp.ClientSession:
        """Return what answers of this host are read with; made when it is first needed, in the loop that it belongs to."""
        if host not in self._streams:
            # A proxy that packs an answer keeps it until there is enough to pack.
            headers = {"Accept-Encoding": "identity"}
            if credentials := self._credentials[host]:
                headers["Authorization"] = aiohttp.encode_basic_auth(*credentials)
            self._streams[host] = aiohttp.ClientSession(
                base_url=f"{host.rstrip('/')}/",
                # How many answers are written at once is decided by whoever asks; how long they may be silent, too. Each
                # has a connection of its own: one that was kept may be dead, and a question is not sent twice.
                connector=aiohttp.TCPConnector(limit=0, force_close=True),
                timeout=aiohttp.ClientTimeout(total=None, sock_connect=_CONNECT_SECONDS),
                headers=headers,
                cookie_jar=aiohttp.DummyCookieJar(),
                proxy=_proxy(host),
            )
        return self._streams[host]

    async def _host_for(self, model: str) -> str:
        if not self._clients:
            raise ModelHostAway("No model host is configured. Set OLLAMA_HOSTS and start RxChat again.")
        if model not in self._host_of:
            await self.models()
        return self._host_of.get(model, next(iter(self._clients)))

    async def aclose(self) -> None:
        """Close the connections to all hosts."""
        for client in (*self._clients.values(), *self._streams.values()):
            await client.close()


@contextmanager
def _translated(host: str, model: str, begun: Sequence[bool] = ()) -> Iterator[None]:
    """Turn everything that the client and httpx raise into an error of ours; `begun` holds something after a token."""
    try:
        yield
    except ollama.ResponseError as error:
        raise _response_error(host, model, error) from error
    except (ConnectionError, httpx.ConnectError, httpx.ConnectTimeout, aiohttp.ClientConnectorError) as error:
        raise ModelHostAway(f"The model host {host} does not answer. Is Ollama running there?") from error
    except httpx.HTTPStatusError as error:
        raise ModelRefused(
            f"{_short(host)} answered with status {error.response.status_code}; is it Ollama?"
        ) from error
    except (httpx.TransportError, aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
        if not begun:
            # A connection that was kept open and whose other end is gone: nobody was there from the start.
            raise ModelHostAway(f"The model host {host} does not answer. Is Ollama running there?") from error
        raise ModelBroke(
            f"The connection to {_short(host)} broke in the middle; what was said so far is kept."
        ) from error
    except (json.JSONDecodeError, UnicodeDecodeError, httpx.RequestError, aiohttp.ClientError) as error:
        raise ModelBroke(f"{_short(host)} sent something that is not Ollama's protocol; is it Ollama?") from error
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        # Well-formed lines that are no answers: wrong fields (pydantic's ValidationError), or no object at all.
        raise ModelBroke(f"{_short(host)} sent an answer that makes no sense; is its version supported?") from error


def _response_error(host: str, model: str, error: ollama.ResponseError) -> ModelError:
    said = _sentence(error.error)
    if error.status_code == httpx.codes.NOT_FOUND:
        return ModelUnknown(f"{_short(host)} does not have the model {model}. Get it with: ollama pull {model}")
    if error.status_code in {-1, httpx.codes.OK}:
        # An error line inside a stream that began with 200 carries no status of its own.
        return ModelBroke(f"{_short(host)} failed while it was answering: {said}")
    if error.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
        return ModelError(f"{_short(host)} failed: {said}")
    return ModelRefused(f"{_short(host)} refused the request: {said}")


def _sentence(raw: str) -> str:
    """Return the daemon's words: some arrive as a JSON string nested in a string."""
    text = raw.strip()
    for _ in range(3):
        try:
            inner = json.loads(text)
        except ValueError:
            break
        if isinstance(inner, dict):
            inner = inner.get("error", "")
        if isinstance(inner, dict):
            inner = inner.get("message", "")
        text = str(inner).strip()
    return storable(re.sub(r"\s+", " ", text))[:300] or "no reason given"


def _client(host: str) -> ollama.AsyncClient:
    timeout = httpx.Timeout(None, connect=_CONNECT_SECONDS)
    return ollama.AsyncClient(host=_public(host), timeout=timeout, auth=_credentials(host))


def _proxy(host: str) -> str | None:
    """Return the proxy that the environment names for a host; nothing else of the environment counts (no ~/.netrc)."""
    address = urlsplit(host)
    proxies = getproxies()
    if not address.hostname or proxy_bypass(address.hostname):
        return None
    return proxies.get(address.scheme) or proxies.get("all")


def _credentials(host: str) -> tuple[str, str] | None:
    address = urlsplit(host)
    return (unquote(address.username), unquote(address.password or "")) if address.username else None


def _public(host: str) -> str:
    address = urlsplit(host)
    return urlunsplit(address._replace(netloc=address.netloc.rpartition("@")[2]))


def _short(host: str) -> str:
    return urlsplit(host).netloc or host
