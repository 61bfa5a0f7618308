"""What a crowd of readers saw, as lines of the table."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from rxchat.connections import Connections
from tests.performance.crowd import RXCHAT, Harvest, crowd, wrong_texts
from tests.performance.figures import Figure, percentile
from tests.performance.readers import STEADY_FROM, STEADY_TO, Seen
from tests.performance.seeding import add_readers
from tests.performance.stage import CROWDED, TOKEN_CHARACTERS

RATE = 50
"""Tokens a second that the model writes for each reader."""


@dataclass(frozen=True, slots=True)
class Targets:
    """What so many readers should see."""

    delivered: str = ""
    latency: str = ""
    first: str = ""


TARGETS = {
    50: Targets("≥ 98 %", "p95 ≤ 150 ms", "p95 ≤ 250 ms"),
    100: Targets("≥ 90 %"),
}


async def new_conversations_figure(where: str, url: str, at: Connections, count: int, folder: Path) -> Figure:
    """Return how long so many people, who all begin a conversation in the same moment, wait for their first tokens."""
    seats = [(cookie, None) for cookie, _ in add_readers(at, count, model=CROWDED)]
    async with crowd(url, seats, folder) as readers:
        seen = (await readers.ask()).seen
    wrong = wrong_texts(at.database_owner_url, seen)
    sound = f"{len(seen.errors)} errors, {len(seen.digests) - wrong} of {count} texts as stored"
    return Figure(
        f"{where}, {count} {'person begins' if count == 1 else 'users begin'} a conversation: question to first token",
        "",
        f"{_firsts(seen)}; {sound}",
    )


async def ask_all(url: str, at: Connections, count: int, folder: Path) -> Harvest:
    """Have so many people ask at the same moment, each in a conversation of their own."""
    async with crowd(url, add_readers(at, count, model=CROWDED), folder) as readers:
        return await readers.ask()


def crowd_figures(
    where: str, count: int, harvest: Harvest, at: Connections, floor: Harvest | None = None
) -> list[Figure]:
    """Return what a crowd saw as lines of the table."""
    seen, who = harvest.seen, f"{where}, {count} {'reader' if count == 1 else 'readers'}"
    targets = TARGETS.get(count, Targets())
    wrong = wrong_texts(at.database_owner_url, seen)
    as_stored = len(seen.digests) - wrong
    sound = f"{len(seen.errors)} errors, {len(seen.gaps)} gaps, {as_stored} of {count} texts as stored"
    bytes_a_token, wire = (amount / max(1, seen.tokens) for amount in (seen.bytes_received, seen.wire_bytes))
    whole = sum(harvest.cpu.get(kind, 0.0) for kind in RXCHAT) / harvest.seconds
    shares = ", ".join(
        f"{kind} {harvest.cpu[kind] / harvest.seconds:.2f}" for kind in harvest.cpu if harvest.cpu[kind] > 0
    )
    return [
        Figure(
            f"{who}: tokens/s delivered (of {RATE * count:,} written)",
            targets.delivered,
            f"{_delivered(seen, count)}; {sound}",
            f"{_delivered(floor.seen, count)}: bare websocket" if floor else "",
        ),
        Figure(
            f"{who}: the model's write to the socket, each token",
            targets.latency,
            _latency(seen),
            _latency(floor.seen) if floor else "",
        ),
        Figure(
            f"{who}: question to first token, all at the same moment",
            targets.first,
            _firsts(seen),
            _firsts(floor.seen) if floor else "",
        ),
        Figure(
            f"{who}: web processor time for 1,000 tokens; bytes a token",
            "≤ 0.4 s",
            f"{harvest.milliseconds_a_token('web', 'worker'):.2f} s; {bytes_a_token:.0f} B/token,"
            f" {wire:.0f} on the wire (cores used: {whole:.2f} by all of RxChat; {shares})",
            f"{floor.milliseconds_a_token('bare'):.2f} s; {TOKEN_CHARACTERS} B/token" if floor else "",
        ),
    ]


def _delivered(seen: Seen, count: int) -> str:
    rate = seen.steady_tokens / (STEADY_TO - STEADY_FROM)
    return f"{rate:,.0f} ({100 * rate / (RATE * count):.1f} %)"


def _latency(seen: Seen) -> str:
    found = sorted(seen.latencies.elements())
    return f"p50 {percentile(found, 0.5):,.0f} ms, p95 {percentile(found, 0.95):,.0f} ms"


def _firsts(seen: Seen) -> str:
    return f"p50 {percentile(seen.firsts, 0.5):,.0f} ms, p95 {percentile(seen.firsts, 0.95):,.0f} ms"
