"""What the adapters of chat models share about failures: sentences for users, reasons for administrators, one line of the log."""

from __future__ import annotations

import re
from typing import TypeVar

import structlog

from rxchat.adapters.known_secrets import without_secrets
from rxchat.domain.errors import ModelError
from rxchat.domain.text import sanitize

Failure = TypeVar("Failure", bound=ModelError)

log = structlog.get_logger(__name__)

AWAY = "The model host does not respond. Try again in a moment, or ask an administrator."
BROKE = "The model failed during the answer. The text so far is kept. Try again, or choose another model."
FAILED = "{model} failed on its host. Try again, choose another model, or ask an administrator."
GARBLED = "The model host sent an invalid response. Ask an administrator to check it."
KEEPS = "The connection to the model broke during the answer. The text so far is kept."
REFUSED = "{model} refused this request. Choose another model, or ask an administrator."
STOPPED = "The model stopped during the answer. The text so far is kept."


def logged(error: Failure) -> Failure:
    """Log a failure with its details, and return it."""
    log.warning("the model host failed", code=error.code, reason=error.detail)
    return error


def reason_of(error: BaseException) -> str:
    """Return why a client failed, on one line."""
    # Not str(error): that of some aiohttp errors fails without their connection.
    words = getattr(error, "strerror", None) or " ".join(str(part) for part in error.args if isinstance(part, str))
    return on_one_line(str(words))[:200] or type(error).__name__


def on_one_line(text: str) -> str:
    """Return a text of a host on one line, without characters that cannot be stored, and without keys of providers."""
    return without_secrets(sanitize(re.sub(r"\s+", " ", text).strip()))
