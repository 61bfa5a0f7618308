"""What `python -m rxchat doctor` says of real servers, and of those that are not there."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import replace

import psycopg
import pytest
from pydantic import SecretStr

from rxchat import doctor
from rxchat.connections import Connections
from rxchat.doctor import Diagnosis, examined
from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.peers.scripted_ollama import ScriptedOllama
from tests.peers.scripted_openai import scripted_openai
from tests.services.answering import ENDLESS, following, grown

pytestmark = pytest.mark.anyio


async def by_part(settings: Settings, at: Connections) -> Mapping[str, Diagnosis]:
    return {diagnosis.part: diagnosis for diagnosis in await examined(settings, at)}


async def test_all_is_well_where_everything_answers(
    settings: Settings, at: Connections, services: Services, current_user: CurrentUser
) -> None:
    turn = await services.chat.messages.send_message(current_user, None, "go", ENDLESS)
    async with following(services, current_user, turn) as answer:
        await grown(answer, 20)
        found = await by_part(settings, at)
    await services.chat.messages.stop(current_user, turn.conversation_id)
    assert [diagnosis for diagnosis in found.values() if not diagnosis.is_well] == []
    assert set(found) == {
        "settings", "database", "schema", "notices", "answers", "redis", "model host", "files", "documents", "disk",
    }  # fmt: skip
    assert "1 in progress" in found["answers"].seen
    assert "arrive after" in found["notices"].seen and "delivers messages" in found["redis"].seen


async def test_each_provider_is_looked_at(settings: Settings, at: Connections, services: Services) -> None:
    async with scripted_openai(key="sk-right") as server:
        for key, is_well in (("sk-right", True), ("sk-wrong", False)):
            chosen = {"openai_hosts": {"gpu": server.url}, "openai_keys": {"gpu": SecretStr(key)}}
            found = (await by_part(settings.model_copy(update=chosen), at))["model provider"]
            assert found.is_well == is_well and "sk-" not in found.seen.replace("sk-***", "")
            assert ("1 chat models" in found.seen) == is_well and ("OPENAI_KEYS" in found.remedy) != is_well


async def test_answers_that_nobody_writes_are_found(
    settings: Settings, at: Connections, services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    await services.chat.run_engine.stop()
    turn = await services.chat.messages.send_message(current_user, None, "go", ENDLESS)
    assert (await by_part(settings, at))["answers"].is_well
    with psycopg.connect(owner_url) as connection:
        connection.execute(
            "UPDATE run SET created_at = now() - interval '1 minute' WHERE owner_id = %s", (current_user.user_id,)
        )
    found = (await by_part(settings, at))["answers"]
    assert "Start one (python -m rxchat worker)" in found.remedy and "1 queued" in found.seen
    await services.chat.messages.stop(current_user, turn.conversation_id)


async def test_what_is_away_is_named_and_everything_else_is_looked_at(
    settings: Settings, at: Connections, ollama: ScriptedOllama
) -> None:
    nowhere = "postgresql://nobody@127.0.0.1:9/rxchat"
    await ollama.stop()
    found = await by_part(
        settings, replace(at, database_url=nowhere, database_owner_url=nowhere, redis_url="redis://127.0.0.1:9/0")
    )
    ill = {part for part, diagnosis in found.items() if not diagnosis.is_well}
    assert ill == {"database", "schema", "notices", "answers", "redis", "model host", "files"}
    assert "DATABASE_URL" in found["database"].remedy and ollama.host in found["model host"].seen
    without = await by_part(settings, replace(at, redis_url=None))
    assert without["redis"].is_well and "is not set" in without["redis"].seen


async def test_a_schema_of_another_time_is_named(
    settings: Settings, at: Connections, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(doctor.migrations, "newest_revision", lambda: "9999")
    found = (await by_part(settings, at))["schema"]
    assert "this code needs 9999" in found.seen and "migrate" in found.remedy


@pytest.mark.parametrize(("remedy", "code", "words"), [("", 0, "Everything is fine"), ("Mend it.", 1, "1 of 1 parts")])
def test_what_is_found_is_said_and_is_the_exit_code(
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    remedy: str,
    code: int,
    words: str,
) -> None:
    async def one(*_arguments: object) -> list[Diagnosis]:
        return [Diagnosis("disk", "is there", remedy)]

    monkeypatch.setattr(doctor, "examined", one)
    monkeypatch.setattr(doctor, "connections", lambda _settings: None)
    assert doctor.doctor(settings, argparse.Namespace()) == code
    said = capsys.readouterr().out
    assert words in said and remedy in said


async def test_doctor_says_when_a_model_host_is_reached_through_a_proxy(
    ollama: ScriptedOllama, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = (await doctor._model_host(ollama.host)).seen
    assert "proxy" not in seen
    monkeypatch.setattr(doctor, "proxy_for", lambda _host: "http://user:s3cret@proxy.example:3128")
    seen = (await doctor._model_host(ollama.host)).seen
    assert "through the proxy http://proxy.example:3128" in seen
