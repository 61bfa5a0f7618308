"""What each parser makes of documents as people have them."""

from __future__ import annotations

import io

import docx
import openpyxl
import pptx
import pytest
from docx.oxml import parse_xml
from docx.oxml.ns import nsdecls
from PIL import Image
from pptx.util import Emu

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.domain.errors import DocumentUnreadable, NoTextLayer
from rxchat.parsers import (
    delimited,
    epub,
    excel,
    html,
    image,
    json_data,
    limits,
    mail,
    markdown,
    opendocument,
    pdf,
    plain_text,
    powerpoint,
    source_code,
    word,
)
from tests.parsers import samples, scans
from tests.parsers.samples import check, headings, parts

HEADING, PARAGRAPH, LIST, TABLE, CODE = BlockKind


def checked(document: ParsedDocument) -> ParsedDocument:
    check(document)
    return document


def test_word_keeps_order_headings_lists_and_tables() -> None:
    document = checked(word.parse(samples.word(), ".docx"))
    assert document.title == "Report"
    assert parts(document) == [
        (HEADING, "Harvest"),
        (PARAGRAPH, "Apples were good."),
        (HEADING, "Numbers"),
        (LIST, "- Pears\n1. Plums"),
        (TABLE, "fruit | tons\napple | 7"),
        (PARAGRAPH, "The end."),
    ]
    assert headings(document) == [(1, "Harvest"), (2, "Numbers")]


def test_word_reads_content_controls_insertions_and_text_boxes_but_not_what_was_deleted() -> None:
    document = docx.Document()
    body = document.element.body
    space = nsdecls("w")
    for xml in (
        f"<w:sdt {space}><w:sdtContent><w:p><w:r><w:t>controlled</w:t></w:r></w:p></w:sdtContent></w:sdt>",
        f"<w:p {space}><w:ins><w:r><w:t>new</w:t></w:r></w:ins><w:del><w:r><w:delText>old</w:delText></w:r></w:del></w:p>",
        f"<w:p {space}><w:r><w:t>a</w:t><w:pict><w:txbxContent><w:p><w:r><w:t>boxed</w:t></w:r></w:p></w:txbxContent>"
        "</w:pict><w:t>b</w:t></w:r></w:p>",
    ):
        body.insert(len(body) - 1, parse_xml(xml))
    assert parts(checked(word.parse(samples.saved(document), ".docx"))) == [
        (PARAGRAPH, "controlled"),
        (PARAGRAPH, "new"),
        (PARAGRAPH, "ab"),
        (PARAGRAPH, "boxed"),
    ]


def test_powerpoint_has_a_page_for_each_slide() -> None:
    document = checked(powerpoint.parse(samples.powerpoint(), ".pptx"))
    assert parts(document) == [
        (HEADING, "Harvest"),
        (LIST, "- Apples\n- Pears"),
        (PARAGRAPH, "Notes: Smile."),
        (HEADING, "Numbers"),
        (TABLE, "fruit | tons\napple | 7"),
    ]
    assert [block.page for block in document.blocks] == [1, 1, 1, 2, 2]
    assert document.pages == 2


def test_a_slide_of_pictures_alone_is_said() -> None:
    presentation = pptx.Presentation()
    for title in ("One", "Two"):
        slide = presentation.slides.add_slide(presentation.slide_layouts[5])
        assert slide.shapes.title
        slide.shapes.title.text = title
    picture = io.BytesIO()
    Image.new("RGB", (4, 4)).save(picture, "PNG")
    slide.shapes.add_picture(picture, Emu(0), Emu(0))
    notes = powerpoint.parse(samples.saved(presentation), ".pptx").notes
    assert notes == ("Slide 2 shows pictures and no text: text on pictures was not read.",)


def test_powerpoint_reads_groups() -> None:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    group = slide.shapes.add_group_shape().shapes.add_group_shape()
    group.shapes.add_textbox(Emu(0), Emu(0), Emu(10), Emu(10)).text_frame.text = "deep"
    assert parts(powerpoint.parse(samples.saved(presentation), ".pptx")) == [(PARAGRAPH, "deep")]


def test_excel_has_a_page_for_each_sheet_and_a_header_in_each_block() -> None:
    document = checked(excel.parse(samples.excel(500), ".xlsx"))
    assert headings(document) == [(1, "Harvest"), (1, "More")]
    tables = [text for kind, text in parts(document) if kind is TABLE]
    assert len(tables) > 3
    assert tables[0].startswith("fruit | tons | ripe\napple 0 | 7.5 | TRUE\n")
    assert all(text.startswith("fruit | tons | ripe\n") for text in tables[:-1])
    assert tables[-1] == "only"
    assert document.text.count("apple ") == 500
    assert document.pages == 2


def test_excel_values_look_like_what_people_see() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet
    for value in ("text\nof two lines", 0.1 + 0.2, 3, False):
        sheet.append([value])
    assert parts(excel.parse(samples.saved(workbook), ".xlsx"))[1][1] == "text of two lines\n0.3\n3\nFALSE"


def test_opendocument_keeps_order_headings_lists_and_tables() -> None:
    document = checked(opendocument.parse(samples.opendocument(), ".odt"))
    assert parts(document) == [
        (HEADING, "1. Harvest"),
        (PARAGRAPH, "Apples were good."),
        (HEADING, "1.1. Numbers"),
        (LIST, "- Pears\n- Plums"),
        (TABLE, "fruit | tons\napple | 7"),
    ]
    assert headings(document) == [(1, "1. Harvest"), (2, "1.1. Numbers")]


def test_epub_follows_the_spine() -> None:
    document = checked(epub.parse(samples.epub(), ".epub"))
    assert document.title == "Fruit"
    assert parts(document) == [(HEADING, "Harvest"), (PARAGRAPH, "Apples."), (HEADING, "More"), (PARAGRAPH, "Pears.")]


def test_html_leaves_out_what_browsers_do_not_show() -> None:
    document = checked(html.parse(samples.HTML.encode(), ".html"))
    assert document.title == "Report"
    assert parts(document) == [
        (HEADING, "Harvest"),
        (PARAGRAPH, "Apples were\ngood."),
        (HEADING, "Numbers"),
        (LIST, "- Pears\n  - Green\n- Plums"),
        (TABLE, "fruit | tons\napple | 7"),
        (CODE, "a\n  b"),
    ]


def test_html_that_arranges_things_in_tables_is_read_as_text() -> None:
    page = b"<table><tr><td><h1>A</h1><p>b</p></td><td><table><tr><td>c</td></tr></table></td></tr></table>"
    assert parts(html.parse(page, ".html")) == [(HEADING, "A"), (PARAGRAPH, "b"), (PARAGRAPH, "c")]


def test_html_in_another_encoding_is_read_as_it_says() -> None:
    page = '<meta charset="windows-1251"><p>Яблоки</p>'.encode("cp1251")
    assert html.parse(page, ".html").text == "Яблоки"


def test_markdown_keeps_its_source() -> None:
    document = checked(markdown.parse(samples.MARKDOWN, ".md"))
    assert document.title == "Harvest"
    assert parts(document) == [
        (CODE, "title: x"),
        (HEADING, "# Harvest"),
        (PARAGRAPH, "Apples\nwere good."),
        (HEADING, "## Numbers"),
        (LIST, "- Pears\n- Plums"),
        (TABLE, "| fruit | tons |\n|---|---|\n| apple | 7 |"),
        (CODE, "```python\n# no heading\n```"),
        (PARAGRAPH, "[link]: https://example.org"),
    ]
    assert [level for level, _ in headings(document)] == [1, 2]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32", "cp1252"])
def test_text_is_read_in_its_encoding(encoding: str) -> None:
    text = "Die Ernte war größer als im Vorjahr: viele Äpfel, süße Birnen.\r\n\r\nZwei Absätze für die Übung."
    document = checked(plain_text.parse(text.encode(encoding), ".txt"))
    assert [part for _, part in parts(document)] == text.split("\r\n\r\n")


def test_bytes_that_are_no_text_are_refused() -> None:
    with pytest.raises(DocumentUnreadable, match="not text"):
        plain_text.parse(bytes(range(1, 32)) * 100, ".txt")


@pytest.mark.parametrize("content", [b"", b" \n\t\r\n ", b"\xef\xbb\xbf"])
def test_a_file_without_text_is_refused(content: bytes) -> None:
    with pytest.raises(DocumentUnreadable, match="no text"):
        plain_text.parse(content, ".txt")


@pytest.mark.parametrize(
    ("content", "suffix"),
    [
        (b'a,b\n"1,5","x\ny"\n', ".csv"),
        (b"a;b\n1,5;x y\n", ".csv"),
        (b"a\tb\n1,5\tx y\n", ".tsv"),
        ("a;b\n1,5;x y\n".encode("utf-16"), ".csv"),
    ],
)
def test_tables_as_text_are_read_with_any_delimiter(content: bytes, suffix: str) -> None:
    assert parts(checked(delimited.parse(content, suffix))) == [(TABLE, "a | b\n1,5 | x y")]


def test_too_wide_a_table_is_cut_with_a_note() -> None:
    document = delimited.parse(b",".join([b"x"] * 1000), ".csv")
    assert document.text.count("x") == limits.TABLE_COLUMNS
    assert document.notes == ("Columns after 256 of a table were left out.",)


def test_json_has_its_keys_as_headings() -> None:
    document = checked(json_data.parse('{"früh": ["apple", 1.5], "n": null}'.encode(), ".json"))
    assert parts(document) == [(HEADING, "früh"), (CODE, '[\n  "apple",\n  1.5\n]'), (HEADING, "n"), (CODE, "null")]


def test_json_has_its_numbers_as_they_are_written_and_every_member() -> None:
    source = (
        b'{"price":1.10,"big":12345678901234567.89,"inf":1e400,"owner":"A","owner":"B","x":{"a":[],"b":[1,{"c":null}]}}'
    )
    text = json_data.parse(source, ".json").text
    assert text.startswith(
        'price\n\n1.10\n\nbig\n\n12345678901234567.89\n\ninf\n\n1e400\n\nowner\n\n"A"\n\nowner\n\n"B"'
    )
    assert text.endswith('{\n  "a": [],\n  "b": [\n    1,\n    {\n      "c": null\n    }\n  ]\n}')
    assert (
        json_data.parse(b'{"amount":1234567890123456789.01}\n', ".jsonl").text
        == '{\n  "amount": 1234567890123456789.01\n}'
    )


def test_json_lines_are_a_block_each() -> None:
    assert parts(json_data.parse(b'{"a": 1}\n\n[2]\n', ".jsonl")) == [(CODE, '{\n  "a": 1\n}'), (CODE, "[\n  2\n]")]


@pytest.mark.parametrize(
    ("content", "suffix", "sentence"),
    [
        (b'{"a": }', ".json", "line 1"),
        (b'{"a": 1}\n{', ".jsonl", "line 2"),
        (b"[" * 100_000, ".json", "too deeply"),
    ],
)
def test_json_that_is_broken_says_where(content: bytes, suffix: str, sentence: str) -> None:
    with pytest.raises(DocumentUnreadable, match=sentence):
        json_data.parse(content, suffix)


def test_source_code_is_split_before_definitions() -> None:
    body = "\n\n".join(f"    x = {number}" for number in range(8))
    code = f"import os\n\n\ndef f():\n{body}\n\n\ndef g():\n    pass\n"
    document = checked(source_code.parse(code.encode(), ".py"))
    assert [text.splitlines()[0] for _, text in parts(document)] == ["import os", "def g():"]
    assert {kind for kind, _ in parts(document)} == {CODE}


def test_mail_has_its_headers_and_names_its_attachments() -> None:
    document = checked(mail.parse(samples.mail(), ".eml"))
    assert document.title == "Harvest – größer"
    assert [text for _, text in parts(document)] == [
        "From: Ann <ann@example.org>\nTo: bob@example.org\nDate: Mon, 02 Mar 2026 10:00:00 +0000\n"
        "Subject: Harvest – größer",
        "Apples were good.",
        "Pears, too.",
        "Attachment: list.pdf",
    ]
    assert document.notes == ()


def test_mail_without_plain_text_is_read_as_a_page() -> None:
    content = b"From: a@b\nContent-Type: text/html; charset=no-such\n\n<script>x</script><h1>Hi</h1>there"
    assert parts(mail.parse(content, ".eml"))[1:] == [(HEADING, "Hi"), (PARAGRAPH, "there")]


def test_pdf_has_pages_headings_and_paragraphs() -> None:
    content = samples.pdf(samples.report_page(1), samples.report_page(2))
    document = checked(pdf.parse(content, ".pdf"))
    assert document.title == "Report"
    assert document.pages == 2
    assert headings(document) == [(1, "Chapter 1"), (1, "Chapter 2")]
    assert [(block.kind, block.page) for block in document.blocks] == [
        (kind, page) for page in (1, 2) for kind in (HEADING, PARAGRAPH, PARAGRAPH, PARAGRAPH)
    ]
    assert "Line 0 of page 1 speaks of apples and of pears. Line 1 of page 1 speaks" in document.text


def test_pdf_words_that_were_divided_are_whole_again() -> None:
    lines = [
        (72, 700, 11, "These are undi-"),
        (72, 687, 11, "vided words of a well-"),
        (72, 674, 11, "Known West-Berlin."),
    ]
    text = pdf.parse(samples.pdf(lines), ".pdf").text  # type: ignore[arg-type]
    assert text.replace("well- K", "well-K") == "These are undivided words of a well-Known West-Berlin."


def test_pdf_headings_have_levels_by_their_size_and_lists_are_lists() -> None:
    lines = [
        (72, 740, 24, "Title"),
        (72, 700, 16, "Section"),
        *((72, 680 - 13 * line, 11, f"Text of line {line} that is long enough.") for line in range(5)),
        (72, 600, 11, "1. First thing"),
        (72, 587, 11, "2. Second thing"),
        (72, 560, 11, "After the list."),
    ]
    document = checked(pdf.parse(samples.pdf(lines), ".pdf"))  # type: ignore[arg-type]
    assert headings(document) == [(1, "Title"), (2, "Section")]
    assert parts(document)[-2:] == [(LIST, "1. First thing\n2. Second thing"), (PARAGRAPH, "After the list.")]


def test_pdf_with_two_columns_is_read_one_after_the_other() -> None:
    left = [(50, 700 - 13 * line, 11, f"left {line}") for line in range(4)]
    right = [(320, 700 - 13 * line, 11, f"right {line}") for line in range(4)]
    text = pdf.parse(samples.pdf([*left, *right]), ".pdf").text  # type: ignore[list-item]
    assert text == "left 0 left 1 left 2 left 3 right 0 right 1 right 2 right 3"


def test_pdf_with_nothing_on_its_pages_says_so() -> None:
    with pytest.raises(DocumentUnreadable, match="All pages of this PDF are empty") as caught:
        pdf.parse(samples.pdf([], []), ".pdf")
    assert not isinstance(caught.value, NoTextLayer)


def test_pdf_that_is_a_scan_says_so() -> None:
    with pytest.raises(NoTextLayer, match="OCR"):
        pdf.parse(scans.pdf("Some text"), ".pdf")


def test_pdf_pages_that_are_scans_are_noted_and_blank_ones_are_not() -> None:
    document = pdf.parse(scans.mixed_pdf(samples.pdf(samples.report_page(1), []), "Some text"), ".pdf")
    assert document.notes == ("1 of 3 pages are scans, whose text was not recognized (OCR): 3.",)
    assert document.scanned_pages == 1
    assert {block.page for block in document.blocks} == {1}


def test_pdf_with_a_password_says_so() -> None:
    content = samples.pdf(samples.report_page(1))
    key = b"<</Filter/Standard/V 1/R 2/O<" + b"41" * 32 + b">/U<" + b"42" * 32 + b">/P -4>>"
    locked = content.replace(b"trailer<<", b"trailer<</Encrypt " + key + b"/ID[<00><00>]")
    with pytest.raises(DocumentUnreadable, match="password"):
        pdf.parse(locked, ".pdf")


def test_a_picture_has_no_text() -> None:
    with pytest.raises(DocumentUnreadable, match="picture"):
        image.parse(b"", ".png")


def test_a_workbook_called_a_document_is_refused() -> None:
    with pytest.raises(DocumentUnreadable, match="its name has the wrong ending"):
        word.parse(samples.excel(), ".docx")


def test_an_opendocument_that_is_no_text_is_refused() -> None:
    sheet = samples.replaced(
        samples.opendocument(), {"mimetype": lambda _: b"application/vnd.oasis.opendocument.spreadsheet"}
    )
    with pytest.raises(DocumentUnreadable, match="another kind of OpenDocument"):
        opendocument.parse(sheet, ".odt")


def test_a_book_says_which_chapters_it_lacks_and_which_are_pictures() -> None:
    book = samples.replaced(
        samples.epub("a.xhtml", "b.xhtml", chapters={"O/a.xhtml": "<p>Apples.</p>", "O/b.xhtml": "<img src='b.png'/>"}),
        {"O/book.opf": lambda opf: opf.replace(b"</spine>", b'<itemref idref="nothing"/></spine>')},
    )
    assert epub.parse(book, ".epub").notes == (
        "1 of the 3 chapters are missing in the file.",
        "1 of the 2 chapters have no text: pictures in a book are not read.",
    )


def test_a_book_protected_by_its_shop_says_so() -> None:
    encryption = b'<encryption xmlns:e="e"><e:CipherReference URI="O/b.xhtml"/></encryption>'
    book = samples.replaced(samples.epub(), {"META-INF/encryption.xml": lambda _: encryption})
    with pytest.raises(DocumentUnreadable, match="DRM"):
        epub.parse(book, ".epub")
