"""The secrets of a data folder: generated once, stored in a private file."""

from __future__ import annotations

import base64
import os
import secrets
from dataclasses import asdict, dataclass, fields
from pathlib import Path

from rxchat.embedded import data_folder
from rxchat.embedded.errors import EmbeddedError


@dataclass(frozen=True, slots=True, repr=False)
class Secrets:
    """Keys and passwords that RxChat generated."""

    secret_key: str
    """32 random bytes, urlsafe base64."""
    password_pepper: str
    """32 random bytes, urlsafe base64."""
    postgres_superuser_password: str
    postgres_owner_password: str
    postgres_web_password: str
    valkey_password: str


def load_or_create(data: Path) -> Secrets:
    """Return the folder's secrets; generates them if the file does not exist.

    Raises:
        EmbeddedError: if the file is damaged; it is never overwritten.
    """
    data_folder.create(data)
    path = data / "secrets.json"
    if not path.exists():
        made = Secrets(_key(), _key(), *(secrets.token_urlsafe(24) for _ in range(4)))
        _create_once(path, made)
    content = data_folder.read_json(path)
    names = [field.name for field in fields(Secrets)]
    if content is None or any(not isinstance(content.get(name), str) for name in names):
        raise EmbeddedError(f"{path} is damaged. Restore it from a backup; without it, users cannot sign in.")
    return Secrets(**{name: content[name] for name in names})


def _create_once(path: Path, made: Secrets) -> None:
    """Write the file unless another process has written it at the same time."""
    ours = path.with_name(f".{path.name}.{os.getpid()}")
    data_folder.write_private(ours, asdict(made))
    try:
        os.link(ours, path)
    except FileExistsError:
        pass
    finally:
        ours.unlink()


def _key() -> str:
    """Return 32 random bytes as text."""
    return base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
