"""Pages of PDFs: columns, sideways text, forms and notes."""

from __future__ import annotations

import zlib

import pytest

from rxchat.parsers import pdf
from tests.parsers import samples
from tests.parsers.samples import parts

WORDS = [
    "the",
    "reservoir",
    "above",
    "the",
    "glen",
    "was",
    "drained",
    "in",
    "spring",
    "because",
    "its",
    "dam",
    "had",
    "begun",
    "to",
    "leak",
]


def sideways(quarters: int) -> bytes:
    """A page whose text runs up, upside down or down."""
    lines = [(50, 560, 20, "Title of it")]
    lines += [(50, 520 - 14 * line, 11, f"Line {line} of the first paragraph.") for line in range(4)]
    lines += [(50, 440 - 14 * line, 11, f"Line {line} of the second paragraph.") for line in range(3)]
    turn = {
        0: lambda x, y: f"1 0 0 1 {x} {y}",
        1: lambda x, y: f"0 1 -1 0 {600 - y} {x}",
        2: lambda x, y: f"-1 0 0 -1 {600 - x} {780 - y}",
        3: lambda x, y: f"0 -1 1 0 {y} {780 - x}",
    }[quarters]
    drawn = [f"BT /F {size} Tf {turn(x, y)} Tm ({text}) Tj ET" for x, y, size, text in lines]
    return samples.pdf_of([zlib.compress("\n".join(drawn).encode())])


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_text_that_runs_sideways_is_read_as_if_it_did_not(quarters: int) -> None:
    assert parts(pdf.parse(sideways(quarters), ".pdf")) == parts(pdf.parse(sideways(0), ".pdf"))


def by_rows(columns: int, title: str = "") -> bytes:
    """A page in columns that was drawn row by row."""
    lines: list[samples.Placed] = [(40, 740, 11, title)] if title else []
    for row in range(8):
        for column in range(columns):
            text = f"c{column}r{row} " + " ".join(WORDS[(3 * row) % 9 : (3 * row) % 9 + 5])
            lines.append((40 + 570 / columns * column, 700 - 14 * row, 9 if columns > 2 else 10, text))
    return samples.pdf(lines)


@pytest.mark.parametrize("columns", [2, 3])
def test_columns_that_were_drawn_by_rows_are_read_one_after_the_other(columns: int) -> None:
    text = pdf.parse(
        by_rows(columns, "A title that stands across all of the columns of this page, from side to side."), ".pdf"
    ).text
    places = [text.index(f"c{column}r{row} ") for column in range(columns) for row in range(8)]
    assert places == sorted(places)
    assert text.startswith("A title that stands across")


def test_rows_of_a_table_stay_together() -> None:
    rows = [
        ("4711", "Screw M8", "0.12"),
        ("4712", "Nut M8", "0.07"),
        ("4713", "Washer", "0.02"),
        ("4714", "Bolt", "0.40"),
        ("4715", "Pin", "0.11"),
    ]
    lines = [
        (40 + 170 * column, 700 - 14 * row, 10, cell)
        for row, cells in enumerate(rows)
        for column, cell in enumerate(cells)
    ]
    text = pdf.parse(samples.pdf(lines), ".pdf").text  # type: ignore[arg-type]
    for cells in rows:
        assert " ".join(cells) in text


def turned(rotation: int, drawn: str, extra: str = "", objects: tuple[str, ...] = (), catalog: str = "") -> bytes:
    """A PDF of one page that is turned, with more in its dictionary, in the file (from object 7) and in the catalog."""
    return samples.file_of(
        [
            f"<</Type/Catalog/Pages 2 0 R{catalog}>>".encode(),
            b"<</Type/Pages/Kids[5 0 R]/Count 1>>",
            b"<</Type/Font/Subtype/Type1/BaseFont/Helvetica/Encoding/WinAnsiEncoding>>",
            b"<</Title()>>",
            f"<</Type/Page/Parent 2 0 R/MediaBox[0 0 612 792]/Rotate {rotation}/Contents 6 0 R"
            f"/Resources<</Font<</F 3 0 R>>/Properties<</L 7 0 R>>>>{extra}>>".encode(),
            f"<</Length {len(drawn)}>>stream\n{drawn}\nendstream".encode(),
            *(it.encode() for it in objects),
        ]
    )


def drawn(*lines: str) -> str:
    return "\n".join(f"BT /F 11 Tf 72 {700 - 14 * row} Td ({line}) Tj ET" for row, line in enumerate(lines))


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_a_page_that_was_turned_is_read_in_the_order_of_its_lines(rotation: int) -> None:
    document = pdf.parse(
        turned(rotation, drawn("First line says alpha,", "second line says beta", "and the third is last.")), ".pdf"
    )
    assert document.text == "First line says alpha, second line says beta and the third is last."


def test_columns_on_a_turned_page_are_read_one_after_another() -> None:
    def columns(matrix: str) -> str:
        return "\n".join(
            f"BT /F 10 Tf {matrix} {x} {y} Tm ({side}{row:02d} words of this side go on here) Tj ET"
            if matrix == "1 0 0 1"
            else f"BT /F 10 Tf {matrix} {612 - y} {x} Tm ({side}{row:02d} words of this side go on here) Tj ET"
            for row in range(12)
            for side, x in (("L", 72), ("R", 332))
            for y in (500 - 14 * row,)
        )

    upright = pdf.parse(turned(0, columns("1 0 0 1")), ".pdf")
    sideways = pdf.parse(turned(90, columns("0 1 -1 0")), ".pdf")
    assert upright.text.index("L11") < upright.text.index("R00")
    assert sideways.text == upright.text


def test_a_hyphen_that_belongs_to_a_word_stays_at_the_end_of_a_line() -> None:
    lines = ("The agree-", "ment is well-", "known for its Bau-", "und Kauf, Ein-", "und Ausgang, Nord-", "Amerika, state-",
             "owned or va-", "lid: a state-owned one.")  # fmt: skip
    assert pdf.parse(turned(0, drawn(*lines)), ".pdf").text == (
        "The agreement is well-known for its Bau- und Kauf, Ein- und Ausgang, Nord-Amerika, state-owned or valid: a state-owned one."
    )


def test_a_combo_box_shows_the_label_of_its_value() -> None:
    field = "<</Type/Annot/Subtype/Widget/Rect[10 40 90 60]/F 4/FT/Ch/Ff 131072/T(combo)/Opt[[(a)(Alpha label)][(b)(Beta label)]]/V(b)>>"
    content = turned(0, drawn("A form"), "/Annots[7 0 R]", (field,), "/AcroForm<</Fields[7 0 R]>>")
    assert "combo: Beta label" in pdf.parse(content, ".pdf").text


def test_layers_that_are_not_displayed_are_said() -> None:
    layer = "/OCProperties<</OCGs[7 0 R]/D<</OFF[7 0 R]>>>>"
    page = f"{drawn('Shown')} /OC /L BDC BT /F 11 Tf 72 500 Td (HIDDEN) Tj ET EMC"
    content = turned(0, page, "", ("<</Type/OCG/Name(Draft)>>",), layer)
    assert pdf.parse(content, ".pdf").notes == (
        "This PDF has layers that are not displayed: their text was read, too.",
    )
    assert not pdf.parse(
        turned(0, page, "", ("<</Type/OCG/Name(Draft)>>",), layer.replace("/OFF[7 0 R]", "")), ".pdf"
    ).notes


def test_stamps_rich_notes_and_struck_out_lines_are_read_as_such() -> None:
    stream = "BT /F1 12 Tf 5 10 Td (STAMPED: REJECTED) Tj ET"
    objects = (
        "<</Type/Annot/Subtype/Stamp/Rect[300 300 500 340]/F 4/AP<</N 8 0 R>>>>",
        "<</Type/XObject/Subtype/Form/BBox[0 0 200 40]/Resources<</Font<</F1 3 0 R>>>>"
        f"/Length {len(stream)}>>stream\n{stream}\nendstream",
        "<</Type/Annot/Subtype/Text/Rect[10 10 30 30]/F 4/RC(<body><p>Rich &amp; said</p></body>)/T(Jo)>>",
        "<</Type/Annot/Subtype/StrikeOut/Rect[72 680 200 695]/F 4/QuadPoints[72 696 220 696 72 683 220 683]>>",
    )
    content = turned(0, drawn("The price is 100.", "The old price is 90."), "/Annots[7 0 R 9 0 R 10 0 R]", objects)
    text = pdf.parse(content, ".pdf").text
    assert "- Note by Jo: Rich & said\n- Struck out: The old price is 90.\n- Note: STAMPED: REJECTED" in text
