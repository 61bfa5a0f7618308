"""Errors of the embedded servers; each message says what to do.

EmbeddedError
├── DataFolderInUse     another supervisor has the lock of the data folder
├── WrongPostgresMajor  another major version of Postgres created the database
├── CpuTooOld           the processor lacks instructions that llama.cpp needs
├── WeightsMissing      the model's weights are not installed
├── ProgramMissing      no package of a server for this machine
└── StartFailed         a server did not start; the message quotes the end of its log
"""

from __future__ import annotations

from typing import ClassVar

from rxchat.domain.errors import RxChatError


class EmbeddedError(RxChatError):
    """The servers that RxChat brings along cannot run."""

    status: ClassVar[int] = 503
    code: ClassVar[str] = "embedded_error"


class DataFolderInUse(EmbeddedError):
    """Another RxChat is running on this data folder."""

    code = "data_folder_in_use"


class WrongPostgresMajor(EmbeddedError):
    """The database in the data folder belongs to another major version of Postgres."""

    code = "wrong_postgres_major"


class CpuTooOld(EmbeddedError):
    """This processor cannot run the demo model: set OLLAMA_HOSTS to a machine that runs Ollama."""

    code = "cpu_too_old"


class WeightsMissing(EmbeddedError):
    """The demo model's weights are not installed."""

    code = "weights_missing"


class ProgramMissing(EmbeddedError):
    """A packaged server is not available for this machine."""

    code = "program_missing"


class StartFailed(EmbeddedError):
    """A server did not start."""

    code = "start_failed"
