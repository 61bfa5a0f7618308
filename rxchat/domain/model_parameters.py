"""Parameters of answers: what users may set, its limits, and what a model's provider takes of it.

A set of parameters is a dictionary with the names of `ChatOptions`' fields, as JSON stores it. It contains only what was set: what is
missing is left to the assistant, to the model's defaults, and at last to its host.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from rxchat.domain.chat import ChatMessage, ChatOptions, Role
from rxchat.domain.errors import InvalidInput
from rxchat.domain.text import limited_text, sanitize

SYSTEM_PROMPT_CHARACTERS = 8_000
"""The maximum length of a system prompt, which is a part of each prompt: about 2,000 tokens."""
MOST_STOPS = 8
STOP_CHARACTERS = 100
_KEEP_ALIVE_HOURS = 24
_USERS_KEEP_ALIVE_SECONDS = 3_600
_UNITS = {"s": 1, "m": 60, "h": 3_600}
_DURATION = re.compile(r"(\d{1,6})([smh])")


class Effort(StrEnum):
    """How much a model reasons before it answers."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


@dataclass(frozen=True, slots=True)
class Parameter:
    """A parameter, as a form shows it."""

    name: str
    label: str
    help: str
    least: float | None = None
    most: float | None = None
    is_integer: bool = False


PARAMETERS = (
    Parameter("temperature", "Temperature", "0 for the likeliest words, 1 for varied ones.", 0, 2),
    Parameter("top_p", "Top P", "The share of likely words to choose from.", 0, 1),
    Parameter("top_k", "Top K", "The number of likely words to choose from.", 1, 1_000, is_integer=True),
    Parameter(
        "seed", "Seed", "The same number gives the same answer to the same words.", 0, 2**31 - 1, is_integer=True
    ),
    Parameter(
        "max_tokens", "Longest answer", "In tokens: a token is about 4 characters.", 1, 1_000_000, is_integer=True
    ),
    Parameter("num_ctx", "Context", "Tokens that the model reads at once.", 512, 1_048_576, is_integer=True),
    Parameter("keep_alive", "Keep loaded", "How long the model stays in memory, as 10m or 2h."),
    Parameter("reasoning_effort", "Reasoning", "How much the model thinks before it answers."),
    Parameter("stop", "Stop at", f"Texts that end the answer, one on each line, at most {MOST_STOPS}."),
)
_BY_NAME = {parameter.name: parameter for parameter in PARAMETERS}
_LABELS = {item.name: item.label for item in PARAMETERS} | {
    "presence_penalty": "Presence penalty",
    "frequency_penalty": "Frequency penalty",
    "schema": "A JSON schema",
}


@dataclass(frozen=True, slots=True)
class Configuration:
    """How answers are to be, as it is set for a conversation or, by administrators, for a model."""

    system_prompt: str = ""
    parameters: Mapping[str, Any] = field(default_factory=dict)

    @property
    def is_empty(self) -> bool:
        """Whether nothing is set."""
        return not self.system_prompt and not self.parameters


@dataclass(frozen=True, slots=True)
class ParameterSupport:
    """Which parameters a model's provider takes."""

    names: frozenset[str]
    efforts: frozenset[Effort] = frozenset(Effort)
    """The values of `reasoning_effort`, if it takes that."""
    most_stops: int = MOST_STOPS
    reason: str = ""
    """Why it does not take some of the efforts, as a sentence."""
    most_context: int | None = None
    """How many tokens of context users may ask for who do not manage models; None: any number."""


def valid_parameters(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters as they are stored, without those that are not set (None, an empty text, no texts).

    Raises:
        InvalidInput: when one is unknown, or its value is not allowed; with its name as the field.
    """
    unknown = next((name for name in given if name not in _BY_NAME), None)
    if unknown is not None:
        raise InvalidInput(f"There is no parameter {sanitize(unknown)[:80]}.", field=sanitize(unknown)[:80])
    found = {name: _valid(_BY_NAME[name], given[name]) for name in _BY_NAME if not _is_unset(given.get(name))}
    return {name: value for name, value in found.items() if value not in (None, [], "")}


def valid_system_prompt(text: str) -> str:
    """Return a system prompt without surrounding space.

    Raises:
        InvalidInput: when it is too long.
    """
    return limited_text(text, SYSTEM_PROMPT_CHARACTERS, "system_prompt")


def _is_unset(value: Any) -> bool:
    return value is None or value == [] or (isinstance(value, str) and not value.strip())


def _valid(parameter: Parameter, value: Any) -> Any:
    match parameter.name:
        case "stop":
            return _stops(value)
        case "keep_alive":
            return _duration(value)
        case "reasoning_effort":
            if not isinstance(value, str) or value not in set(Effort):
                raise InvalidInput(f"Choose one of: {', '.join(Effort)}.", field=parameter.name)
            return value
        case _:
            return _number(parameter, value)


def _number(parameter: Parameter, value: Any) -> float | int:
    least, most = parameter.least or 0, parameter.most or 0
    kind = "a whole number" if parameter.is_integer else "a number"
    words = f"{parameter.label}: enter {kind} from {least:,} to {most:,}."
    try:
        number = float(value) if not isinstance(value, bool) else None
    except (TypeError, ValueError, OverflowError):
        number = None
    # NaN is in no range.
    if number is None or not least <= number <= most or (parameter.is_integer and number != int(number)):
        raise InvalidInput(words, field=parameter.name)
    return int(number) if parameter.is_integer else number


def _stops(value: Any) -> list[str]:
    given = value.replace("\r\n", "\n").split("\n") if isinstance(value, str) else value
    if not isinstance(given, list) or not all(isinstance(text, str) for text in given):
        raise InvalidInput("Stop at: enter texts.", field="stop")
    texts = list(dict.fromkeys(sanitize(text) for text in given if text))
    if len(texts) > MOST_STOPS or any(len(text) > STOP_CHARACTERS for text in texts):
        raise InvalidInput(f"Stop at: at most {MOST_STOPS} texts of {STOP_CHARACTERS} characters.", field="stop")
    return texts


def _duration(value: Any) -> str:
    found = _DURATION.fullmatch(value.strip()) if isinstance(value, str) else None
    if found is None or _seconds(found[0]) > _KEEP_ALIVE_HOURS * 3_600:
        raise InvalidInput(
            f"Keep loaded: enter a time such as 30s, 10m or 2h, at most {_KEEP_ALIVE_HOURS}h.", field="keep_alive"
        )
    return found[0]


def _seconds(duration: str) -> int:
    found = _DURATION.fullmatch(duration)
    return int(found[1]) * _UNITS[found[2]] if found else 0


def valid_configuration(system_prompt: str, parameters: Mapping[str, Any]) -> Configuration:
    """Return what a user has set, as it is stored.

    Raises:
        InvalidInput: when something is not allowed, with its name as the field.
    """
    return Configuration(valid_system_prompt(system_prompt), valid_parameters(parameters))


def merged(*layers: Mapping[str, Any]) -> dict[str, Any]:
    """Return parameters of several origins together; what a later one sets replaces what an earlier one does."""
    return {name: value for layer in layers for name, value in layer.items()}


def options_of(parameters: Mapping[str, Any]) -> ChatOptions:
    """Return stored parameters as the options of a model."""
    values: dict[str, Any] = {name: value for name, value in parameters.items() if name in _BY_NAME}
    values["stop"] = tuple(values.get("stop", ()))
    return ChatOptions(**values)


def set_names(options: ChatOptions) -> list[str]:
    """Return the names of the options that are set."""
    return [name for name in ChatOptions.__dataclass_fields__ if getattr(options, name) not in (None, (), "")]


def objection(model: str, options: ChatOptions, support: ParameterSupport) -> tuple[str, str] | None:
    """Return the parameter that a model's provider does not take, and why, as a sentence; None if it takes all."""
    for name in set_names(options):
        if name not in support.names:
            return (
                name,
                f"{model} does not take the parameter “{_LABELS.get(name, name)}”. Remove it, or choose another model.",
            )
    if len(options.stop) > support.most_stops:
        return (
            "stop",
            f"{model} takes at most {support.most_stops} texts to stop at. Remove some, or choose another model.",
        )
    effort = options.reasoning_effort
    if effort and effort not in support.efforts:
        allowed = ", ".join(f"“{item}”" for item in Effort if item in support.efforts)
        why = support.reason or f"{model} does not take this effort."
        return "reasoning_effort", f"{why} Choose {allowed} for “Reasoning”, or another model."
    return None


def excess(options: ChatOptions, support: ParameterSupport) -> tuple[str, str] | None:
    """Return the parameter that only users may set who manage models, and why, as a sentence; None if there is none."""
    most = support.most_context
    if most is not None and options.num_ctx is not None and options.num_ctx > most:
        return "num_ctx", f"“Context” may be at most {most:,} tokens: more takes the host’s memory from others."
    if options.keep_alive is not None and _seconds(options.keep_alive) > _USERS_KEEP_ALIVE_SECONDS:
        return "keep_alive", "“Keep loaded” may be at most 1h: longer takes the host’s memory from others."
    return None


def without_excess(
    parameters: Mapping[str, Any], support: ParameterSupport, defaults: Mapping[str, Any]
) -> dict[str, Any]:
    """Return parameters with what exceeds the limits lowered to them, or to the defaults that administrators have set."""
    found = dict(parameters)
    if support.most_context is not None and "num_ctx" in found:
        found["num_ctx"] = min(found["num_ctx"], max(support.most_context, defaults.get("num_ctx", 0)))
    if "keep_alive" in found:
        most = max(("1h", defaults.get("keep_alive", "1h")), key=_seconds)
        found["keep_alive"] = min((found["keep_alive"], most), key=_seconds)
    return found


def words_of(parameters: Mapping[str, Any]) -> str:
    """Return parameters as a short text, such as "Temperature 0.2, Seed 7"."""
    return ", ".join(f"{_LABELS[name]} {_shown(parameters[name])}" for name in _BY_NAME if name in parameters)


def _shown(value: Any) -> str:
    return (
        ", ".join(f"“{text}”" for text in value)
        if isinstance(value, list)
        else f"{value:g}"
        if isinstance(value, float)
        else str(value)
    )


def system_messages(system_prompt: str, others: Iterable[Sequence[ChatMessage]]) -> list[ChatMessage]:
    """Return the messages before a conversation: its system prompt, and what else a model is asked to follow."""
    own = [ChatMessage(Role.SYSTEM, system_prompt)] if system_prompt else []
    return [*own, *(message for messages in others for message in messages)]
