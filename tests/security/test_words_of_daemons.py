"""What stores, embedders and sign-in providers say: members get a sentence, the log has the words, operators the reason."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import httpx
import pytest
from pydantic import SecretStr
from structlog.testing import capture_logs

from rxchat.connections import Connections
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import EmbedderError, StorageError
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from rxchat.states.documents import documents as documents_state
from tests.factories import add_user
from tests.peers.canned_http import answer, canned_http
from tests.peers.scripted_ollama import ScriptedOllama
from tests.peers.sign_in_provider import SignInProviderHost, visit
from tests.security.http import Open, create_user, http_clients, sign_in
from tests.services.grounded import EMBEDDER, body, ready, uploaded
from tests.services.grounded import found as found_document

pytestmark = pytest.mark.anyio

WORDS = "user 4711 at 10.20.30.40 may not write into bucket payroll"


@pytest.fixture
async def ollama(ollama: ScriptedOllama) -> ScriptedOllama:
    ollama.offered = ["scripted:tokens=2", EMBEDDER]
    return ollama


def reasons(logs: Sequence[Mapping[str, Any]]) -> str:
    return "\n".join(str(line) for line in logs if line["log_level"] in {"warning", "error"})


async def upload(services: Services, current_user: CurrentUser) -> StorageError:
    """Try to upload a file, and return why it could not be."""
    collection = await services.documents.collections.create(current_user, "Mine")
    with pytest.raises(StorageError) as failure:
        begun = await services.documents.files.begin(current_user, name="a.txt", size_bytes=1, collection_id=collection)
        await services.documents.files.receive(current_user, begun.document_id, 0, body(b"a"))
    return failure.value


@pytest.mark.parametrize("code", ["AccessDenied", "QuotaExceeded", "InternalError", "UnheardOf"])
async def test_what_an_s3_server_says_is_for_the_log_and_operators_alone(
    settings: Settings, at: Connections, owner_url: str, code: str
) -> None:
    said = answer(
        500 if code == "InternalError" else 403,
        f"<Error><Code>{code}</Code><Message>{WORDS}</Message></Error>".encode(),
    )
    with canned_http(lambda _head, _body: said) as server:
        values = {
            "s3_endpoint": server.endpoint, "s3_bucket": "files", "s3_access_key": SecretStr("rxchat"),
            "s3_secret_key": SecretStr("never-in-any-log"),
        }  # fmt: skip
        strict = settings.model_copy(update=values)
        async with running(strict, at) as services, http_clients(strict) as clients:
            with capture_logs() as logs:
                error = await upload(services, add_user(owner_url))
            state = (await clients("127.0.0.1").get("/readyz")).text
            public = (await clients("203.0.113.9").get("/readyz")).text
    assert (
        WORDS not in error.message and server.endpoint not in error.message and error.message.endswith((".", "moment."))
    )
    assert f"{code}: {WORDS}" in reasons(logs)
    assert WORDS in state and WORDS not in public
    assert "never-in-any-log" not in reasons(logs) + state + error.detail


async def test_a_store_that_is_away_is_a_sentence_without_its_address(
    settings: Settings, at: Connections, owner_url: str
) -> None:
    values = {
        "s3_endpoint": "http://127.0.0.1:9", "s3_bucket": "files", "s3_access_key": SecretStr("rxchat"),
        "s3_secret_key": SecretStr("never-in-any-log"),
    }  # fmt: skip
    with capture_logs() as logs:
        async with running(settings.model_copy(update=values), at) as services:
            error = await upload(services, add_user(owner_url))
    assert "127.0.0.1" not in error.message
    assert "http://127.0.0.1:9" in reasons(logs)


async def test_a_search_without_its_embedder_says_so_without_the_hosts_words(
    services: Services, clients: Open, owner_url: str, ollama: ScriptedOllama
) -> None:
    member = await create_user(services, owner_url)
    collection = await services.documents.collections.create(member, "Mine")
    await ready(services, member, collection, "a.txt", "The coffee machine is cleaned on Fridays.")
    client = clients()
    await sign_in(client, member)
    asked = {"question": "coffee", "collections": [str(collection)]}
    await ollama.stop()
    with capture_logs() as logs:
        found = (await client.post("/api/search", json=asked)).json()
    assert found["notice"] == "The embedding model's host does not respond. The search used words only, not meaning."
    assert "Fridays" in found["passages"][0]["text"]
    assert ollama.host in reasons(logs)
    admin = await create_user(services, owner_url, role="admin")
    await services.documents.collection_shares.add(member, collection, "user", admin.email, ClientInfo())
    boss = clients()
    await sign_in(boss, admin)
    found = (await boss.post("/api/search", json=asked)).json()
    assert ollama.host in found["notice"] and "Fridays" in found["passages"][0]["text"]
    await ollama.start()


async def test_why_a_document_waits_for_its_embedder_is_told_to_administrators_in_the_hosts_own_words(
    services: Services, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def failing(*_given: object) -> None:
        raise EmbedderError("The embedding model's host refused the text.", detail=f"http://10.1.1.1: {WORDS}")

    member = add_user(owner_url)
    admin = add_user(owner_url, "Boss", "admin")
    collection = await services.documents.collections.create(member, "Mine")
    await services.documents.collection_shares.add(member, collection, "user", admin.email, ClientInfo())
    monkeypatch.setattr(services.documents.ingestion._vector_index._embedder, "embed", failing)
    await services.documents.ingestion._vector_index.wanted_index()
    document = await uploaded(services, member, collection, "a.txt", "Coffee.")
    async with asyncio.timeout(60):
        while not (await found_document(services, member, document)).status_text:
            await asyncio.sleep(0.05)
    lines = [
        (await documents_state._read(current_user, str(collection))).documents[0] for current_user in (member, admin)
    ]
    assert (
        WORDS not in str(lines[0])
        and "10.1.1.1" not in str(lines[0])
        and any(note.startswith("The embedding") for note in lines[0].notes)
    )
    assert WORDS in str(lines[1].notes) and "10.1.1.1" in str(lines[1].notes)
    # Given up, too.
    await services.documents.ingestion.give_up(member.user_id, document, "It refuses.", 20, f"http://10.1.1.1: {WORDS}")
    lines = [
        (await documents_state._read(current_user, str(collection))).documents[0] for current_user in (member, admin)
    ]
    assert (lines[0].state, WORDS in lines[0].words, WORDS in lines[1].words) == ("failed", False, True)


async def test_what_a_sign_in_provider_says_is_for_the_log_alone(
    settings: Settings, at: Connections, owner_url: str, running_providers: SignInProviderHost
) -> None:
    provider = running_providers
    values = settings.model_dump(by_alias=True, exclude_unset=True) | provider.environment
    async with running(Settings.model_validate(values), at) as services, http_clients(settings) as clients:
        await create_user(services, owner_url)
        client = clients()
        url = (await client.get("/api/auth/providers/oidc")).headers["location"]
        query = httpx.URL(url).params
        fields = await visit(url, "ada", redirect_uri=query["redirect_uri"])
        provider.tamper("oidc", "/token", error="invalid_client", error_description=WORDS, id_token=None)
        with capture_logs() as logs:
            back = await client.get("/api/auth/providers/oidc/callback", params=fields)
    provider.calm()
    assert (back.status_code, back.headers["location"]) == (303, "/sign-in?problem=provider_broke")
    assert WORDS not in back.text + str(back.headers)
    assert f"invalid_client: {WORDS}" in reasons(logs)
