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
