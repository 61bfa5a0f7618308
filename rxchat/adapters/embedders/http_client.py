"""The HTTP client of embedding models: maps failures to EmbedderError and normalizes vectors."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import httpx
import structlog

from rxchat.adapters.outgoing_proxies import proxy_for, without_credentials
from rxchat.adapters.tls import trusted
from rxchat.domain.errors import EmbedderError, TextRefused, TextTooLong
from rxchat.domain.text import sanitize

log = structlog.get_logger(__name__)

_CONNECT_SECONDS = 5.0
_ANSWER_SECONDS = 120.0
_REFUSED = {400, 422}
_LONG_WORDS = (
    "context length", "context size", "maximum context", "input length", "too many tokens", "tokens. given", "too long",
    "max_tokens", "too large",
)  # fmt: skip


class Endpoint:
    """Calls one server that embeds or ranks texts."""

    def __init__(self, url: str, what: str, key: str = "") -> None:
        """Create the client, which connects at its first call."""
        self.url = url.rstrip("/")
        self._what = what
        self._shown = without_credentials(self.url)
        self._client = httpx.AsyncClient(
            timeout=httpx.Timeout(_ANSWER_SECONDS, connect=_CONNECT_SECONDS),
            headers={"Authorization": f"Bearer {key}"} if key else {},
            trust_env=False,
            proxy=proxy_for(url),
            verify=trusted(),
        )

    async def post(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Return the JSON object of the answer to a POST request.

        Raises:
            TextTooLong: if the server says that a text is too long.
            TextRefused: if the server refuses the input.
            EmbedderError: for all other failures.
        """
        return await self._asked("POST", path, body)

    async def get(self, path: str) -> dict[str, Any]:
        """Return the JSON object of the answer to a GET request.

        Raises:
            EmbedderError: if the server does not answer or answers with an error.
        """
        return await self._asked("GET", path, None)

    async def _asked(self, method: str, path: str, body: dict[str, Any] | None) -> dict[str, Any]:
        try:
            response = await self._client.request(method, self.url + path, json=body)
        except httpx.TimeoutException as error:
            raise self._failed(EmbedderError, "did not respond in time.", type(error).__name__) from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise self._failed(EmbedderError, "does not respond.", str(error) or type(error).__name__) from error
        try:
            answer = response.json()
        except ValueError as error:
            said = sanitize(response.text)[:300]
            raise self._failed(EmbedderError, "returned invalid JSON.", said) from error
        if response.is_success and isinstance(answer, dict):
            return answer
        said = _said(answer)
        if response.status_code == 413 or any(words in said.lower() for words in _LONG_WORDS):
            raise TextTooLong
        # Ollama answers this if a vector contains NaN, which some models return for some texts.
        is_refused = response.status_code in _REFUSED or "unsupported value: nan" in said.lower()
        kind = TextRefused if is_refused else EmbedderError
        raise self._failed(kind, "refused the text.", f"{response.status_code}: {said}")

    def _failed(self, kind: type[EmbedderError], what: str, said: str) -> EmbedderError:
        """Return an error with a message for users; its details, for administrators, name the server and its answer."""
        log.warning("the embedding model failed", url=self._shown, reason=said)
        return kind(f"{self._what} {what}", detail=f"{self._shown}: {said}")

    async def aclose(self) -> None:
        """Close the connections."""
        await self._client.aclose()


def _said(answer: Any) -> str:
    """Return the message of an error response, in any of the forms in which servers wrap it."""
    for name in ("error", "message", "detail"):
        if isinstance(answer, dict) and name in answer:
            answer = answer[name]
    return sanitize(str(answer))[:300]


def unit_vectors(found: Any, count: int, dimensions: int | None, what: str) -> list[list[float]]:
    """Validate the vectors of an answer, and return them scaled to length one.

    Raises:
        EmbedderError: if it is not one vector of numbers for each text, all with the expected number of dimensions.
    """
    if not isinstance(found, list) or len(found) != count:
        raise EmbedderError(f"{what} did not return one vector for each text.")
    return [_unit(vector, dimensions, what) for vector in found]


def _unit(vector: Any, dimensions: int | None, what: str) -> list[float]:
    is_vector = isinstance(vector, list) and vector and all(isinstance(value, (int, float)) for value in vector)
    if not is_vector or not all(math.isfinite(value) for value in vector):
        raise TextRefused(f"{what} returned an invalid vector.")
    if dimensions is not None and len(vector) != dimensions:
        raise EmbedderError(f"{what} returned vectors of {len(vector)} dimensions instead of {dimensions}.")
    return _scaled(vector)


def _scaled(vector: Sequence[float]) -> list[float]:
    length = math.sqrt(sum(value * value for value in vector))
    return [value / length for value in vector] if length else [0.0] * len(vector)
