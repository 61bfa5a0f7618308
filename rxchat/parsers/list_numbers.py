"""The numbers of list items: 4, d, iv, 四."""

_ROMAN = ((1000, "m"), (900, "cm"), (500, "d"), (400, "cd"), (100, "c"), (90, "xc"), (50, "l"), (40, "xl"), (10, "x"),
          (9, "ix"), (5, "v"), (4, "iv"), (1, "i"))  # fmt: skip
_HIGHEST_ROMAN = 3_999
_HIGHEST_LETTER = 26 * 30
_DIGITS = "〇一二三四五六七八九"
_EAST_ASIAN = ("chinese", "japanese", "taiwanese", "ideograph", "korean")
_HIGHEST_IDEOGRAPH = 99
_CIRCLED = ("decimalEnclosedCircle", "decimalEnclosedCircleChinese")
_HIGHEST_CIRCLED = 20
BULLET = "-"


def formatted(number: int, format_: str) -> str:
    """Format a number in one of Word's formats (ECMA-376, 17.18.59); rare alphabets become digits."""
    match format_:
        case "decimalZero":
            return f"{number:02}"
        case "lowerLetter" | "upperLetter" if 0 < number <= _HIGHEST_LETTER:
            letters = chr(ord("a") + (number - 1) % 26) * ((number - 1) // 26 + 1)
            return letters.upper() if format_ == "upperLetter" else letters
        case "lowerRoman" | "upperRoman" if 0 < number <= _HIGHEST_ROMAN:
            roman = _roman(number)
            return roman.upper() if format_ == "upperRoman" else roman
        case "ordinal":
            return f"{number}{_ordinal(number)}"
        case "decimalFullWidth" | "decimalFullWidth2":
            return "".join(chr(ord("０") + int(digit)) for digit in str(number))
        case _ if format_ in _CIRCLED and 0 < number <= _HIGHEST_CIRCLED:
            return chr(ord("①") + number - 1)
        case _ if format_.startswith(_EAST_ASIAN) and 0 < number <= _HIGHEST_IDEOGRAPH:
            return _ideographs(number)
        case _:
            return str(number)


def _roman(number: int) -> str:
    letters = ""
    for value, sign in _ROMAN:
        letters += sign * (number // value)
        number %= value
    return letters


def _ordinal(number: int) -> str:
    return "th" if 10 < number % 100 < 14 else {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")


def _ideographs(number: int) -> str:
    tens, ones = divmod(number, 10)
    ten = "" if not tens else ("" if tens == 1 else _DIGITS[tens]) + "十"
    return ten + (_DIGITS[ones] if ones else "")


_SLIDE_FORMATS = (("arabic", "decimal"), ("alphaLc", "lowerLetter"), ("alphaUc", "upperLetter"), ("romanLc", "lowerRoman"),
                  ("romanUc", "upperRoman"), ("circleNum", "decimalEnclosedCircle"), ("ea1", "chineseCounting"))  # fmt: skip


def on_slide(number: int, kind: str) -> str:
    """Format a number in one of PowerPoint's formats (ECMA-376, 20.1.10.61): "arabicParenR" is 1)."""
    format_ = next((name for prefix, name in _SLIDE_FORMATS if kind.startswith(prefix)), "decimal")
    shown = formatted(number, format_)
    if kind.endswith("ParenBoth"):
        return f"({shown})"
    return f"{shown})" if kind.endswith("ParenR") else f"{shown}." if kind.endswith("Period") else shown
