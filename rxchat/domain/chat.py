"""What a model is asked and what it says: the values that pass through the ChatModel port."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """Who says a message, in the words of every chat API."""

    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@dataclass(frozen=True, slots=True)
class ChatMessage:
    """One message as a model sees it (a stored one is a Message)."""

    role: Role
    content: str


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

    @property
    def can_chat(self) -> bool:
        """Whether it answers conversations (daemons too old to say count as yes)."""
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


ChatEvent = TextDelta | ReasoningDelta | AnswerFinished
