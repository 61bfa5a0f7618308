"""The map of a conversation's messages."""

from __future__ import annotations

from uuid import UUID

from rxchat.domain.conversation_events import (
    BranchChosen,
    ConversationCreated,
    ConversationEvent,
    MessageDeleted,
    QuestionAsked,
)
from rxchat.domain.conversations import History
from rxchat.domain.message_map import LANES, MapLine, collapsed, map_of

CONVERSATION = UUID(int=1_000_000)


def asked(number: int, after: int = 0, text: str = "") -> QuestionAsked:
    """Message `number`, which follows message `after` or begins the conversation."""
    parent_id = UUID(int=after) if after else CONVERSATION
    return QuestionAsked(message_id=UUID(int=number), parent_id=parent_id, text=text or str(number))


def lines_of(*events: ConversationEvent) -> list[MapLine]:
    created = ConversationCreated(title="t", model="m")
    return map_of(History.replayed(enumerate((created, *events), start=1)), CONVERSATION)


def drawn(lines: list[MapLine]) -> list[tuple[str, int, tuple[int, ...], bool]]:
    return [(line.excerpt, line.lane, line.passing, line.is_shown) for line in lines]


def test_a_conversation_without_versions_is_one_line_down() -> None:
    assert drawn(lines_of(asked(1), asked(2, 1), asked(3, 2))) == [
        ("", 0, (), True),
        ("1", 0, (), True),
        ("2", 0, (), True),
        ("3", 0, (), True),
    ]


def test_other_versions_branch_off_before_the_shown_one_continues() -> None:
    lines = lines_of(asked(1), asked(2, 1), asked(3, 2), asked(4, 1), asked(5, 4), asked(6, 4))
    assert drawn(lines) == [
        ("", 0, (), True),
        ("1", 0, (), True),
        ("2", 1, (0,), False),
        ("3", 1, (0,), False),
        ("4", 0, (), True),
        ("5", 1, (0,), False),
        ("6", 0, (), True),
    ]
    assert [(line.has_next, line.next_is_shown) for line in lines[1:4]] == [(True, True), (True, False), (False, False)]


def test_the_chosen_version_is_in_the_first_lane_and_a_deleted_one_is_marked() -> None:
    chosen = BranchChosen(leaf_id=UUID(int=2), parent_id=UUID(int=1))
    lines = lines_of(asked(1), asked(2, 1), asked(3, 1), chosen)
    assert drawn(lines)[2:] == [("3", 1, (0,), False), ("2", 0, (), True)]
    deleted = MessageDeleted(message_id=UUID(int=3), parent_id=UUID(int=1), leaf_id=UUID(int=2))
    lines = lines_of(asked(1), asked(2, 1), asked(3, 1), deleted)
    assert [line.message.is_deleted for line in lines[2:] if line.message] == [True, False]


def test_what_follows_the_last_shown_message_continues_its_lane_without_being_shown() -> None:
    lines = lines_of(asked(1), asked(2, 1), BranchChosen(leaf_id=UUID(int=1), parent_id=CONVERSATION))
    assert drawn(lines)[1:] == [("1", 0, (), True), ("2", 0, (), False)]


def test_branches_of_branches_share_the_last_lane_and_depth_is_no_limit() -> None:
    events: list[ConversationEvent] = [asked(1)]
    for number in range(2, 41, 2):
        # Each time a version of the same parent, of which the earlier one continues.
        events += [asked(number, number - 1 if number == 2 else number - 2), asked(number + 1, number)]
    assert max(line.lane for line in lines_of(*events)) < LANES
    deep = [asked(1), *(asked(number, number - 1) for number in range(2, 20_001))]
    assert len(lines_of(*deep)) == 20_001


def test_long_runs_are_one_line_and_short_ones_stay() -> None:
    deep = [asked(1), *(asked(number, number - 1) for number in range(2, 31)), asked(31, 29)]
    found = collapsed(lines_of(*deep))
    # Message 29 has two followers, so the run ends with 28.
    assert [(line.excerpt, line.collapsed) for line in found] == [
        ("", 0), ("1", 0), ("2", 0), ("", 24), ("27", 0), ("28", 0), ("29", 0), ("30", 0), ("31", 0),
    ]  # fmt: skip
    short = lines_of(asked(1), *(asked(number, number - 1) for number in range(2, 7)))
    assert collapsed(short) == short


def test_an_excerpt_is_one_line_of_the_text() -> None:
    [_, line] = lines_of(asked(1, text="  several\n\nlines and " + "words " * 100))
    assert line.excerpt.startswith("several lines and words") and line.excerpt.endswith("words…")
    assert len(line.excerpt) <= 121
