"""Words that docstrings and comments avoid, since they hide who acts or name a part of the program by a metaphor."""

from __future__ import annotations

import ast
import io
import re
import tokenize
from collections.abc import Iterator
from pathlib import Path

from tests.gates.test_shape import PACKAGE, SCRIPTS, name, parsed

WORDS = re.compile(
    r"\b(?:whoever|whosever|whomever|nobody|no one|somebody|someone|anybody|everybody|anew|of before|in force|goes? on|going on|as long as"
    r"|said of|at work|the house|doors?|sweeps?|sweeping|doom(?:ed|s)?|vault|mirrors?|tells?|told"
    r"|ours|of its own accord|mended|calmed?)\b|^Know\b",
    re.IGNORECASE,
)
"""Write who does what ("the engine that holds the lease", "another user"), and the field's word for a part of the program."""
_SCRIPT_COMMENT = re.compile(r"/\*.*?\*/|(?<![:\"'`/])//[^\n]*", re.DOTALL)
CODE = re.compile(r"`[^`\n]*`|^noqa:.*")
"""Names and values in code may be any words."""


def prose(path: Path) -> Iterator[tuple[int, str]]:
    """Return the docstrings and comments of a module with their lines; attributes' docstrings are among them."""
    if path in SCRIPTS:
        text = path.read_text()
        for comment in _SCRIPT_COMMENT.finditer(text):
            yield text.count("\n", 0, comment.start()) + 1, comment.group()
        return
    for node in ast.walk(parsed(path)):
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant) and isinstance(node.value.value, str):
            yield node.lineno, node.value.value
    for token in tokenize.generate_tokens(io.StringIO(path.read_text()).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string.lstrip("# ")


def test_prose_names_who_acts_and_uses_the_words_of_the_field() -> None:
    found = [
        f"{name(path)}:{line}: {word.group()}"
        for path in [*PACKAGE, *SCRIPTS]
        for line, text in prose(path)
        for word in WORDS.finditer(CODE.sub("", text))
    ]
    assert found == []
