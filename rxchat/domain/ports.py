"""What RxChat needs from the outside world; who provides it is decided in bootstrap.py."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from rxchat.domain.chat import ChatEvent, ChatMessage, ModelInfo


class ChatModel(Protocol):
    """A provider of chat models."""

    async def models(self) -> list[ModelInfo]:
        """Return the models on offer, in the provider's order.

        Raises:
            ModelError: when the provider cannot say.
        """
        ...

    def chat(self, model: str, messages: Sequence[ChatMessage]) -> AsyncGenerator[ChatEvent]:
        """Stream an answer; the last event is always AnswerFinished.

        A trailing assistant message is a prefix that the model continues. Closing the generator
        (``aclose``) frees the model.

        Raises:
            ModelError: each failure as the subclass that says what it was.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class Broadcast(Protocol):
    """Tells other processes what happens, fast and without a promise: who must know reads Postgres."""

    async def publish(self, channel: str, message: bytes) -> None:
        """Send to everyone who listens now; never raises when the service is away."""
        ...

    def subscribe(self, channel: str) -> AbstractAsyncContextManager[AsyncGenerator[bytes]]:
        """Listen to a channel for as long as the context is open."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...
