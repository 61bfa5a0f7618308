"""What RxChat needs from the outside world; who provides it is decided in bootstrap.py."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from typing import Protocol

from rxchat.domain.chat import ChatEvent, ChatMessage, ModelInfo
from rxchat.domain.sign_in_providers import Departure, ForeignAccount, ProviderInfo


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

    async def publish(self, channel: str, message: bytes) -> int:
        """Send to everyone who listens now and return how many do; 0, and no error, when the service is away."""
        ...

    def subscribe(self, channel: str) -> AbstractAsyncContextManager[AsyncGenerator[bytes]]:
        """Listen to a channel for as long as the context is open."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class SignInProvider(Protocol):
    """A place where people have an account already, and that says who they are."""

    @property
    def info(self) -> ProviderInfo:
        """What it is called."""
        ...

    async def depart(self, redirect_uri: str) -> Departure:
        """Return where to send a browser, and what to keep in it until it comes back to the redirect address.

        Raises:
            ProviderError: each failure as the subclass that says what it was.
        """
        ...

    async def arrive(self, departure: Departure, answer: Mapping[str, str]) -> ForeignAccount:
        """Return whose account it is, given the fields with which the browser came back (query or form).

        Raises:
            ProviderError: each failure as the subclass that says what it was.
        """
        ...
