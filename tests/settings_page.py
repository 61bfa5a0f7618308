"""Writes docs/settings.md from the comments, defaults and docstrings of rxchat/settings.py: `make settings`."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import cast

from rxchat.settings import Settings

ROOT = Path(__file__).resolve().parents[1]
SOURCE = ROOT / "rxchat" / "settings.py"
PAGE = ROOT / "docs" / "settings.md"
_HEAD = """# Settings

<!-- Written by `make settings` from rxchat/settings.py. -->

Set them in the environment or in a `.env` file in the folder where RxChat starts. Several values are separated by commas. An empty value means
the default. `.venv/bin/python -m rxchat check` says what is missing or contradictory, and what to do.
"""


def page() -> str:
    """Return the page: a table of settings below each comment of the class."""
    lines = [_HEAD]
    for heading, rows in _sections():
        lines += [f"## {heading}", "", "| setting | default | what it does |", "| --- | --- | --- |", *rows, ""]
    return "\n".join(lines)


def undocumented() -> list[str]:
    """Return the settings that have no docstring, and so no row."""
    text = page()
    return [str(field.alias) for field in Settings.model_fields.values() if f"| `{field.alias}` |" not in text]


def _sections() -> Iterator[tuple[str, list[str]]]:
    source = SOURCE.read_text()
    lines = source.splitlines()
    found = next(node for node in ast.parse(source).body if isinstance(node, ast.ClassDef) and node.name == "Settings")
    heading, rows = "", []
    for field, docstring in zip(found.body, found.body[1:], strict=False):
        if not (isinstance(field, ast.AnnAssign) and isinstance(docstring, ast.Expr)):
            continue
        above = lines[field.lineno - 2].strip()
        if above.startswith("# "):
            if rows:
                yield heading, rows
            heading, rows = above.removeprefix("# "), []
        name = cast("ast.Name", field.target).id
        rows.append(_row(name, str(cast("ast.Constant", docstring.value).value)))
    yield heading, rows


def _row(name: str, text: str) -> str:
    field = Settings.model_fields[name]
    default = field.default
    if default in (None, "", (), {}):
        shown = ""
    elif isinstance(default, bool):
        shown = f"`{str(default).lower()}`"
    else:
        shown = f"`{default:g}`" if isinstance(default, float) else f"`{default}`"
    return f"| `{field.alias}` | {shown} | {text} |"


if __name__ == "__main__":
    PAGE.write_text(page())
