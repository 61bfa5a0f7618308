"""The interfaces to external systems. The package bootstrap chooses their implementations."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterable, Awaitable, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO, Protocol

from rxchat.domain.chat import NO_OPTIONS, ChatEvent, ChatMessage, ChatOptions, ModelInfo, PreparedPrompt, ToolSpec
from rxchat.domain.documents import DETECTED, AttachedFile, ParsedDocument, Reading, RecognizedPage
from rxchat.domain.imports.conversation import ImportedConversation
from rxchat.domain.imports.report import FoundConversations, SkippedItem
from rxchat.domain.model_hosts import HostStatus, ModelDetails, PullProgress
from rxchat.domain.model_parameters import ParameterSupport
from rxchat.domain.retrieval import EmbedderInfo
from rxchat.domain.sign_in_providers import AuthorizationRequest, ExternalIdentity, ProviderInfo


class ChatModel(Protocol):
    """A provider of chat models."""

    async def models(self) -> list[ModelInfo]:
        """Return the available models, in the provider's order.

        Raises:
            ModelError: when the provider does not respond.
        """
        ...

    def chat(
        self,
        model: str,
        messages: Sequence[ChatMessage] | PreparedPrompt,
        tools: Sequence[ToolSpec] = (),
        options: ChatOptions = NO_OPTIONS,
    ) -> AsyncGenerator[ChatEvent]:
        """Stream an answer; the last event is always AnswerFinished. With `tools`, the model may call them (ToolCalled).

        A prompt that `prepare` has returned is sent as it is; other messages are prepared first.

        A trailing assistant message is a prefix that the model continues. Closing the generator (`aclose`) stops the
        model.

        Raises:
            ModelError: a subclass for each kind of failure.
        """
        ...

    async def parameters(self, model: str) -> ParameterSupport:
        """Return which options `chat` takes for a model. Those that it does not take must not be given: they would be lost."""
        ...

    async def prepare(
        self, model: str, messages: Sequence[ChatMessage], options: ChatOptions = NO_OPTIONS
    ) -> PreparedPrompt:
        """Return what `chat` sends of these messages: those that fit.

        Raises:
            ModelError: as `chat` before its first event.
        """
        ...

    async def is_loading(self, model: str) -> bool:
        """Return whether the host still has to load the model into memory; False if that is unknown."""
        ...

    def hosts_heard_since(self, moment: float) -> list[str]:
        """Return the hosts that sent this process a token after a moment (time.monotonic)."""
        ...

    def note_heard(self, host: str) -> None:
        """Note that a host sends tokens to another process, so that requests of this process wait in the host's queue."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class ModelHosts(Protocol):
    """The hosts whose models administrators manage: those of Ollama. A host is named by its provider and its address."""

    def host_status(self) -> list[HostStatus]:
        """Return what is known of each host, those of the settings first."""
        ...

    async def check_hosts(self) -> None:
        """Ask all hosts what they have, and what they have loaded."""
        ...

    def pull(self, provider: str, host: str, model: str) -> AsyncGenerator[PullProgress]:
        """Download a model to a host, and yield the progress. Closing the generator cancels it; a host keeps what it has.

        Raises:
            NotFound: if there is no such host.
            ModelError: if it fails.
        """
        ...

    async def delete_model(self, provider: str, host: str, model: str) -> None:
        """Delete a model from a host. Raises NotFound, ModelError."""
        ...

    async def load_model(self, provider: str, host: str, model: str) -> None:
        """Load a model into a host's memory, which may take minutes. Raises NotFound, ModelError."""
        ...

    async def unload_model(self, provider: str, host: str, model: str) -> None:
        """Remove a model from a host's memory. Raises NotFound, ModelError."""
        ...

    async def model_details(self, provider: str, host: str, model: str) -> ModelDetails:
        """Return what a host says about a model. Raises NotFound, ModelError."""
        ...


class Broadcast(Protocol):
    """Sends messages to other processes, fast and without guarantees. Postgres has the same information."""

    async def publish(self, channel: str, message: bytes) -> int:
        """Send a message to all subscribers and return how many received it; 0 if the service does not respond."""
        ...

    def subscribe(self, channel: str) -> AbstractAsyncContextManager[AsyncGenerator[bytes]]:
        """Receive the messages of a channel while the context is open."""
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class SignInProvider(Protocol):
    """A provider of external accounts (OAuth 2.0 or OpenID Connect)."""

    @property
    def info(self) -> ProviderInfo:
        """How the sign-in page shows the provider."""
        ...

    async def depart(self, redirect_uri: str) -> AuthorizationRequest:
        """Return the address to redirect a browser to, and the values to keep in its cookie until it returns.

        Raises:
            ProviderError: a subclass for each kind of failure.
        """
        ...

    async def arrive(self, departure: AuthorizationRequest, answer: Mapping[str, str]) -> ExternalIdentity:
        """Return the account with which the browser returned, given the fields of its query or form.

        Raises:
            ProviderError: a subclass for each kind of failure.
        """
        ...


@dataclass(frozen=True, slots=True)
class StoredObject:
    """The metadata of a stored object."""

    key: str
    size_bytes: int
    modified_at: datetime


class ObjectStore(Protocol):
    """Stores encrypted parts of files under random keys: completely or not at all, and durably once `put` has returned.

    It contains a marker with the id of its installation. Without the marker it must not be used: it may be the wrong
    store.
    """

    async def owner(self) -> str | None:
        """Return the id of the installation that owns the store; None if no installation has claimed it.

        Raises:
            StorageUnavailable, StorageError.
        """
        ...

    async def claim(self, owner: str) -> None:
        """Make an installation the owner, whichever one was before.

        Raises:
            StorageUnavailable, StorageFull, StorageError.
        """
        ...

    async def put(self, key: str, data: bytes) -> None:
        """Store an object, and replace an existing one with the same key.

        Raises:
            StorageUnavailable, StorageFull, StorageError: the object is not stored (or completely; the garbage
                collector deletes it).
        """
        ...

    async def get(self, key: str) -> bytes:
        """Return the content of an object.

        Raises:
            ObjectMissing, StorageUnavailable, StorageError.
        """
        ...

    async def delete(self, keys: Sequence[str]) -> None:
        """Delete objects; missing ones are ignored.

        Raises:
            StorageUnavailable, StorageError: some may have been deleted.
        """
        ...

    def objects(self) -> AsyncGenerator[StoredObject]:
        """Yield all objects in any order, without holding the list in memory.

        Raises:
            StorageUnavailable, StorageError.
        """
        ...

    async def ping(self) -> None:
        """Return if the store responds and can be written to; this claims nothing.

        Raises:
            StorageUnavailable, StorageFull, StorageError.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


OnProgress = Callable[[float, RecognizedPage | None], Awaitable[None]]


ImportItem = FoundConversations | ImportedConversation | SkippedItem
"""What an export contains, one after the other."""


class ImportReader(Protocol):
    """Reads untrusted exports of conversations."""

    def read(self, file: BinaryIO) -> AsyncGenerator[ImportItem]:
        """Return what is in a file of the system, one conversation at a time. Close the generator (`aclose`) to end it early.

        Raises:
            DocumentUnreadable: if it cannot be read to its end, with the reason.
        """
        ...


class DocumentParser(Protocol):
    """Extracts text and structure from untrusted files."""

    @property
    def can_recognise(self) -> bool:
        """Whether text on pictures can be recognized (OCR) on this machine."""
        ...

    async def parse(
        self, name: str, media_type: str, content: AsyncIterable[bytes], reading: Reading = DETECTED
    ) -> ParsedDocument:
        """Return the content of a file, parsed as its owner wants.

        Raises:
            NoTextLayer: when it contains no text, but pictures that may show some.
            TooMuchWork: when it takes more processor time than this parser allows.
            DocumentUnreadable: with the reason, for the user who uploaded it.
        """
        ...

    async def attached_files(self, name: str, media_type: str, content: AsyncIterable[bytes]) -> Sequence[AttachedFile]:
        """Return the files attached to an e-mail, or to the e-mails of a mailbox, that can be separate documents.

        Raises:
            TooMuchWork: when it takes more processor time than this parser allows.
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
        """Return the content of a file with the recognized text of its pictures: pages of a PDF without text, or a picture.

        It takes seconds for each page, and calls `on_progress` after each one with the progress from 0 to 1 and the
        page's text. `known` pages are not recognized again. An exception of `on_progress` ends it.

        Raises:
            DocumentUnreadable: with the reason, for the user who uploaded it.
        """
        ...


class PictureReader(Protocol):
    """Makes untrusted pictures smaller."""

    async def picture(self, content: AsyncIterable[bytes]) -> AttachedFile:
        """Return a picture upright, at most 1,568 pixels long and without metadata, with its media type as the name.

        Raises:
            DocumentUnreadable: when it is damaged or too large.
        """
        ...


class EmbeddingModel(Protocol):
    """Computes vectors of texts, so that texts with similar meaning are close."""

    @property
    def label(self) -> str:
        """The configured model and its host, for display: "all-minilm:22m, which comes with RxChat"."""
        ...

    async def info(self, prefer: str = "") -> EmbedderInfo:
        """Return the model to use from now on; if none is configured, `prefer` if it is available.

        Raises:
            EmbedderError: when the host does not respond.
        """
        ...

    async def embed(self, texts: Sequence[str], by: EmbedderInfo) -> list[list[float]]:
        """Return a vector of length one for each text, from exactly this model: vectors of two models cannot be compared.

        Raises:
            TextTooLong: when a text has more tokens than the model accepts; texts are never cut silently.
            EmbedderError: when the host does not respond, or its response is invalid.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...


class Reranker(Protocol):
    """Scores how well passages answer a question; slower and more accurate than vectors."""

    async def scores(self, question: str, passages: Sequence[str]) -> list[float]:
        """Return a score for each passage, higher is better.

        Raises:
            EmbedderError: when it does not respond; callers then keep the previous order.
        """
        ...

    async def aclose(self) -> None:
        """Close the connections."""
        ...
