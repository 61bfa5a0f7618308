"""Cells of spreadsheets as they are displayed, and what a sheet does not show."""

from __future__ import annotations

import io

import odfdo
import openpyxl
import pytest
from openpyxl.chart import BarChart
from openpyxl.comments import Comment
from openpyxl.drawing.image import Image
from PIL import Image as PillowImage

from rxchat.parsers import excel, excel_sheet, number_format, opendocument
from tests.parsers import samples


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (1067, "00000", "01067"), (1067, '"D-"00000', "D-01067"), (0.19, "0%", "19%"), (0.195, "0.0%", "19.5%"),
        (1000, '#,##0.00 "€"', "1,000.00 €"), (1000, "[$€-407] #,##0.00", "€ 1,000.00"), (1234567, "#,##0", "1,234,567"),
        (-1234.5, "#,##0.00_);(#,##0.00)", "(1,234.50)"), (-5, "0.00", "-5.00"), (-7, "[Red]0", "-7"),
        (1234567, '#,##0,"k"', "1,235k"), (12345678, '0.0,,"M"', "12.3M"), (2.5, "0", "3"), (-0.001, "0.00", "0.00"),
        (5551234, "000-0000", "555-1234"), (4930123456, "00 00 000 000", "49 30 123 456"), (12345, "0.00E+00", "1.23E+04"),
        (0.5, "# ?/?", "1/2"), (2.25, "# ??/??", "2 1/4"), (0, '"Ja";"Ja";"Nein"', "Nein"), (150, '[>=100]"big" 0;0', "big 150"),
        (0, r'_(* #,##0.00_);_(* \(#,##0.00\);_(* "-"??_);_(@_)', "-"), (3.14159, "General", "3.14159"), (100, ";;;", ""),
        (46112, "yyyy-mm-dd", "2026-03-31"), (46112, "dd.mm.yyyy", "31.03.2026"), (46112, "mm-dd-yy", "2026-03-31"),
        (46113.60416666666, "yyyy-mm-dd h:mm:ss", "2026-04-01 14:30:00"), (0.34375, "h:mm AM/PM", "8:15 AM"),
        (1.5, "[h]:mm:ss", "36:00:00"), (46112, "[$-407]dddd, d. mmm yy", "Tuesday, 31. Mar 26"), (1, "yyyy-mm-dd", "1900-01-01"),
        (44927, '[$-411]ggge"年"m"月"d"日"', "令和5年1月1日"), (43585, "[$-ja-JP]gee.mm.dd", "H31.04.30"), (44927, "b1dd/mm/yyyy", "01/01/2023"),
        (44927, "[$-404]e/m/d", "112/1/1"), (44927, "e/m/d", "2023/1/1"), (44927, "[$-D070000]d/m/yyyy", "1/1/2566"), (44927, "bbbb", "2566"),
        (44927, "B2yyyy/mm/dd", "2023-01-01"), (44927, "[$-1060000]d/m/yy", "2023-01-01"), (44927, "[$-409]d-mmm-yy;@", "1-Jan-23"),
        (5000, "[$-411]yyyy", "1913"), (2, 'General "e"', "2 e"), (1, '"Beige" 0', "Beige 1"),
        (46112.5, 'yyyy"年"m"月"d"日"', "2026年3月31日"), (1e300, "yyyy-mm-dd", "1e+300"), (-3, "h:mm", "-3"),
    ],
)  # fmt: skip
def test_numbers_are_displayed_as_their_format_says(value: float, code: str, shown: str) -> None:
    assert number_format.displayed(value, code) == shown


@pytest.mark.parametrize(
    "code", ["[", '"', "\\", "0" * 300, "#,##0.00;", ";;;;;", "?/?", "0E+", "[>]0", "_", "*", "E+0"]
)
def test_no_format_breaks_a_number(code: str) -> None:
    assert isinstance(number_format.displayed(1234.5, code), str)


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (3.5, "# ?/8", "3 4/8"), (2.75, "# ?/4", "2 3/4"), (2.5625, "# ??/16", "2 9/16"), (2.5, "# ?/2", "2 1/2"), (-2.5, "# ?/2", "-2 1/2"),
        (3.5, "0/2", "7/2"), (3.5, "# ?/10", "3 5/10"), (3.14, "# ??/100", "3 14/100"), (1.2, "# ??/105", "1 21/105"), (1.999, "# ?/4", "2"),
        (0, "# ?/4", "0"), (0.5, "# ?/8", "4/8"), (0.5, "0 ?/?", "0 1/2"), (2.999, "# ?/?", "3"), (0.75, "?/?", "3/4"),
        (1.5, '# ?/? "in"', "1 1/2 in"), (1234.5, "$#,##0 ?/2", "$1,234 1/2"), (12312024, "00/00/0000", "12/31/2024"),
    ],
)  # fmt: skip
def test_fractions_have_their_whole_and_the_denominator_of_their_format(value: float, code: str, shown: str) -> None:
    assert number_format.displayed(value, code) == shown


@pytest.mark.parametrize(
    ("value", "code", "shown"),
    [
        (13 / 24 + 5 / 1440, '[$-404]上午/下午hh"時"mm"分"', "下午01時05分"), (0.3, "午前/午後h:mm", "午前7:12"), (0.6, "오전/오후 h:mm", "오후 2:24"),
        (0.6, "h:mm A/P", "2:24 P"), (9.996, "0.00E+00", "1.00E+01"), (999.9, "0.0E+0", "1.0E+3"), (999960, "##0.0E+0", "1.0E+6"),
        (99999, "##0.0E+0", "100.0E+3"), (0.00012, "##0.0E+0", "120.0E-6"), (0, "0.00E+00", "0.00E+00"), (0.00099999, "0.0E+0", "1.0E-3"),
    ],
)  # fmt: skip
def test_halves_of_days_and_powers_of_ten_are_those_that_a_sheet_shows(value: float, code: str, shown: str) -> None:
    assert number_format.displayed(value, code) == shown


def test_texts_that_their_format_hides_are_read_and_counted_like_numbers() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet
    sheet.append(["GONE", "SECRET", "shown", "named", "general"])
    for cell, code in zip(
        sheet[1],
        (";;;", 'General;General;General;"hidden"', "0;0", '0;0;0;"Dr. "@', "General;General;General;General"),
        strict=True,
    ):
        cell.number_format = code
    document = excel.parse(samples.saved(workbook), ".xlsx")
    assert document.text == "Sheet\n\nGONE | SECRET | shown | Dr. named | general"
    assert document.notes == ("The sheet “Sheet” has 2 hidden values; they were read.",)


def test_a_time_in_an_east_asian_format_is_no_date() -> None:
    assert number_format.displayed(0.545, excel_sheet.format_code(32)) == "13:04:48"
    assert number_format.displayed(45000.5, excel_sheet.format_code(34)) == "2023-03-15"


def test_dates_of_old_macs_count_from_1904() -> None:
    assert number_format.displayed(0, "yyyy-mm-dd", is_1904=True) == "1904-01-01"


def test_a_sheet_shows_titles_notes_merged_cells_and_says_what_is_hidden() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet
    for row in (
        ["Offer 7"],
        ["Region", "City", "Total"],
        ["North", "Kiel", 1],
        [None, "Lübeck", 2],
        ["South", "Ulm", "=1/0"],
    ):
        sheet.append(row)
    sheet.merge_cells("A3:A4")
    sheet["B3"].comment = Comment("Ask Jo", "Ann")
    sheet.row_dimensions[4].hidden = True
    sheet.column_dimensions["C"].hidden = True
    hidden = workbook.create_sheet("Secret")
    hidden.append(["x"])
    hidden.sheet_state = "hidden"
    document = excel.parse(samples.saved(workbook), ".xlsx")
    assert "Region | City | Total\nNorth | Kiel | 1\nNorth | Lübeck | 2\nSouth | Ulm | =1/0" in document.text
    assert "- Note on B3 by Ann: Ask Jo" in document.text
    assert document.notes == (
        "The sheet “Sheet” has 1 hidden rows and 1 hidden columns; they were read.",
        "The sheet “Secret” is hidden; it was read.",
        "1 formulas have no stored result, so the formulas were read instead: open the file in Excel or LibreOffice, save it, and upload it again.",
    )


def test_a_sheet_has_values_that_its_formats_hide_and_what_is_printed_around_it() -> None:
    workbook = openpyxl.Workbook()
    sheet = workbook.active
    assert sheet
    sheet.append(["Ann", 91000])
    sheet.append(["Zero", 0])
    for cell in sheet["B"]:
        cell.number_format = ";;;"
    assert sheet.oddHeader is not None
    assert sheet.oddFooter is not None
    sheet.oddHeader.center.text = "Budget &D R&&D"
    sheet.oddFooter.center.text = "Page &P of &N"
    chart = BarChart()
    chart.title = "Sales by region"
    sheet.add_chart(chart)
    picture = io.BytesIO()
    PillowImage.new("RGB", (4, 4)).save(picture, "PNG")
    sheet.add_image(Image(picture))
    document = excel.parse(samples.saved(workbook), ".xlsx")
    assert document.text == "Sheet\n\nAnn | 91000\nZero\n\nChart: Sales by region\n\nHeader: Budget R&D"
    assert document.notes == (
        "The sheet “Sheet” has pictures, which were not read.",
        "The sheet “Sheet” has 1 hidden values; they were read.",
    )


def test_an_opendocument_spreadsheet_has_its_cells_as_displayed() -> None:
    document = odfdo.Document("spreadsheet")
    document.body.clear()
    table = odfdo.Table("Prices")
    for row, values in enumerate((("code", "share"), ("01067", "19%"))):
        for column, value in enumerate(values):
            table.set_value((column, row), value)
    document.body.append(table)
    parsed = opendocument.parse(samples.saved(document), ".ods")
    assert parsed.text == "Prices\n\ncode | share\n01067 | 19%"
    assert parsed.pages == 1
