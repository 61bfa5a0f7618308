"""Bodies of uploads: taken in pieces, and given up when they hold a place and bring next to nothing."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from uuid import UUID

import pytest

from rxchat.domain.files import PART_BYTES
from rxchat.domain.ids import new_id
from rxchat.services.documents import upload_limits
from rxchat.services.documents.upload_limits import UploadLimiter, pieces

pytestmark = pytest.mark.anyio


async def body(*, chunk: bytes, count: int, pause: float) -> AsyncGenerator[bytes]:
    for _ in range(count):
        await asyncio.sleep(pause)
        yield chunk


async def taken(arriving: AsyncGenerator[bytes], keeping_seconds: float = 0.0) -> list[int]:
    sizes = []
    async for piece in pieces(arriving):
        sizes.append(len(piece))
        await asyncio.sleep(keeping_seconds)
    return sizes


async def test_a_body_comes_in_pieces_and_the_rest() -> None:
    assert await taken(body(chunk=b"x" * 700_000, count=5, pause=0)) == [PART_BYTES] * (3_500_000 // PART_BYTES) + [
        3_500_000 % PART_BYTES
    ]


async def test_a_line_that_brings_a_byte_now_and_then_is_given_up_and_what_came_is_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(upload_limits, "_WINDOW_SECONDS", 0.5)
    (size,) = await taken(body(chunk=b"x", count=100_000, pause=0.01))
    assert 0 < size < 500


async def test_a_slow_line_that_brings_enough_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_limits, "_WINDOW_SECONDS", 0.5)
    assert await taken(body(chunk=b"x" * 1_000, count=150, pause=0.01)) == [150_000]


async def test_keeping_a_piece_is_not_held_against_the_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_limits, "_WINDOW_SECONDS", 0.3)
    sizes = await taken(body(chunk=b"x" * PART_BYTES, count=3, pause=0.01), keeping_seconds=0.4)
    assert sizes == [PART_BYTES] * 3


async def test_uploads_of_few_users_do_not_keep_another_ones_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upload_limits, "_TURN_SECONDS", 0.1)
    turns = UploadLimiter()
    held: list[int] = []

    async def hold(user_id: UUID) -> None:
        async with turns.of(user_id) as gives_way:
            async for piece in pieces(body(chunk=b"x" * 1_000, count=100_000, pause=0.01), gives_way):
                held.append(len(piece))

    holders = [asyncio.create_task(hold(user_id)) for user_id in [new_id() for _ in range(4)] for _ in range(8)]
    await asyncio.sleep(0)
    newcomer = new_id()
    async with asyncio.timeout(60), turns.of(newcomer) as gives_way:
        # What they brought is kept, and who has one turn alone gives way to nobody.
        assert held and not gives_way()
    for holder in holders:
        holder.cancel()
    await asyncio.gather(*holders, return_exceptions=True)
