"""How a document was read is known, and its owner can have it read otherwise."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.documents import DocumentState, Reading
from rxchat.domain.errors import InvalidInput
from rxchat.services.app.container import Services
from tests.services.grounded import EMBEDDER, ready, settled

pytestmark = pytest.mark.anyio
OFFERED = ["scripted:tokens=2", EMBEDDER]


async def text_of(services: Services, current_user: CurrentUser, document_id) -> str:
    return (await services.documents.documents.preview(current_user, document_id)).text


async def test_a_document_is_read_again_in_the_encoding_and_as_the_format_that_its_owner_chooses(
    services: Services, current_user: CurrentUser, collection
) -> None:
    document = await ready(services, current_user, collection, "notes.txt", "Größe;Preis\n1,5;7\n".encode("cp1252"))
    assert (document.encoding, document.reader, document.chosen_encoding) == ("windows-1252", "plain_text", "")

    await services.documents.documents.reingest(current_user, document.id, Reading("windows-1251", "delimited"))
    document = await settled(services, current_user, document.id)
    assert (document.encoding, document.reader) == ("windows-1251", "delimited")
    assert "GrцЯe | Preis" in await text_of(services, current_user, document.id)

    await services.documents.documents.reingest(current_user, document.id)
    document = await settled(services, current_user, document.id)
    assert document.reading == Reading("windows-1251", "delimited")

    await services.documents.documents.reingest(current_user, document.id, Reading())
    document = await settled(services, current_user, document.id)
    assert (document.encoding, document.reader) == ("windows-1252", "plain_text")
    assert "Größe;Preis" in await text_of(services, current_user, document.id)


async def test_a_reader_of_texts_is_not_given_other_files(
    services: Services, current_user: CurrentUser, collection
) -> None:
    from tests.parsers import samples

    document = await ready(services, current_user, collection, "a.docx", samples.word())
    await services.documents.documents.reingest(current_user, document.id, Reading("utf-8", "plain_text"))
    document = await settled(services, current_user, document.id)
    assert (document.state, document.reader, document.encoding) == (DocumentState.READY, "word", "")


@pytest.mark.parametrize(
    "reading", [Reading("x-user-defined"), Reading("", "pdf"), Reading("../x"), Reading("", "__main__")]
)
async def test_what_cannot_be_chosen_is_refused(
    services: Services, current_user: CurrentUser, collection, reading: Reading
) -> None:
    document = await ready(services, current_user, collection, "notes.txt", b"hello")
    with pytest.raises(InvalidInput):
        await services.documents.documents.reingest(current_user, document.id, reading)
    assert (await settled(services, current_user, document.id)).state is DocumentState.READY
