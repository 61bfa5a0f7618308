"""Row 31: uploads that are none, or more than was said."""

from __future__ import annotations

import asyncio
import base64
from uuid import UUID

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from tests.security.http import Open, create_user, error_of, sign_in
from tests.security.test_documents import upload_headers

pytestmark = pytest.mark.anyio


@pytest.fixture
async def victim(services: Services, owner_url: str) -> CurrentUser:
    return await create_user(services, owner_url, "Victim")


@pytest.fixture
async def collection(services: Services, victim: CurrentUser) -> UUID:
    return await services.documents.collections.create(victim, "Board")


async def test_what_is_no_upload_is_refused_with_a_sentence(
    clients: Open, victim: CurrentUser, subtests: pytest.Subtests
) -> None:
    client = clients()
    await sign_in(client, victim)
    for headers in (
        {},
        {"upload-length": "-1"},
        {"upload-length": "1e3"},
        {"upload-length": "9" * 20},
        {"upload-length": "5", "upload-metadata": "filename %%%"},
        {"upload-length": "5", "upload-metadata": "filename " + base64.b64encode(b"\xff\xfe").decode()},
        {"upload-length": "5", "upload-metadata": "collection x"},
        upload_headers("x.txt", 10**14),
    ):
        with subtests.test(headers=headers):
            answer = await client.post("/api/uploads", headers=headers)
            assert answer.status_code in {404, 422}
            assert answer.json()["error"]["message"].endswith(".")


async def test_more_than_was_said_is_cut_off_while_it_comes(
    services: Services, clients: Open, victim: CurrentUser, collection: UUID
) -> None:
    client = clients()
    await sign_in(client, victim)
    begun = await client.post("/api/uploads", headers=upload_headers("x.txt", 10, collection=str(collection)))
    sent = 0

    async def endless():
        nonlocal sent
        while sent < 500_000_000:
            sent += 65_536
            yield b"x" * 65_536
            await asyncio.sleep(0)

    headers = {"content-type": "application/offset+octet-stream", "upload-offset": "0", "transfer-encoding": "chunked"}
    assert (
        error_of(await client.patch(begun.headers["location"], content=endless(), headers=headers)) == "invalid_input"
    )
    assert sent < 10_000_000
