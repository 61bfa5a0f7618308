"""The projections of events: any split of the same events into batches leaves the same rows."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from rxchat.db.chat import conversation_sources, conversations, messages, turn_queries
from rxchat.db.platform.database import Database
from rxchat.domain.chat import Role
from rxchat.domain.conversation_events import (
    AnswerEnded,
    AnswerStarted,
    BranchChosen,
    ContextKind,
    ContextSourceAttached,
    ContextSourceDetached,
    ConversationCreated,
    ConversationEvent,
    ConversationRemoved,
    ConversationRenamed,
    ConversationRestored,
    MessageAdded,
    MessageDeleted,
    MessageRestored,
    ModelChosen,
    QuestionAsked,
)
from rxchat.domain.conversations import History
from rxchat.domain.ids import new_id
from rxchat.domain.messages import MessageState
from tests.factories import add_first_user

pytestmark = pytest.mark.anyio

MESSAGE = text(
    "SELECT id, seq, role, text, reasoning, model, state, error_code, error, tokens, seconds, tokens_per_second,"
    " citations, warnings, attachments, error_detail, is_deleted FROM message WHERE conversation_id = :id ORDER BY seq"
)
Step = tuple[str, int, MessageState]
ENDINGS = [state for state in MessageState if state is not MessageState.RUNNING]
# What happens to a conversation: (what, which message or text); questions get an id of their own each time.
STEPS = st.lists(
    st.tuples(
        st.sampled_from(
            [
                "ask",
                "start",
                "end",
                "add",
                "branch",
                "delete",
                "undelete",
                "rename",
                "choose",
                "attach",
                "detach",
                "remove",
                "restore",
            ]
        ),
        st.integers(0, 2),
        st.sampled_from(ENDINGS),
    ),
    min_size=1,
    max_size=12,
)


def events_of(conversation_id: UUID, steps: list[Step]) -> list[ConversationEvent]:
    """Return events in an order that can happen: only an answer that was started ends, and only what was added is chosen."""
    answers, attached = [new_id() for _ in range(3)], [new_id() for _ in range(3)]
    events: list[ConversationEvent] = [ConversationCreated(title="t", model="m")]
    started: set[int] = set()
    known = [conversation_id]
    for what, number, ending in steps:
        match what:
            case "ask":
                known.append(new_id())
                events.append(
                    QuestionAsked(message_id=known[-1], parent_id=known[-1 - number % 2 - 1], text=f"question {number}")
                    if len(known) > 2
                    else QuestionAsked(message_id=known[-1], parent_id=known[0], text=f"question {number}")
                )
            case "start":
                parent_id = None if number in started else known[-1]
                events.append(
                    AnswerStarted(
                        message_id=answers[number], parent_id=parent_id, run_id=new_id(), model="m", text="kept"
                    )
                )
                if number not in started:
                    known.append(answers[number])
                started.add(number)
            case "end" if number in started:
                facts = {"text": f"whole {number}", "reasoning": "r", "error": "e", "tokens": number, "seconds": 1.5}
                cited = [{"number": number}]
                events.append(AnswerEnded(message_id=answers[number], state=ending, citations=cited, **facts))
            case "add":
                added = MessageAdded(message_id=new_id(), parent_id=known[-1], role=Role.ASSISTANT, text="as it is")
                events.append(added)
                known.append(added.message_id)
            case "branch":
                events.append(BranchChosen(leaf_id=known[-1 - number % len(known)], parent_id=known[0]))
            case "delete" if len(known) > 1:
                events.append(MessageDeleted(message_id=known[-1], parent_id=known[0], leaf_id=known[0]))
            case "undelete" if len(known) > 1:
                events.append(MessageRestored(message_id=known[-1], parent_id=known[0], leaf_id=known[-1]))
            case "rename":
                events.append(ConversationRenamed(title=f"title {number}"))
            case "choose":
                events.append(ModelChosen(model=f"model {number}"))
            case "attach":
                events.append(
                    ContextSourceAttached(source_id=attached[number], kind=ContextKind.DOCUMENT, name=f"file {number}")
                )
            case "detach":
                events.append(ContextSourceDetached(source_id=attached[number]))
            case "remove":
                events.append(ConversationRemoved())
            case "restore":
                events.append(ConversationRestored())
            case _:
                pass
    return events


async def stored(database: Database, owner: UUID, steps: list[Step], cuts: set[int] | None) -> tuple[Any, ...]:
    """Append the events, a batch ending at each cut (None: at every event), and return what the tables say then."""
    conversation_id, seq, begin = new_id(), 0, 0
    events = events_of(conversation_id, steps)
    cuts = set(range(len(events))) if cuts is None else cuts
    async with database.begin(owner) as session:
        assert isinstance(events[0], ConversationCreated)
        assert await turn_queries.create_conversation(session, owner, conversation_id, new_id(), events[0])
        for end in sorted({cut for cut in cuts if 0 < cut < len(events)} | {len(events)}):
            batch = events[begin:end]
            seq = await conversations.append_events(session, owner, conversation_id, seq, batch)
            begin = end
        rows = [tuple(row) for row in await session.execute(MESSAGE, {"id": conversation_id})]
        row = await conversations.get_owned_or_deleted(session, owner, conversation_id)
        known = await conversation_sources.for_conversation(session, owner, conversation_id)
        replayed = History.replayed(await conversations.events_after(session, owner, conversation_id))
    assert row is not None
    folded = [
        (message.id, message.seq, message.text, message.state.value, message.is_deleted)
        for message in replayed.messages.values()
    ]
    assert sorted((found[0], found[1], found[3], found[6], found[16]) for found in rows) == sorted(folded)
    assert row.leaf_id == (replayed.leaf_id or conversation_id)
    async with database.begin(owner) as session:
        branch = await messages.latest_messages(session, owner, conversation_id, row.leaf_id, limit=100)
    assert [message.id for message in branch] == [message.id for message in replayed.branch]
    # Ids differ from one conversation to the next; places do not.
    return (
        [found[1:] for found in rows],
        row.title,
        row.model,
        row.deleted_at is None,
        seq,
        {item.name for item in known},
    )


@pytest.fixture
async def owner(database: Database) -> UUID:
    return await add_first_user(database)


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(steps=STEPS, cuts=st.sets(st.integers(1, 12), max_size=6))
async def test_any_split_into_batches_leaves_the_same_rows_as_one_event_at_a_time(
    database: Database, owner: UUID, steps: list[Step], cuts: set[int]
) -> None:
    singly = await stored(database, owner, steps, None)
    assert await stored(database, owner, steps, cuts) == singly
    assert await stored(database, owner, steps, set()) == singly


async def test_an_answer_that_starts_and_ends_in_one_batch_is_stored_whole(database: Database, owner: UUID) -> None:
    conversation_id, answer = new_id(), new_id()
    created = ConversationCreated(title="t", model="m")
    batch = [
        created,
        AnswerStarted(message_id=answer, parent_id=conversation_id, run_id=new_id(), model="m"),
        AnswerEnded(message_id=answer, state=MessageState.DONE, text="all of it"),
    ]
    async with database.begin(owner) as session:
        await turn_queries.create_conversation(session, owner, conversation_id, new_id(), created)
        await conversations.append_events(session, owner, conversation_id, 0, batch)
        message = await messages.get_message(session, owner, conversation_id, answer)
    assert message is not None
    assert (message.text, message.state) == ("all of it", "done")
