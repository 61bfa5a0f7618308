"""Files attached to mails: documents of their own, found and cited as themselves, deleted with their mail."""

from __future__ import annotations

import asyncio
from email.message import EmailMessage
from uuid import UUID

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.documents import DocumentState
from rxchat.domain.files import Document, FileLimits
from rxchat.domain.retrieval import SearchScope
from rxchat.domain.versions import IfExists, VersionState
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.services.grounded import EMBEDDER, body, found, ready, settled
from tests.services.uploading import content, objects

pytestmark = pytest.mark.anyio

OFFERED = [EMBEDDER]
MINUTES = "The board meets on the third floor."


def mail(*attached: tuple[str, bytes], subject: str = "Papers") -> bytes:
    made = EmailMessage()
    made["From"], made["Subject"] = "ann@example.org", subject
    made.set_content("Please read the papers.")
    for name, data in attached:
        made.add_attachment(data, maintype="application", subtype="octet-stream", filename=name)
    return bytes(made)


async def others(services: Services, current_user: CurrentUser, collection: UUID, mail_id: UUID) -> list[Document]:
    """What is in the collection beside a mail, when all of it is ready or has failed."""
    async with asyncio.timeout(60):
        while True:
            listed = (await services.documents.documents.in_collection(current_user, collection))[1]
            if all(item.state.is_final for item in listed):
                return sorted((item for item in listed if item.id != mail_id), key=lambda item: item.name)
            await asyncio.sleep(0.05)


async def test_what_is_attached_to_a_mail_is_found_as_itself_and_goes_with_it(
    services: Services, current_user: CurrentUser, collection: UUID, settings: Settings
) -> None:
    data = mail(("minutes.txt", MINUTES.encode()), ("table.csv", b"room;floor\nBlue;3\n"))
    letter = await ready(services, current_user, collection, "papers.eml", data)
    minutes, table = await others(services, current_user, collection, letter.id)
    assert [(item.name, item.parent_id, item.state) for item in (minutes, table)] == [
        ("minutes.txt", letter.id, DocumentState.READY), ("table.csv", letter.id, DocumentState.READY),
    ]  # fmt: skip
    assert await content(services, current_user, minutes.id) == MINUTES.encode()
    # A question about the mail is one about what is attached to it, too.
    for where in (SearchScope((collection,)), SearchScope((), (letter.id,))):
        best = (await services.retrieval.search.search(current_user, "Where does the board meet?", where)).passages[0]
        assert (best.document_id, best.name, best.text) == (minutes.id, "minutes.txt", MINUTES)
    await services.documents.files.remove(current_user, [letter.id])
    assert (await services.documents.documents.in_collection(current_user, collection))[1] == []
    await services.documents.trash.delete_for_good(current_user, letter.id)
    assert objects(settings) == []


async def test_a_mail_that_is_read_again_keeps_the_documents_of_its_files(
    services: Services, current_user: CurrentUser, collection: UUID, settings: Settings
) -> None:
    letter = await ready(services, current_user, collection, "papers.eml", mail(("minutes.txt", MINUTES.encode())))
    [before] = await others(services, current_user, collection, letter.id)
    await services.documents.documents.reingest(current_user, letter.id)
    await settled(services, current_user, letter.id)
    assert [item.id for item in await others(services, current_user, collection, letter.id)] == [before.id]
    assert len(objects(settings)) == 2


async def test_files_of_an_earlier_version_of_a_mail_are_found_no_more(
    services: Services, current_user: CurrentUser, collection: UUID
) -> None:
    first = await ready(services, current_user, collection, "papers.eml", mail(("minutes.txt", MINUTES.encode())))
    [old] = await others(services, current_user, collection, first.id)
    data = mail(("minutes.txt", b"The board meets in the garden."))
    upload = await services.documents.files.begin(
        current_user, name="papers.eml", size_bytes=len(data), collection_id=collection, if_exists=IfExists.REPLACE
    )
    await services.documents.files.receive(current_user, upload.document_id, 0, body(data))
    await settled(services, current_user, upload.document_id)
    [new] = await others(services, current_user, collection, upload.document_id)
    assert (await found(services, current_user, old.id)).version_state is VersionState.SUPERSEDED
    assert (await services.documents.documents.preview(current_user, old.id)).text == MINUTES
    passages = (
        await services.retrieval.search.search(current_user, "Where does the board meet?", SearchScope((collection,)))
    ).passages
    assert {item.document_id for item in passages} == {new.id, upload.document_id}
    await services.documents.files.remove(current_user, [upload.document_id])
    assert (await services.documents.documents.in_collection(current_user, collection))[1] == []


async def test_mails_in_mails_are_opened_so_deep_and_no_deeper(
    services: Services, current_user: CurrentUser, collection: UUID
) -> None:
    inner = mail(("minutes.txt", MINUTES.encode()), subject="three")
    data = mail(("two.eml", mail(("three.eml", inner), subject="two")), subject="one")
    letter = await ready(services, current_user, collection, "one.eml", data)
    async with asyncio.timeout(60):
        while len(listed := await others(services, current_user, collection, letter.id)) < 2:
            await asyncio.sleep(0.05)
    assert [item.name for item in listed] == ["three.eml", "two.eml"]
    assert "nested too deeply" in listed[0].warnings


async def test_the_bound_holds_for_all_files_of_an_upload_however_they_are_nested(
    services: Services, current_user: CurrentUser, collection: UUID, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rxchat.services.documents.attached_files.ATTACHED_FILES", 4)
    inner = [mail(*((f"{name}{number}.txt", f"{name} {number}".encode()) for number in range(3))) for name in "ab"]
    letter = await ready(services, current_user, collection, "one.eml", mail(("a.eml", inner[0]), ("b.eml", inner[1])))
    async with asyncio.timeout(60):
        while len(listed := await others(services, current_user, collection, letter.id)) < 4:
            await asyncio.sleep(0.05)
    assert len(await others(services, current_user, collection, letter.id)) == 4
    assert sum("only 4 files of an upload are" in item.warnings for item in listed) >= 1


async def test_files_without_room_are_named_and_the_mail_is_ready(
    services: Services, current_user: CurrentUser, collection: UUID, settings: Settings
) -> None:
    services.documents.files.limits = FileLimits(user_files=2)
    data = mail(("a.txt", b"first"), ("b.txt", b"second"))
    letter = await ready(services, current_user, collection, "papers.eml", data)
    assert [item.name for item in await others(services, current_user, collection, letter.id)] == ["a.txt"]
    assert "“b.txt” was not read: You have 2 files" in letter.warnings
    assert len(objects(settings)) == 2


async def test_a_file_that_is_kept_already_is_stored_once(
    services: Services, current_user: CurrentUser, collection: UUID, settings: Settings
) -> None:
    alone = await ready(services, current_user, collection, "minutes.txt", MINUTES)
    data = mail(("minutes.txt", MINUTES.encode()), ("minutes.txt", MINUTES.encode()))
    letter = await ready(services, current_user, collection, "papers.eml", data)
    both = await others(services, current_user, collection, letter.id)
    assert [(item.file_id, item.parent_id) for item in both if item.id != alone.id] == [(alone.file_id, letter.id)]
    assert len(objects(settings)) == 2
    await services.documents.files.remove(current_user, [letter.id])
    assert await content(services, current_user, alone.id) == MINUTES.encode()
