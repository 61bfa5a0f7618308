"""Hosts as administrators manage them: downloads with progress and all that can go wrong, memory, deletion, and who may."""

from __future__ import annotations

import asyncio
from uuid import UUID

import pytest

from rxchat.connections import Connections
from rxchat.db.models import host_jobs
from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import Conflict, InvalidInput, ModelError, ModelUnknown, NotAllowed, NotFound
from rxchat.domain.model_hosts import HostJob, HostJobState
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests import owner
from tests.factories import add_user
from tests.peers.scripted_library import SIZE
from tests.peers.scripted_ollama import ScriptedOllama

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]
HERE = ClientInfo("127.0.0.1", "a browser")
NEW = "scripted:tokens=7"


@pytest.fixture
async def root(services: Services, owner_url: str) -> CurrentUser:
    found = add_user(owner_url, "Root", "admin")
    await services.models.hosts.all(found, is_fresh=True)
    return found


async def ended(services: Services, root: CurrentUser, job_id: UUID) -> HostJob:
    async with asyncio.timeout(60):
        while (job := await services.models.hosts.job(root, job_id)).state is HostJobState.RUNNING:
            await asyncio.sleep(0.02)
    return job


async def begun(services: Services, root: CurrentUser, job_id: UUID) -> HostJob:
    """Wait until some of a model was downloaded."""
    async with asyncio.timeout(60):
        while not (job := await services.models.hosts.job(root, job_id)).completed_bytes:
            await asyncio.sleep(0.02)
    return job


async def test_a_model_is_pulled_offered_and_deleted(
    services: Services, root: CurrentUser, ollama: ScriptedOllama
) -> None:
    hosts = services.models.hosts
    job = await ended(services, root, await hosts.pull(root, "", ollama.host, f" {NEW} ", HERE))
    assert (job.state, job.status, job.error) == (HostJobState.DONE, "success", "")
    assert (job.completed_bytes, job.total_bytes) == (2 * SIZE, 2 * SIZE)
    assert NEW in [model.name for model in (await services.models.catalog.offer()).models]
    (status,) = await hosts.all(root)
    assert [(item.name, item.family, item.quantization) for item in status.models][-1] == (NEW, "scripted", "F16")
    details = await hosts.details(root, "", ollama.host, NEW)
    assert dict(details.facts)["Context length"] == "131,072" and details.license == "A license"
    await hosts.delete(root, "", ollama.host, NEW, HERE)
    assert NEW not in [model.name for model in (await services.models.catalog.offer()).models]
    with pytest.raises(ModelUnknown):
        await hosts.delete(root, "", ollama.host, NEW, HERE)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("disk-full", "The disk of the host is full"),
        ("error", "cannot reach the library"),
        ("missing", "no model scripted:pull=missing in the library"),
        ("cut", "The connection to the host broke during the download"),
        ("end", "The connection to the host broke during the download"),
        ("garbage", "invalid response"),
    ],
)
async def test_each_failure_of_a_download_is_said_in_words(
    services: Services, root: CurrentUser, ollama: ScriptedOllama, fault: str, words: str
) -> None:
    name = f"scripted:pull={fault}"
    job = await ended(services, root, await services.models.hosts.pull(root, "", ollama.host, name, HERE))
    assert job.state is HostJobState.FAILED and words in job.error
    assert ollama.host not in job.error and name not in ollama.offered


async def test_a_download_is_seen_by_every_process_and_can_be_cancelled_in_each(
    services: Services, root: CurrentUser, settings: Settings, at: Connections, ollama: ScriptedOllama
) -> None:
    name, hosts = "scripted:pull=hold", services.models.hosts
    async with running(settings, at) as others:
        job_id = await hosts.pull(root, "", ollama.host, name, HERE)
        seen = await begun(others, root, job_id)
        assert (seen.completed_bytes, seen.total_bytes) == (SIZE // 2, SIZE)
        with pytest.raises(Conflict):
            await hosts.pull(root, "", ollama.host, name, HERE)
        await others.models.hosts.all(root, is_fresh=True)
        await others.models.hosts.cancel(root, job_id, HERE)
        assert (await ended(others, root, job_id)).state is HostJobState.CANCELLED
        with pytest.raises(NotFound):
            await hosts.cancel(root, job_id, HERE)


async def test_a_download_whose_process_has_ended_is_interrupted(
    services: Services, root: CurrentUser, owner_url: str, ollama: ScriptedOllama
) -> None:
    name, hosts = "scripted:pull=hold", services.models.hosts
    first = await hosts.pull(root, "", ollama.host, name, HERE)
    await begun(services, root, first)
    await hosts.stop()
    assert (await hosts.job(root, first)).state is HostJobState.INTERRUPTED
    # As if it was killed: nothing writes the row any more.
    second = await hosts.pull(root, "", ollama.host, name, HERE)
    await begun(services, root, second)
    await hosts.stop()
    with owner.transaction(owner_url) as connection:
        connection.execute(
            "UPDATE host_job SET state = 'running', updated_at = now() - %s WHERE id = %s",
            (2 * host_jobs.ABANDONED, second),
        )
    assert (await hosts.job(root, second)).state is HostJobState.INTERRUPTED


async def test_what_an_administrator_may_no_longer_do_ends(
    services: Services, root: CurrentUser, owner_url: str, ollama: ScriptedOllama
) -> None:
    job_id = await services.models.hosts.pull(root, "", ollama.host, "scripted:pull=hold", HERE)
    with owner.transaction(owner_url) as connection:
        connection.execute("UPDATE user_account SET role = 'member' WHERE id = %s", (root.user_id,))
    async with asyncio.timeout(60):
        while job_id in services.models.hosts._tasks:
            await asyncio.sleep(0.02)


async def test_models_are_loaded_and_unloaded(services: Services, root: CurrentUser, ollama: ScriptedOllama) -> None:
    hosts, name = services.models.hosts, "scripted:tokens=1,load=0.1"
    ollama.offered = [name]
    await hosts.all(root, is_fresh=True)
    assert (await hosts.all(root))[0].loaded == ()
    assert (await ended(services, root, await hosts.load(root, "", ollama.host, name, HERE))).state is HostJobState.DONE
    assert [item.name for item in (await hosts.all(root))[0].loaded] == [name]
    await hosts.unload(root, "", ollama.host, name, HERE)
    assert (await hosts.all(root))[0].loaded == () and ollama.asked == []


async def test_what_is_no_model_or_no_host_is_refused(services: Services, root: CurrentUser) -> None:
    hosts = services.models.hosts
    (status,) = await hosts.all(root)
    for name in ("", " ", "a b", "x" * 201, "a\nb", "a\u202eb"):
        with pytest.raises(InvalidInput):
            await hosts.pull(root, "", status.name, name, HERE)
    for provider, host in (("", "http://elsewhere"), ("gpu", status.name)):
        with pytest.raises(NotFound):
            await hosts.pull(root, provider, host, NEW, HERE)
        with pytest.raises(NotFound):
            await hosts.delete(root, provider, host, NEW, HERE)


async def test_others_manage_no_hosts(services: Services, root: CurrentUser, owner_url: str) -> None:
    hosts, member = services.models.hosts, add_user(owner_url, "Member", "member")
    (status,) = await hosts.all(root)
    for refused in (
        hosts.all(member), hosts.jobs(member), hosts.job(member, root.user_id), hosts.cancel(member, root.user_id, HERE),
        hosts.pull(member, "", status.name, NEW, HERE), hosts.load(member, "", status.name, NEW, HERE),
        hosts.unload(member, "", status.name, NEW, HERE), hosts.delete(member, "", status.name, NEW, HERE),
        hosts.details(member, "", status.name, NEW),
    ):  # fmt: skip
        with pytest.raises(NotAllowed):
            await refused


async def test_a_host_that_is_away_says_so(services: Services, root: CurrentUser, ollama: ScriptedOllama) -> None:
    await ollama.stop()
    (status,) = await services.models.hosts.all(root, is_fresh=True)
    assert "does not respond" in status.problem
    with pytest.raises(ModelError):
        await services.models.hosts.details(root, "", status.name, NEW)
    job = await ended(services, root, await services.models.hosts.pull(root, "", status.name, NEW, HERE))
    assert job.state is HostJobState.FAILED and "does not respond" in job.error
