"""Parameters of answers: their limits, and what providers take of them."""

from __future__ import annotations

import math
from typing import Any

import pytest

from rxchat.domain.chat import ChatOptions
from rxchat.domain.errors import InvalidInput
from rxchat.domain.model_parameters import (
    PARAMETERS,
    Effort,
    ParameterSupport,
    merged,
    objection,
    options_of,
    valid_parameters,
    valid_system_prompt,
    words_of,
)

ALL = {
    "temperature": 0.2, "top_p": 0.9, "top_k": 40, "seed": 7, "max_tokens": 100, "num_ctx": 4_096, "keep_alive": "10m",
    "reasoning_effort": "low", "stop": ["END", "\t"],
}  # fmt: skip


def test_what_a_form_sends_is_stored_as_numbers_and_what_is_empty_is_not_set() -> None:
    form = {
        "temperature": "0.20",
        "top_p": "",
        "top_k": " 40 ",
        "seed": None,
        "stop": "END\r\n\nEND\n",
        "keep_alive": "",
    }
    assert valid_parameters(form) == {"temperature": 0.2, "top_k": 40, "stop": ["END"]}
    assert valid_parameters(ALL) == ALL and set(ALL) == {item.name for item in PARAMETERS}
    assert valid_parameters({}) == {}


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("temperature", "hot"), ("temperature", -0.1), ("temperature", 2.01), ("temperature", math.nan),
        ("temperature", math.inf), ("temperature", True), ("temperature", [1]), ("top_p", 1.5), ("top_k", 0), ("top_k", 1.5),
        ("seed", -1), ("seed", 2**31), ("max_tokens", 0), ("num_ctx", 511), ("num_ctx", 10**400), ("keep_alive", "-1"),
        ("keep_alive", "25h"), ("keep_alive", 5), ("keep_alive", "1d"), ("reasoning_effort", "most"),
        ("reasoning_effort", ["low"]), ("stop", ["a"] * 2 + list("bcdefghij")), ("stop", ["x" * 101]), ("stop", {"a": 1}),
        ("stop", [1]), ("num_gpu", 1), ("__class__", 1),
    ],
)  # fmt: skip
def test_what_is_not_allowed_is_refused_at_its_field(name: str, value: Any) -> None:
    with pytest.raises(InvalidInput) as refused:
        valid_parameters({name: value})
    assert refused.value.field == name and refused.value.message.endswith(".")


def test_a_system_prompt_has_a_limit() -> None:
    assert valid_system_prompt("  Be brief.\r\n") == "Be brief."
    with pytest.raises(InvalidInput, match="8,000"):
        valid_system_prompt("x" * 8_001)


def test_a_later_origin_replaces_what_an_earlier_one_sets() -> None:
    found = merged({"temperature": 0.1, "seed": 1}, {"temperature": 0.5}, {"stop": ["x"]})
    assert options_of(found) == ChatOptions(temperature=0.5, seed=1, stop=("x",))
    assert options_of({}) == ChatOptions()


def test_what_a_provider_does_not_take_is_named_with_a_way_out() -> None:
    support = ParameterSupport(
        frozenset({"seed", "stop", "reasoning_effort"}), frozenset({Effort.NONE, Effort.MEDIUM}), 1
    )
    assert objection("m", ChatOptions(seed=1, stop=("a",)), support) is None
    for options, name in (
        (ChatOptions(seed=1, num_ctx=512), "num_ctx"),
        (ChatOptions(stop=("a", "b")), "stop"),
        (ChatOptions(reasoning_effort="high"), "reasoning_effort"),
    ):
        found = objection("m", options, support)
        assert found is not None and found[0] == name and "or" in found[1] and found[1].endswith(".")


def test_parameters_have_words() -> None:
    assert words_of({"stop": ["a", "b"], "temperature": 0.5, "seed": 7}) == "Temperature 0.5, Seed 7, Stop at “a”, “b”"
