"""Maps the errors of Ollama's client, httpx and aiohttp to ModelErrors.

Users see the message, which names no address and quotes no daemon. The daemon's address and words are in `detail`,
for administrators and the log.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from urllib.parse import urlsplit

import aiohttp
import httpx
import ollama

from rxchat.adapters.model_errors import (
    AWAY,
    BROKE,
    FAILED,
    GARBLED,
    KEEPS,
    REFUSED,
    STOPPED,
    logged,
    on_one_line,
    reason_of,
)
from rxchat.domain.errors import InvalidModelResponse, ModelError, ModelHostUnavailable, ModelRefused, ModelUnknown

_ELSEWHERE = (
    "{model} runs on a service outside of this network, which refused the request: it needs a {what} there. Choose another"
    " model, or ask an administrator."
)
# Known errors of daemons, and the messages that users see.
_KNOWN = (
    ("requires a subscription", _ELSEWHERE.replace("{what}", "subscription")),
    ("unauthorized", _ELSEWHERE.replace("{what}", "sign-in")),
    ("does not support tools", "{model} cannot use tools. Choose another model."),
    ("does not support thinking", "{model} does not support reasoning. Choose another model."),
    ("does not support chat", "{model} is an embedding model and cannot chat. Choose another model."),
    ("more system memory", "{model} needs more memory than its host has. Choose a smaller model."),
    ("maximum pending requests", "The model host is busy with too many requests. Try again in a moment."),
)


@contextmanager
def translated(host: str, model: str, begun: Sequence[bool] = ()) -> Iterator[None]:
    """Map each error that the clients raise to a ModelError; `begun` is not empty after the first token."""
    try:
        yield
    except ModelError:
        raise
    except ollama.ResponseError as error:
        raise _response_error(host, model, error) from error
    except (ConnectionError, httpx.ConnectError, httpx.ConnectTimeout, aiohttp.ClientConnectorError) as error:
        raise away(host, error) from error
    except httpx.HTTPStatusError as error:
        status = error.response.status_code
        raise logged(ModelRefused(GARBLED, detail=f"{host} answered with status {status}; is it Ollama?")) from error
    except (httpx.TransportError, aiohttp.ClientConnectionError, aiohttp.ClientPayloadError) as error:
        if not begun:
            # A pooled connection that the daemon had closed: it was unavailable before the request.
            raise away(host, error) from error
        detail = f"The connection to {host} broke during the answer ({reason_of(error)})."
        raise logged(InvalidModelResponse(KEEPS, detail=detail)) from error
    except (json.JSONDecodeError, UnicodeDecodeError, httpx.RequestError, aiohttp.ClientError) as error:
        detail = f"{host} sent something other than Ollama's protocol ({reason_of(error)}); is it Ollama?"
        raise logged(InvalidModelResponse(GARBLED, detail=detail)) from error
    except (ValueError, TypeError, AttributeError, OverflowError) as error:
        # Well-formed lines that are no answers: wrong fields (pydantic's ValidationError), or no object at all.
        detail = f"{host} sent an invalid response ({reason_of(error)}); is its version supported?"
        raise logged(InvalidModelResponse(GARBLED, detail=detail)) from error


def away(host: str, error: BaseException) -> ModelHostUnavailable:
    """Return the error for a host that does not respond."""
    return logged(
        ModelHostUnavailable(AWAY, detail=f"{host} does not respond ({reason_of(error)}). Is Ollama running there?")
    )


def line_too_long(host: str, megabytes: int) -> InvalidModelResponse:
    """Return the error for a line that exceeds the limit."""
    return logged(InvalidModelResponse(GARBLED, detail=f"{host} sent a line of over {megabytes} MB; is it Ollama?"))


def stopped(host: str) -> InvalidModelResponse:
    """Return the error for an answer that ends without its last line."""
    return logged(
        InvalidModelResponse(
            STOPPED,
            detail=f"{host} closed the connection without a last line.",
        )
    )


def _response_error(host: str, model: str, error: ollama.ResponseError) -> ModelError:
    said, status = _sentence(error.error), error.status_code
    detail = f"{host} answered {status if status > 0 else 'in its stream'}: {said}"
    known = next((words for part, words in _KNOWN if part in said.lower()), None)
    if status == httpx.codes.NOT_FOUND:
        message = (
            f"The model {model} is no longer installed. Choose another one, or ask an administrator to install it."
        )
        return logged(ModelUnknown(message, detail=f"{detail}. Get it there with: ollama pull {model}"))
    if known is None and status in {httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN}:
        known = _ELSEWHERE.replace("{what}", "sign-in or a subscription")
    if status in {-1, httpx.codes.OK}:
        # An error line inside a stream that began with 200 carries no status of its own.
        made: ModelError = InvalidModelResponse(_named(known, model) or BROKE, detail=detail)
    elif status >= httpx.codes.INTERNAL_SERVER_ERROR:
        made = ModelError(_named(known or FAILED, model), detail=detail)
    else:
        made = ModelRefused(_named(known or REFUSED, model), detail=detail)
    return logged(made)


def _named(words: str | None, model: str) -> str:
    return words.replace("{model}", model or "The model") if words else ""


def _sentence(raw: str) -> str:
    """Return the daemon's message; some are a JSON document nested in a string."""
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
    return on_one_line(text)[:300] or "no reason given"


def short(host: str) -> str:
    """Return a host's name and port, for the log."""
    return urlsplit(host).netloc or host
