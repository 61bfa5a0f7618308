"""Files: pieces that arrive one after another, whatever breaks in between, and nothing that is left over."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import psycopg
import pytest

from rxchat.adapters.objects.folder import FolderStore
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import (
    Conflict,
    DocumentUnreadable,
    InvalidInput,
    NotFound,
    ObjectMissing,
    StorageFull,
)
from rxchat.domain.files import PART_BYTES, FileLimits, clean_file_name
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.services.documents import quotas
from tests.factories import add_user
from tests.services.grounded import body, uploaded
from tests.services.uploading import LARGE, begun, breaking, content, objects, rows

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]


@pytest.fixture
def store(services: Services) -> FolderStore:
    return services.documents.files._store  # pyright: ignore[reportReturnType]


async def test_an_upload_goes_on_where_the_line_broke(
    services: Services, current_user: CurrentUser, collection
) -> None:
    assert len(LARGE) > 2 * PART_BYTES
    upload = await begun(services, current_user, collection)
    half = PART_BYTES + 1234
    broken = await services.documents.files.receive(current_user, upload.document_id, 0, breaking(LARGE[:half]))
    assert (broken.received_bytes, broken.is_stored) == (half, False)
    assert (await services.documents.files.upload(current_user, upload.document_id)).received_bytes == half
    whole = await services.documents.files.receive(current_user, upload.document_id, half, body(LARGE[half:]))
    assert whole.is_stored
    assert await content(services, current_user, upload.document_id) == LARGE
    for start, end in ((0, 1), (half - 3, half + 3), (PART_BYTES - 1, PART_BYTES + 1), (len(LARGE) - 5, len(LARGE))):
        assert await content(services, current_user, upload.document_id, start, end) == LARGE[start:end]


async def test_whoever_goes_on_somewhere_else_is_told_where(
    services: Services, current_user: CurrentUser, collection
) -> None:
    upload = await begun(services, current_user, collection)
    with pytest.raises(Conflict, match="has 0 bytes"):
        await services.documents.files.receive(current_user, upload.document_id, 5, body(LARGE[5:]))


async def test_the_same_sent_twice_at_once_is_kept_once(
    services: Services, current_user: CurrentUser, collection, settings, owner_url: str
) -> None:
    upload = await begun(services, current_user, collection)
    sent = [services.documents.files.receive(current_user, upload.document_id, 0, body(LARGE)) for _ in range(2)]
    ended = await asyncio.gather(*sent, return_exceptions=True)
    assert sum(isinstance(item, Conflict) for item in ended) == 1
    assert await content(services, current_user, upload.document_id) == LARGE
    assert len(objects(settings)) == -(-len(LARGE) // PART_BYTES)


async def test_an_answer_that_was_lost_can_be_asked_for_again(
    services: Services, current_user: CurrentUser, collection
) -> None:
    data = b"a small file"
    upload = await begun(services, current_user, collection, data)
    first = await services.documents.files.receive(current_user, upload.document_id, 0, body(data))
    again = await services.documents.files.receive(current_user, upload.document_id, len(data), body(b""))
    assert first.is_stored
    assert again.is_stored


async def test_more_than_was_announced_is_refused(services: Services, current_user: CurrentUser, collection) -> None:
    upload = await begun(services, current_user, collection, b"12345")
    with pytest.raises(InvalidInput, match="announced"):
        await services.documents.files.receive(current_user, upload.document_id, 0, body(b"123456"))


@pytest.mark.parametrize(
    ("size", "words"), [(0, "empty"), (-5, "empty"), (FileLimits().file_bytes + 1, "at most 100.0 MB")]
)
async def test_a_size_that_cannot_be_is_refused_before_a_byte_is_sent(
    services: Services, current_user: CurrentUser, collection, size: int, words: str
) -> None:
    with pytest.raises(InvalidInput, match=words):
        await services.documents.files.begin(current_user, name="a.txt", size_bytes=size, collection_id=collection)


async def test_there_is_room_for_so_much_and_not_for_more_however_many_ask_at_once(
    services: Services, current_user: CurrentUser, collection
) -> None:
    services.documents.files.limits = FileLimits(file_bytes=1000, user_bytes=2500, user_files=10)
    asked = [begun(services, current_user, collection, b"x" * 1000, f"{number}.txt") for number in range(5)]
    ended = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(item, InvalidInput) for item in ended) == 3
    services.documents.files.limits = FileLimits(user_files=2)
    with pytest.raises(InvalidInput, match="2 files"):
        await begun(services, current_user, collection, b"x")


async def test_the_same_file_is_kept_once_and_stays_as_long_as_a_document_needs_it(
    services: Services, current_user: CurrentUser, collection, settings
) -> None:
    other = await services.documents.collections.create(current_user, "Other")
    first = await uploaded(services, current_user, collection, "one.txt", "The same words.")
    assert await uploaded(services, current_user, collection, "one.txt", "The same words.") == first
    second = await uploaded(services, current_user, collection, "two.txt", "The same words.")
    third = await uploaded(services, current_user, other, "one.txt", "The same words.")
    assert len({first, second, third}) == 3
    assert len(objects(settings)) == 1
    await services.documents.files.remove(current_user, [first, second])
    assert await content(services, current_user, third) == b"The same words."
    await services.documents.files.remove(current_user, [third])
    # In the trash all of them can be restored still.
    assert len(objects(settings)) == 1
    for document in (first, second, third):
        await services.documents.trash.delete_for_good(current_user, document)
    assert objects(settings) == []


async def test_the_same_file_twice_at_once_is_kept_once_and_both_are_there(
    services: Services, current_user: CurrentUser, collection, settings
) -> None:
    other = await services.documents.collections.create(current_user, "Other")
    for _ in range(5):
        first, second = await asyncio.gather(
            uploaded(services, current_user, collection, "one.txt", "The same words."),
            uploaded(services, current_user, other, "two.txt", "The same words."),
        )
        assert await content(services, current_user, first) == await content(services, current_user, second)
        assert len(objects(settings)) == 1
        await asyncio.gather(
            services.documents.files.remove(current_user, [first]),
            services.documents.files.remove(current_user, [second]),
        )
        await asyncio.gather(
            *(services.documents.trash.delete_for_good(current_user, document) for document in (first, second))
        )
        assert objects(settings) == []


async def test_the_same_file_of_two_people_is_kept_twice(
    services: Services, current_user: CurrentUser, collection, settings, owner_url: str
) -> None:
    other = add_user(owner_url, "Other")
    await uploaded(services, current_user, collection, "one.txt", "The same words.")
    await uploaded(
        services, other, await services.documents.collections.create(other, "Mine"), "one.txt", "The same words."
    )
    assert len(objects(settings)) == 2
    with psycopg.connect(owner_url) as connection:
        digests = connection.execute("SELECT DISTINCT digest FROM stored_file").fetchall()
    assert len(digests) == 2


async def test_each_document_counts_although_the_same_file_is_kept_once(
    services: Services, current_user: CurrentUser, collection, settings
) -> None:
    services.documents.files.limits = FileLimits(user_bytes=50)
    for number in range(3):
        into = await services.documents.collections.create(current_user, f"Team {number}")
        await uploaded(services, current_user, into, "one.txt", "The same words.")
    assert len(objects(settings)) == 1
    with pytest.raises(InvalidInput, match="the maximum"):
        await begun(services, current_user, collection, b"The same words.")


async def test_collections_and_drafts_of_one_person_have_an_end(
    services: Services, current_user: CurrentUser, collection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(quotas, "MOST_COLLECTIONS", 3)
    monkeypatch.setattr(quotas, "MOST_ATTACHMENTS", 2)
    asked = [services.documents.collections.create(current_user, f"Team {number}") for number in range(5)]
    ended = await asyncio.gather(*asked, return_exceptions=True)
    assert [str(item) for item in ended if isinstance(item, InvalidInput)] == [
        "You have 3 collections, which is the maximum. Delete some that you no longer need."
    ] * 3
    drafts = [new_id(), new_id()]
    for draft in (*drafts, *drafts):
        await services.documents.files.begin(current_user, name="a.txt", size_bytes=1, draft_key=draft)
    with pytest.raises(InvalidInput, match="attached files to 2 messages"):
        await services.documents.files.begin(current_user, name="a.txt", size_bytes=1, draft_key=new_id())


@pytest.mark.parametrize("name", ["virus.exe", "old.doc", "all.zip", "what.xyz"])
async def test_what_cannot_be_read_is_refused_by_its_name_before_a_byte_is_sent(
    services: Services, current_user: CurrentUser, collection, owner_url: str, name: str
) -> None:
    with pytest.raises(DocumentUnreadable):
        await begun(services, current_user, collection, LARGE, name)
    assert rows(owner_url) == 0


async def test_what_is_not_what_its_name_says_is_refused_by_its_first_bytes(
    services: Services, current_user: CurrentUser, collection, settings, owner_url: str
) -> None:
    upload = await begun(services, current_user, collection, LARGE, "report.pdf")
    sent = 0

    async def counted() -> AsyncGenerator[bytes]:
        nonlocal sent
        async for piece in body(LARGE):
            sent += len(piece)
            yield piece

    with pytest.raises(DocumentUnreadable):
        await services.documents.files.receive(current_user, upload.document_id, 0, counted())
    assert sent < PART_BYTES + 200_000
    assert objects(settings) == []
    assert rows(owner_url) == 0


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("report.pdf", b"\x89PNG\r\n\x1a\n" + b"\0" * 100),
        ("photo.png", b"%PDF-1.7\n" + b"x" * 100),
        ("virus.exe", b"MZ" + b"\0" * 100),
        ("table.xlsx", b"<html><script>alert(1)</script></html>"),
    ],
)
async def test_what_is_not_what_its_name_says_is_refused_and_leaves_nothing(
    services: Services, current_user: CurrentUser, collection, settings, owner_url: str, name: str, data: bytes
) -> None:
    with pytest.raises(DocumentUnreadable) as refused:
        await uploaded(services, current_user, collection, name, data)
    assert len(refused.value.message) > 20
    assert objects(settings) == []
    assert rows(owner_url) == 0


async def test_an_upload_that_is_given_up_leaves_nothing(
    services: Services, current_user: CurrentUser, collection, settings, owner_url: str
) -> None:
    upload = await begun(services, current_user, collection)
    await services.documents.files.receive(current_user, upload.document_id, 0, breaking(LARGE[: PART_BYTES + 5]))
    assert len(objects(settings)) == 2
    await services.documents.files.remove(current_user, [upload.document_id])
    assert objects(settings) == []
    assert rows(owner_url) == 0


async def test_a_full_store_is_said_at_once_and_the_upload_goes_on_later(
    services: Services, current_user: CurrentUser, collection, store: FolderStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload = await begun(services, current_user, collection)
    put = store.put

    async def full(key: str, data: bytes) -> None:
        raise StorageFull

    monkeypatch.setattr(store, "put", full)
    with pytest.raises(StorageFull):
        await services.documents.files.receive(current_user, upload.document_id, 0, body(LARGE))
    monkeypatch.setattr(store, "put", put)
    assert (await services.documents.files.receive(current_user, upload.document_id, 0, body(LARGE))).is_stored


async def test_what_was_altered_where_it_is_kept_is_not_handed_out(
    services: Services, current_user: CurrentUser, collection, settings
) -> None:
    document_id = await uploaded(services, current_user, collection, "mine.txt", "Mine.")
    [path] = objects(settings)
    sealed = bytearray(path.read_bytes())
    sealed[-1] ^= 1
    path.write_bytes(sealed)
    with pytest.raises(ObjectMissing, match="altered"):
        await content(services, current_user, document_id)


async def test_an_upload_of_nobodys_or_somebody_elses_is_not_found(
    services: Services, current_user: CurrentUser, collection, owner_url: str
) -> None:
    stranger, upload = add_user(owner_url, "Stranger"), await begun(services, current_user, collection)
    for person, document_id in ((stranger, upload.document_id), (current_user, new_id())):
        with pytest.raises(NotFound):
            await services.documents.files.upload(person, document_id)
        with pytest.raises(NotFound):
            await services.documents.files.receive(person, document_id, 0, body(b"x"))
        with pytest.raises(NotFound):
            await services.documents.files.remove(person, [document_id])
    with pytest.raises(NotFound):
        await begun(services, stranger, collection)


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd.txt", "passwd.txt"),
        ("C:\\Users\\ada\\notes.txt", "notes.txt"),
        ("a\x00b\r\nc\u202e.txt", "ab c.txt"),
        ("  spaced   out .md ", "spaced out .md"),
        ("cafe\u0301.txt", "café.txt"),
    ],
)
def test_a_name_is_never_a_path(given: str, kept: str) -> None:
    assert clean_file_name(given) == kept


@pytest.mark.parametrize("name", ["", "   ", "..", "/", "a/..", "\x00", "\u200b"])
def test_a_file_has_a_name(name: str) -> None:
    with pytest.raises(InvalidInput):
        clean_file_name(name)
