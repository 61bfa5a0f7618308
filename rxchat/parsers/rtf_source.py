"""Rewrites RTF source for `striprtf`, which ignores text in destinations that it does not know.

Displayed text there (text boxes, paragraph numbers, results of embedded objects, formulas, checkboxes, footnotes) is
moved out of them; text that is not displayed (hidden and deleted text) is removed.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from striprtf.striprtf import destinations

from rxchat.parsers import symbol_fonts

_TOKENS = re.compile(
    r"\\([a-zA-Z]{1,32})(-?\d{1,10})? ?|\\'([0-9a-fA-F]{2})|\\([^a-zA-Z'])|([{}])|([^\\{}\r\n]+)|[\r\n]+|\\"
)
_FONT = re.compile(r"\\f(\d{1,6})(?!\d)[^{};]*?\\fcharset2(?!\d)[^{};]*?(?:\{[^{}]*\})?[^{};]* ?([A-Z][\w .-]{0,60});")
_FONT_TABLE_CHARACTERS = 500_000

_BOXES = frozenset({"shptxt", "dptxbxtext"})
_ENDS = {"footnote": "Footnote", "annotation": "Comment"} | dict.fromkeys(
    ("header", "headerl", "headerr", "headerf"), "Header"
)
_ENDS |= dict.fromkeys(("footer", "footerl", "footerr", "footerf"), "Footer")
_MATH = {"mden": "/", "msup": "^", "msub": "_", "mlim": "_", "mdeg": "√"}
_MATH_GROUPS = frozenset({"moMath", "mmath", "moMathPara"})
# Text in any of these must be moved out of all of them.
_LEFT_OUT = destinations - {"pntext", "shptxt", "dptxbxtext", "result"}
_SHOWN = frozenset({"u", "tab", "line", "emdash", "endash", "bullet", "lquote", "rquote", "ldblquote", "rdblquote"})
_CHECK_BOX, _DROP_DOWN = 1, 2
_SYMBOL_FIELD = re.compile(
    r'SYMBOL\s+(\d{1,5}|0x[0-9a-fA-F]{1,4})\b.*?\\\\f\s+"?([\w ]{1,40}?)"?(?:\s|\\|$)', re.DOTALL
)


@dataclass(slots=True)
class _Group:
    name: str = ""
    """Its destination, if any: the first control word."""
    is_starred: bool = False
    is_left_out: bool = False
    """Whether its text is ignored."""
    is_hidden: bool = False
    is_deleted: bool = False
    font: str = ""
    pieces: list[str] = field(default_factory=list)
    lifted: list[str] = field(default_factory=list)
    entries: list[str] = field(default_factory=list)
    """The type, states and options of a form field."""
    form: dict[str, int] = field(default_factory=dict)


@dataclass(slots=True)
class Source:
    """A rewritten RTF source, and notes on its contents."""

    text: str = ""
    has_hidden_text: bool = False
    has_objects: bool = False
    has_pictures: bool = False
    ends: list[str] = field(default_factory=list)


def readable(text: str) -> Source:
    """Rewrite a source so that `striprtf` reads all displayed text."""
    reader = _Reader(text)
    reader.read(text)
    return reader.source


class _Reader:
    def __init__(self, text: str) -> None:
        start = max(0, text.find("\\fonttbl"))
        self._symbol_fonts = (
            dict(_FONT.findall(text[start : start + _FONT_TABLE_CHARACTERS])) if "fcharset2" in text else {}
        )
        self._groups = [_Group()]
        self._author = ""
        self._fallback = 1
        """The number of fallback characters after each Unicode character."""
        self._skipped = 0
        self.source = Source()

    def read(self, text: str) -> None:
        """Rewrite the source."""
        for found in _TOKENS.finditer(text):
            word, argument, code, sign, brace, characters = found.groups()
            if brace == "{":
                self._open()
            elif brace == "}":
                if len(self._groups) > 1:
                    self._close()
                else:
                    self._groups[0].pieces.append("}")
            elif word:
                self._word(found.group(), word, argument)
            elif code or characters or sign:
                self._text(found.group(), code, characters, sign)
        while len(self._groups) > 1:
            self._close()
        root = self._groups[0]
        document = "".join([*root.pieces, *root.lifted])
        if self.source.ends and (end := document.rfind("}")) >= 0:
            ends = "".join(f"\\par {it}\\par " for it in dict.fromkeys(self.source.ends))
            document = f"{document[:end]}{ends}{document[end:]}"
        self.source.text = document

    def _open(self) -> None:
        above = self._groups[-1]
        self._groups.append(
            _Group(
                is_left_out=above.is_left_out, is_hidden=above.is_hidden, is_deleted=above.is_deleted, font=above.font
            )
        )

    def _word(self, source: str, word: str, argument: str | None) -> None:
        group = self._groups[-1]
        if not group.name and group.pieces in ([], ["\\*"]) and word not in {"v", "deleted"}:
            group.name = word
            group.is_left_out = group.is_left_out or (word in _LEFT_OUT)
            if word in _BOXES:
                group.is_left_out = False
        if word in {"v", "deleted", "plain"}:
            self._property(group, word, is_on=argument != "0")
        elif word in {"fftype", "ffres", "ffdefres"}:
            self._form(word, int(argument or 0))
        elif word == "u" and argument and group.font in self._symbol_fonts and self._shows(group):
            self._symbol(group, int(argument) % 0x10000)
            self._skipped = self._fallback
        elif word not in _SHOWN or self._shows(group):
            group.pieces.append(source)
        if word == "f":
            group.font = argument or ""
        elif word == "uc":
            self._fallback = int(argument or 1)
        self.source.has_objects = self.source.has_objects or word == "object"
        self.source.has_pictures = self.source.has_pictures or word in {"pict", "shppict"}

    def _property(self, group: _Group, word: str, *, is_on: bool) -> None:
        if word == "v":
            group.is_hidden = is_on
        elif word == "deleted":
            group.is_deleted = is_on
        else:
            group.is_hidden = group.is_deleted = False

    def _shows(self, group: _Group) -> bool:
        """Whether text of a group is displayed."""
        if group.is_hidden or group.is_deleted:
            self.source.has_hidden_text = self.source.has_hidden_text or group.is_hidden
            return False
        return True

    def _text(self, source: str, code: str | None, characters: str | None, sign: str | None) -> None:
        group = self._groups[-1]
        if sign == "*" and not group.name and not group.pieces:
            group.is_starred = True
            group.is_left_out = True
            group.pieces.append(source)
        elif self._shows(group):
            if group.font in self._symbol_fonts and not group.is_left_out and (code or characters):
                places = [int(code, 16)] if code else list(map(ord, characters or ""))
                skipped, self._skipped = self._skipped, max(0, self._skipped - len(places))
                for place in places[skipped:]:
                    self._symbol(group, place)
            else:
                group.pieces.append(source)

    def _symbol(self, group: _Group, place: int) -> None:
        """Append a glyph of a symbol font as a character."""
        shown = symbol_fonts.character(self._symbol_fonts[group.font], f"{place:x}") or (
            chr(place) if place < 0x80 else "\ufffd"
        )
        group.pieces.append(_unicode(shown))

    def _form(self, word: str, value: int) -> None:
        for group in reversed(self._groups):
            if group.name == "formfield":
                group.form[word] = value
                return

    def _close(self) -> None:
        group = self._groups.pop()
        above = self._groups[-1]
        content, name = "".join(group.pieces), group.name
        above.lifted += group.lifted
        if name in _MATH_GROUPS or (name.startswith("m") and self._is_in(*_MATH_GROUPS)):
            above.pieces.append(_formula(group, content))
        elif not self._moved(group, above, _without(content, name)):
            above.pieces.append(f"{{{content}}}")
        if not above.is_left_out:
            above.pieces += above.lifted
            above.lifted = []

    def _moved(self, group: _Group, above: _Group, content: str) -> bool:
        """Move a group out of an ignored destination if necessary; returns whether it did."""
        name = group.name
        if name in _BOXES and not self._is_in("shprslt"):
            above.lifted.append(f"{{\\par {content}\\par }}")
        elif name == "result":
            above.lifted.append(f"{{{content}}}")
        elif name == "pntext":
            above.pieces.append(f"{{{content}}}")
        elif name in _ENDS:
            author, self._author = self._author if name == "annotation" else "", ""
            self.source.ends.append(f"{{{_ENDS[name]}{author}: {content}}}")
        elif name == "atnauthor":
            self._author = f" by {content}"
        elif name == "ffl":
            next((it for it in reversed(self._groups) if it.name == "formfield"), above).entries.append(content)
        elif name == "formfield":
            above.lifted.append(_chosen(group))
        else:
            if name == "fldinst":
                above.lifted += self._symbols_of(content)
            return False
        return True

    def _symbols_of(self, instruction: str) -> list[str]:
        """Return the characters of a SYMBOL field."""
        found = _SYMBOL_FIELD.search(instruction)
        if found is None:
            return []
        shown = symbol_fonts.character(found.group(2), f"{int(found.group(1), 0):x}") or "\ufffd"
        return [_unicode(shown)]

    def _is_in(self, *names: str) -> bool:
        return any(group.name in names for group in self._groups)


def _unicode(character: str) -> str:
    return f"{{\\uc1\\u{ord(character)}?}}" if character > "\x7f" else character


def _without(content: str, word: str) -> str:
    """Remove the control word of the destination from a group's content."""
    return re.sub(rf"\A(?:\\\*)?\\{word}(?:-?\d+)? ?", "", content)


def _chosen(group: _Group) -> str:
    """Return the displayed value of a form field: a checkbox or the selected option."""
    kind = group.form.get("fftype", 0)
    value = group.form.get("ffres", 25)
    value = group.form.get("ffdefres", 0) if value == 25 else value
    if kind == _CHECK_BOX:
        return _unicode("☑" if value else "☐")
    if kind == _DROP_DOWN and value < len(group.entries):
        return f"{{{group.entries[value]}}}"
    return ""


def _formula(group: _Group, content: str) -> str:
    """Format a part of a formula on one line: a fraction is 1/2, a power is x^2."""
    name = group.name
    if name.endswith("Pr") or name == "mmathPict":
        return ""
    content = _without(content, name)
    plain = re.sub(r"\\[a-zA-Z]+-?\d* ?|[{}]", "", content)
    if name in _MATH and plain:
        return f"{_MATH[name]}{f'({content})' if not plain.isalnum() else f'{{{content}}}'}"
    return f"{{{content}}}" if plain or "\\u" in content else ""
