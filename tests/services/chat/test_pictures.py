"""Pictures in messages: models that see get them, smaller and without metadata; others get their text."""

from __future__ import annotations

import base64
import io
from uuid import UUID

import pytest
from PIL import Image

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import NotFound
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.services.chat.context_sources import Attached
from tests.factories import add_user
from tests.parsers.test_pictures import encoded, photo
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.answering import ended
from tests.services.grounded import EMBEDDER, body

pytestmark = pytest.mark.anyio

SEES, BLIND = "scripted:tokens=2,see=1", "scripted:tokens=2"


@pytest.fixture
def ada(current_user: CurrentUser, ollama: ScriptedOllama) -> CurrentUser:
    ollama.offered = [SEES, BLIND, EMBEDDER]
    return current_user


async def attached(services: Services, current_user: CurrentUser, **files: bytes) -> tuple[Attached, list[UUID]]:
    draft, ids = new_id(), []
    for name, data in files.items():
        begun = await services.documents.files.begin(
            current_user, name=name.replace("_", "."), size_bytes=len(data), draft_key=draft
        )
        received = await services.documents.files.receive(current_user, begun.document_id, 0, body(data))
        ids.append(received.document_id)
    return Attached(draft_key=draft), ids


def pictures_of(asked: dict) -> list[list[Image.Image]]:
    return [
        [Image.open(io.BytesIO(base64.b64decode(item))) for item in message.get("images", [])]
        for message in asked["messages"]
        if message["role"] == "user"
    ]


def answers(ollama: ScriptedOllama) -> list[dict]:
    """What was asked in conversations, and not for a picture's description."""
    return [asked for asked in ollama.asked if "Describe this picture" not in str(asked["messages"])]


async def test_a_model_that_sees_gets_pictures_now_and_in_later_questions(
    services: Services, ada: CurrentUser, ollama: ScriptedOllama
) -> None:
    with_photo, _ = await attached(services, ada, photo_jpg=photo(), note_txt=b"Nothing to see.")
    turn = await services.chat.messages.send_message(ada, None, "What is this?", SEES, attached=with_photo)
    ending = await ended(services, ada, turn.conversation_id)
    [[seen]] = pictures_of(answers(ollama)[-1])
    assert max(seen.size) == 1568 and not seen.getexif()
    assert not [warning for warning in ending.warnings if "photo" in warning]
    await services.chat.messages.send_message(ada, turn.conversation_id, "And its color?", SEES)
    await ended(services, ada, turn.conversation_id)
    assert [len(pictures) for pictures in pictures_of(answers(ollama)[-1])] == [1, 0]
    # A model that does not see goes on with the words alone.
    await services.chat.messages.send_message(ada, turn.conversation_id, "Thanks.", BLIND)
    await ended(services, ada, turn.conversation_id)
    assert "images" not in str(answers(ollama)[-1])


async def test_a_message_with_a_picture_alone_waits_for_no_text(
    services: Services, ada: CurrentUser, ollama: ScriptedOllama
) -> None:
    with_photo, _ = await attached(services, ada, photo_jpg=photo(300, 200))
    turn = await services.chat.messages.send_message(ada, None, "", SEES, attached=with_photo)
    ending = await ended(services, ada, turn.conversation_id)
    asked = answers(ollama)[-1]
    assert len(pictures_of(asked)[0]) == 1 and ending.warnings == []
    # Nothing says that nothing was found in the files.
    assert "found nothing" not in str(asked["messages"])


async def test_a_damaged_or_deleted_picture_is_named_under_the_answer(
    services: Services, ada: CurrentUser, ollama: ScriptedOllama
) -> None:
    broken = encoded(Image.new("RGB", (90, 90)), "PNG")[:60]
    with_photos, ids = await attached(services, ada, fine_jpg=photo(80, 60), broken_png=broken, gone_jpg=photo(90, 60))
    await services.documents.files.remove(ada, ids[2:])
    # It was there when the message was sent.
    turn = await services.chat.messages.send_message(ada, None, "Which?", SEES, attached=with_photos)
    ending = await ended(services, ada, turn.conversation_id)
    assert [len(pictures) for pictures in pictures_of(answers(ollama)[-1])] == [1]
    assert any("broken.png could not be shown to the model" in warning for warning in ending.warnings)


async def test_a_picture_is_shown_to_those_alone_who_may_read_its_document(
    services: Services, ada: CurrentUser, owner_url: str
) -> None:
    _, [document_id] = await attached(services, ada, photo_jpg=photo(80, 60))
    assert (await services.documents.pictures.get(ada.user_id, document_id)).media_type == "image/jpeg"
    stranger = add_user(owner_url, "Mallory")
    for user_id, wanted in ((stranger.user_id, document_id), (ada.user_id, new_id())):
        with pytest.raises(NotFound):
            await services.documents.pictures.get(user_id, wanted)
    _, [text_id] = await attached(services, ada, note_txt=b"Just words.")
    with pytest.raises(NotFound):
        await services.documents.pictures.get(ada.user_id, text_id)
