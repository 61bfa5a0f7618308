"""The embedder that comes with RxChat, started by the process that embeds: once for each data folder."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from rxchat.adapters.embedders.ollama import OllamaEmbeddingModel
from rxchat.bootstrap import build_services
from rxchat.connections import Connections
from rxchat.domain.errors import EmbedderError
from rxchat.embedded.local_embedder import LocalEmbedder
from rxchat.settings import Settings
from tests.embedded import weights_cache
from tests.peers.scripted_ollama import ScriptedOllama

pytestmark = pytest.mark.anyio

ROOT = Path(__file__).resolve().parents[1]


@pytest.fixture
def data() -> Iterator[Path]:
    folder = Path(tempfile.mkdtemp(prefix="rxchat-embedder-"))
    weights_cache.seed(folder)
    yield folder
    shutil.rmtree(folder, ignore_errors=True)


def settings_of(data: Path, **more: str) -> Settings:
    return Settings.model_validate({"RXCHAT_DATA": data, **more}, by_alias=True)


def connections_of(*hosts: str, demo: tuple[str, ...] = ()) -> Connections:
    """Everything is set, as with `web` and `worker` commands: no supervisor runs anything."""
    return Connections(
        database_url="postgresql://nobody@127.0.0.1:9/none",
        database_owner_url="",
        redis_url=None,
        ollama_hosts=hosts,
        demo_hosts=demo,
        secret_key=b"k" * 32,
        password_pepper=b"p" * 32,
    )


async def test_a_host_without_an_embedding_model_leaves_documents_to_the_embedder_that_comes_along(
    data: Path, ollama: ScriptedOllama
) -> None:
    ollama.offered = ["scripted:tokens=1"]
    made = build_services(settings_of(data), connections_of(ollama.host))
    embedder = made.services.documents.ingestion._vector_index._embedder
    try:
        info = await embedder.info()
        assert (info.model, info.dimensions) == ("all-minilm:22m", 384)
        one, same, other = await embedder.embed(["Who cleans it?", "who cleans it", "Left at the church"], info)
        assert sum(map(float.__mul__, one, same)) > sum(map(float.__mul__, one, other))
        assert embedder.label == "all-minilm:22m, which comes with RxChat"
    finally:
        await made.aclose()


async def test_it_is_the_default_beside_hosts_that_have_embedding_models(data: Path, ollama: ScriptedOllama) -> None:
    ollama.offered = ["scripted-embed:tokens=256"]
    made = build_services(settings_of(data), connections_of(ollama.host))
    try:
        assert (
            await made.services.documents.ingestion._vector_index._embedder.info("scripted-embed:tokens=256")
        ).dimensions == 384
    finally:
        await made.aclose()


async def test_a_setting_names_another_embedder_and_no_process_is_started(data: Path, ollama: ScriptedOllama) -> None:
    ollama.offered = ["scripted-embed:tokens=256"]
    settings = settings_of(data, RXCHAT_EMBEDDING_MODEL="scripted-embed:tokens=256")
    made = build_services(settings, connections_of(ollama.host))
    embedder = made.services.documents.ingestion._vector_index._embedder
    try:
        assert (await embedder.info()).model == "scripted-embed:tokens=256"
        assert embedder.label == "scripted-embed:tokens=256, on the Ollama hosts"
        assert not (data / "run" / "embedder.json").exists()
    finally:
        await made.aclose()


async def test_the_one_beside_the_demo_model_is_used_where_that_runs(data: Path, ollama: ScriptedOllama) -> None:
    made = build_services(settings_of(data), connections_of(ollama.host, demo=(ollama.host,)))
    embedder = made.services.documents.ingestion._vector_index._embedder
    try:
        assert isinstance(embedder, OllamaEmbeddingModel)
        assert embedder._own is not None
        assert await embedder._own.url() == ollama.host
    finally:
        await made.aclose()


async def test_several_processes_of_a_machine_share_one_and_another_takes_over_when_its_owner_is_killed(
    data: Path,
) -> None:
    script = textwrap.dedent(
        """
        import asyncio, pathlib, sys
        from rxchat.embedded.local_embedder import LocalEmbedder
        async def main():
            print("at", await LocalEmbedder(pathlib.Path(sys.argv[1])).url(), flush=True)
            await asyncio.sleep(600)
        asyncio.run(main())
        """
    )
    owner = subprocess.Popen(
        [sys.executable, "-c", script, str(data)],
        cwd=ROOT, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    local = LocalEmbedder(data)
    try:
        assert owner.stdout is not None
        while not (line := await asyncio.to_thread(owner.stdout.readline)).startswith("at "):
            assert line
        first = line.split()[1]
        assert await local.url() == first
        assert local._child is None
        owner.send_signal(signal.SIGKILL)
        owner.wait(10)
        second = await local.url()
        assert local._child is not None
        assert second != first
    finally:
        owner.kill()
        owner.communicate()
        await local.aclose()
    assert not (data / "run" / "embedder.json").exists()


async def test_where_it_cannot_run_the_reason_is_a_sentence(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.rmtree(data / "models")
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    made = build_services(settings_of(data), connections_of("http://127.0.0.1:9"))
    try:
        with pytest.raises(EmbedderError, match="RXCHAT_EMBEDDING_MODEL"):
            await made.services.documents.ingestion._vector_index._embedder.info()
    finally:
        await made.aclose()
