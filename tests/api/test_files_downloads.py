"""Downloads: what cannot be handed out is said before anything is sent, and parts are what was asked for."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from contextlib import ExitStack
from contextvars import ContextVar
from uuid import UUID

import pytest
from sqlalchemy import event
from starlette.responses import PlainTextResponse

from rxchat.adapters.objects.folder import FolderStore
from rxchat.api.gateway import Gateway
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import StorageUnavailable, TooManyAttempts
from rxchat.domain.files import PART_BYTES
from rxchat.services.app.container import Services
from rxchat.services.documents.downloads import DOWNLOADS, DOWNLOADS_OF_ONE_USER, Content, Downloads
from rxchat.settings import Settings
from tests.factories import PASSWORD
from tests.security.http import Open, api_of, create_user, error_of, http_clients, sign_in
from tests.server.serving import served_by
from tests.services.grounded import found, uploaded
from tests.services.uploading import LARGE, objects

is_ours: ContextVar[bool] = ContextVar("is_ours", default=False)
"""Whether a statement is one of the request that a test looks at."""

pytestmark = pytest.mark.anyio

WORDS = b"0123456789"


@pytest.fixture
async def clients(settings: Settings, services: Services) -> AsyncGenerator[Open]:
    """Opens clients of the routes, each with cookies of its own."""
    assert services
    async with http_clients(settings) as opened:
        yield opened


@pytest.fixture
async def ada(services: Services, owner_url: str) -> CurrentUser:
    return await create_user(services, owner_url, "Ada")


@pytest.fixture
async def collection(services: Services, ada: CurrentUser) -> UUID:
    return await services.documents.collections.create(ada, "Mine")


async def test_a_store_that_is_away_is_said_instead_of_a_broken_file(
    services: Services,
    clients: Open,
    ada: CurrentUser,
    collection: UUID,
    settings,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document, client = await uploaded(services, ada, collection, "a.txt", WORDS), clients()
    await sign_in(client, ada)

    async def away(_key: str) -> bytes:
        raise StorageUnavailable

    with monkeypatch.context() as patched:
        patched.setattr(services.documents.files._store, "get", away)
        for headers in ({}, {"range": "bytes=2-4"}):
            answer = await client.get(f"/api/files/{document}", headers=headers)
            assert (answer.status_code, error_of(answer)) == (503, "store_away")
    objects(settings)[0].unlink()
    answer = await client.get(f"/api/files/{document}")
    assert (answer.status_code, error_of(answer)) == (404, "object_missing")
    assert "Upload it again" in answer.json()["error"]["message"]


async def test_a_part_of_a_file_is_just_that_part(
    services: Services,
    clients: Open,
    ada: CurrentUser,
    collection: UUID,
    subtests: pytest.Subtests,
) -> None:
    document, client = await uploaded(services, ada, collection, "a.txt", WORDS), clients()
    await sign_in(client, ada)
    for asked, status, got in (
        ("bytes=0-3", 206, b"0123"),
        ("bytes=4-", 206, b"456789"),
        ("bytes=-3", 206, b"789"),
        ("bytes=-100", 206, WORDS),
        ("bytes=8-100", 206, b"89"),
        ("bytes=-0", 416, b""),
        ("bytes=10-", 416, b""),
        ("bytes=5-2", 200, WORDS),
        ("bytes=a-b", 200, WORDS),
    ):
        with subtests.test(asked=asked):
            answer = await client.get(f"/api/files/{document}", headers={"range": asked})
            assert (answer.status_code, answer.content) == (status, got)


async def test_a_part_of_a_file_is_one_look_at_the_database_and_one_piece(
    services: Services,
    ada: CurrentUser,
    collection: UUID,
    clients: Open,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document, client = await uploaded(services, ada, collection, "large.txt", LARGE), clients()
    await sign_in(client, ada)
    async with asyncio.timeout(60):
        while (await found(services, ada, document)).state is DocumentState.STORED:
            # The job that reads it gets its pieces, too.
            await asyncio.sleep(0.05)
    store, fetched, looked = services.documents.files._store, [], []
    assert isinstance(store, FolderStore)
    get = store.get

    async def counted(key: str) -> bytes:
        fetched.append(key)
        return await get(key)

    monkeypatch.setattr(store, "get", counted)

    def executed(*given: object) -> None:
        # The job that reads the document looks at it, too.
        if is_ours.get() and "FROM document" in str(given[2]):
            looked.append(given[2])

    engine = services.documents.files._database.engine.sync_engine
    event.listen(engine, "before_cursor_execute", executed)
    is_ours.set(True)
    try:
        answer = await client.get(f"/api/files/{document}", headers={"range": "bytes=-5"})
    finally:
        event.remove(engine, "before_cursor_execute", executed)
    assert answer.content == LARGE[-5:]
    assert (len(fetched), len(looked)) == (1, 1)


async def test_a_user_has_so_many_downloads_at_once_whether_they_read_them_or_not(
    services: Services,
    settings: Settings,
    clients: Open,
    ada: CurrentUser,
    collection: UUID,
    owner_url: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    document, client = await uploaded(services, ada, collection, "a.txt", WORDS), clients()
    await sign_in(client, ada)
    link = (await client.post(f"/api/files/{document}/link")).json()["url"]
    begun = (await client.post("/api/me/export", json={"password": PASSWORD})).json()["url"]
    eve, other = await create_user(services, owner_url, "Eve"), clients()
    await sign_in(other, eve)
    made = 0

    async def endless() -> AsyncGenerator[bytes]:
        nonlocal made
        while True:
            made += PART_BYTES
            yield bytes(PART_BYTES)

    async def content(*_: object) -> Content:
        return Content("a.txt", "text/plain", 1 << 40, 0, 1 << 40, endless())

    front = Gateway(PlainTextResponse("a page"), api_of(settings), settings)
    async with served_by(front) as served:
        with monkeypatch.context() as patched:
            patched.setattr(services.documents.files, "content", content)
            cookies = "; ".join(f"{name}={value}" for name, value in client.cookies.items())
            for _ in range(DOWNLOADS_OF_ONE_USER):
                _, line = await served.line()
                line.write(f"GET /api/files/{document} HTTP/1.1\r\nhost: x\r\ncookie: {cookies}\r\n\r\n".encode())
            async with asyncio.timeout(60):
                while services.documents.files.downloads._running[ada.user_id] < DOWNLOADS_OF_ONE_USER:
                    await asyncio.sleep(0.01)
            await asyncio.sleep(0.3)
            # The kernels' buffers take a few megabytes of each.
            assert made < DOWNLOADS_OF_ONE_USER * 16_000_000
        for path in (f"/api/files/{document}", link, begun):
            answer = await client.get(path)
            assert (answer.status_code, error_of(answer), answer.headers["retry-after"]) == (
                429,
                "too_many_attempts",
                "5",
            )
        # Others have their own.
        assert (await other.get(f"/api/files/{document}")).status_code == 404
        for line in served.lines:
            line.transport.abort()
        async with asyncio.timeout(60):
            while services.documents.files.downloads._running:
                await asyncio.sleep(0.01)
    assert (await client.get(link)).content == WORDS


def test_all_downloads_of_a_process_have_a_limit() -> None:
    downloads = Downloads()
    with ExitStack() as stack:
        for number in range(DOWNLOADS):
            stack.enter_context(downloads.place(UUID(int=number)))
        with pytest.raises(TooManyAttempts):
            stack.enter_context(downloads.place(UUID(int=DOWNLOADS)))
    with downloads.place(UUID(int=0)):
        assert downloads._running.total() == 1
