"""What RxChat needs from the outside world; who provides it is decided in bootstrap.py."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from rxchat.domain.chat import ChatEvent, ChatMessage, ModelInfo, ToolSpec
from rxchat.domain.documents import DETECTED, AttachedFile, ParsedDocument, Reading, RecognizedPage
from rxchat.domain.retrieval import EmbedderInfo
from rxchat.domain.sign_in_providers import AuthorizationRequest, ExternalIdentity, ProviderInfo


class ChatModel(Protocol):
    """A provider of chat models."""

    async def models(self) -> list[ModelInfo]:
        """Return the models on offer, in the provider's order.

        Raises:
            ModelError: when the provider cannot say.
        """
        ...

    def chat(
        self, model: str, messages: Sequence[ChatMessage], tools: Sequence[ToolSpec] = ()
    ) -> AsyncGenerator[ChatEvent]:
        """Stream an answer; the last event is always AnswerFinished. With tools, the model may ask for them (ToolCalled).

        A trailing assistant message is a prefix that the model continues. Closing the generator
        (``aclose``) frees the model.

        Raises:
            ModelError: each failure as the subclass that says what it was.
        """
        ...

    async def is_loading(self, model: str) -> bool:
        """Return whether the model has yet to be loaded into its host's memory; False when nobody can tell."""
        ...

    def hosts_heard_since(self, moment: float) -> list[str]:
        """Return the hosts that sent this process a piece of an answer after this moment (time.monotonic)."""
        ...

    def note_heard(self, host: str) -> None:
        """Note that a host sends another process pieces of an answer just now: what waits for it here waits in its queue."""
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

    async def depart(self, redirect_uri: str) -> AuthorizationRequest:
        """Return where to send a browser, and what to keep in it until it comes back to the redirect address.

        Raises:
            ProviderError: each failure as the subclass that says what it was.
        """
        ...

    async def arrive(self, departure: AuthorizationRequest, answer: Mapping[str, str]) -> ExternalIdentity:
        """Return whose account it is, given the fields with which the browser came back (query or form).

        Raises:
            ProviderError: each failure as the subclass that says what it was.
        """
        ...


@dataclass(frozen=True, slots=True)
class StoredObject:
    """What a store says of an object without reading it."""

    key: str
    size_bytes: int
    modified_at: datetime


class ObjectStore(Protocol):
    """Keeps sealed pieces of files under random keys; whole or not at all, and durably once `put` has returned.

    It carries a marker that says whose it is. Without one nothing may be in it: it may be the wrong one.
    """

    async def owner(self) -> str | None:
        """Return whose it is; None when nobody has claimed it.

        Raises:
            StorageUnavailable, StorageError.
        """
        ...

    async def claim(self, owner: str) -> None:
        """Make it somebody's, whoever's it was before.

        Raises:
            StorageUnavailable, StorageFull, StorageError.
        """
        ...

    async def put(self, key: str, data: bytes) -> None:
        """Keep these bytes; an object that is there already is replaced.

        Raises:
            StorageUnavailable, StorageFull, StorageError: nothing is kept then (or all of it, and the sweep finds it).
        """
        ...

    async def get(self, key: str) -> bytes:
        """Return what was kept.

        Raises:
            ObjectMissing, StorageUnavailable, StorageError.
        """
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Forget these; those that are not there are forgotten already.

        Raises:
            StorageUnavailable, StorageError: some may be gone.
        """
        ...

    def objects(self) -> AsyncGenerator[StoredObject]:
        """Return all that there is, in any order, without holding the list in memory.

        Raises:
            StorageUnavailable, StorageError.
        """
        ...

    async def ping(self) -> None:
        """Return when it answers, and can be written to; nobody owns it by that.

        Raises:
            StorageUnavailable, StorageFull, StorageError.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


OnProgress = Callable[[float, RecognizedPage | None], Awaitable[None]]


class DocumentParser(Protocol):
    """Makes text and structure of a file that nobody trusts."""

    @property
    def can_recognise(self) -> bool:
        """Whether text on pictures can be recognised (OCR) here."""
        ...

    async def parse(
        self, name: str, media_type: str, content: AsyncIterable[bytes], reading: Reading = DETECTED
    ) -> ParsedDocument:
        """Return what a file says, read as its owner wants it.

        Raises:
            NoTextLayer: when there is no text in it, but there are pictures that may show some.
            TooMuchWork: when it takes more processor time than this parser gives to a file.
            DocumentUnreadable: with the reason, for the person who uploaded it.
        """
        ...

    async def attached_files(self, name: str, media_type: str, content: AsyncIterable[bytes]) -> Sequence[AttachedFile]:
        """Return the files attached to a mail, or to the mails of a mailbox, that can be documents of their own.

        Raises:
            TooMuchWork: when it takes more processor time than this parser gives to a file.
            DocumentUnreadable: with the reason, for the user who uploaded it.
        """
        ...

    async def recognise(
        self,
        name: str,
        media_type: str,
        content: AsyncIterable[bytes],
        on_progress: OnProgress,
        known: Sequence[RecognizedPage] = (),
    ) -> ParsedDocument:
        """Return what a file says, with the text of its pictures recognised: a PDF's pages without text, or a picture.

        It takes seconds for each page; after each one is told how far it is, from 0 to 1, and what stands on it. Pages
        that are known already are not looked at again. What `on_progress` raises ends it.

        Raises:
            DocumentUnreadable: with the reason, for the person who uploaded it.
        """
        ...


class EmbeddingModel(Protocol):
    """Makes vectors of texts, so that what means the same is near."""

    @property
    def label(self) -> str:
        """The model that is configured, and where it runs, for the page: "all-minilm:22m, which comes with RxChat"."""
        ...

    async def info(self, prefer: str = "") -> EmbedderInfo:
        """Return which model makes the vectors from now on; where nobody has named one, that which is preferred, if it is there.

        Raises:
            EmbedderError: when nobody can tell just now.
        """
        ...

    async def embed(self, texts: Sequence[str], by: EmbedderInfo) -> list[list[float]]:
        """Return a vector of length one for each text, made by just this model: vectors of two are never mixed.

        Raises:
            TextTooLong: when one has more tokens than the model takes; none is cut silently.
            EmbedderError: when it does not answer, or not what it should.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class Reranker(Protocol):
    """Reads a question and passages together, and says how well each answers it; slower and better than vectors."""

    async def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """Return a score for each passage: the higher, the better.

        Raises:
            EmbedderError: when it does not answer; the order of before is used then.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...
