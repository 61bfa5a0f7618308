"""The models that answer instead of one that is not available, as administrators have set them."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rxchat.domain.chat import ChatOptions, ModelInfo
from rxchat.domain.errors import ModelError, ModelRefused, QuotaExceeded
from rxchat.domain.model_parameters import ParameterSupport, objection

ANY_MODEL = "*"
"""The key of the fallbacks of all models."""
_NOTE = "Answered by {answered}, since {asked} was not available."
_IS_NOTE = re.compile(r"Answered by .+, since .+ was not available\.")


def parsed_fallbacks(value: object) -> object:
    """Return the fallbacks that a setting names, as JSON: {"model": ["first fallback", "second"]}.

    Raises:
        ValueError: when it is something else.
    """
    if not isinstance(value, str):
        return value
    try:
        found = json.loads(value or "{}")
    except ValueError:
        found = None
    is_valid = isinstance(found, dict) and all(
        isinstance(names, list) and all(isinstance(name, str) and name for name in names) for names in found.values()
    )
    if not is_valid:
        raise ValueError('must be JSON like {"llama3.3:70b": ["gpu/llama-3.3", "llama3.2"]}')
    return found


def note_of(asked: str, answered: str) -> str:
    """Return the sentence below an answer of a fallback model."""
    return _NOTE.format(asked=asked, answered=answered)


def is_note(text: str) -> bool:
    """Whether a warning of an answer says which model answered."""
    return _IS_NOTE.fullmatch(text) is not None


def may_fall_back(error: ModelError) -> bool:
    """Whether another model may answer after this failure: its host failed, and neither it nor a quota refused the request."""
    return not isinstance(error, (ModelRefused, QuotaExceeded))


def usable_fallbacks(model: str, wanted: Sequence[str], offered: Mapping[str, ModelInfo]) -> list[str]:
    """Return the fallbacks that are offered. One outside of this network never replaces one inside: the user chooses."""
    asked = offered.get(model)
    may_leave = asked is not None and bool(asked.remote_host)
    usable = (name for name in dict.fromkeys(wanted) if name != model and name in offered)
    return [name for name in usable if may_leave or not offered[name].remote_host]


def without_objections(model: str, options: ChatOptions, support: ParameterSupport) -> ChatOptions:
    """Return the options that a fallback takes; the others were set for another model."""
    while (found := objection(model, options, support)) is not None:
        options = replace(options, **{found[0]: () if found[0] == "stop" else None})
    return options
