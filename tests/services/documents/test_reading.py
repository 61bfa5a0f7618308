"""How a document was read is known, and its owner can have it read otherwise."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import Viewer
from rxchat.domain.documents import DocumentState, Reading
from rxchat.domain.errors import InvalidInput
from rxchat.services.app.container import Services
from tests.services.grounded import EMBEDDER, ready, settled

pytestmark = pytest.mark.anyio
OFFERED = ["scripted:tokens=2", EMBEDDER]


async def text_of(services: Services, viewer: Viewer, document_id) -> str:
    return (await services.library.document(viewer, document_id)).text


async def test_a_document_is_read_again_in_the_encoding_and_as_the_format_that_its_owner_chooses(
    services: Services, viewer: Viewer, collection
) -> None:
    document = await ready(services, viewer, collection, "notes.txt", "Größe;Preis\n1,5;7\n".encode("cp1252"))
    assert (document.encoding, document.reader, document.chosen_encoding) == ("windows-1252", "plain_text", "")

    await services.library.read_again(viewer, document.id, Reading("windows-1251", "delimited"))
    document = await settled(services, viewer, document.id)
    assert (document.encoding, document.reader) == ("windows-1251", "delimited")
    assert "GrцЯe | Preis" in await text_of(services, viewer, document.id)

    await services.library.read_again(viewer, document.id)
    document = await settled(services, viewer, document.id)
    assert document.reading == Reading("windows-1251", "delimited")

    await services.library.read_again(viewer, document.id, Reading())
    document = await settled(services, viewer, document.id)
    assert (document.encoding, document.reader) == ("windows-1252", "plain_text")
    assert "Größe;Preis" in await text_of(services, viewer, document.id)


async def test_a_reader_of_texts_is_not_given_other_files(services: Services, viewer: Viewer, collection) -> None:
    from tests.parsers import samples

    document = await ready(services, viewer, collection, "a.docx", samples.word())
    await services.library.read_again(viewer, document.id, Reading("utf-8", "plain_text"))
    document = await settled(services, viewer, document.id)
    assert (document.state, document.reader, document.encoding) == (DocumentState.READY, "word", "")


@pytest.mark.parametrize(
    "reading", [Reading("x-user-defined"), Reading("", "pdf"), Reading("../x"), Reading("", "__main__")]
)
async def test_what_cannot_be_chosen_is_refused(
    services: Services, viewer: Viewer, collection, reading: Reading
) -> None:
    document = await ready(services, viewer, collection, "notes.txt", b"hello")
    with pytest.raises(InvalidInput):
        await services.library.read_again(viewer, document.id, reading)
    assert (await settled(services, viewer, document.id)).state is DocumentState.READY
