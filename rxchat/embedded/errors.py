"""What can keep the servers of a fresh machine from running, each with a sentence that says what to do.

EmbeddedError
├── DataFolderInUse     another supervisor holds the data folder
├── WrongPostgresMajor  the database was made by another major version
├── CpuTooOld           the demo model's code cannot run here
├── WeightsMissing      the model's weights are not installed
├── ProgramMissing      a packaged server is not there for this machine
└── StartFailed         a server did not come up; its log's last lines are quoted
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
