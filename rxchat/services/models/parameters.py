"""Refuses parameters that a model's provider does not take, before it is asked: they would be lost without a word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rxchat.domain.chat import ChatOptions
from rxchat.domain.errors import InvalidInput, ModelRefused
from rxchat.domain.model_parameters import objection, options_of, set_names, valid_parameters
from rxchat.domain.ports import ChatModel


async def taken(provider: ChatModel, model: str, given: Mapping[str, Any] | None) -> dict[str, Any]:
    """Return parameters for a message as they are stored.

    Raises:
        InvalidInput: when one is not allowed, or the model does not take it.
    """
    if not given:
        return {}
    parameters = valid_parameters(given)
    await require_taken(provider, model, options_of(parameters))
    return parameters


async def require_taken(provider: ChatModel, model: str, options: ChatOptions) -> None:
    """Require that a model takes these options.

    Raises:
        InvalidInput: names the first one that it does not take, with its name as the field.
    """
    found = await _objection(provider, model, options)
    if found is not None:
        name, sentence = found
        raise InvalidInput(sentence, field=name)


async def require_answerable(provider: ChatModel, model: str, options: ChatOptions) -> None:
    """Require the same for an answer that is about to be written.

    Raises:
        ModelRefused: which the answer shows.
    """
    found = await _objection(provider, model, options)
    if found is not None:
        raise ModelRefused(found[1])


async def _objection(provider: ChatModel, model: str, options: ChatOptions) -> tuple[str, str] | None:
    if not set_names(options):
        return None
    return objection(model, options, await provider.parameters(model))
