"""What a model is told of sources, and what is looked for."""

from __future__ import annotations

import pytest

from rxchat.domain.chat import ChatMessage, Role
from rxchat.domain.grounding import rewritten, standalone_question, with_sources
from rxchat.domain.retrieval import embedded_text, within_budget
from tests.domain.test_citations import SOURCES


def asked(*questions: str) -> list[ChatMessage]:
    found = []
    for question in questions:
        found += [ChatMessage(Role.USER, question), ChatMessage(Role.ASSISTANT, "An answer.")]
    return found[:-1]


def test_sources_stand_right_before_the_question() -> None:
    told = with_sources(asked("First?", "Second?"), SOURCES)
    assert [message.role for message in told] == [Role.USER, Role.ASSISTANT, Role.SYSTEM, Role.USER]
    assert "[1] handbook.md (page 3, Holidays)" in told[2].content
    assert "[2] handbook.md" in told[2].content


def test_a_model_that_goes_on_with_its_answer_still_has_its_beginning_at_the_end() -> None:
    told = with_sources([*asked("First?"), ChatMessage(Role.ASSISTANT, "It be")], SOURCES)
    assert [message.role for message in told] == [Role.SYSTEM, Role.USER, Role.ASSISTANT]


def test_with_nothing_found_the_model_is_told_so() -> None:
    assert "found nothing" in with_sources(asked("First?"), ())[0].content


@pytest.mark.parametrize(
    ("questions", "looked_for"),
    [
        (("How many holidays are there in a year?",), "How many holidays are there in a year?"),
        (("How many holidays?", "And where are they asked for?"), "How many holidays?\nAnd where are they asked for?"),
        (("How many holidays?", "Why?"), "How many holidays?\nWhy?"),
        (
            ("How many holidays?", "Who cleans the coffee machine on Fridays?"),
            "Who cleans the coffee machine on Fridays?",
        ),
        ((), ""),
    ],
)
def test_a_question_that_refers_back_is_looked_for_with_the_one_before(questions, looked_for: str) -> None:
    assert standalone_question(asked(*questions)) == looked_for


@pytest.mark.parametrize(
    ("said", "taken"),
    [
        ('"holidays in the calendar"', "holidays in the calendar"),
        ("Query: holidays\nThat is because ...", "holidays"),
        ("", "otherwise"),
        ("x" * 500, "otherwise"),
    ],
)
def test_what_a_model_writes_as_a_query_is_taken_when_it_looks_like_one(said: str, taken: str) -> None:
    assert rewritten(said, "otherwise") == taken


def test_what_fits_is_shown_and_the_best_in_any_case() -> None:
    passages = [source.passage for source in SOURCES]
    assert within_budget(passages, 20) == passages[:1]
    assert within_budget(passages, 40) == passages
    assert within_budget(passages, 1) == passages[:1]


def test_a_chunk_is_embedded_with_where_it_stands() -> None:
    assert embedded_text("annual_report-2024.pdf", "Results", "Good.") == "annual report 2024 › Results\nGood."
    assert embedded_text("", "", "Good.") == "Good."
