"""The hosts of models as administrators see them: what each has, how busy it is, and whether RxChat asks it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from uuid import UUID

from rxchat.domain.chat import ModelInfo
from rxchat.domain.errors import InvalidInput


class BreakerState(StrEnum):
    """The state of a circuit breaker."""

    CLOSED = "closed"
    """Calls are made."""
    HALF_OPEN = "half-open"
    """One call is made as a trial."""
    OPEN = "open"
    """No call is made for some time."""


@dataclass(frozen=True, slots=True)
class LoadedModel:
    """A model in a host's memory."""

    name: str
    size_bytes: int = 0
    vram_bytes: int = 0
    """How much of it is in the memory of the graphics card."""
    expires_at: datetime | None = None
    """When the host unloads it, unless it is asked again."""


@dataclass(frozen=True, slots=True)
class BreakerStatus:
    """Why a host is not asked for a model."""

    model: str
    state: BreakerState
    failures: int
    """How many calls failed, one after the other."""
    retry_seconds: float
    """When the next trial is made."""
    reason: str = ""
    """The last failure."""


@dataclass(frozen=True, slots=True)
class HostStatus:
    """A host of a provider, as this process knows it."""

    name: str
    """Its address, without credentials."""
    provider: str = ""
    """The provider's name; "" for the hosts of OLLAMA_HOSTS."""
    problem: str = ""
    """Why its last health check failed; "" if it did not."""
    is_known: bool = False
    """Whether it has answered since RxChat was started."""
    models: tuple[ModelInfo, ...] = ()
    loaded: tuple[LoadedModel, ...] = ()
    in_flight: int = 0
    """How many answers it writes now for this process."""
    first_token_seconds: float | None = None
    """How long its first tokens take, weighted to the latest ones."""
    breakers: tuple[BreakerStatus, ...] = ()
    """Those that are not closed."""


LONGEST_MODEL_NAME = 200
LONGEST_HOST_NAME = 600


@dataclass(frozen=True, slots=True)
class PullProgress:
    """How far a host has come with downloading a model."""

    status: str
    """What it does now, in its own words, such as "verifying sha256 digest"."""
    completed_bytes: int = 0
    total_bytes: int = 0
    """Of the parts that it has begun; 0 before the first one."""


@dataclass(frozen=True, slots=True)
class ModelDetails:
    """What a host says about one of its models."""

    name: str
    facts: tuple[tuple[str, str], ...]
    """Pairs of a label and a value."""
    capabilities: tuple[str, ...] = ()
    template: str = ""
    parameters: str = ""
    system_prompt: str = ""
    license: str = ""


class HostJobKind(StrEnum):
    """What a host does for an administrator, which takes time."""

    PULL = "pull"
    LOAD = "load"


class HostJobState(StrEnum):
    """The state of a job."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"
    CANCELLED = "cancelled"
    INTERRUPTED = "interrupted"
    """The process that watched it has ended."""


@dataclass(frozen=True, slots=True)
class HostJob:
    """A model that a host downloads or loads."""

    id: UUID
    kind: HostJobKind
    provider: str
    host: str
    model: str
    state: HostJobState
    status: str
    completed_bytes: int
    total_bytes: int
    error: str
    created_at: datetime
    updated_at: datetime


def valid_model_name(text: str) -> str:
    """Return the name of a model that a host is to download or load.

    Raises:
        InvalidInput: when it is none.
    """
    name = text.strip()
    if not name or len(name) > LONGEST_MODEL_NAME or not name.isprintable() or any(sign.isspace() for sign in name):
        raise InvalidInput(
            "Enter the name of a model, as Ollama’s library has it: llama3.2, or hf.co/user/model.", field="model"
        )
    return name
