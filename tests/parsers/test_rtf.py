"""RTF: what the page shows is read, where it stands, and what it does not show is not."""

from __future__ import annotations

import pytest

from rxchat.parsers import rtf

HIDDEN = "Hidden text in this document was left out."
EMBEDDED = "Another document that is embedded in this one was not read: upload it by itself."


@pytest.mark.parametrize(
    ("source", "text"),
    [
        (r"text {\shp{\*\shpinst{\sp{\sn x}{\sv 1}}{\shptxt \pard In a box.\par}}{\shprslt{\*\do{\dptxbxtext In a box.}}}} on",
         "text\n\nIn a box.\n\non"),
        (r"{\listtext 7.\tab}seven\par{\pntext 8.\tab}eight\par", "7.\tseven\n\n8.\teight"),
        (r"kept {\deleted gone}and\deleted gone too\deleted0 {\revised new}", "kept andnew"),
        (r"text{\footnote \chftn A note.} on", "text on\n\nFootnote: A note."),
        (r"text{\*\atnauthor Ann}{\*\annotation{\*\atnref 1}Check it.}", "text\n\nComment by Ann: Check it."),
        (r"{\header Top}{\headerf Top}{\footer Bottom}text", "text\n\nHeader: Top\n\nFooter: Bottom"),
        (r"{\field{\*\fldinst {FORMCHECKBOX}{\*\formfield{\fftype1\ffres1\ffdefres0}}}{\fldrslt}} yes", "☑ yes"),
        (r"{\field{\*\fldinst {FORMCHECKBOX}{\*\formfield{\fftype1\ffres25\ffdefres0}}}{\fldrslt}} no", "☐ no"),
        (r"{\field{\*\fldinst FORMDROPDOWN {\*\formfield{\fftype2\ffres1{\*\ffl red}{\*\ffl green}}}}{\fldrslt}}", "green"),
        (r"{\field{\*\fldinst FORMTEXT}{\fldrslt typed}}", "typed"),
        (r"E = {\mmath{\*\moMath{\mf{\mfPr{\mctrlPr}}{\mnum{\mr 1}}{\mden{\mr 2}}}{\msSup{\me{\mr x}}{\msup{\mr n+1}}}}}",
         "E = 1/2x^(n+1)"),
    ],
)  # fmt: skip
def test_what_is_shown_is_read_where_it_stands(source: str, text: str) -> None:
    document = rtf.parse(b"{\\rtf1\\ansi " + source.encode() + b"\\par}", ".rtf")
    assert "\n".join(line.rstrip() for line in document.text.split("\n")) == text
    assert document.notes == ()


def test_signs_of_symbol_fonts_are_the_characters_that_they_show() -> None:
    fonts = r"{\fonttbl{\f0\fcharset0 Arial;}{\f3\fcharset2\fprq2 Symbol;}{\f4\fcharset2{\*\panose 05}Wingdings;}}"
    source = (
        r"\f0 a {\f3 a} {\f4\'fc} {\f4 \u-3842 ?} {\field{\*\fldinst SYMBOL 97 \\f " + r'"Symbol" \\s 11}{\fldrslt}}'
    )
    assert rtf.parse(f"{{\\rtf1\\ansi{fonts}{source} end\\par}}".encode(), ".rtf").text == "a α ✓ ☑ α end"


def test_hidden_text_and_embedded_documents_are_said() -> None:
    hidden = rtf.parse(rb"{\rtf1 shown {\v no} \v no\v0 on {\v no \plain back}\par}", ".rtf")
    assert (hidden.text, hidden.notes) == ("shown  on back", (HIDDEN,))
    embedded = rtf.parse(rb"{\rtf1 see {\object\objemb{\*\objdata 0105}{\result A picture of it}}\par}", ".rtf")
    assert (embedded.text, embedded.notes) == ("see A picture of it", (EMBEDDED,))
    pictured = rtf.parse(rb"{\rtf1 see {\*\shppict{\pict\pngblip 89504e47}}\par}", ".rtf")
    assert pictured.notes == ("Pictures in this document were not read.",)


def test_a_text_nested_as_deeply_as_no_program_does_is_read() -> None:
    assert rtf.parse(b"{\\rtf1 " + b"{" * 5000 + b"deep" + b"}" * 5000 + b"}", ".rtf").text == "deep"
