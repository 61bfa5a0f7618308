"""What choosing a host costs, and what the death of one of five hosts does to twenty streams."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from contextlib import AsyncExitStack

from rxchat.adapters.ollama import OllamaChatModel
from rxchat.domain.chat import AnswerFinished, ChatMessage, ModelInfo, Role, TextDelta
from rxchat.domain.errors import ModelError
from tests.peers.scripted_ollama import ScriptedOllama, scripted_ollama
from tests.performance.figures import Figure, median, percentile

HOSTS, STREAMS, MODELS, CHOICES = 5, 20, 500, 5_000
TOKENS = 30
NAME = f"scripted:tokens={TOKENS},rate=100,first=1"
_DIES_AFTER_SECONDS = 0.2
_QUESTION = [ChatMessage(Role.USER, "Say hello.")]


async def routing_figures(say: Callable[[str], None]) -> list[Figure]:
    """Measure the choice of a host, and streams over healthy and dying hosts."""
    say(f"choosing among {HOSTS} hosts with {MODELS} models each")
    chosen = await _choosing()
    say(f"{STREAMS} streams over {HOSTS - 1} healthy hosts, then over {HOSTS} of which one dies")
    healthy, _ = await _streaming(HOSTS - 1, is_one_dying=False)
    dying, lost = await _streaming(HOSTS, is_one_dying=True)
    p95, floor = percentile(dying, 0.95), percentile(healthy, 0.95)
    return [
        Figure(
            f"choosing the host of an answer, {HOSTS} hosts, {MODELS} models",
            "p95 ≤ 1 ms",
            f"p50 {median(chosen):.3f} ms, p95 {percentile(chosen, 0.95):.3f} ms",
        ),
        Figure(
            f"{STREAMS} streams over {HOSTS} hosts, one dies before its first tokens",
            "0 lost, p95 of first tokens ≤ 1.3 times",
            f"{lost} lost, p95 {p95:.2f} s ({p95 / floor:.2f} times)",
            f"p95 {floor:.2f} s: {HOSTS - 1} healthy hosts",
        ),
    ]


async def _choosing() -> list[float]:
    """Return how long each choice took, in milliseconds; the hosts are busy with different numbers of answers."""
    model = OllamaChatModel([f"http://127.0.0.1:{number}" for number in range(1, HOSTS + 1)])
    hosts, name = await model._pool.ready(), "model-250"
    for number, host in enumerate(hosts):
        host.models = {f"model-{at}": ModelInfo(f"model-{at}", host.name) for at in range(MODELS)}
        host.in_flight = number
        host.latency.observe(0.1 * (number + 1))
    took: list[float] = []
    for _ in range(CHOICES):
        began = time.perf_counter()
        having = await model._hosts_for(name)
        assert model._pool.choose(having, name, ())
        took.append((time.perf_counter() - began) * 1000)
    await model.aclose()
    return took


async def _streaming(count: int, *, is_one_dying: bool) -> tuple[list[float], int]:
    """Return the seconds until the first token of each stream, and how many streams were lost."""
    async with AsyncExitStack() as stack:
        hosts: list[ScriptedOllama] = [await stack.enter_async_context(scripted_ollama(NAME)) for _ in range(count)]
        if is_one_dying:
            hosts[0].dies_loading = _DIES_AFTER_SECONDS
        model = OllamaChatModel([host.host for host in hosts])
        await model.models()
        firsts = await asyncio.gather(*(_stream(model) for _ in range(STREAMS)))
        await model.aclose()
    return [first for first in firsts if first is not None], firsts.count(None)


async def _stream(model: OllamaChatModel) -> float | None:
    """Return the seconds until the first token; None if the answer is not whole."""
    began, first, words, is_whole = time.perf_counter(), 0.0, 0, False
    try:
        async for event in model.chat(NAME, _QUESTION):
            first = first or time.perf_counter() - began
            words += isinstance(event, TextDelta)
            is_whole = isinstance(event, AnswerFinished)
    except ModelError:
        return None
    return first if is_whole and words == TOKENS else None
