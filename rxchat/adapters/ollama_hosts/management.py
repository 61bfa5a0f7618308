"""What administrators do with the models of a host: download, delete, load and unload them.

Source: https://docs.ollama.com/api, and the observed behavior of version 0.32.15: a failed download is an error in a stream
that began with 200.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncGenerator, Mapping
from typing import Any

import aiohttp
import ollama

from rxchat.adapters import ollama_errors
from rxchat.adapters.model_errors import logged, on_one_line
from rxchat.adapters.ollama_hosts.host import LIST_SECONDS, OllamaHost
from rxchat.domain.errors import InvalidModelResponse, ModelError, ModelHostUnavailable, ModelRefused
from rxchat.domain.model_hosts import ModelDetails, PullProgress

_SILENT_SECONDS = 120.0
"""A host that says nothing for so long about a download is given up; it reports every 60 ms."""
_LINE_BYTES = 1_000_000
_MOST_BYTES = 10**15
_SHOWN_CHARACTERS = 8_000
_FACTS = ("general.architecture", "general.parameter_count", "context_length", "embedding_length", "block_count")
_NO_SUCH_API = frozenset({404, 405, 501})
_CANNOT_PULL = "This host cannot download models. Only Ollama itself can."
_NO_SPACE = ("no space left", "disk full", "not enough space")


async def pull(host: OllamaHost, model: str) -> AsyncGenerator[PullProgress]:
    """Download a model, and yield the progress; see the ModelHosts port."""
    parts: dict[str, tuple[int, int]] = {}
    with ollama_errors.translated(host.name, model):
        try:
            async with host.stream().post(
                "api/pull", json={"model": model, "stream": True}, allow_redirects=False
            ) as response:
                if response.status in _NO_SUCH_API:
                    raise ModelRefused(_CANNOT_PULL, detail=f"{host.name} answered {response.status} to /api/pull.")
                if response.status >= 300:
                    raise ollama.ResponseError(
                        (await response.content.read(64_000)).decode(errors="replace"), response.status
                    )
                while line := await _line(response.content):
                    said = json.loads(line)
                    if said.get("error"):
                        raise _refused(host, model, str(said["error"]))
                    progress = _progress(said, parts)
                    yield progress
                    if progress.status == "success":
                        return
        except TimeoutError as error:
            raise ollama_errors.away(host.name, error) from error
        except aiohttp.ClientConnectorError:
            raise
        except (aiohttp.ClientPayloadError, aiohttp.ClientConnectionError) as error:
            raise _cut(host) from error
        raise _cut(host)


async def _line(content: aiohttp.StreamReader) -> bytes:
    async with asyncio.timeout(_SILENT_SECONDS):
        line = await content.readline()
    if len(line) > _LINE_BYTES:
        raise ValueError("a line that is too long")
    return line


def _progress(said: Mapping[str, Any], parts: dict[str, tuple[int, int]]) -> PullProgress:
    """Return the progress of all parts together; a line is about one of them."""
    digest, total = str(said.get("digest") or "")[:100], said.get("total")
    if digest and isinstance(total, int) and len(parts) < 1_000:
        completed = said.get("completed") or 0
        whole = min(max(0, total), _MOST_BYTES)
        parts[digest] = min(max(0, int(completed)), whole), whole
    status = on_one_line(str(said.get("status") or ""))[:200]
    done, whole = (sum(item[at] for item in parts.values()) for at in (0, 1))
    return PullProgress(status, min(done, _MOST_BYTES), min(whole, _MOST_BYTES))


def _refused(host: OllamaHost, model: str, said: str) -> ModelError:
    detail = f"{host.name} said: {on_one_line(said)[:300]}"
    words = said.lower()
    if any(part in words for part in _NO_SPACE):
        message = f"The disk of the host is full. Delete models there that are not needed, then pull {model} again."
    elif "file does not exist" in words or "not found" in words:
        message = f"There is no model {model} in the library. Check its name and tag."
    elif "manifest" in words or "lookup" in words or "dial" in words:
        message = "The host cannot reach the library of models. Check its network, or copy the model’s files to it."
    else:
        message = f"The host could not download {model}."
    return logged(ModelRefused(message, detail=detail))


def _cut(host: OllamaHost) -> ModelError:
    message = (
        "The connection to the host broke during the download. Pull the model again: what is there already is kept."
    )
    return logged(InvalidModelResponse(message, detail=f"{host.name} closed the connection during a download."))


async def delete(host: OllamaHost, model: str) -> None:
    """Delete a model; see the ModelHosts port."""
    await _call(host, model, "DELETE", "/api/delete", {"model": model})
    host.models.pop(model, None)
    host.note_unloaded(model)


async def load(host: OllamaHost, model: str, seconds: float) -> None:
    """Load a model; see the ModelHosts port."""
    # A model for embeddings cannot chat.
    info = host.model_of(model)
    if info is not None and not info.is_chat_model:
        await _call(host, model, "POST", "/api/embed", {"model": model, "input": []}, seconds)
    else:
        await _call(host, model, "POST", "/api/chat", {"model": model, "messages": [], "stream": False}, seconds)
    await host.look()


async def unload(host: OllamaHost, model: str) -> None:
    """Remove a model from memory; see the ModelHosts port."""
    info = host.model_of(model)
    if info is not None and not info.is_chat_model:
        await _call(host, model, "POST", "/api/embed", {"model": model, "input": [], "keep_alive": 0})
    else:
        await _call(
            host, model, "POST", "/api/chat", {"model": model, "messages": [], "keep_alive": 0, "stream": False}
        )
    host.note_unloaded(model)
    await host.look()


async def details(host: OllamaHost, model: str) -> ModelDetails:
    """Return what the host says about a model; see the ModelHosts port."""
    said = await _call(host, model, "POST", "/api/show", {"model": model})
    if not isinstance(said, dict):
        raise InvalidModelResponse("The model host sent an invalid response. Ask an administrator to check it.")
    about, numbers = _object(said.get("details")), _object(said.get("model_info"))
    facts = [
        ("Family", about.get("family")),
        ("Parameters", about.get("parameter_size")),
        ("Quantization", about.get("quantization_level")),
        ("Format", about.get("format")),
        *(
            (name.rpartition(".")[2].replace("_", " ").capitalize(), numbers[name])
            for name in sorted(numbers)
            if name.endswith(_FACTS)
        ),
    ]
    capabilities = said.get("capabilities")
    return ModelDetails(
        model,
        tuple((label, _shown(value)) for label, value in facts if value not in (None, "")),
        tuple(str(item)[:50] for item in capabilities[:20]) if isinstance(capabilities, list) else (),
        *(_text(said.get(name)) for name in ("template", "parameters", "system", "license")),
    )  # fmt: skip


async def _call(
    host: OllamaHost, model: str, method: str, path: str, body: dict[str, Any], seconds: float = LIST_SECONDS * 6
) -> Any:
    with ollama_errors.translated(host.name, model):
        try:
            async with asyncio.timeout(seconds):
                response = await host.http.request(method, path, json=body)
        except TimeoutError as error:
            raise ModelHostUnavailable(
                f"The host did not answer within {seconds:g} seconds. Try again in a moment.",
                detail=f"It is {host.name}.",
            ) from error
        if response.status_code >= 300:
            raise ollama.ResponseError(response.text[:64_000], response.status_code)
        return response.json() if response.content else None


def _object(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _shown(value: Any) -> str:
    return f"{value:,}" if isinstance(value, int) and not isinstance(value, bool) else on_one_line(str(value))[:200]


def _text(value: Any) -> str:
    return value[:_SHOWN_CHARACTERS] if isinstance(value, str) else ""
