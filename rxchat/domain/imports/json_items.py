"""Divides a JSON file into its items without building it in memory: a file of 200 MB would need gigabytes as objects."""

from __future__ import annotations

import re
from collections.abc import Iterator

from rxchat.domain.errors import DocumentUnreadable
from rxchat.domain.imports import limits

# Possessive, so that a string without an end is found at once and not tried from each of its characters.
_MARKS = re.compile(rb'"(?:[^"\\]|\\.)*+"|[\[\]{}"]', re.DOTALL)
_SPACE = b" \t\r\n"
_BOM = b"\xef\xbb\xbf"
_BROKEN = "This file is not valid JSON. It may be damaged, or only a part of it: export it again."
_TOO_DEEP = "This file is nested too deeply, as no export of a conversation is."
_DEPTHS = {ord("["): 1, ord("{"): 0}
"""In how many brackets the items of a file are, by its first character."""
_CLOSES = {ord("]"): ord("["), ord("}"): ord("{")}


def spans(data: bytes) -> Iterator[tuple[int, int]]:
    """Return where each item begins and ends: the objects of a list at the top, or the one object of the file.

    Raises:
        DocumentUnreadable: if the file is not JSON, or nested too deeply. What is inside of the items is not checked.
    """
    start = len(_BOM) if data.startswith(_BOM) else 0
    depth_of_items = _DEPTHS.get(_first(data, start))
    if depth_of_items is None:
        raise DocumentUnreadable(_BROKEN)
    begins = start
    for mark, place, depth in _brackets(data, start):
        if depth == depth_of_items and mark == ord("{"):
            begins = place
        elif depth == depth_of_items and mark == ord("}"):
            yield begins, place + 1


def _brackets(data: bytes, start: int) -> Iterator[tuple[int, int, int]]:
    """Return each bracket outside of strings, its place, and in how many others it and its partner are."""
    open_marks = bytearray()
    for found in _MARKS.finditer(data, start):
        place, mark = found.start(), data[found.start()]
        if mark in _CLOSES:
            if not open_marks or open_marks.pop() != _CLOSES[mark]:
                raise DocumentUnreadable(_BROKEN)
            yield mark, place, len(open_marks)
            if not open_marks:
                _require_end(data, place + 1)
                return
        elif mark != ord('"'):
            yield mark, place, len(open_marks)
            open_marks.append(mark)
            if len(open_marks) > limits.DEPTH:
                raise DocumentUnreadable(_TOO_DEEP)
        elif found.end() == place + 1:
            # A string without an end.
            break
    raise DocumentUnreadable(_BROKEN)


def _require_end(data: bytes, place: int) -> None:
    if data[place:].strip(_SPACE):
        raise DocumentUnreadable(_BROKEN)


def _first(data: bytes, start: int) -> int:
    while start < len(data) and data[start] in _SPACE:
        start += 1
    return data[start] if start < len(data) else 0
