"""Variables of prompts, and what a prompt may say: what is no variable stays as it was written."""

from __future__ import annotations

import pytest

from rxchat.domain.errors import InvalidInput
from rxchat.domain.prompt_variables import Piece, Variable, fill, pieces, require_valid, variables_in
from rxchat.domain.prompts import PromptContent, command_of, numbered, valid_content
from rxchat.domain.text import MESSAGE_CHARACTERS
from tests.support.blowup import no_blowup

FOUND = {
    "Translate {{text}}": [Variable("text")],
    "{{ language = English }}": [Variable("language", "English")],
    "{{tone=formal|friendly}}": [Variable("tone", "formal", ("formal", "friendly"))],
    "{{note=}}": [Variable("note", "")],
    "{{tone=|formal}}": [Variable("tone", "", ("", "formal"))],
    "{{a=same|same}}": [Variable("a", "same")],
    "{{first name}} {{größe_2}} {{名前}} {{भाषा}}": [
        Variable(name) for name in ("first name", "größe_2", "名前", "भाषा")
    ],
    "{{a}} {{a=1}} {{a=2}}": [Variable("a", "1")],
    r"{{either=a\|b|c \} d|\\}}": [Variable("either", "a|b", ("a|b", "c } d", "\\"))],
    # Escaped, and a backslash before a variable.
    r"\{{a}}": [],
    r"\\{{a}}": [Variable("a")],
}
STAY = (
    "{{}}", "{{ }}", "{{1a}}", "{{#if a}}", "{{/if}}", "{{> part}}", "{{a.b}}", "{{a|upper}}", "{{a", "a}}", "{a}",
    "{{a\n}}", "{{a={b}}}", "{{a=b\nc}}", "{{" + "a" * 41 + "}}", "{{a=" + "x" * 501 + "}}", "${a}", r"\n \{ \\", "{{\u202ea}}",
    "{{<script>}}", "{{a;DROP TABLE}}",
)  # fmt: skip


@pytest.mark.parametrize("text", FOUND)
def test_variables_are_found_with_their_defaults_and_choices(text: str) -> None:
    assert variables_in(text) == FOUND[text]


@pytest.mark.parametrize("text", STAY)
def test_other_braces_stay_as_they_are(text: str) -> None:
    assert (variables_in(text), fill(text, {"a": "x"})) == ([], text)


def test_values_are_inserted_as_they_are_and_the_rest_is_not_touched() -> None:
    text = "Write {{what}} in {{language=English}},\n{{tone=formal|friendly}}: {{what}}"
    assert fill(text, {"what": "{{language}} \\1 {{what}}"}) == (
        "Write {{language}} \\1 {{what}} in English,\nformal: {{language}} \\1 {{what}}"
    )
    assert fill(text, {"what": "a", "language": "", "tone": "friendly"}) == "Write a in ,\nfriendly: a"
    assert fill(r"\{{what}} \\{{what}} \\\{{what}} \n", {"what": "a"}) == r"{{what}} \a \{{what}} \n"


def test_the_parts_of_a_text_are_what_the_preview_shows() -> None:
    assert pieces(r"In {{a}}, \{{b}}!") == [
        Piece("In "),
        Piece("a", is_variable=True),
        Piece(", {{b}}"),
        Piece("!"),
    ]


def test_a_required_value_and_one_of_the_choices_have_to_be_given() -> None:
    for values in ({}, {"a": " \n"}):
        with pytest.raises(InvalidInput, match="Fill in “a”") as refused:
            fill("{{a}}", values)
        assert refused.value.field == "a"
    with pytest.raises(InvalidInput, match="one of the values of “tone”"):
        fill("{{tone=a|b}}", {"tone": "c"})


def test_what_is_longer_than_a_message_is_refused_before_it_is_made() -> None:
    with pytest.raises(InvalidInput, match="longer than 100,000"):
        fill("{{a}}" * 4_000, {"a": "x" * MESSAGE_CHARACTERS})


def test_there_is_an_end_to_variables_and_choices() -> None:
    require_valid(" ".join(f"{{{{a{chr(97 + number)}}}}}" for number in range(20)))
    with pytest.raises(InvalidInput, match="21 variables"):
        require_valid(" ".join(f"{{{{a{chr(97 + number)}}}}}" for number in range(21)))
    with pytest.raises(InvalidInput, match="31 choices"):
        require_valid("{{a=" + "|".join(map(str, range(31))) + "}}")


@pytest.mark.parametrize("unit", ["\\", "{{a=\\", "{{a=|", "{{", "{{a", "{{a=b", "\\{{a}}", "}}{{", " {{ a = "])
def test_hostile_texts_take_no_longer_than_others(unit: str) -> None:
    text = unit * (20_000 // len(unit))
    with no_blowup():
        variables_in(text)


def test_a_command_is_one_word_that_the_title_makes_if_none_is_given() -> None:
    said = {"text": " Say it. ", "description": " a\nb "}
    assert valid_content(title="Summarize a text!", command="", **said) == PromptContent(
        "Summarize a text!", "summarize-a-text", "Say it.", "a b"
    )
    for given, command in (("/Summarize", "summarize"), ("要約", "要約"), ("À-la", "à-la")):
        assert valid_content(title="T", command=given, **said).command == command
    for wrong in ("two words", "a/b", "-a", "a--b", "{{a}}", "a" * 41, "/", "\u202ea b"):
        with pytest.raises(InvalidInput) as refused:
            valid_content(title="!", command=wrong, **said)
        assert refused.value.field == "command"
    assert command_of("  ¿Qué  es_esto?  ") == "qué-es-esto"
    assert (numbered("a" * 40, 12), numbered("sum", 2)) == ("a" * 37 + "-12", "sum-2")


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", ""),
        ("title", "\u200b"),
        ("title", "t" * 101),
        ("text", " \n"),
        ("text", "t" * 20_001),
        ("description", "d" * 301),
    ],
)
def test_what_is_blank_or_too_long_is_refused_at_its_field(field: str, value: str) -> None:
    content = {"title": "T", "command": "c", "text": "x", "description": ""} | {field: value}
    with pytest.raises(InvalidInput) as refused:
        valid_content(**content)
    assert refused.value.field == field
