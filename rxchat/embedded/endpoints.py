"""The addresses of the embedded servers, in a file of the data folder for other processes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from rxchat.embedded import data_folder


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of the servers that the supervisor started; None or () if a setting replaces one."""

    database_url: str | None
    """The URL for the runtime role (rxchat_web)."""
    database_owner_url: str | None
    """The URL for the owner's role, for migrations."""
    redis_url: str | None
    ollama_hosts: tuple[str, ...]


def path(data: Path) -> Path:
    """Return the path of the file in a data folder."""
    return data / "run" / "servers.json"


def write(data: Path, endpoints: Endpoints) -> None:
    """Write the addresses for other processes of RxChat."""
    data_folder.write_private(path(data), asdict(endpoints))


def read(data: Path) -> Endpoints | None:
    """Return the addresses of a data folder's servers; None if no supervisor is running on it."""
    if not data_folder.is_held(data):
        return None
    content = data_folder.read_json(path(data))
    if content is None:
        return None
    return Endpoints(
        database_url=content["database_url"],
        database_owner_url=content["database_owner_url"],
        redis_url=content["redis_url"],
        ollama_hosts=tuple(content["ollama_hosts"]),
    )
