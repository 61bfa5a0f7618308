"""Formats numbers of spreadsheets as displayed: 1067 with the format "00000" is the post code 01067.

The format codes are those of ECMA-376 (18.8.31), as Excel and LibreOffice read them. Names of months and the signs for
decimals and thousands are those of English, since a file does not say in which language it was displayed.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from functools import lru_cache
from itertools import islice

from rxchat.parsers import date_format

_TOKEN = re.compile(
    r'"[^"]*"?|\\.|_.|\*.|\[[^\]]*\]|General|AM/PM|A/P|am/pm|a/p|上午/下午|午前/午後|오전/오후|[yY]+|[mM]+|[dD]+|[hH]+|[sS]+(?:\.0+)?|[eE][+-]|[eE]+|[gG]+|[bB](?:[12]|[bB]*)|.',
    re.DOTALL,
)
_SIMPLE = re.compile(r'(#,##)?0(?:\.(0{1,9}))?(?: "([^" ]{1,20})")?')
_LARGEST_SIMPLE = 1e15
_SECTION = re.compile(r'(?:"[^"]*"?|\\.|_.|\*.|\[[^\]]*\]|[^;"\\])*')
_CONDITION = re.compile(r"\[(<=|>=|<>|<|>|=)(-?\d+(?:\.\d+)?)\]")
_ELAPSED = re.compile(r"\[(h+|m+|s+)\]", re.IGNORECASE)
_SPACES = re.compile(" {2,}")
_PLACEHOLDERS = frozenset("0#?")
_LONGEST_CODE = 255
_MOST_DIGITS = 30
_LONGEST_DENOMINATOR = 9
_SECTION_OF_TEXTS = 3


@dataclass(frozen=True, slots=True)
class _Section:
    tokens: tuple[str, ...]
    condition: tuple[str, float] | None
    is_date: bool


def displayed(value: float, code: str, *, is_1904: bool = False) -> str:
    """Format a number by its format code; returns the stored number if the code cannot format it."""
    if code in {"", "General"} or len(code) > _LONGEST_CODE or not math.isfinite(value):
        return general(value)
    return _displayed(value, code, is_1904)


@lru_cache(maxsize=50_000)
def _displayed(value: float, code: str, is_1904: bool) -> str:
    simple = _SIMPLE.fullmatch(code)
    if simple is not None:
        # A fast path for nearly all formats, since large sheets have a million numbers.
        grouped, decimals, unit = simple.groups()
        places = Decimal(1).scaleb(-len(decimals or ""))
        number = (
            Decimal(repr(value)).quantize(places, ROUND_HALF_UP)
            if abs(value) < _LARGEST_SIMPLE
            else Decimal(repr(value))
        )
        text = f"{number:,f}" if grouped else f"{number:f}"
        sign = "-" if number < 0 else ""
        return f"{sign}{text.lstrip('-')}{f' {unit}' if unit else ''}"
    sections = _sections(code)
    section, is_signed = _chosen(sections, value)
    if section is None:
        return general(value)
    if section.is_date:
        text = date_format.displayed(section.tokens, value, is_1904=is_1904)
        return general(value) if text is None else _trimmed(text)
    text = _number(section.tokens, abs(value))
    is_negative = value < 0 and not is_signed and any(digit in "123456789" for digit in text)
    return _trimmed(f"-{text}" if is_negative else text)


def general(value: float) -> str:
    """Return a number without a format."""
    return str(value) if isinstance(value, int) else f"{value:.15g}"


def displayed_text(value: str, code: str) -> str:
    """Format a text by its format code, with the literals around its "@"; "" if the format hides it."""
    sections = _sections(code) if len(code) <= _LONGEST_CODE else ()
    section = next((it for it in sections if "@" in it.tokens), None)
    if section is not None:
        return "".join(value if atom == "@" else _literal(atom) for atom in section.tokens)
    # The fourth section is for texts; without "@", it displays other text or none.
    own = next(islice(sections, _SECTION_OF_TEXTS, None), None)
    return value if own is None or "General" in own.tokens else ""


@lru_cache(maxsize=1000)
def _sections(code: str) -> tuple[_Section, ...]:
    found: list[_Section] = []
    position = 0
    while position <= len(code) and len(found) < 4:
        match = _SECTION.match(code, position)
        text = match.group() if match else ""
        found.append(_section(text))
        position += len(text) + 1
    return tuple(found)


def _section(text: str) -> _Section:
    condition = _CONDITION.search(text)
    tokens = tuple(_TOKEN.findall(text))
    is_date = any(
        atom[0] in "yYdDhHsSmM" or _ELAPSED.fullmatch(atom) or atom.upper() in date_format.HALVES for atom in tokens
    )
    if not is_date and not any(atom in _PLACEHOLDERS for atom in tokens):
        is_date = any(set(atom.lower()) in ({"g"}, {"e"}, {"b"}) for atom in tokens)
    return _Section(tokens, (condition.group(1), float(condition.group(2))) if condition else None, is_date)


def _chosen(sections: tuple[_Section, ...], value: float) -> tuple[_Section | None, bool]:
    """Return the section for a number, and whether it contains the sign of negative numbers."""
    numbers = [it for it in sections[:3] if it.tokens != ("@",)] if len(sections) < 4 else list(sections[:3])
    if not numbers:
        return None, False
    if any(it.condition for it in numbers):
        for section in numbers:
            if section.condition is None or _holds(section.condition, value):
                return section, section.condition is not None and value < 0 and section is not numbers[0]
        return numbers[-1], False
    if len(numbers) > 1 and value < 0:
        return numbers[1], True
    if len(numbers) > 2 and value == 0:
        return numbers[2], False
    return numbers[0], False


def _holds(condition: tuple[str, float], value: float) -> bool:
    sign, bound = condition
    return {
        "<": value < bound,
        ">": value > bound,
        "=": value == bound,
        "<=": value <= bound,
        ">=": value >= bound,
        "<>": value != bound,
    }[sign]


def _number(tokens: tuple[str, ...], value: float) -> str:
    """Format a non-negative number by the tokens of a section."""
    if "General" in tokens:
        return "".join(general(value) if atom == "General" else _literal(atom) for atom in tokens)
    places = [index for index, atom in enumerate(tokens) if atom in _PLACEHOLDERS]
    if not places:
        return "".join("%" if atom == "%" else _literal(atom) for atom in tokens)
    slash = _slash(tokens)
    if slash is not None:
        return _fraction(tokens, slash, value)
    exponent = next((index for index, atom in enumerate(tokens) if atom in {"E+", "E-", "e+", "e-"}), None)
    if exponent is not None:
        return _scientific(tokens, exponent, value)
    number = Decimal(repr(value)).scaleb(2 * tokens.count("%"))
    return _fixed(tokens, number)


def _fixed(tokens: tuple[str, ...], number: Decimal) -> str:
    places = [index for index, atom in enumerate(tokens) if atom in _PLACEHOLDERS]
    point = next((index for index, atom in enumerate(tokens) if atom == "."), len(tokens))
    whole = [index for index in places if index < point]
    decimals = [index for index in places if index > point]
    last_whole = whole[-1] if whole else point
    commas = [index for index, atom in enumerate(tokens) if atom == "," and places[0] < index]
    scaling = [index for index in commas if index > last_whole and (index < point or point == len(tokens))]
    scaling += [index for index in commas if point < len(tokens) and index > places[-1] and index > point]
    is_grouped = any(index < last_whole for index in commas)
    number = number.scaleb(-3 * len(scaling)).quantize(
        Decimal(1).scaleb(-min(len(decimals), _MOST_DIGITS)), ROUND_HALF_UP
    )
    digits, _, rest = f"{number:f}".partition(".")
    shown = dict(zip(whole, _whole_digits(tokens, whole, digits.lstrip("0"), is_grouped=is_grouped), strict=True))
    shown |= dict(zip(decimals, _decimal_digits(tokens, decimals, rest), strict=False))
    if not whole and digits.strip("0"):
        shown[point] = f"{digits.lstrip('0')}."
    pieces = [
        shown[index] if index in shown else atom if atom in {".", "%"} else "" if atom == "," else _literal(atom)
        for index, atom in enumerate(tokens)
        if not (atom in _PLACEHOLDERS and index not in shown)
    ]
    return "".join(pieces)


def _whole_digits(tokens: tuple[str, ...], places: list[int], digits: str, *, is_grouped: bool) -> list[str]:
    """Return the digits at each placeholder before the point; the first one gets all remaining digits."""
    shown: list[str] = []
    for order, index in enumerate(reversed(places)):
        if order == len(places) - 1:
            taken = digits[: max(0, len(digits) - order)]
        else:
            taken = digits[-1 - order : len(digits) - order] if order < len(digits) else ""
        if not taken and tokens[index] == "0":
            taken = "0"
        shown.append(_grouped(taken, order) if is_grouped else taken)
    return shown[::-1]


def _grouped(digits: str, order: int) -> str:
    """Insert commas between thousands; `order` is the number of digits to the right."""
    return "".join(
        digit + ("," if (below := len(digits) - 1 - index + order) and below % 3 == 0 else "")
        for index, digit in enumerate(digits)
    )


def _decimal_digits(tokens: tuple[str, ...], places: list[int], digits: str) -> list[str]:
    shown = list(digits[: len(places)])
    for order in range(len(shown) - 1, -1, -1):
        if shown[order] != "0" or tokens[places[order]] == "0":
            break
        shown[order] = ""
    return shown


def _scientific(tokens: tuple[str, ...], exponent: int, value: float) -> str:
    mantissa, power_tokens = tokens[:exponent], tokens[exponent + 1 :]
    point = mantissa.index(".") if "." in mantissa else len(mantissa)
    step = max(1, sum(atom in _PLACEHOLDERS for atom in mantissa[:point]))
    exact = Decimal(repr(value))
    power = exact.adjusted() if value else 0
    power -= power % step
    decimals = min(sum(atom in _PLACEHOLDERS for atom in mantissa[point:]), _MOST_DIGITS)
    number = exact.scaleb(-power)
    if number.quantize(Decimal(1).scaleb(-decimals), ROUND_HALF_UP).adjusted() >= step:
        # 9.996 with two decimals is 1.00E+01, and not 10.00E+00.
        power += step
        number = exact.scaleb(-power)
    sign = "-" if power < 0 else "+" if tokens[exponent].endswith("+") else ""
    width = sum(atom in _PLACEHOLDERS for atom in power_tokens)
    return f"{_fixed(mantissa, number)}E{sign}{abs(power):0{max(1, width)}d}"


def _slash(tokens: tuple[str, ...]) -> int | None:
    """Return the index of a fraction's slash: between placeholders, or before a fixed denominator (`# ?/8`)."""
    for index in range(1, len(tokens) - 1) if tokens.count("/") == 1 else ():
        if tokens[index] == "/" and tokens[index - 1] in _PLACEHOLDERS and _is_digit(tokens[index + 1]):
            return index
    return None


def _is_digit(atom: str) -> bool:
    return atom in _PLACEHOLDERS or (atom.isascii() and atom.isdecimal())


def _fraction(tokens: tuple[str, ...], slash: int, value: float) -> str:
    end = next((index for index in range(slash + 1, len(tokens)) if not _is_digit(tokens[index])), len(tokens))
    top = next(index for index in range(slash, -1, -1) if index == 0 or tokens[index - 1] not in _PLACEHOLDERS)
    wholes = [index for index in range(top) if tokens[index] in _PLACEHOLDERS]
    exact = Fraction(repr(value)) if "e" not in repr(value) else Fraction(value)
    numerator, denominator = _ratio(tokens[slash + 1 : end], exact, is_mixed=bool(wholes))
    whole, numerator = divmod(numerator, denominator) if wholes else (0, numerator)
    before, after = "".join(map(_literal, tokens[: wholes[0] if wholes else top])), "".join(map(_literal, tokens[end:]))
    integer = tokens[wholes[0] : wholes[-1] + 1] if wholes else ()
    shown = f"{whole:,}" if "," in integer else str(whole)
    if not wholes:
        return f"{before}{numerator}/{denominator}{after}"
    if not numerator:
        return f"{before}{shown}{after}"
    if not whole and "0" not in integer:
        return f"{before}{numerator}/{denominator}{after}"
    between = "".join(map(_literal, tokens[wholes[-1] + 1 : top])) or " "
    return f"{before}{shown}{between}{numerator}/{denominator}{after}"


def _ratio(digits: tuple[str, ...], exact: Fraction, *, is_mixed: bool) -> tuple[int, int]:
    """Return numerator and denominator, with a denominator of `digits` digits or the fixed one."""
    fixed = int("".join(atom if atom.isdecimal() else "0" for atom in digits[:_LONGEST_DENOMINATOR]))
    if fixed:
        return math.floor(exact * fixed + Fraction(1, 2)), fixed
    whole = int(exact) if is_mixed else 0
    part = (exact - whole).limit_denominator(10 ** min(len(digits), 4) - 1)
    return part.numerator + whole * part.denominator, part.denominator


def _literal(atom: str) -> str:
    """Return the text of a token that is no placeholder."""
    if atom.startswith("[$"):
        # A currency: [$€-407]; colors, conditions and languages display nothing.
        return atom[2:-1].partition("-")[0]
    return atom if atom == "@" else date_format.literal(atom)


def _trimmed(text: str) -> str:
    return _SPACES.sub(" ", text).strip()
