"""Glyphs of Microsoft's symbol fonts, which Word stores as font positions and not as characters."""

from __future__ import annotations

_PRIVATE_USE = 0xF000
_SYMBOL = (
    dict(zip(range(0x41, 0x5B), "ΑΒΧΔΕΦΓΗΙϑΚΛΜΝΟΠΘΡΣΤΥςΩΞΨΖ", strict=True))
    | dict(zip(range(0x61, 0x7B), "αβχδεφγηιϕκλμνοπθρστυϖωξψζ", strict=True))
    | dict(zip(range(0xA3, 0xBD), "≤⁄∞ƒ♣♦♥♠↔←↑→↓°±″≥×∝∂•÷≠≡≈…", strict=True))
    | {0x22: "∀", 0x24: "∃", 0x40: "≅", 0x5C: "∴", 0x5E: "⊥", 0xC5: "⊕", 0xC6: "∅", 0xC7: "∩", 0xC8: "∪", 0xCE: "∈"}
    | {0xD0: "∠", 0xD1: "∇", 0xD5: "∏", 0xD6: "√", 0xD7: "⋅", 0xD8: "¬", 0xD9: "∧", 0xDA: "∨", 0xE5: "∑", 0xF2: "∫"}
)
_WINGDINGS = (
    {0x6C: "●", 0x6D: "❍", 0x6E: "■", 0x6F: "□", 0x71: "❑", 0x72: "❒", 0x75: "◆", 0x76: "❖", 0x9F: "•", 0xA7: "▪"}
    | {0xA8: "☐", 0xFB: "✗", 0xFC: "✓", 0xFD: "☒", 0xFE: "☑", 0x28: "☎", 0x2A: "✉", 0x4A: "☺", 0x4C: "☹", 0xD8: "➢"}
    | {0xDF: "←", 0xE0: "→", 0xE1: "↑", 0xE2: "↓", 0xE7: "←", 0xE8: "→", 0xE9: "↑", 0xEA: "↓", 0xF0: "⇨"}
)
_WINGDINGS_2 = {0x4F: "✗", 0x50: "✓", 0x51: "☒", 0x52: "☑", 0x53: "☒", 0x54: "☒", 0xA3: "☐", 0xA2: "■"}
_FONTS = {"symbol": _SYMBOL, "wingdings": _WINGDINGS, "wingdings 2": _WINGDINGS_2}


def character(font: str, code: str) -> str | None:
    """Return the character for a font's glyph, given its hexadecimal code; None if it is unknown."""
    try:
        place = int(code, 16)
    except ValueError:
        return None
    signs = _FONTS.get(font.lower())
    if signs is None:
        # Other fonts store characters.
        return None if place >= _PRIVATE_USE or place < ord(" ") else chr(place)
    return signs.get(place - _PRIVATE_USE if place >= _PRIVATE_USE else place)
