"""Dates, times and durations of spreadsheets as their number formats display them."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Sequence

from rxchat.parsers import calendar_eras
from rxchat.parsers.calendar_eras import Calendar, calendar_of

_EPOCH = dt.datetime(1899, 12, 30)  # noqa: DTZ001 - spreadsheets know no time zones.
_EPOCH_1904 = dt.datetime(1904, 1, 1)  # noqa: DTZ001
_LEAP_DAY_THAT_WAS_NONE = 60
_LAST_SERIAL = 2_958_466
_SECONDS_OF_DAY = 86_400
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_MONTHS = ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December")  # fmt: skip
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_GREGORIAN_DAY = ("yyyy", "-", "mm", "-", "dd")
HALVES = frozenset({"AM/PM", "A/P", "上午/下午", "午前/午後", "오전/오후"})
"""The codes for AM and PM in formats; the slash divides the words for before and after noon."""
# Programs display these in the order of the user's language; this order is unambiguous in all languages.
_OF_THE_READER = {
    "mm-dd-yy": ("yyyy", "-", "mm", "-", "dd"),
    "m/d/yyyy": ("yyyy", "-", "mm", "-", "dd"),
    "m/d/yy h:mm": ("yyyy", "-", "mm", "-", "dd", " ", "h", ":", "mm"),
}


def displayed(tokens: Sequence[str], serial: float, *, is_1904: bool = False) -> str | None:
    """Format a moment or a duration; None if it is not a valid date."""
    tokens = _OF_THE_READER.get("".join(tokens), tokens)
    calendar = calendar_of(tokens)
    if calendar is Calendar.LUNAR:
        tokens = _GREGORIAN_DAY
    fraction = max((len(atom.partition(".")[2]) for atom in tokens if atom[0] in "sS"), default=0)
    is_elapsed = any(_ELAPSED.fullmatch(atom) for atom in tokens)
    if not is_elapsed and not 0 <= serial < _LAST_SERIAL:
        return None
    seconds = round(abs(serial) * _SECONDS_OF_DAY, min(fraction, 6))
    sign = "-" if is_elapsed and serial < 0 else ""
    moment = _moment(seconds, is_1904=is_1904) if not is_elapsed else _EPOCH
    has_halves = any(atom.upper() in HALVES for atom in tokens)
    return sign + "".join(
        _year(atom, moment, calendar)
        if (len(set(atom.lower())) == 1 and atom[0].lower() in "yeg") or atom[0] in "bB"
        else _shown(tokens, index, seconds, moment, has_halves=has_halves)
        for index, atom in enumerate(tokens)
    )


def _moment(seconds: float, *, is_1904: bool) -> dt.datetime:
    if is_1904:
        return _EPOCH_1904 + dt.timedelta(seconds=seconds)
    # Before February 29, 1900, which Excel counts and which did not exist, serial numbers are a day behind.
    is_before = seconds < _LEAP_DAY_THAT_WAS_NONE * _SECONDS_OF_DAY
    return _EPOCH + dt.timedelta(seconds=seconds, days=int(is_before and seconds >= _SECONDS_OF_DAY))


def _shown(tokens: Sequence[str], index: int, seconds: float, moment: dt.datetime, *, has_halves: bool) -> str:
    atom = tokens[index]
    elapsed = _ELAPSED.fullmatch(atom)
    if elapsed:
        unit = {"h": 3600, "m": 60, "s": 1}[elapsed.group(1)[0].lower()]
        return f"{int(seconds // unit):0{len(elapsed.group(1))}d}"
    letter, width = atom[0].lower(), len(atom.partition(".")[0])
    if atom.upper() in HALVES:
        morning, _, afternoon = atom.partition("/")
        half = morning if moment.hour < 12 else afternoon
        return half.upper()
    match letter:
        case "m" if set(atom.lower()) == {"m"}:
            return (
                f"{moment.minute:0{min(width, 2)}d}" if _means_minutes(tokens, index) else _month(moment.month, width)
            )
        case "d" if set(atom.lower()) == {"d"}:
            return _day(moment, width)
        case "h" if set(atom.lower()) == {"h"}:
            hour = (moment.hour % 12 or 12) if has_halves else moment.hour
            return f"{hour:0{min(width, 2)}d}"
        case "s":
            return _seconds(atom, seconds, width)
        case _:
            return literal(atom)


def _year(atom: str, moment: dt.datetime, calendar: Calendar) -> str:
    """Format a year, or a part of it, by a token."""
    width = len(atom)
    match atom[0].lower():
        case "g":
            return calendar_eras.era(moment, calendar, width)
        case "b" if set(atom.lower()) == {"b"}:
            year = calendar_eras.buddhist_year(moment)
            return f"{year % 100:02d}" if width <= 2 else f"{year:04d}"
        case "b":
            # A token that only selects the calendar.
            return ""
        case "e":
            year = calendar_eras.year(moment, calendar)
            return f"{year:02d}" if width > 1 else str(year)
        case _:
            # The years of the Japanese calendar are those of its eras, and "y" is none of them.
            year = moment.year if calendar is Calendar.JAPANESE else calendar_eras.year(moment, calendar)
            return f"{year % 100:02d}" if width <= 2 else f"{year:04d}"


def _seconds(atom: str, seconds: float, width: int) -> str:
    digits = len(atom.partition(".")[2])
    shown = seconds % 60
    return f"{shown:0{min(width, 2) + (digits + 1 if digits else 0)}.{digits}f}"


def _month(month: int, width: int) -> str:
    name = _MONTHS[month - 1]
    return {3: name[:3], 4: name, 5: name[0]}.get(width, f"{month:0{min(width, 2)}d}")


def _day(moment: dt.datetime, width: int) -> str:
    name = _DAYS[moment.weekday()]
    return {3: name[:3], 4: name}.get(width, f"{moment.day:0{min(width, 2)}d}")


def _means_minutes(tokens: Sequence[str], index: int) -> bool:
    """Whether an m means minutes: after hours, or before seconds."""

    def neighbor(step: int) -> str:
        at = index + step
        while 0 <= at < len(tokens):
            letter = tokens[at].strip("[]")[:1].lower()
            if letter in {"y", "d", "h", "s", "m"}:
                return letter
            at += step
        return ""

    return len(tokens[index]) <= 2 and (neighbor(-1) == "h" or neighbor(1) == "s")


def literal(atom: str) -> str:
    """Return the text that a token displays, which is no placeholder; of brackets and "@" none."""
    match atom[0]:
        case '"':
            return atom[1:].removesuffix('"')
        case "\\":
            return atom[1:]
        case "_" | "*" if len(atom) > 1:
            return " "
        case "[" | "@":
            return ""
        case _:
            return atom
