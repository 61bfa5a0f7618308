"""The files attached to the message that is being written: the page shows which are still being read, and which could not be."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.states.chat.attached_files import AttachedFilesState
from rxchat.states.chat.thread import ThreadState
from tests.factories import add_user, signed_in_as
from tests.peers.scripted_ollama import ScriptedOllama
from tests.services.grounded import EMBEDDER, body
from tests.tab import open_tab

pytestmark = pytest.mark.anyio

TEXT = b"Each employee has 31 days of leave."
NO_PDF = b"%PDF-1.7 This is none."


@pytest.fixture
async def cookie(services: Services, current_user: CurrentUser, ollama: ScriptedOllama) -> str:
    ollama.offered = ["scripted:tokens=2", EMBEDDER]
    return await signed_in_as(services, current_user)


async def test_a_file_is_being_read_until_it_is_ready_or_cannot_be_read(
    services: Services, current_user: CurrentUser, cookie: str
) -> None:
    files = services.documents.files
    given = {"rules.txt": TEXT, "rules.pdf": NO_PDF}
    uploads = {
        name: await files.begin(current_user, name=name, size_bytes=len(data), draft_key=new_id())
        for name, data in given.items()
    }
    ids = [str(upload.document_id) for upload in uploads.values()]
    async with open_tab(cookie) as tab:
        await tab.do(AttachedFilesState, "watch", ids=" ".join(ids))
        assert tab.shown(AttachedFilesState, "of") == " ".join(ids)
        assert sorted(tab.shown(AttachedFilesState, "being_read")) == sorted(ids)
        for name, upload in uploads.items():
            await files.receive(current_user, upload.document_id, 0, body(given[name]))
        await tab.until(lambda: tab.shown(AttachedFilesState, "being_read") == [])
        problems = tab.shown(AttachedFilesState, "problems")
        assert list(problems) == [ids[1]] and problems[ids[1]].startswith("This file could not be read. ")
        await tab.do(AttachedFilesState, "watch", ids="")
        assert tab.shown(AttachedFilesState, "problems") == {}


async def test_files_of_others_and_what_is_no_id_are_not_shown(
    services: Services, cookie: str, owner_url: str, subtests: pytest.Subtests
) -> None:
    stranger = add_user(owner_url, "Mallory")
    theirs = await services.documents.files.begin(stranger, name="diary.txt", size_bytes=9, draft_key=new_id())
    given = {
        "theirs": str(theirs.document_id),
        "no id": "no-id",
        "very many": " ".join(str(new_id()) for _ in range(2_000)),
    }
    for name, ids in given.items():
        with subtests.test(ids=name):
            async with open_tab(cookie) as tab:
                await tab.do(AttachedFilesState, "watch", ids=ids)
                assert not tab.shown(AttachedFilesState, "being_read") and not tab.shown(AttachedFilesState, "problems")
                assert bool(tab.shown(ThreadState, "problem")) == (name == "no id")
