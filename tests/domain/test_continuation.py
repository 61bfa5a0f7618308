"""Joining what a model says when it goes on with an answer to what is there already."""

from __future__ import annotations

import random

import pytest

from rxchat.domain.continuation import AnswerRestarted, ContinuationJoiner, looks_complete

SAID = "The short answer is that the lock is taken before the row is read, and never the other way round; if it were,"
REST = " two writers could each wait for what the other one holds, and neither would ever go on."


def joined(said: str, *pieces: str) -> str:
    seam = ContinuationJoiner(said)
    return said + "".join([*map(seam.feed, pieces), seam.close()])


def in_pieces(text: str, seed: int = 1) -> list[str]:
    """A text as a model sends it: in pieces of any length."""
    chance, pieces, at = random.Random(seed), [], 0
    while at < len(text):
        length = chance.randint(1, 9)
        pieces.append(text[at : at + length])
        at += length
    return pieces


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize(
    "continuation",
    [REST, SAID + REST, SAID[-30:] + REST, SAID[-12:] + REST],
    ids=["goes on", "begins anew", "repeats its last words", "repeats very few words"],
)
def test_however_a_model_goes_on_nothing_is_lost_and_nothing_is_twice(continuation: str, seed: int) -> None:
    assert joined(SAID, *in_pieces(continuation, seed)) == SAID + REST


def test_what_is_new_is_said_at_once_when_it_is_clear() -> None:
    seam = ContinuationJoiner(SAID)
    assert seam.feed(" two writers could") == " two writers could"
    assert seam.feed(" e") == " e"


def test_another_answer_is_not_joined() -> None:
    with pytest.raises(AnswerRestarted):
        joined(SAID, SAID[:80], "something altogether different", " and more of it, at length, until it is clear " * 3)


def test_the_same_answer_up_to_a_point_before_the_end_is_no_continuation() -> None:
    with pytest.raises(AnswerRestarted):
        joined(SAID, SAID[:90])


def test_an_answer_of_a_few_letters_is_taken_as_continued() -> None:
    assert joined("Yes", ", it is.") == "Yes, it is."


def test_a_short_answer_that_begins_anew_is_not_said_twice() -> None:
    assert joined("The answer is", *in_pieces("The answer is 42.")) == "The answer is 42."


def test_a_continuation_that_looks_like_a_repetition_for_a_moment_comes_whole() -> None:
    assert joined("The cat sat on the mat. The dog lay beside it.", " The cat", " went away.") == (
        "The cat sat on the mat. The dog lay beside it. The cat went away."
    )


@pytest.mark.parametrize(
    ("answer", "is_complete"),
    [("It is so.", True), ("```\ncode\n```\n", True), ("and then the", False), ("1, 2, 3,", False), ("", False)],
)
def test_what_ends_as_answers_end_looks_complete(answer: str, *, is_complete: bool) -> None:
    assert looks_complete(answer) is is_complete
