"""What Word shows and its file does not say in plain words: numbers, hidden text, fields, changes, readings."""

from __future__ import annotations

import io
import re

import docx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from docx.shared import Cm
from PIL import Image

from rxchat.parsers import limits, list_numbers, word
from tests.parsers import samples
from tests.parsers.samples import parts

SPACE = nsdecls("w")
LEVELS = (
    ("decimal", "%1."),
    ("decimal", "%1.%2"),
    ("lowerLetter", "(%3)"),
    ("upperRoman", "%4"),
)


def document_of(*paragraphs: str, numbering: str = "") -> bytes:
    """A document of these paragraphs' XML, with definitions of lists if there should be some."""
    document = docx.Document()
    body = document.element.body
    for xml in paragraphs:
        body.insert(len(body) - 1, parse_xml(re.sub(r"<w:(\w+)", rf"<w:\1 {SPACE}", xml, count=1)))
    if numbering:
        element = document.part.numbering_part.element
        for child in list(element):
            element.remove(child)
        for child in parse_xml(f"<w:numbering {SPACE}>{numbering}</w:numbering>"):
            element.append(child)
    return samples.saved(document)


def numbered(text: str, level: int, number: int = 1) -> str:
    properties = f'<w:numPr><w:ilvl w:val="{level}"/><w:numId w:val="{number}"/></w:numPr>'
    return f"<w:p><w:pPr>{properties}</w:pPr><w:r><w:t>{text}</w:t></w:r></w:p>"


def run(text: str, properties: str = "") -> str:
    return f"<w:r><w:rPr>{properties}</w:rPr><w:t xml:space='preserve'>{text}</w:t></w:r>"


def field(code: str, result: str) -> str:
    def sign(kind: str) -> str:
        return f'<w:r><w:fldChar w:fldCharType="{kind}"/></w:r>'

    return f"{sign('begin')}<w:r><w:instrText>{code}</w:instrText></w:r>{sign('separate')}{result}{sign('end')}"


def text_of(*paragraphs: str, numbering: str = "") -> str:
    return word.parse(document_of(*paragraphs, numbering=numbering), ".docx").text


def test_lists_of_several_levels_have_the_numbers_that_word_shows() -> None:
    levels = "".join(
        f'<w:lvl w:ilvl="{index}"><w:start w:val="1"/><w:numFmt w:val="{kind}"/><w:lvlText w:val="{text}"/></w:lvl>'
        for index, (kind, text) in enumerate(LEVELS)
    )
    numbering = (
        f'<w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum>'
        '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>'
        '<w:num w:numId="2"><w:abstractNumId w:val="0"/>'
        '<w:lvlOverride w:ilvl="0"><w:startOverride w:val="7"/></w:lvlOverride></w:num>'
    )
    steps = [("a", 0), ("b", 1), ("c", 1), ("d", 2), ("e", 2), ("f", 3), ("g", 0), ("h", 1)]
    text = text_of(*(numbered(*step) for step in steps), numbered("i", 0, 2), numbering=numbering)
    assert [line.strip() for line in text.splitlines()] == [
        *("1. a", "1.1 b", "1.2 c", "(a) d", "(b) e", "I f", "2. g", "2.1 h", "7. i"),
    ]


@pytest.mark.parametrize(
    ("format_", "number", "shown"),
    [
        ("lowerLetter", 28, "bb"), ("upperRoman", 1994, "MCMXCIV"), ("decimalZero", 3, "03"), ("ordinal", 22, "22nd"),
        ("japaneseCounting", 21, "二十一"), ("decimalEnclosedCircle", 3, "③"), ("decimalFullWidth", 12, "１２"),
        ("hebrew1", 5, "5"), ("upperRoman", 0, "0"),
    ],
)  # fmt: skip
def test_numbers_are_written_as_their_format_says(format_: str, number: int, shown: str) -> None:
    assert list_numbers.formatted(number, format_) == shown


def test_hidden_text_is_left_out_and_told_however_it_is_hidden() -> None:
    document = word.parse(document_of(f"<w:p>{run('seen')}{run('UNSEEN', '<w:vanish/>')}</w:p>"), ".docx")
    assert document.text == "seen"
    assert document.notes == ("Hidden text in this document was left out.",)
    not_hidden = '<w:vanish w:val="0"/>'
    assert text_of(f"<w:p>{run('seen')}{run(' too', not_hidden)}</w:p>") == "seen too"


def test_fields_show_their_results_also_across_paragraphs_and_nested() -> None:
    inner = field("DATE", run("UNSEEN"))
    paragraph = f"<w:p>{run('Dear ')}{field(f'IF {inner} = 1', run('Ann'))}{run(',')}</w:p>"
    assert text_of(paragraph) == "Dear Ann,"
    begin = '<w:r><w:fldChar w:fldCharType="begin"/></w:r><w:r><w:instrText>TOC</w:instrText></w:r>'
    contents = (
        f'<w:p>{begin}<w:r><w:fldChar w:fldCharType="separate"/></w:r>{run("One")}</w:p>',
        f'<w:p>{run("Two")}<w:r><w:fldChar w:fldCharType="end"/></w:r></w:p>',
    )
    assert text_of(*contents) == "One\n\nTwo"


def test_a_paragraph_whose_end_was_deleted_goes_on_in_the_next() -> None:
    deleted = "<w:p><w:pPr><w:rPr><w:del/></w:rPr></w:pPr>" + run("one ") + "</w:p>"
    assert text_of(deleted, f"<w:p>{run('sentence')}</w:p>") == "one sentence"


def test_a_deleted_row_is_no_row() -> None:
    cell = "<w:tc><w:p>{}</w:p></w:tc>"
    table = (
        f"<w:tbl><w:tr>{cell.format(run('kept'))}</w:tr>"
        f"<w:tr><w:trPr><w:del/></w:trPr>{cell.format(run('GONE'))}</w:tr></w:tbl>"
    )
    assert text_of(table) == "kept"


def test_headers_and_footers_are_read_once_and_page_numbers_are_not() -> None:
    document = docx.Document()
    document.add_paragraph("Body.")
    document.sections[0].header.paragraphs[0].text = "REF-7"
    document.sections[0].footer.paragraphs[0].text = "Page 1 of 3"
    document.add_section().header.is_linked_to_previous = False
    document.sections[1].header.paragraphs[0].text = "REF-7"
    assert [text for _, text in parts(word.parse(samples.saved(document), ".docx"))] == ["Header: REF-7", "Body."]


@pytest.mark.parametrize("text", ["2025-11", "2025", "12/2025", "Page 3 of Annex B"])
def test_a_header_with_a_date_is_no_page_number(text: str) -> None:
    document = docx.Document()
    document.add_paragraph("Body.")
    document.sections[0].header.paragraphs[0].text = text
    assert f"Header: {text}" in word.parse(samples.saved(document), ".docx").text


def test_signs_of_symbol_fonts_and_old_form_fields_show_what_is_ticked() -> None:
    def sign(font: str, code: str) -> str:
        return f'<w:r><w:sym w:font="{font}" w:char="{code}"/></w:r>'

    def form(data: str) -> str:
        begin = f'<w:r><w:fldChar w:fldCharType="begin"><w:ffData>{data}</w:ffData></w:fldChar></w:r>'
        return f'{begin}<w:r><w:instrText>FORM</w:instrText></w:r><w:r><w:fldChar w:fldCharType="end"/></w:r>'

    unticked = '<w:checkBox><w:default w:val="0"/></w:checkBox>'
    entries = "".join(f'<w:listEntry w:val="{name}"/>' for name in ("red", "green"))
    choice = f'<w:ddList><w:result w:val="1"/>{entries}</w:ddList>'
    document = word.parse(
        document_of(
            f"<w:p>{sign('Wingdings', 'F0FE')}{run('yes ')}{sign('Wingdings', 'F0A8')}{run('no ')}{sign('Symbol', '61')}</w:p>",
            f"<w:p>{form('<w:checkBox><w:checked/></w:checkBox>')}{run('a ')}{form(unticked)}{run('b')}</w:p>",
            f"<w:p>{form(choice)}</w:p>",
            f"<w:p>{sign('Webdings', 'F041')}</w:p>",
        ),
        ".docx",
    )
    assert document.text == "☑yes ☐no α\n\n☑a ☐b\n\ngreen\n\n\ufffd"
    assert document.notes == ("1 signs of symbol fonts have no known character, and were replaced by “\ufffd”.",)


def test_formulas_keep_their_meaning_on_one_line() -> None:
    def math(name: str, inner: str) -> str:
        return f"<m:{name} {nsdecls('m')}>{inner}</m:{name}>"

    def text(words: str) -> str:
        return math("r", math("t", words))

    fraction = math("f", math("num", text("1")) + math("den", text("2")))
    power = math("sSup", math("e", text("x")) + math("sup", text("n+1")))
    assert text_of(f"<w:p>{math('oMath', fraction)}{run(' ')}{math('oMath', power)}</w:p>") == "1/2 x^(n+1)"


def test_embedded_files_and_large_pictures_are_said() -> None:
    document = docx.Document()
    document.add_paragraph("Body.")
    for width in (Cm(2), Cm(12)):
        document.add_picture(io.BytesIO(_picture()), width=width)
    body = document.element.body
    body.insert(0, parse_xml(f"<w:p {SPACE}><w:r><w:object/></w:r></w:p>"))
    assert word.parse(samples.saved(document), ".docx").notes == (
        "Another document that is embedded in this one was not read: upload it by itself.",
        "1 large pictures in this document were not read.",
    )


def _picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (40, 40)).save(buffer, "PNG")
    return buffer.getvalue()


def test_a_small_file_of_millions_of_letters_is_cut_and_says_so() -> None:
    content = document_of(*[f"<w:p>{run('a ' * 45_000)}</w:p>"] * 100)
    assert len(content) < 60_000
    document = word.parse(content, ".docx")
    assert len(document.text) <= limits.text_characters(len(content)) < 2_000_000
    assert "far more text than a file of this size should" in document.notes[0]
