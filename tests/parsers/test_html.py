"""Web pages as browsers show them, and what is said of the rest."""

from __future__ import annotations

import pytest

from rxchat.parsers import html


def text_of(source: str) -> str:
    return html.parse(source.encode(), ".html").text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("<ruby>漢<rt>かん</rt>字<rt>じ</rt></ruby>を<ruby>読<rp>(</rp><rt>よ</rt><rp>)</rp></ruby>む", "漢字を読む"),
        ("<ol start=7><li>a<li>b<ol type=a><li>x<p>more<li value=5>y</ol><li>c</ol>", "7. a\n8. b\n  a. x\n    more\n  e. y\n9. c"),
        ("<ol reversed><li>last<li>first</ol>", "2. last\n1. first"),
        ("<ol type=I start=4><li>x</ol><ol start=none><li>y</ol><ul><li>z</ul>", "IV. x\n\n1. y\n\n- z"),
        ("<math><mfrac><mn>1</mn><mn>2</mn></mfrac></math>", "1/2"),
        ("<math><msup><mi>x</mi><mrow><mi>n</mi><mo>+</mo><mn>1</mn></mrow></msup><annotation>x^{n+1}</annotation></math>", "x^(n+1)"),
        ("<math><msqrt><mn>2</mn><mi>y</mi></msqrt></math>", "√(2y)"),
        ("<input value=Ann><input type=checkbox checked> yes <input type=radio> no <input type=hidden value=H>", "Ann ☑ yes ○ no"),
        ("Color <select><option>red<option selected>blue</select><textarea>Notes</textarea>", "Color blue\n\nNotes"),
        ("<svg><title>T</title><text>Sales 2025</text></svg>", "Sales 2025"),
    ],
)  # fmt: skip
def test_a_page_says_what_browsers_show(source: str, text: str) -> None:
    assert text_of(source) == text


@pytest.mark.parametrize("hidden", ["<p hidden>X</p>", "<p style='display: none'>X</p>", "<dialog>X</dialog>"])
@pytest.mark.parametrize("place", ["<p>a</p>{}", "<table><tr><td>a<td>b{}<tr><td>c<td>d</table>"])
def test_hidden_text_is_left_out_everywhere_and_said(hidden: str, place: str) -> None:
    document = html.parse(place.format(hidden).encode(), ".html")
    assert "X" not in document.text
    assert document.notes == ("Hidden text in this page was left out.",)


def test_cells_have_no_scripts() -> None:
    table = "<table><tr><td>1<script>var x = 'SECRET'</script><td>2<tr><td><td>3<br>4</table>after"
    assert text_of(table) == "1 | 2\n | 3 4\n\nafter"


def test_frames_are_said() -> None:
    assert "frames" in html.parse(b"<p>a<iframe srcdoc='<p>b'></iframe>", ".html").notes[0]


def test_formulas_and_lists_of_a_hundred_thousand_parts_take_no_squares_of_time() -> None:
    assert text_of("<math><msup>" + "<mi>x</mi>" * 100_000 + "</msup></math>").count("^") == 99_999
    assert text_of("<ol>" + "<li>x" * 100_000 + "</ol>").endswith("100000. x")
