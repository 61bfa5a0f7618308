"""What a model is asked and what it says: the values that pass through the ChatModel port."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Any


class Role(StrEnum):
    """Who says a message, in the words of every chat API."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"
    TOOL = "tool"


@dataclass(frozen=True, slots=True)
class ToolSpec:
    """Something that a model may ask for while it answers."""

    name: str
    description: str
    parameters: dict[str, Any]
    """What it takes, as a JSON schema of an object."""


@dataclass(frozen=True, slots=True)
class ToolCall:
    """A model asks for something."""

    name: str
    arguments: dict[str, Any]
    id: str = ""


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message as a model sees it (a stored one is a Message)."""

    role: Role
    content: str
    tool_calls: tuple[ToolCall, ...] = ()
    """What the assistant has asked for."""
    tool_name: str = ""
    """Whose result a tool's message is."""
    images: tuple[bytes, ...] = ()
    """Pictures for a model that can see."""


@dataclass(frozen=True, slots=True)
class ModelInfo:
    """A model that a provider offers."""

    name: str
    host: str
    """The provider's address as the operator wrote it, for people to read."""
    size_bytes: int = 0
    parameters: str = ""
    """Parameter count as the provider writes it, such as "135M"."""
    context_tokens: int = 0
    capabilities: frozenset[str] = frozenset()
    """Ollama's words: completion, embedding, tools, thinking, vision."""
    is_demo: bool = False
    """True for the small model that RxChat brings along to prove the path."""
    remote_host: str = ""
    """Where it really runs, when its host only passes requests on ("ollama.com")."""
    is_allowed: bool = True
    """False for a model that leaves this network, where no administrator has allowed that."""

    @property
    def can_chat(self) -> bool:
        """Whether it answers conversations (daemons too old to say count as yes)."""
        return self.is_allowed and self.is_chat_model

    @property
    def is_chat_model(self) -> bool:
        """Whether it is made for conversations, allowed here or not."""
        return not self.capabilities or "completion" in self.capabilities


@dataclass(frozen=True, slots=True)
class TextDelta:
    """The next piece of the answer."""

    text: str


@dataclass(frozen=True, slots=True)
class ReasoningDelta:
    """The next piece of what a thinking model says to itself before it answers."""

    text: str


@dataclass(frozen=True, slots=True)
class AnswerFinished:
    """The model's own last word: why it stopped and what it took."""

    reason: str
    """Ollama's done_reason: "stop", or "length" when the context or the limit was reached."""
    prompt_tokens: int = 0
    answer_tokens: int = 0
    load_seconds: float = 0.0
    prompt_seconds: float = 0.0
    answer_seconds: float = 0.0


@dataclass(frozen=True, slots=True)
class ToolCalled:
    """The model asks for something, and ends; whoever gives it to it asks once more."""

    call: ToolCall


ChatEvent = TextDelta | ReasoningDelta | ToolCalled | AnswerFinished
