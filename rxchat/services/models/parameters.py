"""Refuses parameters that a model's provider does not take, before it is asked: they would be lost without a word."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import is_permitted
from rxchat.domain.chat import ChatOptions
from rxchat.domain.errors import InvalidInput, ModelRefused
from rxchat.domain.model_parameters import ParameterSupport, excess, objection, options_of, set_names, valid_parameters
from rxchat.domain.permissions import Permission
from rxchat.domain.ports import ChatModel


async def taken(
    provider: ChatModel, model: str, given: Mapping[str, Any] | None, current_user: CurrentUser
) -> dict[str, Any]:
    """Return parameters for a message as they are stored.

    Raises:
        InvalidInput: when one is not allowed, or the model does not take it.
    """
    if not given:
        return {}
    parameters = valid_parameters(given)
    await require_taken(provider, model, options_of(parameters), current_user)
    return parameters


async def require_taken(provider: ChatModel, model: str, options: ChatOptions, current_user: CurrentUser) -> None:
    """Require that a model takes these options, and that the user may set them.

    Raises:
        InvalidInput: names the first one that it does not take, with its name as the field.
    """
    if not set_names(options):
        return
    support = await provider.parameters(model)
    found = objection(model, options, support)
    if found is None and not is_permitted(current_user, Permission.MODELS_MANAGE):
        found = excess(options, support)
    if found is not None:
        name, sentence = found
        raise InvalidInput(sentence, field=name)


async def support_for(provider: ChatModel, model: str, options: ChatOptions) -> ParameterSupport | None:
    """Return what a model takes, of which these options for an answer are a part; None if no option is set.

    Raises:
        ModelRefused: if it does not take one, which the answer shows.
    """
    if not set_names(options):
        return None
    support = await provider.parameters(model)
    found = objection(model, options, support)
    if found is not None:
        raise ModelRefused(found[1])
    return support
