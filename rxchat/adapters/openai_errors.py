"""Maps the errors of OpenAI's client to ModelError: a sentence for users, and details for administrators and the log."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import httpx2
import openai

from rxchat.adapters.limited_responses import TooLong
from rxchat.adapters.model_errors import BROKE, KEEPS, logged, on_one_line, reason_of
from rxchat.adapters.provider_errors import away, garbled, known_words, sentence_of, status_error, too_long
from rxchat.domain.errors import InvalidModelResponse, ModelError

PROTOCOL = "OpenAI's protocol"


@contextmanager
def translated(host: str, model: str, begun: Sequence[bool] = ()) -> Iterator[None]:
    """Map each error that the client raises to a ModelError; `begun` is not empty after the first token."""
    try:
        yield
    except ModelError:
        raise
    except openai.APIStatusError as error:
        raise status_error(host, model, error.status_code, error.body, _kind(error)) from error
    except (openai.APIConnectionError, httpx2.TransportError) as error:
        cause = error.__cause__ or error
        if not begun:
            raise away(host, cause) from error
        raise logged(
            InvalidModelResponse(KEEPS, detail=f"The connection to {host} broke ({reason_of(cause)}).")
        ) from error
    except openai.APIResponseValidationError as error:
        raise garbled(host, PROTOCOL, error) from error
    except openai.APIError as error:
        # An error in the stream, which has no status of its own.
        said = sentence_of(error.body) or on_one_line(str(error.message))[:300]
        raise logged(InvalidModelResponse(known_words(said, BROKE, model), detail=f"{host} said: {said}")) from error
    except TooLong as error:
        raise too_long(host, error) from error
    except (
        openai.OpenAIError,
        httpx2.HTTPError,
        ValueError,
        TypeError,
        AttributeError,
        OverflowError,
        RecursionError,
    ) as error:
        raise garbled(host, PROTOCOL, error) from error


def _kind(error: openai.APIStatusError) -> str:
    # One of its subclasses lacks both.
    return getattr(error, "code", None) or getattr(error, "type", None) or ""
