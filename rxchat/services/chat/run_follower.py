"""Follows runs for programs: from a cursor, over the ends of engines and processes, until the run has ended."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from uuid import UUID

from rxchat.db.chat import run_reads
from rxchat.db.chat import runs as run_rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.errors import DatabaseUnavailable, NotFound
from rxchat.domain.permissions import Scope
from rxchat.domain.run_events import FollowedRun, RunEnded, RunEvent, RunProgress, Sent
from rxchat.domain.runs import RunState
from rxchat.services.chat.answer_stream import AnswerStream
from rxchat.services.chat.answer_streams import AnswerStreams
from rxchat.services.chat.messages import stop_answer

_PIECE_SECONDS = 0.04
"""The least time between two pieces: 25 a second, as often as a page draws them."""
_TICK_SECONDS = 2.0
"""How often a follower gets None while nothing happens, to check its session and its connection."""
_AGAIN_SECONDS = 0.25
_CATCH_UP_SECONDS = 20.0
"""How long a follower that resumes waits until text that it had is there again: a lease, and the time to continue."""


class RunFollower:
    """Use cases for runs by their IDs. Only the owner of a conversation follows and stops its runs."""

    def __init__(self, database: Database, answer_streams: AnswerStreams) -> None:
        self._database = database
        self._answer_streams = answer_streams

    async def find(self, current_user: CurrentUser, run_id: UUID) -> FollowedRun:
        """Return a run.

        Raises:
            NotFound: when it is unknown, deleted or another user's.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.READ)
        found = await run_reads.followed(self._database.reading(current_user.user_id), current_user.user_id, run_id)
        if found is None:
            raise NotFound
        return found

    async def run_of(
        self, current_user: CurrentUser, conversation_id: UUID, question_id: UUID
    ) -> tuple[UUID, UUID] | None:
        """Return the latest run that answers one of the user's questions, and the answer's ID; None while it is queued."""
        read = self._database.reading(current_user.user_id)
        return await run_reads.of_question(read, current_user.user_id, conversation_id, question_id)

    async def stop(self, current_user: CurrentUser, run_id: UUID) -> bool:
        """Stop a run; False if it has ended.

        Raises:
            NotFound: when it is unknown, deleted or another user's.
            NotAllowed: when the API key lacks the scope.
        """
        require_scope(current_user, Scope.CHAT)
        read = self._database.reading(current_user.user_id)
        found = await run_reads.followed(read, current_user.user_id, run_id)
        if found is None:
            raise NotFound
        if found.is_over:
            return False
        async with self._database.begin(current_user.user_id) as session:
            return await stop_answer(session, current_user.user_id, found.conversation_id, found.message_id)

    async def follow(
        self, current_user: CurrentUser, run: FollowedRun, cursor: str = ""
    ) -> AsyncGenerator[RunEvent | None]:
        """Yield what happens in a run after a cursor, up to its end; None every two seconds while nothing happens.

        Postgres has each answer at its latest 250 ms after it was written, so a follower may continue in any process, after
        any time. Raises as `find`.
        """
        sent = Sent()
        if cursor and run.is_latest:
            async for as_read in self._resume(current_user, run, sent, cursor):
                run = as_read
                yield None
        shown: tuple[RunState, int] | None = None
        while not run.is_over:
            position = await self._position(current_user, run)
            progress = RunProgress(run, RunState.QUEUED if run.is_waiting else RunState.RUNNING, position)
            if (progress.state, position) != shown:
                shown = progress.state, position
                yield progress
            async with (
                self._answer_streams.following(current_user.user_id, run.id) as answer,
                aclosing(self._stream(answer, sent, is_waiting=run.is_waiting)) as events,
            ):
                async for event in events:
                    yield event
            run = await self._read_again(current_user, run)
            if not run.is_over:
                # The engine hands it over, or it waits for one.
                await asyncio.sleep(_AGAIN_SECONDS)
                yield None
        if run.is_latest:
            for piece in sent.pieces(run.text, run.reasoning, may_shrink=True):
                yield piece
        yield RunEnded(run, sent.cursor)

    async def _resume(
        self, current_user: CurrentUser, run: FollowedRun, sent: Sent, cursor: str
    ) -> AsyncGenerator[FollowedRun]:
        """Resume from a cursor; yield the run, read again, while its text is shorter than what the follower has.

        What was shown before it was stored appears in a moment. If its engine died, the next one writes it again, in most
        cases the same.
        """
        deadline = time.monotonic() + _CATCH_UP_SECONDS
        while True:
            text, reasoning = await self._written(current_user, run)
            if run.is_over or time.monotonic() > deadline or not sent.is_ahead(cursor, text, reasoning):
                sent.resume(cursor, text, reasoning)
                return
            await asyncio.sleep(_AGAIN_SECONDS)
            run = await self._read_again(current_user, run)
            yield run

    async def _written(self, current_user: CurrentUser, run: FollowedRun) -> tuple[str, str]:
        if run.is_over:
            return run.text, run.reasoning
        own = self._answer_streams.owned(current_user.user_id, run.id)
        if own is not None and (own.text or own.reasoning):
            return own.text, own.reasoning
        async with self._database.begin(current_user.user_id) as session:
            stored = await run_rows.partial_answer(session, current_user.user_id, run.id)
        return stored.text, stored.reasoning

    async def _position(self, current_user: CurrentUser, run: FollowedRun) -> int:
        if not run.is_waiting:
            return 0
        return await run_rows.queue_position(self._database.reading(current_user.user_id), run.id)

    async def _read_again(self, current_user: CurrentUser, run: FollowedRun) -> FollowedRun:
        try:
            return await self.find(current_user, run.id)
        except DatabaseUnavailable:
            return run

    async def _stream(self, answer: AnswerStream, sent: Sent, *, is_waiting: bool) -> AsyncGenerator[RunEvent | None]:
        """Yield the pieces of an answer until it has ended here; of one that waits for an engine, for one tick at most."""
        rewrites = answer.rewrites
        while True:
            has_ended = answer.ended
            # The end of a replica says nothing about the text, which is read from the message then.
            may_shrink, rewrites = answer.rewrites != rewrites, answer.rewrites
            pieces = sent.pieces(answer.text, answer.reasoning, may_shrink=may_shrink)
            for piece in pieces:
                yield piece
            if has_ended:
                return
            if pieces:
                # What is written meanwhile goes into one piece.
                await asyncio.sleep(_PIECE_SECONDS)
            elif not await answer.changed(_TICK_SECONDS):
                yield None
                if is_waiting and not answer.text and not answer.reasoning:
                    return
