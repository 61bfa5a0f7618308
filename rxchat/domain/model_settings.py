"""What administrators set for a model: how it is offered, and how it answers unless users set something else."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from rxchat.domain.chat import ModelInfo
from rxchat.domain.errors import InvalidInput
from rxchat.domain.model_parameters import Configuration, valid_configuration
from rxchat.domain.preferences import MODEL_CHARACTERS
from rxchat.domain.text import limited_text

LABEL_CHARACTERS = 60
DESCRIPTION_CHARACTERS = 300
MOST_FALLBACKS = 5


@dataclass(frozen=True, slots=True)
class ModelSetting:
    """What is set for one model; without anything set, it is offered as its provider names it."""

    model: str
    label: str = ""
    """The name that users see; "" for the model's own."""
    description: str = ""
    """What it is good for, for users."""
    position: int | None = None
    """Its position in the list, from 1; models without one follow in their providers' order."""
    is_hidden: bool = False
    """Whether it is left out of lists. Conversations that use it continue to."""
    is_default: bool = False
    """Whether it answers in new conversations of users who have chosen no other."""
    is_cached: bool = False
    """Whether answers to equal questions at temperature 0 are kept and given again."""
    configuration: Configuration = field(default_factory=Configuration)
    """The system prompt and parameters of answers, unless an assistant, a conversation or a message has others."""
    fallbacks: tuple[str, ...] = ()
    """The models that answer in its place, first one first, while it does not respond."""
    version: int = 0
    """Counts its changes; 0 if nothing was ever set."""


@dataclass(frozen=True, slots=True)
class ModelSettingDraft:
    """What an administrator enters for a model."""

    model: str
    label: str = ""
    description: str = ""
    is_hidden: bool = False
    is_default: bool = False
    is_cached: bool = False
    system_prompt: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)
    fallbacks: Sequence[str] = ()

    def checked(self) -> ModelSetting:
        """Return it as it is stored, without its position.

        Raises:
            InvalidInput: for the field that is wrong.
        """
        if self.is_hidden and self.is_default:
            raise InvalidInput("A hidden model cannot be the default. Choose one of the two.", field="is_hidden")
        return ModelSetting(
            model=checked_model(self.model),
            label=" ".join(limited_text(self.label, LABEL_CHARACTERS, "label").split()),
            description=" ".join(limited_text(self.description, DESCRIPTION_CHARACTERS, "description").split()),
            is_hidden=self.is_hidden,
            is_default=self.is_default,
            is_cached=self.is_cached,
            configuration=valid_configuration(self.system_prompt, self.parameters),
            fallbacks=_fallbacks(self.model, self.fallbacks),
        )


def checked_model(name: str) -> str:
    """Return the name of a model.

    Raises:
        InvalidInput: when no model has such a name.
    """
    if not name or len(name) > MODEL_CHARACTERS or not name.isprintable() or name != name.strip():
        raise InvalidInput("This is not the name of a model.", field="model")
    return name


def _fallbacks(model: str, names: Sequence[str]) -> tuple[str, ...]:
    found = tuple(dict.fromkeys(name.strip() for name in names if name.strip()))
    if len(found) > MOST_FALLBACKS:
        raise InvalidInput(f"At most {MOST_FALLBACKS} models can answer in its place.", field="fallbacks")
    if model in found:
        raise InvalidInput("Choose other models: this one cannot answer in its own place.", field="fallbacks")
    for name in found:
        try:
            checked_model(name)
        except InvalidInput as error:
            raise InvalidInput("One line is not the name of a model.", field="fallbacks") from error
    return found


def described(models: Sequence[ModelInfo], settings: Mapping[str, ModelSetting]) -> list[ModelInfo]:
    """Return models with the labels and descriptions that are set for them, in the order that is set."""

    def position(model: ModelInfo) -> tuple[bool, int]:
        found = settings.get(model.name)
        return (True, 0) if found is None or found.position is None else (False, found.position)

    return [_described(model, settings.get(model.name)) for model in sorted(models, key=position)]


def _described(model: ModelInfo, found: ModelSetting | None) -> ModelInfo:
    if found is None:
        return model
    return replace(model, label=found.label, description=found.description, is_hidden=found.is_hidden)


def moved(names: Sequence[str], model: str, step: int) -> list[str]:
    """Return the names with a model moved by some steps, at most to the first or the last position.

    Raises:
        InvalidInput: when the model is not among them.
    """
    if model not in names:
        raise InvalidInput("This model is not offered now. Reload the page.", field="model")
    order = [name for name in names if name != model]
    order.insert(min(max(names.index(model) + step, 0), len(order)), model)
    return order
