"""Several hosts with one set of models: who is asked, who is asked instead, and who is asked no more."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncGenerator, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from rxchat.adapters.guarded_addresses import AddressRefused
from rxchat.adapters.ollama import OllamaChatModel
from rxchat.adapters.ollama_hosts import discovery
from rxchat.adapters.ollama_hosts.discovery import ServiceTarget
from rxchat.adapters.provider_problems import plain_words
from rxchat.domain.chat import AnswerFinished, ChatMessage, Role, TextDelta
from rxchat.domain.errors import InvalidModelResponse, ModelError, ModelHostUnavailable, ModelRefused, ModelUnknown
from rxchat.domain.model_hosts import BreakerState, HostStatus
from tests.peers.scripted_ollama import ScriptedOllama, scripted_ollama

pytestmark = pytest.mark.anyio

QUESTION = [ChatMessage(Role.USER, "Say hello.")]
MODEL = "scripted:tokens=3"


async def answer(model: OllamaChatModel, name: str = MODEL) -> str:
    events = [event async for event in model.chat(name, QUESTION)]
    assert isinstance(events[-1], AnswerFinished)
    return "".join(event.text for event in events if isinstance(event, TextDelta))


@asynccontextmanager
async def hosts_with(count: int, *models: str) -> AsyncGenerator[list[ScriptedOllama]]:
    async with AsyncExitStack() as stack:
        yield [await stack.enter_async_context(scripted_ollama(*(models or (MODEL,)))) for _ in range(count)]


@asynccontextmanager
async def pool_of(hosts: Sequence[ScriptedOllama | str], **options) -> AsyncGenerator[OllamaChatModel]:
    urls = [host if isinstance(host, str) else host.host for host in hosts]
    model = OllamaChatModel(urls, first_token_seconds=20, token_seconds=5, **options)
    try:
        yield model
    finally:
        await model.aclose()


def status_of(model: OllamaChatModel, host: ScriptedOllama) -> HostStatus:
    return next(item for item in model.host_status() if item.name == host.host)


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0.01)


async def test_of_five_hosts_the_good_ones_answer_everything() -> None:
    """One is slow, one dies while it loads, one lists a model that it does not have, two are good."""
    async with hosts_with(5) as hosts, pool_of(hosts) as model:
        good, better, slow, dying, lying = hosts
        slow.delay, dying.dies_loading = 1.0, 0.1
        lying.missing = {MODEL}
        for _ in range(6):
            assert await asyncio.gather(*(answer(model) for _ in range(5))) == ["word word word "] * 5
        asked = Counter(
            {
                name: len(host.asked)
                for name, host in zip(("good", "better", "slow", "dying", "lying"), hosts, strict=True)
            }
        )
        assert asked["lying"] == 1, "it is asked once, and believed no more"
        assert 1 <= asked["dying"] <= 5, "after its death it is asked no more"
        assert asked["slow"] < asked["good"] and asked["slow"] < asked["better"]
        assert asked["good"] + asked["better"] + asked["slow"] == 30, "each answer is written once"
        [breaker] = status_of(model, lying).breakers
        assert (breaker.model, breaker.state) == (MODEL, BreakerState.OPEN) and "not found" in breaker.reason
        assert "does not respond" in status_of(model, dying).problem
        assert [status_of(model, host).breakers for host in (good, better, slow)] == [(), (), ()]


async def test_the_host_that_has_loaded_the_model_is_asked() -> None:
    name = "scripted:tokens=1,load=30"
    async with hosts_with(3, name) as hosts, pool_of(hosts) as model:
        hosts[1].loaded.add(name)
        assert [await answer(model, name) for _ in range(5)] == ["word "] * 5
        assert [len(host.asked) for host in hosts] == [0, 5, 0]


async def test_a_busy_host_with_the_model_is_relieved_by_one_that_loads_it() -> None:
    name = "scripted:tokens=2,load=0.1,hold=1"
    async with hosts_with(2, name) as hosts, pool_of(hosts) as model:
        hosts[0].loaded.add(name)
        answers = [asyncio.create_task(answer(model, name)) for _ in range(6)]
        await until(lambda: sum(host.generating for host in hosts) == 6)
        assert sorted(len(host.asked) for host in hosts) == [2, 4]
        for host in hosts:
            for _ in range(6):
                host.go_on()
        assert await asyncio.gather(*answers) == ["word word "] * 6


async def test_answers_in_flight_are_shared_out_evenly() -> None:
    name = "scripted:tokens=2,hold=1"
    async with hosts_with(4, name) as hosts, pool_of(hosts) as model:
        await model.models()
        answers = [asyncio.create_task(answer(model, name)) for _ in range(12)]
        await until(lambda: sum(host.generating for host in hosts) == 12)
        assert [len(host.asked) for host in hosts] == [3, 3, 3, 3]
        assert [item.in_flight for item in model.host_status()] == [3, 3, 3, 3]
        for host in hosts:
            for _ in range(3):
                host.go_on()
        assert await asyncio.gather(*answers) == ["word word "] * 12
        assert [item.in_flight for item in model.host_status()] == [0, 0, 0, 0]


async def test_after_the_first_token_no_other_host_is_asked() -> None:
    name = "scripted:fault=error-line,at=1"
    async with hosts_with(2, name) as hosts, pool_of(hosts) as model:
        with pytest.raises(InvalidModelResponse):
            await answer(model, name)
        assert sum(len(host.asked) for host in hosts) == 1
        assert [item.breakers for item in model.host_status()] == [(), ()], "it has begun, so it can be asked"


@pytest.mark.parametrize("fault", ["error-line", "cut", "reset", "garbage", "html-status"])
async def test_each_failure_before_the_first_token_is_tried_at_each_host_once(fault: str) -> None:
    name = f"scripted:fault={fault},at=0"
    async with hosts_with(3, name) as hosts, pool_of(hosts) as model:
        with pytest.raises(ModelError):
            await answer(model, name)
        assert [len(host.asked) for host in hosts] == [1, 1, 1]


async def test_what_a_host_refuses_is_not_asked_elsewhere() -> None:
    name = "scripted:fault=refused"
    async with hosts_with(3, name) as hosts, pool_of(hosts) as model:
        for _ in range(5):
            with pytest.raises(ModelRefused):
                await answer(model, name)
        assert sum(len(host.asked) for host in hosts) == 5
        assert all(not item.breakers for item in model.host_status()), "requests were wrong, not hosts"


async def test_a_model_that_fails_is_rested_and_tried_once_after_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bad, now = "scripted:fault=html-status", 100.0
    async with hosts_with(1, bad, MODEL) as (host,), pool_of([host]) as model:
        monkeypatch.setattr("rxchat.adapters.ollama_hosts.host.CLOCK", lambda: now)
        for _ in range(3):
            with pytest.raises(ModelError, match="failed on its host"):
                await answer(model, bad)
        with pytest.raises(ModelError, match="failed on its host") as failure:
            await answer(model, bad)
        assert len(host.asked) == 3 and "not asked again for some seconds" in failure.value.detail
        assert await answer(model), "the host's other models are asked"
        [breaker] = status_of(model, host).breakers
        assert (breaker.state, breaker.failures, breaker.retry_seconds) == (BreakerState.OPEN, 3, 10.0)
        now += 10
        assert status_of(model, host).breakers[0].state is BreakerState.HALF_OPEN
        with pytest.raises(ModelError):
            await answer(model, bad)
        assert len(host.asked) == 5, "one trial"
        [breaker] = status_of(model, host).breakers
        assert (breaker.state, breaker.retry_seconds) == (BreakerState.OPEN, 20.0)


async def test_a_trial_that_works_closes_the_breaker(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 100.0
    async with hosts_with(2) as hosts, pool_of(hosts) as model:
        monkeypatch.setattr("rxchat.adapters.ollama_hosts.host.CLOCK", lambda: now)
        hosts[0].missing = {MODEL}
        for _ in range(3):
            assert await answer(model)
        assert [len(host.asked) for host in hosts] == [1, 3]
        hosts[0].missing.clear()
        now += 10
        hosts[1].delay = 0.3
        await asyncio.gather(*(answer(model) for _ in range(4)))
        assert status_of(model, hosts[0]).breakers == ()
        assert len(hosts[0].asked) > 1


async def test_an_unknown_model_is_said_to_be_unknown_and_counts_for_no_host() -> None:
    async with hosts_with(2) as hosts, pool_of(hosts) as model:
        for _ in range(4):
            with pytest.raises(ModelUnknown):
                await answer(model, "nope")
        assert all(not item.breakers for item in model.host_status())


async def test_a_host_that_is_back_is_found_in_the_background() -> None:
    async with hosts_with(2) as hosts, pool_of(hosts, watch_seconds=0.02) as model:
        await model.models()
        await hosts[0].stop()
        await until(lambda: bool(status_of(model, hosts[0]).problem))
        assert await answer(model)
        assert len(hosts[0].asked) == 0
        await hosts[0].start()
        await until(lambda: not status_of(model, hosts[0]).problem)
        await hosts[1].stop()
        assert await answer(model)
        assert len(hosts[0].asked) == 1


class ScriptedResolver:
    """DNS as a test wants it."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.targets: list[ServiceTarget] = []
        self.is_away = False

    async def addresses(self, name: str, port: int) -> Sequence[str]:
        if self.is_away:
            raise OSError("DNS is away")
        return list(self.found)

    async def services(self, name: str) -> tuple[Sequence[ServiceTarget], float]:
        if self.is_away:
            raise OSError("DNS is away")
        return list(self.targets), 0.0


@asynccontextmanager
async def at_addresses(*addresses: str) -> AsyncGenerator[list[ScriptedOllama]]:
    """Run daemons at several addresses, all of them at one port."""
    daemons = [ScriptedOllama(listens_at=address, offered=[MODEL]) for address in addresses]
    await daemons[0].start()
    for daemon in daemons[1:]:
        daemon.port = daemons[0].port
        await daemon.start()
    try:
        yield daemons
    finally:
        for daemon in daemons:
            await daemon.stop()


async def test_a_name_with_several_addresses_is_a_pool_that_follows_dns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(discovery, "_ASK_AGAIN_SECONDS", 0.01)
    dns = ScriptedResolver()
    async with at_addresses("127.0.0.2", "127.0.0.3", "127.0.0.4") as (first, second, third):
        dns.found, name = ["127.0.0.2", "127.0.0.3"], f"http://gpus.internal:{first.port}"
        async with pool_of([name], resolver=dns, watch_seconds=0.02) as model:

            def known() -> list[str]:
                return [item.name for item in model.host_status() if item.is_known]

            assert [item.name for item in await model.models()] == [MODEL]
            assert known() == [f"{name} (127.0.0.2)", f"{name} (127.0.0.3)"]
            await asyncio.gather(*(answer(model) for _ in range(4)))
            assert [len(host.asked) for host in (first, second, third)] == [2, 2, 0]
            # One leaves and another one comes; an answer that is being written ends.
            long = "scripted:tokens=2,hold=1"
            first.offered.append(long)
            await model.models()
            writing = asyncio.create_task(answer(model, long))
            await until(lambda: first.generating == 1)
            dns.found = ["127.0.0.3", "127.0.0.4"]
            await until(lambda: known() == [f"{name} (127.0.0.3)", f"{name} (127.0.0.4)"])
            first.go_on()
            assert await writing == "word word "
            await asyncio.gather(*(answer(model) for _ in range(4)))
            assert [len(host.asked) for host in (first, second, third)] == [3, 4, 2]
            # What DNS said last is used while it is away.
            dns.is_away = True
            await until(lambda: bool(model._pool._refused))
            assert await answer(model)


async def test_an_srv_record_is_a_pool_with_ports_and_ranks() -> None:
    dns = ScriptedResolver()
    async with hosts_with(3) as hosts:
        dns.targets = [
            ServiceTarget("127.0.0.1", hosts[0].port, 10),
            ServiceTarget("127.0.0.1", hosts[1].port, 0),
            ServiceTarget("127.0.0.1", hosts[2].port, 0),
        ]
        async with pool_of(["srv+http://_ollama._tcp.gpus.internal"], resolver=dns) as model:
            assert await model.models()
            await asyncio.gather(*(answer(model) for _ in range(4)))
            assert [len(host.asked) for host in hosts] == [0, 2, 2]
            for host in hosts[1:]:
                await host.stop()
            assert await answer(model), "those of a later rank replace the first ones"
            assert len(hosts[0].asked) == 1


async def test_a_name_with_one_address_of_each_kind_is_one_host() -> None:
    dns = ScriptedResolver()
    for found, count in ((["::1", "127.0.0.1"], 1), (["fd00::1", "fd00::2"], 2), (["10.0.0.1"], 1)):
        dns.found = found
        hosts = (await discovery.found_at("http://gpu.internal:11434", dns, is_guarded=False)).hosts
        assert len(hosts) == count
    dns.found = ["127.0.0.1", "127.0.0.2"]
    assert len((await discovery.found_at("http://localhost:11434", dns, is_guarded=False)).hosts) == 1


@pytest.mark.parametrize("refused", ["169.254.169.254", "fd00:ec2::254", "0.0.0.0"])
async def test_one_refused_address_refuses_the_pool_of_an_administrator(refused: str) -> None:
    dns = ScriptedResolver()
    dns.found = ["10.0.0.1", "10.0.0.2", refused]
    dns.targets = [ServiceTarget("10.0.0.1", 80), ServiceTarget(refused, 80)]
    for url in ("http://gpus.internal:11434", "srv+http://_ollama._tcp.gpus.internal"):
        with pytest.raises(AddressRefused):
            await discovery.found_at(url, dns, is_guarded=True)
        async with pool_of([url], resolver=dns, is_guarded=True) as model:
            with pytest.raises(ModelHostUnavailable) as failure:
                await model.models()
            assert "leads to one of the machine" in plain_words(failure.value)


async def test_a_name_that_is_unknown_is_known_later(monkeypatch: pytest.MonkeyPatch) -> None:
    dns = ScriptedResolver()
    dns.is_away = True
    async with (
        hosts_with(1) as (host,),
        pool_of([f"http://gpu.internal:{host.port}"], resolver=dns, watch_seconds=0.02) as model,
    ):
        with pytest.raises(ModelHostUnavailable):
            await model.models()
        dns.found, dns.is_away = ["127.0.0.1", "127.0.0.1"], False
        await until(lambda: bool(model.host_status()))
