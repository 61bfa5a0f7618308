"""Maps the errors of Anthropic's client to ModelError: a sentence for users, and details for administrators and the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import anthropic
import httpx2

from rxchat.adapters.limited_responses import TooLong
from rxchat.adapters.model_errors import BROKE, KEEPS, logged, reason_of
from rxchat.adapters.provider_errors import away, garbled, known_words, sentence_of, status_error, too_long
from rxchat.domain.errors import InvalidModelResponse, ModelError

PROTOCOL = "Anthropic's protocol"
_STATUSES = {
    "invalid_request_error": 400,
    "authentication_error": 401,
    "billing_error": 402,
    "permission_error": 403,
    "not_found_error": 404,
    "request_too_large": 413,
    "rate_limit_error": 429,
    "overloaded_error": 529,
}
"""What an error in a stream would have been as a status: https://platform.claude.com/docs/en/api/errors."""


@contextmanager
def translated(host: str, model: str, begun: Sequence[bool] = ()) -> Iterator[None]:
    """Map each error that the client raises to a ModelError; `begun` is not empty after the first token."""
    try:
        yield
    except ModelError:
        raise
    except anthropic.APIStatusError as error:
        kind = _kind(error.body)
        if begun:
            said = sentence_of(error.body) or kind
            broke = InvalidModelResponse(known_words(said, BROKE, model), detail=f"{host} said: {said}")
            raise logged(broke) from error
        is_error = error.status_code >= httpx2.codes.BAD_REQUEST
        status = error.status_code if is_error else _STATUSES.get(kind, 500)
        raise status_error(host, model, status, error.body, kind) from error
    except (anthropic.APIConnectionError, httpx2.TransportError) as error:
        cause = error.__cause__ or error
        if isinstance(cause, TooLong):
            raise too_long(host, cause) from error
        is_lost = isinstance(cause, (httpx2.TransportError, anthropic.APIConnectionError, OSError))
        if isinstance(error, anthropic.APIConnectionError) and not is_lost:
            # The client calls every exception of the transport a lost connection.
            raise garbled(host, PROTOCOL, cause) from error
        if not begun:
            raise away(host, cause) from error
        raise logged(
            InvalidModelResponse(KEEPS, detail=f"The connection to {host} broke ({reason_of(cause)}).")
        ) from error
    except TooLong as error:
        raise too_long(host, error) from error
    except (
        anthropic.AnthropicError,
        httpx2.HTTPError,
        ValueError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise garbled(host, PROTOCOL, error) from error


def _kind(body: Any) -> str:
    found = body.get("error") if isinstance(body, dict) else None
    return str(found.get("type") or "")[:80] if isinstance(found, dict) else ""
