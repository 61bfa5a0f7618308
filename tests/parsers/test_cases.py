"""Files like those that people have trouble with elsewhere (tests/parsers/cases/), and what has to come out of them.

`expected.json` says of each what its text has to hold, and where a warning or a refusal that names the cause is right as well.
"""

from __future__ import annotations

import json
import re
import unicodedata
from pathlib import Path
from typing import Any

import pytest

from rxchat.domain.documents import ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.domain.files import clean_file_name
from tests.parsers import samples

FOLDER = Path(__file__).parent / "cases"
CASES: list[dict[str, Any]] = json.loads((FOLDER / "expected.json").read_text())["files"]


def plain(text: str, case: dict[str, Any]) -> str:
    """The text as it is compared: white space as single spaces."""
    return re.sub(r"\s+", " ", unicodedata.normalize("NFKC" if case.get("nfkc") else "NFC", text))


def is_said(patterns: list[str], words: str) -> bool:
    return any(re.search(pattern, words, re.IGNORECASE) for pattern in patterns)


async def read(name: str, content: bytes) -> ParsedDocument | str:
    """What the real parser makes of a file, or why it refuses it."""
    try:
        return await samples.parsed(name, content)
    except DocumentUnreadable as unreadable:
        return unreadable.message


@pytest.mark.anyio
@pytest.mark.parametrize("case", CASES, ids=[case["id"] for case in CASES])
async def test_a_file_says_what_it_should_or_what_is_missing(case: dict[str, Any]) -> None:
    content = (FOLDER / case["file"]).read_bytes()
    document = await read(clean_file_name(case.get("name", case["file"])), content)
    if isinstance(document, str):
        assert is_said(case.get("or_refused", []), document), document
        return
    samples.check(document)
    text = plain(document.text, case)
    is_warned = is_said(case.get("or_remark", []), " ".join(document.notes))
    lacking = [it for it in case.get("text_must", []) if plain(it, case) not in text]
    lacking += [group for group in case.get("text_must_any", []) if not any(plain(it, case) in text for it in group)]
    assert is_warned or not lacking, lacking
    assert [it for it in case.get("text_must_not", []) if plain(it, case) in text] == []


@pytest.mark.parametrize("case", [case for case in CASES if "name" in case], ids=lambda case: case["id"])
def test_a_name_is_kept(case: dict[str, Any]) -> None:
    name = clean_file_name(case["name"])
    assert all(it in name for it in case.get("name_must", []))
    assert not any(it in name for it in case.get("name_must_not", []))
