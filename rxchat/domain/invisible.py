"""Invisible characters, which are removed from names, titles and file names, and not allowed in addresses.

The constants are contents of a regular expression's character class.
"""

from __future__ import annotations

import re

JOINERS = "\u200c\u200d"
"""They join adjacent characters: emoji, and letters of Arabic, Indic and other scripts."""
FILLERS = "\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0\U0001d159"
"""Letters, marks and symbols without a visible shape: in Hangul, Khmer, Braille, music."""
VARIATION_SELECTORS = "\u180b-\u180d\u180f\ufe00-\ufe0f\U000e0100-\U000e01ef"
"""They select a variant of the previous character, if it has one."""
TAGS = "\U000e0020-\U000e007f"
"""Letters of a region's flag, after a black flag."""
UNSEEN = (
    # Control characters; those that are white space separate words.
    "\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"
    # Text direction, layout, annotations, shorthand, music, hieroglyphs, and code points reserved for more of them.
    "\u00ad\u061c\u180e\u200b\u200e\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff0-\ufffb"
    "\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U000e001f\U000e0080-\U000e00ff\U000e01f0-\U000e0fff"
    # Noncharacters.
    "\ufdd0-\ufdef" + "".join(f"{chr(plane + 0xFFFE)}{chr(plane + 0xFFFF)}" for plane in range(0, 0x110000, 0x10000))
)
"""Characters that are not allowed in short texts."""

_ANY = re.compile(f"[{UNSEEN}{FILLERS}{VARIATION_SELECTORS}{TAGS}{JOINERS}]")
_REMOVED = re.compile(f"[{UNSEEN}{FILLERS}]|(?<![\U0001f3f4{TAGS}])[{TAGS}]+")
# Emoji, keycap digits, ideographs and Mongolian letters have variants. Elsewhere a selector has no visible effect.
_LONE_SELECTORS = re.compile(
    "(?<![\u00a9\u00ae\u203c\u2049\u2122\u2139\u2190-\u2bff\u3030\u303d\u3297\u3299\U0001f000-\U0001faff])(?<![0-9#*](?=.\u20e3))"
    "[\ufe0e\ufe0f]"
    "|(?<![\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff])[\ufe00-\ufe02\U000e0100-\U000e01ef]"
    "|(?<![\u1820-\u18aa])[\u180b-\u180d\u180f]"
    "|[\ufe03-\ufe0d]",
    re.DOTALL,
)
_LONE_JOINERS = re.compile(f"(?:^|(?<=[\x00-\u058f\u1c80-\u1cbf\u1e00-\u1fff]))[{JOINERS}]+|[{JOINERS}]+(?=\\s|$)")


def has_invisible(text: str) -> bool:
    """Whether a text contains an invisible character."""
    return _ANY.search(text) is not None


def without_invisible(text: str) -> str:
    """Return the text without invisible characters, except joiners, selectors and tags that have a visible effect."""
    return _LONE_JOINERS.sub("", _LONE_SELECTORS.sub("", _REMOVED.sub("", text)))
