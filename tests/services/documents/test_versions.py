"""Versions of documents: a newer one replaces an older one once it is ready, and nothing of the older one is lost."""

from __future__ import annotations

import asyncio
from typing import Any
from uuid import UUID

import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.documents import DocumentState
from rxchat.domain.errors import AlreadyExists, Conflict, InvalidInput, NotFound
from rxchat.domain.files import Document, FileLimits, Upload
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import PrincipalKind
from rxchat.domain.retrieval import SearchScope
from rxchat.domain.versions import IfExists, VersionState
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.factories import add_user
from tests.services.grounded import EMBEDDER, body, found, ready, settled
from tests.services.uploading import content, objects

pytestmark = pytest.mark.anyio

OFFERED = [EMBEDDER]
CALLER = ClientInfo("127.0.0.1", "a browser")
OLD, NEW, NEWEST = "The office opens at seven.", "The office opens at eight.", "The office opens at nine."
# Called .docx, and no Word document inside: it fails while it is read.
BROKEN = b"PK\x03\x04 and nothing else"


async def sent(
    services: Services,
    current_user: CurrentUser,
    collection: UUID,
    data: str | bytes,
    *,
    name: str = "hours.txt",
    if_exists: IfExists = IfExists.REPLACE,
    draft: UUID | None = None,
) -> Upload:
    data = data.encode() if isinstance(data, str) else data
    where: dict[str, Any] = {"draft_key": draft} if draft else {"collection_id": collection}
    upload = await services.documents.files.begin(
        current_user, name=name, size_bytes=len(data), if_exists=if_exists, **where
    )
    return await services.documents.files.receive(current_user, upload.document_id, 0, body(data))


async def replaced(
    services: Services, current_user: CurrentUser, collection: UUID, data: str | bytes, name: str = "hours.txt"
) -> Document:
    upload = await sent(services, current_user, collection, data, name=name)
    return await settled(services, current_user, upload.document_id)


async def says(
    services: Services, current_user: CurrentUser, where: SearchScope, question: str = "When does the office open?"
) -> str:
    passages = (await services.retrieval.search.search(current_user, question, where)).passages
    return "\n".join(passage.text for passage in passages)


async def listed(services: Services, current_user: CurrentUser, collection: UUID) -> list[UUID]:
    return [item.id for item in (await services.documents.documents.in_collection(current_user, collection))[1]]


async def test_a_newer_version_replaces_the_older_one_and_that_one_can_still_be_opened(
    services: Services, current_user: CurrentUser, collection: UUID
) -> None:
    first = await ready(services, current_user, collection, "hours.txt", OLD)
    second = await replaced(services, current_user, collection, NEW)
    assert (second.version, second.version_state, second.state) == (2, VersionState.CURRENT, DocumentState.READY)
    assert await says(services, current_user, SearchScope((collection,))) == NEW
    # A conversation that was grounded in the older version is grounded in the newer one.
    assert await says(services, current_user, SearchScope((), (first.id,))) == NEW
    assert await listed(services, current_user, collection) == [second.id]
    [facts] = [item for item in await services.documents.collections.readable(current_user) if item.id == collection]
    assert (facts.documents, facts.chunks) == (1, 1)
    preview = await services.documents.documents.preview(current_user, first.id)
    assert (preview.text, preview.document.version_state) == (OLD, VersionState.SUPERSEDED)
    assert await content(services, current_user, first.id) == OLD.encode()
    history = await services.documents.versions.history(current_user, first.id)
    assert [(item.version, item.id) for item in history.versions] == [(2, second.id), (1, first.id)]
    assert (history.uploaded_by, history.is_own) == ("Ada", True)


async def test_until_the_newer_version_is_ready_the_older_one_is_found(
    services: Services, current_user: CurrentUser, collection: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    await ready(services, current_user, collection, "hours.txt", OLD)
    may_go_on = asyncio.Event()
    chunk = services.documents.ingestion._chunk

    async def held(taken: Any, queue: str) -> None:
        await may_go_on.wait()
        await chunk(taken, queue)

    monkeypatch.setattr(services.documents.ingestion, "_chunk", held)
    upload = await sent(services, current_user, collection, NEW)
    assert (upload.version, (await found(services, current_user, upload.document_id)).version_state) == (
        2, VersionState.PENDING,
    )  # fmt: skip
    assert await says(services, current_user, SearchScope((collection,))) == OLD
    may_go_on.set()
    await settled(services, current_user, upload.document_id)
    assert await says(services, current_user, SearchScope((collection,))) == NEW


async def test_a_version_that_cannot_be_read_leaves_the_older_one_in_use(
    services: Services, current_user: CurrentUser, collection: UUID
) -> None:
    first = await ready(services, current_user, collection, "hours.txt", OLD)
    await services.documents.documents.rename(current_user, first.id, "hours.docx")
    second = await replaced(services, current_user, collection, BROKEN, "hours.docx")
    assert (second.state, second.version_state) == (DocumentState.FAILED, VersionState.PENDING)
    assert await says(services, current_user, SearchScope((collection,))) == OLD
    assert set(await listed(services, current_user, collection)) == {first.id, second.id}
    # Deleting the version that failed leaves the document.
    await services.documents.files.remove(current_user, [second.id])
    assert await listed(services, current_user, collection) == [first.id]
    assert await says(services, current_user, SearchScope((collection,))) == OLD


async def test_the_latest_upload_wins_whichever_is_ready_first(
    services: Services, current_user: CurrentUser, collection: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await ready(services, current_user, collection, "hours.txt", OLD)
    may_go_on, publish = asyncio.Event(), services.documents.ingestion._publish

    async def held(taken: Any, queue: str) -> None:
        if taken.document.version == 2:
            await may_go_on.wait()
        await publish(taken, queue)

    monkeypatch.setattr(services.documents.ingestion, "_publish", held)
    second = await sent(services, current_user, collection, NEW)
    third = await replaced(services, current_user, collection, NEWEST)
    assert third.version == 3
    may_go_on.set()
    late = await settled(services, current_user, second.document_id)
    assert (late.state, late.version_state, late.published_generation) == (
        DocumentState.READY, VersionState.SUPERSEDED, None,
    )  # fmt: skip
    assert (await services.documents.documents.preview(current_user, late.id)).text == NEW
    assert await says(services, current_user, SearchScope((collection,))) == NEWEST
    states = {
        item.version: item.version_state
        for item in (await services.documents.versions.history(current_user, first.id)).versions
    }
    assert states == {3: VersionState.CURRENT, 2: VersionState.SUPERSEDED, 1: VersionState.SUPERSEDED}


async def test_an_earlier_version_that_is_restored_is_the_newest_one(
    services: Services, current_user: CurrentUser, collection: UUID, settings: Settings
) -> None:
    first = await ready(services, current_user, collection, "hours.txt", OLD)
    second = await replaced(services, current_user, collection, NEW)
    restored = await services.documents.versions.restore(current_user, first.id, CALLER)
    third = await settled(services, current_user, restored.id)
    assert (third.version, third.version_state, third.file_id) == (3, VersionState.CURRENT, first.file_id)
    assert await says(services, current_user, SearchScope((collection,))) == OLD
    assert (await found(services, current_user, second.id)).version_state is VersionState.SUPERSEDED
    assert len(objects(settings)) == 2
    for document in (third.id, first.id):
        with pytest.raises(Conflict):
            await services.documents.versions.restore(current_user, document, CALLER)
    with pytest.raises(Conflict, match="Restore"):
        await services.documents.documents.reingest(current_user, second.id)


async def test_restoring_a_version_needs_room(services: Services, current_user: CurrentUser, collection: UUID) -> None:
    first = await ready(services, current_user, collection, "hours.txt", OLD)
    await replaced(services, current_user, collection, NEW)
    services.documents.files.limits = FileLimits(user_files=2)
    with pytest.raises(InvalidInput, match="2 files"):
        await services.documents.versions.restore(current_user, first.id, CALLER)


async def test_a_document_is_deleted_with_all_its_versions_and_an_earlier_one_alone(
    services: Services, current_user: CurrentUser, collection: UUID, settings: Settings
) -> None:
    first = await ready(services, current_user, collection, "hours.txt", OLD)
    second = await replaced(services, current_user, collection, NEW)
    third = await replaced(services, current_user, collection, NEWEST)
    await services.documents.files.remove(current_user, [second.id])
    assert [item.version for item in (await services.documents.versions.history(current_user, first.id)).versions] == [
        3,
        1,
    ]
    await services.documents.files.remove(current_user, [third.id])
    await services.documents.trash.delete_for_good(current_user, third.id)
    assert objects(settings) == []
    for document in (first.id, third.id):
        with pytest.raises(NotFound):
            await services.documents.documents.preview(current_user, document)


async def test_a_collection_is_deleted_with_the_earlier_versions(
    services: Services, current_user: CurrentUser, collection: UUID, settings: Settings
) -> None:
    await ready(services, current_user, collection, "hours.txt", OLD)
    await replaced(services, current_user, collection, NEW)
    await services.documents.files.remove_collection(current_user, collection)
    assert objects(settings) == []


async def test_the_same_file_under_the_same_name_is_no_new_version(
    services: Services, current_user: CurrentUser, collection: UUID
) -> None:
    first = await ready(services, current_user, collection, "hours.txt", OLD)
    for if_exists in IfExists:
        again = (
            await sent(services, current_user, collection, OLD, if_exists=if_exists) if if_exists != "refuse" else None
        )
        if again:
            assert (again.document_id, again.version, again.already_exists) == (first.id, 1, True)
    second = await replaced(services, current_user, collection, NEW)
    # What an earlier version was is new again.
    third = await sent(services, current_user, collection, OLD)
    assert (third.version, third.already_exists) == (3, False)
    assert second.file_id != first.file_id


async def test_a_name_that_is_taken_is_kept_beside_or_refused_as_was_asked(
    services: Services, current_user: CurrentUser, collection: UUID, settings: Settings
) -> None:
    first = await ready(services, current_user, collection, "Übersicht.txt", OLD)
    beside = await sent(services, current_user, collection, NEW, name="Übersicht.txt", if_exists=IfExists.KEEP)
    assert (beside.version, beside.document_id != first.id) == (1, True)
    # Decomposed, as macOS writes it, it is the same name.
    with pytest.raises(AlreadyExists):
        await sent(services, current_user, collection, NEWEST, name="U\u0308bersicht.txt", if_exists=IfExists.REFUSE)
    newest = await sent(services, current_user, collection, NEWEST, name="U\u0308bersicht.txt")
    assert newest.version == 2
    history = await services.documents.versions.history(current_user, newest.document_id)
    assert {item.id for item in history.versions} == {newest.document_id, beside.document_id}
    asked = ["U\u0308bersicht.txt", "übersicht.txt", "other.txt", "..."]
    assert await services.documents.versions.taken_names(current_user, collection, asked) == asked[:2]


@pytest.mark.parametrize(
    ("name", "other"), [("Plan.txt", "PLAN.TXT"), ("Übersicht.txt", "übersicht.txt"), ("STRASSE.txt", "Straße.txt")]
)
async def test_a_name_that_differs_in_case_only_is_taken(
    services: Services, current_user: CurrentUser, collection: UUID, name: str, other: str
) -> None:
    first = await ready(services, current_user, collection, name, OLD)
    assert await services.documents.versions.taken_names(current_user, collection, [other, "x.txt"]) == [other]
    with pytest.raises(AlreadyExists):
        await sent(services, current_user, collection, NEW, name=other, if_exists=IfExists.REFUSE)
    newer = await sent(services, current_user, collection, NEW, name=other)
    assert newer.version == 2
    history = await services.documents.versions.history(current_user, newer.document_id)
    assert {item.id for item in history.versions} == {first.id, newer.document_id}


async def test_of_two_uploads_at_once_that_are_to_be_refused_one_is_kept(
    services: Services, current_user: CurrentUser, collection: UUID, settings: Settings
) -> None:
    both = [sent(services, current_user, collection, data, if_exists=IfExists.REFUSE) for data in (OLD, NEW)]
    ended = await asyncio.gather(*both, return_exceptions=True)
    assert sum(isinstance(item, AlreadyExists) for item in ended) == 1
    assert len(objects(settings)) == len(await listed(services, current_user, collection)) == 1


async def test_two_uploads_at_once_are_two_versions(
    services: Services, current_user: CurrentUser, collection: UUID
) -> None:
    await ready(services, current_user, collection, "hours.txt", OLD)
    both = await asyncio.gather(*(sent(services, current_user, collection, data) for data in (NEW, NEWEST)))
    assert {item.version for item in both} == {2, 3}
    for item in both:
        await settled(services, current_user, item.document_id)
    newest = next(item for item in both if item.version == 3)
    assert await listed(services, current_user, collection) == [newest.document_id]


async def test_files_of_a_message_always_stand_beside_each_other(services: Services, current_user: CurrentUser) -> None:
    draft = new_id()
    first = await sent(services, current_user, new_id(), OLD, draft=draft)
    second = await sent(services, current_user, new_id(), NEW, draft=draft)
    assert (second.version, second.document_id != first.document_id) == (1, True)


async def test_a_version_that_is_read_again_while_it_is_replaced_keeps_its_text(
    services: Services, current_user: CurrentUser, collection: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = await ready(services, current_user, collection, "hours.txt", OLD)
    may_go_on, parse = asyncio.Event(), services.documents.ingestion._parse

    async def held(taken: Any, queue: str) -> None:
        if taken.document.version == 1:
            await may_go_on.wait()
        await parse(taken, queue)

    monkeypatch.setattr(services.documents.ingestion, "_parse", held)
    await services.documents.documents.reingest(current_user, first.id)
    await replaced(services, current_user, collection, NEW)
    may_go_on.set()
    await asyncio.sleep(0.2)
    preview = await services.documents.documents.preview(current_user, first.id)
    assert (preview.text, preview.document.state) == (OLD, DocumentState.READY)
    assert await says(services, current_user, SearchScope((collection,))) == NEW


async def test_readers_see_no_upload_in_progress_and_no_version_that_is_not_in_use(
    services: Services, current_user: CurrentUser, collection: UUID, owner_url: str
) -> None:
    reader = add_user(owner_url, "Reader")
    first = await ready(services, current_user, collection, "hours.txt", OLD)
    await services.documents.documents.rename(current_user, first.id, "hours.docx")
    await services.documents.collection_shares.add(current_user, collection, PrincipalKind.EVERYONE, "", CALLER)
    pending = await replaced(services, current_user, collection, BROKEN, "hours.docx")
    assert pending.version_state is VersionState.PENDING
    upload = await services.documents.files.begin(
        current_user, name="layoffs.txt", size_bytes=5, collection_id=collection
    )
    hidden = {pending.id, upload.document_id}
    assert set(await listed(services, current_user, collection)) == {first.id, *hidden}
    assert await listed(services, reader, collection) == [first.id]
    [facts] = [item for item in await services.documents.collections.readable(reader) if item.id == collection]
    assert facts.documents == 1
    assert [choice.name for choice in await services.documents.collections.search(reader, "layoffs", 5)] == []
    for document_id in hidden:
        for asked in (
            services.documents.documents.preview,
            services.documents.versions.history,
            services.documents.files.content,
        ):
            with pytest.raises(NotFound):
                await asked(reader, document_id)
    assert [item.id for item in (await services.documents.versions.history(reader, first.id)).versions] == [first.id]
    # What its owner has finished is there for readers, too.
    await services.documents.files.receive(current_user, upload.document_id, 0, body(b"words"))
    assert set(await listed(services, reader, collection)) == {first.id, upload.document_id}


async def test_readers_see_the_history_and_change_nothing(
    services: Services, current_user: CurrentUser, collection: UUID, owner_url: str
) -> None:
    first = await ready(services, current_user, collection, "hours.txt", OLD)
    await replaced(services, current_user, collection, NEW)
    reader, stranger = add_user(owner_url, "Reader"), add_user(owner_url, "Stranger")
    await services.documents.collection_shares.add(current_user, collection, PrincipalKind.USER, reader.email, CALLER)
    history = await services.documents.versions.history(reader, first.id)
    assert ([item.version for item in history.versions], history.uploaded_by, history.is_own) == ([2, 1], "Ada", False)
    assert (await services.documents.documents.preview(reader, first.id)).text == OLD
    for intruder in (reader, stranger):
        with pytest.raises(NotFound):
            await services.documents.versions.restore(intruder, first.id, CALLER)
        with pytest.raises(NotFound):
            await services.documents.versions.taken_names(intruder, collection, ["hours.txt"])
        with pytest.raises(NotFound):
            await sent(services, intruder, collection, NEWEST)
    with pytest.raises(NotFound):
        await services.documents.versions.history(stranger, first.id)
    assert "".join([await says(services, stranger, SearchScope((collection,), (first.id,)))]) == ""
