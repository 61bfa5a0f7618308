"""Lines of streams end where the protocol says, whatever a model writes, and text commands no terminal."""

from __future__ import annotations

import json

import httpx
import pytest

from rxchat.api.event_streams import line, sse
from rxchat.api_commands import _printable

TEXT = "a\u2028b\u2029c\x85d\ne\r\n\ud800é"


@pytest.mark.parametrize("encode", [line, lambda data: sse(data, event="run.text", event_id="1")])
def test_no_text_ends_a_line(encode) -> None:
    answer = httpx.Response(200, content=encode({"text": TEXT}))
    found = [item for item in answer.iter_lines() if item and not item.startswith(("id:", "event:"))]
    assert len(found) == 1
    assert json.loads(found[0].removeprefix("data: "))["text"].replace("?", "\ud800") == TEXT


def test_control_characters_do_not_reach_the_terminal() -> None:
    assert _printable("a\x1b]52;c;AAAA\x07b\x9b2J\tc\nd é") == "a\ufffd]52;c;AAAA\ufffdb\ufffd2J\tc\nd é"
