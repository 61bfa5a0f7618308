"""Requests to models and their responses: the values that pass through the ChatModel port."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """The author of a message, with the names that chat APIs use."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """A tool that a model may call while it answers."""

    name: str
    description: str
    parameters: dict[str, Any]
    """Its parameters, as a JSON schema of an object."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model's call of a tool."""

    name: str
    arguments: dict[str, Any]
    id: str = ""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """A message as a model receives it (a stored one is a Message)."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    """The tools that the assistant called in this message."""
    tool_name: str = ""
    """For a tool's message: the tool that returned it."""
    images: tuple[bytes, ...] = ()
    """Pictures for a vision model."""


@dataclass(frozen=True, slots=True)
class ChatOptions:
    """How a model is to answer; what is None or empty is left to its host."""

    temperature: float | None = None
    top_p: float | None = None
    presence_penalty: float | None = None
    frequency_penalty: float | None = None
    seed: int | None = None
    max_tokens: int | None = None
    stop: tuple[str, ...] = ()
    """Texts at which the answer ends, without them."""
    top_k: int | None = None
    num_ctx: int | None = None
    """How many tokens the model reads at once; for hosts that load models for a length."""
    keep_alive: str | None = None
    """How long its host keeps the model in memory after the answer, such as "10m"."""
    reasoning_effort: str | None = None
    """How much the model reasons: none, low, medium or high."""
    schema: dict[str, Any] | None = None
    """The JSON schema of the answer; an empty one: any JSON object."""


NO_OPTIONS = ChatOptions()


@dataclass(frozen=True, slots=True)
class PreparedPrompt:
    """What a model is about to be sent."""

    messages: list[ChatMessage]
    """Those that fit into its context."""
    context_tokens: int = 0
    """How much it reads at once; 0 if its host does not say it."""
    digest: str = ""
    """The digest of the model, where its host has one."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that a provider offers."""

    name: str
    host: str
    """The provider's address as the operator wrote it, for display."""
    size_bytes: int = 0
    parameters: str = ""
    """Parameter count as the provider writes it, such as "135M"."""
    context_tokens: int = 0
    capabilities: frozenset[str] = frozenset()
    """Capabilities in Ollama's terms: completion, embedding, tools, thinking, vision."""
    is_demo: bool = False
    """True for the small model that comes with RxChat."""
    remote_host: str = ""
    """The service that runs the model, if its host only forwards requests ("ollama.com")."""
    digest: str = ""
    """What identifies exactly this model, where its host says it."""
    is_allowed: bool = True
    """False for a model outside of this network that no administrator has allowed."""
    family: str = ""
    """The architecture, such as "llama"."""
    quantization: str = ""
    """How its weights are stored, such as "Q4_K_M"."""
    label: str = ""
    """The name that administrators gave it; "" if none."""
    description: str = ""
    """What it is good for, in administrators' words."""
    is_hidden: bool = False
    """Whether administrators left it out of lists."""

    @property
    def title(self) -> str:
        """The name that users see."""
        return self.label or self.name

    @property
    def detail(self) -> str:
        """Its size and what it can do, in words, to be shown beside its name."""
        size = f"{self.size_bytes / 1e9:.1f} GB" if self.size_bytes >= 1e8 else ""
        skills = ", ".join(sorted(self.capabilities & {"tools", "thinking", "vision"}))
        where = f"runs outside of this network ({self.remote_host})" if self.remote_host else ""
        parts = ("demo" if self.is_demo else "", where, self.parameters, size, skills)
        return " · ".join(part for part in parts if part)

    @property
    def can_chat(self) -> bool:
        """Whether the model can be used for conversations; True for hosts too old to report capabilities."""
        return self.is_allowed and self.is_chat_model

    @property
    def is_chat_model(self) -> bool:
        """Whether it is a chat model, allowed or not."""
        return not self.capabilities or "completion" in self.capabilities


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next piece of a model's reasoning before its answer."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerFinished:
    """The end of an answer: why the model stopped, and its statistics."""

    reason: str
    """Ollama's done_reason: "stop", or "length" when the context or the limit was reached."""
    prompt_tokens: int = 0
    answer_tokens: int = 0
    load_seconds: float = 0.0
    prompt_seconds: float = 0.0
    answer_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The model calls a tool and ends; the caller sends the result in another request."""

    call: ToolCall


ChatEvent = TextDelta | ReasoningDelta | ToolCalled | AnswerFinished
