"""Where the embedded servers listen: told to other processes through a file in the data folder."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from pathlib import Path

from rxchat.embedded import data_folder


@dataclass(frozen=True, slots=True)
class Endpoints:
    """The addresses of the servers that were started; None or () where a setting is used instead."""

    database_url: str | None
    """The runtime login role (rxchat_web)."""
    database_owner_url: str | None
    """The owner's role, for migrations."""
    redis_url: str | None
    ollama_hosts: tuple[str, ...]


def path(data: Path) -> Path:
    """The file in the data folder that holds them."""
    return data / "run" / "servers.json"


def write(data: Path, endpoints: Endpoints) -> None:
    """Tell other processes of ours where the servers are."""
    data_folder.write_private(path(data), asdict(endpoints))


def read(data: Path) -> Endpoints | None:
    """Where the servers of a data folder listen; None when no live supervisor holds it."""
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
