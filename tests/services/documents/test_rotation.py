"""A new master key for all files: `python -m rxchat rotate-file-keys`."""

from __future__ import annotations

import base64

import psycopg
import pytest

from rxchat import operator_commands
from rxchat.adapter_factories import master_keys
from rxchat.connections import ConfigurationError, Connections
from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from rxchat.services.documents.file_encryption import key_id
from rxchat.services.platform.encryption import SecretBox
from rxchat.settings import Settings
from tests.services.grounded import uploaded

pytestmark = pytest.mark.anyio

NEW, OTHER = b"n" * 16 + bytes(range(16)), b"o" * 16 + bytes(range(16))


def text(key: bytes) -> str:
    return base64.urlsafe_b64encode(key).decode()


def settings_with(at: Connections, key: bytes, *previous: bytes) -> Settings:
    return Settings.model_validate(
        {
            "DATABASE_URL": at.database_url,
            "DATABASE_OWNER_URL": at.database_owner_url,
            "REDIS_URL": at.redis_url,
            "OLLAMA_HOSTS": at.ollama_hosts,
            "RXCHAT_SECRET_KEY": text(at.secret_key),
            "RXCHAT_PASSWORD_PEPPER": text(at.password_pepper),
            "RXCHAT_FILES_KEY": text(key),
            "RXCHAT_FILES_KEY_PREVIOUS": ",".join(map(text, previous)),
        }
    )


async def test_all_files_are_sealed_under_the_new_key_and_read_as_before(
    services: Services, current_user: CurrentUser, at: Connections
) -> None:
    collection = await services.documents.collections.create(current_user, "Team")
    ids = [
        await uploaded(services, current_user, collection, f"{number}.txt", f"The words {number}.")
        for number in range(5)
    ]
    changed = settings_with(at, NEW)
    assert await operator_commands._rotate_file_keys(changed) == 5
    assert await operator_commands._rotate_file_keys(changed) == 0
    with psycopg.connect(at.database_owner_url) as connection:
        assert connection.execute("SELECT DISTINCT key_id FROM stored_file").fetchall() == [(key_id(NEW),)]
    services.documents.files._keys = master_keys(changed, SecretBox(at.secret_key))
    found = await services.documents.files.content(current_user, ids[3])
    assert b"".join([piece async for piece in found.pieces]) == b"The words 3."
    # And once more, with the one of before named.
    assert await operator_commands._rotate_file_keys(settings_with(at, OTHER, NEW)) == 5
    with pytest.raises(ConfigurationError, match="RXCHAT_FILES_KEY_PREVIOUS"):
        await operator_commands._rotate_file_keys(settings_with(at, NEW))
