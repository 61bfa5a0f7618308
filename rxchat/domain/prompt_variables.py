r"""Variables in the text of a prompt: `{{name}}`, with a default `{{language=English}}`, or with choices `{{tone=formal|friendly}}`.

- A name begins with a letter; letters, digits, spaces, `_` and `-` follow, 40 characters at most. Spaces around it do not count.
- A variable without a default has to be filled in; `{{note=}}` may stay empty. The first of several choices is the default.
- A variable that occurs several times has one value. The first occurrence that says a default or choices decides them.
- `\{{name}}` is the text `{{name}}`, and `\\{{name}}` a backslash and the variable. In a default, `\|`, `\}`, `\{` and `\\` are `|`, `}`, `{` and `\`.
- All other braces, and backslashes elsewhere, stay as they are. Values are inserted as they are: what looks like a variable in one is none.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from rxchat.domain.errors import InvalidInput
from rxchat.domain.text import MESSAGE_CHARACTERS

MOST_VARIABLES = 20
MOST_CHOICES = 30
_NAME_CHARACTERS = 40
# Each quantifier is bounded or possessive, so that the time is proportional to the text's length.
_BRACES = re.compile(
    r"(?<!\\)(?P<escapes>\\*+)\{\{(?P<name>[^{}=|\\\n]{1,60})(?:(?P<equals>=)(?P<value>(?:\\[^\n]|[^{}\\\n]){0,500}))?\}\}"
)
_ESCAPED = re.compile(r"\\([\\|{}])")
_CHOICE = re.compile(r"(?:\\[^\n]|[^|\\])*+")


@dataclass(frozen=True, slots=True)
class Variable:
    """A variable of a prompt."""

    name: str
    default: str | None = None
    """None if a value is required."""
    choices: tuple[str, ...] = ()

    @property
    def is_required(self) -> bool:
        """Whether it has to be filled in."""
        return self.default is None


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a prompt's text: as it is, or a variable's name."""

    text: str
    is_variable: bool = False


def pieces(text: str) -> list[Piece]:
    """Return the parts of a prompt's text, in their order."""
    return [Piece(item.name, is_variable=True) if isinstance(item, Variable) else Piece(item) for item in _parsed(text)]


def variables_in(text: str) -> list[Variable]:
    """Return the variables of a prompt's text in the order in which they occur, each once."""
    found: dict[str, Variable] = {}
    for item in _parsed(text):
        if isinstance(item, Variable) and (item.name not in found or found[item.name].is_required):
            found[item.name] = item
    return list(found.values())


def require_valid(text: str) -> None:
    """Require that a prompt's variables can be asked for in one dialog.

    Raises:
        InvalidInput: when there are too many, or one has too many choices.
    """
    found = variables_in(text)
    if len(found) > MOST_VARIABLES:
        raise InvalidInput(f"This text has {len(found)} variables; the maximum is {MOST_VARIABLES}.", field="text")
    for variable in found:
        if len(variable.choices) > MOST_CHOICES:
            raise InvalidInput(
                f"“{variable.name}” has {len(variable.choices)} choices; the maximum is {MOST_CHOICES}.", field="text"
            )


def fill(text: str, values: Mapping[str, str]) -> str:
    """Return a prompt's text with values for its variables; those that are not given have their defaults.

    Raises:
        InvalidInput: when a value is missing or is none of the choices, or the result is longer than a message.
    """
    filled = {variable.name: _value(variable, values) for variable in variables_in(text)}
    parts: list[str] = []
    length = 0
    for item in _parsed(text):
        parts.append(filled[item.name] if isinstance(item, Variable) else item)
        length += len(parts[-1])
        if length > MESSAGE_CHARACTERS:
            raise InvalidInput(f"The filled text is longer than {MESSAGE_CHARACTERS:,} characters. Use shorter values.")
    return "".join(parts)


def _value(variable: Variable, values: Mapping[str, str]) -> str:
    value = values.get(variable.name, variable.default or "")
    if variable.choices and value not in variable.choices:
        raise InvalidInput(f"Choose one of the values of “{variable.name}”.", field=variable.name)
    if variable.is_required and not value.strip():
        raise InvalidInput(f"Fill in “{variable.name}”.", field=variable.name)
    return value


def _parsed(text: str) -> Iterator[str | Variable]:
    """Yield the parts of a text: what stays as it is, with escapes resolved, and variables."""
    shown = 0
    for found in _BRACES.finditer(text):
        name = found["name"].strip(" \t")
        if not _is_name(name):
            continue
        escapes = len(found["escapes"])
        before = text[shown : found.start()] + "\\" * (escapes // 2)
        shown = found.end()
        if escapes % 2:
            yield before + text[found.end("escapes") : shown]
            continue
        if before:
            yield before
        yield _variable(name, found["value"] if found["equals"] else None)
    if shown < len(text):
        yield text[shown:]


def _is_name(name: str) -> bool:
    kinds = [unicodedata.category(character)[0] for character in name]
    if not kinds or len(name) > _NAME_CHARACTERS or kinds[0] != "L":
        return False
    return all(kind in "LMN" or character in " _-" for kind, character in zip(kinds, name, strict=True))


def _variable(name: str, value: str | None) -> Variable:
    if value is None:
        return Variable(name)
    parts = [_ESCAPED.sub(r"\1", part).strip() for part in _split(value)]
    choices = tuple(dict.fromkeys(parts)) if len(parts) > 1 else ()
    return Variable(name, parts[0], choices if len(choices) > 1 else ())


def _split(value: str) -> list[str]:
    """Split a default at each `|` that is not escaped."""
    parts = []
    at = 0
    while at <= len(value):
        found = _CHOICE.match(value, at)
        end = found.end() if found else at
        parts.append(value[at:end])
        at = end + 1
    return parts
