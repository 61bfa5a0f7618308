"""The page of hosts: what it shows, what its buttons do, and what it refuses."""

from __future__ import annotations

import asyncio
import json

import pytest

from rxchat.domain.accounts import CurrentUser
from rxchat.services.app.container import Services
from rxchat.states.access.hosts import HostsState, JobView
from tests.factories import signed_in_as
from tests.peers.scripted_ollama import ScriptedOllama
from tests.tab import Tab, open_tab

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]
NEW = "scripted:tokens=7"


async def shows_when_ended(tab: Tab) -> JobView:
    """Return the latest job as soon as it has ended."""
    async with asyncio.timeout(60):
        while True:
            await tab.do(HostsState, "load")
            latest = tab.shown(HostsState, "jobs")[0]
            if not latest.is_running:
                return latest
            await asyncio.sleep(0.05)


async def test_a_model_is_pulled_loaded_looked_at_and_deleted(
    services: Services, ada: CurrentUser, ollama: ScriptedOllama
) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(HostsState, "load")
        (host,) = tab.shown(HostsState, "hosts")
        assert (host.name, host.badge, host.loaded, host.answers) == (ollama.host, "Works", ["scripted:tokens=20"], "0")
        await tab.do(HostsState, "pull", form={"host": host.key, "model": NEW, "dialog": "5"})
        assert tab.shown(HostsState, "done_dialog") == 5
        job = await shows_when_ended(tab)
        assert (job.title, job.badge, job.error, job.done) == (NEW, "Downloaded", "", 1000)
        line = next(item for item in tab.shown(HostsState, "models") if item.name == NEW)
        assert line.detail == "scripted · 0 · F16" and line.is_loaded
        await tab.do(HostsState, "unload", key=line.key)
        assert not next(item for item in tab.shown(HostsState, "models") if item.name == NEW).is_loaded
        await tab.do(HostsState, "load_model", key=line.key)
        assert (await shows_when_ended(tab)).badge == "Loaded"
        await tab.do(HostsState, "look_at", key=line.key)
        assert tab.shown(HostsState, "looked_at") == line.key
        assert ["Quantization", "Q4_K_M"] in tab.shown(HostsState, "details").facts
        await tab.do(HostsState, "remove", form={"key": line.key, "dialog": "6"})
        assert NEW not in [item.name for item in tab.shown(HostsState, "models")] and NEW not in ollama.offered
        assert tab.shown(HostsState, "flash") == f"Deleted {NEW} from {ollama.host}."


async def test_a_download_that_fails_says_why_and_one_that_runs_can_be_cancelled(
    services: Services, ada: CurrentUser, ollama: ScriptedOllama
) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(HostsState, "load")
        key = tab.shown(HostsState, "hosts")[0].key
        await tab.do(HostsState, "pull", form={"host": key, "model": "scripted:pull=disk-full"})
        job = await shows_when_ended(tab)
        assert job.badge == "Download failed" and job.error.startswith("The disk of the host is full.")
        await tab.do(HostsState, "pull", form={"host": key, "model": "scripted:pull=hold"})
        await tab.do(HostsState, "cancel", job_id=tab.shown(HostsState, "jobs")[0].id)
        assert (await shows_when_ended(tab)).badge == "Cancelled"


@pytest.mark.parametrize("key", ["", "[]", "{", '["", "h"]', '[1, "h", "m"]', json.dumps(["", "http://x", "m"])])
async def test_what_names_no_model_is_refused(services: Services, ada: CurrentUser, key: str) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(HostsState, "load")
        for handler in ("unload", "load_model", "look_at"):
            await tab.do(HostsState, handler, key=key)
            assert tab.shown(HostsState, "problem").endswith("Reload the page.")
