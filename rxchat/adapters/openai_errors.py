"""Maps the errors of OpenAI's client to ModelError: a sentence for users, and details for administrators and the log."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import httpx2
import openai

from rxchat.adapters.limited_responses import TooLong
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

_FILTERED = "The provider's content filter ended this answer. The text so far is kept."
_UNKNOWN = "The model {model} is no longer available. Choose another one, or ask an administrator."
_KEY = "The provider of {model} refused RxChat's key. Choose another model, or ask an administrator."
_LIMITED = "The provider of {model} is busy, or its quota is used up. Try again later, or choose another model."
_TOO_LONG = "This conversation is too long for {model}. Begin a new one, or choose another model."
# Parts of messages by which servers say it.
_LONG_WORDS = (
    "context length",
    "context_length",
    "maximum context",
    "context window",
    "too many tokens",
    "context size",
)
_REFUSED_INPUT = frozenset({400, 422})
_STATUSES = {401: _KEY, 402: _LIMITED, 413: _TOO_LONG, 429: _LIMITED}


@contextmanager
def translated(host: str, model: str, begun: Sequence[bool] = ()) -> Iterator[None]:
    """Map each error that the client raises to a ModelError; `begun` is not empty after the first token."""
    try:
        yield
    except ModelError:
        raise
    except openai.APIStatusError as error:
        raise _status_error(host, model, error) from error
    except (openai.APIConnectionError, httpx2.TransportError) as error:
        cause = error.__cause__ or error
        if not begun:
            raise away(host, cause) from error
        raise logged(
            InvalidModelResponse(KEEPS, detail=f"The connection to {host} broke ({reason_of(cause)}).")
        ) from error
    except openai.APIResponseValidationError as error:
        raise _garbled(host, error) from error
    except openai.APIError as error:
        # An error in the stream, which has no status of its own.
        said = _sentence(error.body) or on_one_line(str(error.message))[:300]
        raise logged(InvalidModelResponse(_known(said, BROKE, model), detail=f"{host} said: {said}")) from error
    except TooLong as error:
        raise logged(InvalidModelResponse(GARBLED, detail=f"{host} sent over {error} MB at once.")) from error
    except (openai.OpenAIError, httpx2.HTTPError, ValueError, TypeError, AttributeError, OverflowError) as error:
        raise _garbled(host, error) from error


def away(host: str, error: BaseException) -> ModelHostUnavailable:
    """Return the error for a host that does not respond."""
    return logged(ModelHostUnavailable(AWAY, detail=f"{host} does not respond ({reason_of(error)})."))


def stopped(host: str) -> InvalidModelResponse:
    """Return the error for an answer without an end."""
    return logged(InvalidModelResponse(STOPPED, detail=f"{host} closed the connection without finish_reason."))


def filtered(host: str) -> InvalidModelResponse:
    """Return the error for an answer that the provider's filter has cut."""
    return logged(InvalidModelResponse(_FILTERED, detail=f"{host} sent the finish_reason content_filter."))


def _garbled(host: str, error: BaseException) -> InvalidModelResponse:
    detail = f"{host} sent something other than OpenAI's protocol ({reason_of(error)})."
    return logged(InvalidModelResponse(GARBLED, detail=detail))


def _status_error(host: str, model: str, error: openai.APIStatusError) -> ModelError:
    status, said = error.status_code, _sentence(error.body) or "no reason given"
    # Refusals of an input quote it, and the log must not.
    is_quoting = status in _REFUSED_INPUT
    detail = f"{host} answered {status}: {error.code or error.type or 'invalid' if is_quoting else said}"
    if status == httpx2.codes.NOT_FOUND and model:
        return logged(ModelUnknown(_UNKNOWN.replace("{model}", model), detail=detail))
    if status >= httpx2.codes.INTERNAL_SERVER_ERROR:
        return logged(ModelError(_known(said, FAILED, model), detail=detail))
    return logged(ModelRefused(_known(said, _STATUSES.get(status, REFUSED), model), detail=detail))


def _known(said: str, otherwise: str, model: str) -> str:
    is_too_long = any(words in said.lower() for words in _LONG_WORDS)
    return (_TOO_LONG if is_too_long else otherwise).replace("{model}", model or "the model")


def _sentence(body: Any) -> str:
    """Return the message of an error's body, in any of the forms in which servers wrap it."""
    for name in ("error", "message", "detail"):
        if isinstance(body, dict) and name in body:
            body = body[name]
    text = body if isinstance(body, str) else json.dumps(body) if body else ""
    return on_one_line(text)[:300]
