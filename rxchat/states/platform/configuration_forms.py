"""The fields of forms for a system prompt and parameters."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from rxchat.domain.model_parameters import PARAMETERS, Configuration

PARAMETER_NAMES = tuple(item.name for item in PARAMETERS)


@dataclass
class ConfigurationForm:
    """What is set, as the fields of the form show it."""

    system_prompt: str = ""
    temperature: str = ""
    top_p: str = ""
    top_k: str = ""
    seed: str = ""
    max_tokens: str = ""
    num_ctx: str = ""
    keep_alive: str = ""
    reasoning_effort: str = ""
    stop: str = ""


def form_of(found: Configuration) -> ConfigurationForm:
    """Return what is set as the fields of a form show it."""
    said = {name: _shown(found.parameters[name]) for name in PARAMETER_NAMES if name in found.parameters}
    return ConfigurationForm(system_prompt=found.system_prompt, **said)


def _shown(value: Any) -> str:
    return "\n".join(value) if isinstance(value, list) else f"{value:g}" if isinstance(value, float) else str(value)
