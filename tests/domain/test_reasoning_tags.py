"""Reasoning between tags is separated from the answer, however it is cut into pieces."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rxchat.domain.reasoning_tags import ReasoningTags
from rxchat.domain.runs import ChunkKind

CASES = [
    ("<think>plan</think>42", "plan", "42"),
    ("\n<think>\nplan\n</think>\n\n42 is it", "plan\n", "42 is it"),
    ("<thinking>a < b</thinking>no", "a < b", "no"),
    ("Let me see...</think>42", "Let me see...", "42"),
    ("Let me see...\n</think>\n\n42 </think> 43", "Let me see...\n", "42 </think> 43"),
    ("<think>without an end", "without an end", ""),
    ("</think>42", "", "42"),
    ("Write `</think>` there", "", "Write `</think>` there"),
    ("```\n</think>\n```", "", "```\n</think>\n```"),
    ("a <b> and </thin", "", "a <b> and </thin"),
    ("an answer <think> about </tags>", "", "an answer <think> about </tags>"),
    ("<th", "", "<th"),
    ("[THINK]plan[/THINK]42", "plan", "42"),
    ("~~~\n</think>\n~~~", "", "~~~\n</think>\n~~~"),
    ("I close with `</think>` now\n</think>42", "I close with `</think>` now\n", "42"),
    ("if a < b", "", "if a < b"),
    ("", "", ""),
]


def separated(pieces: list[str]) -> tuple[str, str]:
    """The reasoning and the text of an answer that comes in these pieces."""
    tags = ReasoningTags()
    reasoning = text = ""
    for part in [part for piece in pieces for part in tags.feed(piece)] + tags.close():
        if part.kind is ChunkKind.REASONING:
            reasoning += part.text
        else:
            text += part.text
        if part.ends_reasoning:
            reasoning, text = reasoning + text, ""
    return reasoning, text


@pytest.mark.parametrize(("said", "reasoning", "text"), CASES)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 1_000])
def test_tags_are_found_in_pieces_of_any_size(said: str, reasoning: str, text: str, size: int) -> None:
    assert separated([said[at : at + size] for at in range(0, len(said), size)]) == (reasoning, text)


@given(
    st.lists(st.sampled_from(["<think>", "</think>", "<", "/", "think>", "a", "\n", "`", " "]), max_size=12), st.data()
)
def test_the_pieces_make_no_difference(parts: list[str], data: st.DataObject) -> None:
    said = "".join(parts)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(said)), max_size=6)) | {0, len(said)})
    assert separated([said[start:end] for start, end in pairwise(cuts)]) == separated([said])


def test_a_closing_tag_alone_says_nothing_where_the_host_separates_reasoning() -> None:
    tags = ReasoningTags()
    tags.has_other_reasoning()
    assert [part.text for part in [*tags.feed("The </think> tag"), *tags.close()]] == ["The </think> tag"]


@pytest.mark.parametrize("size", [1, 3, 100])
def test_a_closing_tag_that_the_host_has_left_is_dropped(size: int) -> None:
    tags, said = ReasoningTags(), "</think>\n\nAnswer"
    tags.has_other_reasoning()
    parts = [part for at in range(0, len(said), size) for part in tags.feed(said[at : at + size])] + tags.close()
    assert "".join(part.text for part in parts) == "Answer"


def test_a_continued_answer_may_end_its_reasoning() -> None:
    tags = ReasoningTags("Let me see")
    assert [(part.text, part.ends_reasoning) for part in tags.feed("...</think>42")] == [("...", True), ("42", False)]
