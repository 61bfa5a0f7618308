"""What errors of hosted models mean, whichever client they came through: a sentence for users, details for administrators."""

from __future__ import annotations

import json
from typing import Any

import httpx2

from rxchat.adapters.model_errors import AWAY, FAILED, GARBLED, REFUSED, STOPPED, logged, on_one_line, reason_of
from rxchat.domain.errors import InvalidModelResponse, ModelError, ModelHostUnavailable, ModelRefused, ModelUnknown

_FILTERED = "The provider's content filter ended this answer. The text so far is kept."
_UNKNOWN = "The model {model} is no longer available. Choose another one, or ask an administrator."
_KEY = "The provider of {model} refused RxChat's key. Choose another model, or ask an administrator."
_LIMITED = "The provider of {model} is busy, or its quota is used up. Try again later, or choose another model."
_TOO_LONG = "This conversation is too long for {model}. Begin a new one, or choose another model."
# Parts of messages by which servers say it.
_LONG_WORDS = (
    "prompt is too long",
    "context length",
    "context_length",
    "maximum context",
    "context window",
    "too many tokens",
    "context size",
)
_REFUSED_INPUT = frozenset({400, 422})
_STATUSES = {401: _KEY, 402: _LIMITED, 413: _TOO_LONG, 429: _LIMITED, 529: _LIMITED}


def away(host: str, error: BaseException) -> ModelHostUnavailable:
    """Return the error for a host that does not respond."""
    return logged(ModelHostUnavailable(AWAY, detail=f"{host} does not respond ({reason_of(error)})."))


def stopped(host: str, field: str) -> InvalidModelResponse:
    """Return the error for an answer without an end, which is the field of this name."""
    return logged(InvalidModelResponse(STOPPED, detail=f"{host} closed the connection without {field}."))


def filtered(host: str, reason: str) -> InvalidModelResponse:
    """Return the error for an answer that the provider's filter has cut, for this reason."""
    return logged(InvalidModelResponse(_FILTERED, detail=f"{host} ended the answer with {reason}."))


def garbled(host: str, protocol: str, error: BaseException) -> InvalidModelResponse:
    """Return the error for a host that does not speak a protocol."""
    detail = f"{host} sent something other than {protocol} ({reason_of(error)})."
    return logged(InvalidModelResponse(GARBLED, detail=detail))


def too_long(host: str, error: Exception) -> InvalidModelResponse:
    """Return the error for a response that exceeds a limit (see TooLong)."""
    return logged(InvalidModelResponse(GARBLED, detail=f"{host} sent over {error} MB at once."))


def status_error(host: str, model: str, status: int, body: Any, kind: str) -> ModelError:
    """Return the error for a status of HTTP, with the body of the response and the kind that it names."""
    said = sentence_of(body) or "no reason given"
    # Refusals of an input quote it, and the log must not.
    is_quoting = status in _REFUSED_INPUT
    detail = f"{host} answered {status}: {kind or 'invalid' if is_quoting else said}"
    if status == httpx2.codes.NOT_FOUND and model:
        return logged(ModelUnknown(_UNKNOWN.replace("{model}", model), detail=detail))
    if status >= httpx2.codes.INTERNAL_SERVER_ERROR:
        return logged(ModelError(known_words(said, _STATUSES.get(status, FAILED), model), detail=detail))
    return logged(ModelRefused(known_words(said, _STATUSES.get(status, REFUSED), model), detail=detail))


def known_words(said: str, otherwise: str, model: str) -> str:
    """Return the sentence for what a host said, if it is known by its words."""
    is_too_long = any(words in said.lower() for words in _LONG_WORDS)
    return (_TOO_LONG if is_too_long else otherwise).replace("{model}", model or "the model")


def sentence_of(body: Any) -> str:
    """Return the message of an error's body, in any of the forms in which servers wrap it."""
    for name in ("error", "message", "detail"):
        if isinstance(body, dict) and name in body:
            body = body[name]
    text = body if isinstance(body, str) else json.dumps(body) if body else ""
    return on_one_line(text)[:300]
