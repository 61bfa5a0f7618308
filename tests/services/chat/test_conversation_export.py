"""Exports of one conversation: who gets what of it, over services and HTTP."""

from __future__ import annotations

import json

import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import NotFound
from rxchat.domain.exports.conversation import ExportFormat
from rxchat.domain.exports.own_json import signed_by
from rxchat.domain.ids import new_id
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.factories import add_user, signed_in_as
from tests.security.http import error_of, http_clients
from tests.services.chat.test_archive import begun
from tests.services.chat.test_run_engine import ended

pytestmark = pytest.mark.anyio

CALLER = ClientInfo("203.0.113.7", "a browser")


async def exported(services: Services, current_user: CurrentUser, conversation_id, wanted: ExportFormat) -> str:
    file = await services.chat.conversation_export.file(current_user, conversation_id, wanted)
    return b"".join([piece async for piece in file.pieces]).decode()


async def two_versions(services: Services, current_user: CurrentUser):
    conversation_id = await begun(services, current_user, "first wording")
    [question, _] = (await services.chat.conversations.open(current_user, conversation_id)).messages
    await services.chat.branches.edit_question(
        current_user, conversation_id, question.id, "second wording", "scripted:tokens=2", question_id=new_id()
    )
    await ended(services, current_user, conversation_id)
    await services.chat.conversations.rename(current_user, conversation_id, "Wording")
    return conversation_id


async def test_an_owner_gets_all_branches_as_json_and_the_shown_one_to_read(
    services: Services, current_user: CurrentUser
) -> None:
    conversation_id = await two_versions(services, current_user)
    file = json.loads(await exported(services, current_user, conversation_id, ExportFormat.JSON))
    assert signed_by(file) not in {"", None}
    assert [item["text"] for item in file["conversation"]["messages"] if item["role"] == "user"] == [
        "first wording",
        "second wording",
    ]
    kinds = [item["type"] for item in file["conversation"]["events"]]
    assert kinds[0] == "conversation_created" and kinds.count("answer_ended") == 2
    for wanted in (ExportFormat.MARKDOWN, ExportFormat.HTML):
        text = await exported(services, current_user, conversation_id, wanted)
        assert ("second wording" in text and "tok0" in text.lower()) or "second wording" in text
        assert "Question ·" in text and "Answer · scripted:tokens=2" in text


async def test_readers_get_what_is_shown_and_others_nothing(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    conversation_id = await two_versions(services, current_user)
    await services.chat.conversations.pin(current_user, conversation_id, is_pinned=True)
    reader, other = add_user(owner_url, "Reader"), add_user(owner_url, "Other")
    await services.access.grants.add(
        current_user, principal_kind="user", principal=str(reader.user_id), resource_kind="conversation",
        resource=str(conversation_id), action="read", client_info=CALLER,
    )  # fmt: skip
    for wanted in ExportFormat:
        text = await exported(services, reader, conversation_id, wanted)
        assert "second wording" in text and "first wording" not in text
    conversation = json.loads(await exported(services, reader, conversation_id, ExportFormat.JSON))["conversation"]
    assert (conversation["events"], conversation["is_pinned"]) == ([], False)
    for wanted in ExportFormat:
        with pytest.raises(NotFound):
            await services.chat.conversation_export.file(other, conversation_id, wanted)
    await services.chat.conversations.remove(current_user, conversation_id)
    with pytest.raises(NotFound):
        await services.chat.conversation_export.file(current_user, conversation_id, ExportFormat.HTML)


async def test_over_http_files_are_saved_and_a_shown_page_runs_nothing(
    services: Services, settings: Settings, current_user: CurrentUser
) -> None:
    conversation_id = await begun(services, current_user, "Tell me: <script>")
    async with http_clients(settings) as opened:
        browser = opened()
        path = f"/api/conversations/{conversation_id}/export"
        assert (await browser.get(path)).status_code == 401
        browser.cookies.set("rxchat_session", await signed_in_as(services, current_user))
        for wanted, suffix in (("markdown", "md"), ("html", "html"), ("json", "json")):
            answer = await browser.get(path, params={"format": wanted})
            assert answer.status_code == 200
            assert answer.headers["content-disposition"].startswith("attachment; ")
            assert f'.{suffix}"' in answer.headers["content-disposition"]
            assert answer.headers["content-security-policy"].endswith("; sandbox")
            assert answer.headers["cache-control"] == "no-store"
        shown = await browser.get(path, params={"format": "html", "show": "true"})
        assert shown.headers["content-disposition"].startswith("inline; ")
        policy = shown.headers["content-security-policy"]
        assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'") and "script-src" not in policy
        assert "&lt;script&gt;" in shown.text and "<script" not in shown.text
        assert error_of(await browser.get(path, params={"format": "docx"})) == "invalid_input"
        assert error_of(await browser.get(f"/api/conversations/{new_id()}/export")) == "not_found"
        crossed = await browser.get(path, headers={"origin": "https://evil.example"})
        assert crossed.status_code == 403
