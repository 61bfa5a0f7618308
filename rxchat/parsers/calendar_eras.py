"""Years of dates in spreadsheets, in the calendars that number formats can name.

A language of a format, such as `[$-411]` or `[$-ja-JP]`, is a Windows language identifier whose third byte may name a
calendar (MS-LCID; ECMA-376, 18.8.31).
"""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence
from enum import StrEnum

_LANGUAGE = re.compile(r"\[\$[^\]-]*-([0-9A-Za-z-]+)[^\]]*\]")
_ERAS = (
    (dt.date(2019, 5, 1), "R", "令和"),
    (dt.date(1989, 1, 8), "H", "平成"),
    (dt.date(1926, 12, 25), "S", "昭和"),
    (dt.date(1912, 7, 30), "T", "大正"),
    (dt.date(1868, 1, 25), "M", "明治"),
)
_JAPANESE, _TAIWANESE = 0x411, 0x404
_BEFORE_TAIWAN = 1911
_BEFORE_BUDDHA = 543
_BEFORE_TANGUN = 2333


class Calendar(StrEnum):
    """The calendar of a number format."""

    GREGORIAN = "gregorian"
    JAPANESE = "japanese"
    TAIWANESE = "taiwanese"
    KOREAN = "korean"
    BUDDHIST = "buddhist"
    LUNAR = "lunar"
    """A calendar with other months: dates are displayed in the Gregorian calendar, year first."""


_OF_BYTE = {3: Calendar.JAPANESE, 4: Calendar.TAIWANESE, 5: Calendar.KOREAN, 7: Calendar.BUDDHIST}
_LUNAR_BYTES = frozenset({6, 8, 11, 12, 13, 14, 15, 16, 17, 23})


def calendar_of(tokens: Sequence[str]) -> Calendar:
    """Return the calendar of a format's tokens."""
    if any(atom in {"B2", "b2"} for atom in tokens):
        return Calendar.LUNAR
    has_eras = any(set(atom.lower()) == {"g"} for atom in tokens)
    has_years = has_eras or any(set(atom.lower()) == {"e"} for atom in tokens)
    found = next((language for atom in tokens if (language := _LANGUAGE.fullmatch(atom))), None)
    name = found.group(1).lower() if found else ""
    try:
        number = int(name, 16)
    except ValueError:
        return Calendar.JAPANESE if has_years and (name.startswith("ja") or has_eras) else Calendar.GREGORIAN
    asked = (number >> 16) & 0xFF
    if asked:
        return Calendar.LUNAR if asked in _LUNAR_BYTES else _OF_BYTE.get(asked, Calendar.GREGORIAN)
    if number & 0xFFFF == _TAIWANESE and has_years:
        return Calendar.TAIWANESE
    is_japanese = has_years and (number & 0xFFFF == _JAPANESE or has_eras)
    return Calendar.JAPANESE if is_japanese else Calendar.GREGORIAN


def era(moment: dt.datetime, calendar: Calendar, width: int) -> str:
    """Return the name of an era, in one of three lengths (`width` 1 to 3); "" in calendars without eras."""
    if calendar is Calendar.TAIWANESE:
        return "民國" if width < 3 else "中華民國"
    if calendar is Calendar.JAPANESE and (found := _era_of(moment)):
        _, letter, name = found
        return {1: letter, 2: name[0]}.get(width, name)
    return ""


def year(moment: dt.datetime, calendar: Calendar) -> int:
    """Return the year; in the Japanese calendar, the year of the era."""
    match calendar:
        case Calendar.JAPANESE if found := _era_of(moment):
            return moment.year - found[0].year + 1
        case Calendar.TAIWANESE if moment.year > _BEFORE_TAIWAN:
            return moment.year - _BEFORE_TAIWAN
        case Calendar.KOREAN:
            return moment.year + _BEFORE_TANGUN
        case Calendar.BUDDHIST:
            return buddhist_year(moment)
        case _:
            return moment.year


def buddhist_year(moment: dt.datetime) -> int:
    """Return the year in Thailand's calendar."""
    return moment.year + _BEFORE_BUDDHA


def _era_of(moment: dt.datetime) -> tuple[dt.date, str, str] | None:
    return next((found for found in _ERAS if moment.date() >= found[0]), None)
