"""What is in OpenDocument files besides words: hidden sections, equations, objects, form fields."""

from __future__ import annotations

import pytest

from rxchat.domain.documents import ParsedDocument
from rxchat.parsers import opendocument
from rxchat.parsers.opendocument_objects import EMBEDDED
from tests.parsers.samples import zipped

NAMES = " ".join(
    f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"'
    for prefix, name in {
        **{name: name for name in ("office", "text", "table", "form", "chart", "presentation")},
        "draw": "drawing",
        "svg": "svg-compatible",
    }.items()
)
NAMES += ' xmlns:xlink="http://www.w3.org/1999/xlink"'
NAMES += ' xmlns:field="urn:openoffice:names:experimental:ooo-ms-interop:xmlns:field:1.0"'
HIDDEN = "Hidden text in this document was left out."
MATH = (
    '<math xmlns="http://www.w3.org/1998/Math/MathML"><semantics><mrow><mi>E</mi><mo>=</mo><mfrac><mn>1</mn><mn>2</mn>'
    "</mfrac><msup><mi>x</mi><mrow><mi>n</mi><mo>+</mo><mn>1</mn></mrow></msup></mrow>"
    '<annotation encoding="StarMath 5.0">E = 1 over 2 x^{n+1}</annotation></semantics></math>'
)


def content(body: str, kind: str = "text") -> str:
    return (
        f"<office:document-content {NAMES}><office:body><office:{kind}>{body}</office:{kind}></office:body>"
        "</office:document-content>"
    )


def read(body: str, **parts: str) -> ParsedDocument:
    """Read a text, given its objects by their names."""
    package = {"mimetype": b"application/vnd.oasis.opendocument.text", "content.xml": content(body).encode()}
    objects = {f"{name}/content.xml": text.encode() for name, text in parts.items()}
    return opendocument.parse(zipped(package | objects), ".odt")


def frame(name: str) -> str:
    return f'<draw:frame><draw:object xlink:href="./{name}"/></draw:frame>'


@pytest.mark.parametrize("hides", ['text:display="none"', 'text:display="condition" text:is-hidden="true"'])
def test_hidden_sections_are_left_out_and_said(hides: str) -> None:
    document = read(f"<text:section {hides}><text:p>secret</text:p></text:section><text:p>shown</text:p>")
    assert (document.text, document.notes) == ("shown", (HIDDEN,))


def test_sections_that_are_shown_are_read_however_deep_they_are() -> None:
    nested = "<text:section>" * 70 + "<text:p>deep</text:p>" + "</text:section>" * 70
    document = read(f'<text:section text:display="condition"><text:p>top</text:p></text:section>{nested}')
    assert (document.text, document.notes) == ("top\n\ndeep", ())
    deeper = "<text:list><text:list-item>" * 40 + "<text:p>deep</text:p>" + "</text:list-item></text:list>" * 40
    assert read(f"<text:p>top</text:p>{deeper}").notes == (
        "Parts of this document are nested too deeply, and were not read.",
    )


def test_equations_are_read_in_their_line() -> None:
    document = read(f"<text:p>Formula: {frame('Object1')} as said</text:p>", Object1=MATH)
    assert (document.text, document.notes) == ("Formula: E=1/2x^(n+1) as said", ())
    inside = f"<text:p>So <draw:frame><draw:object>{MATH}</draw:object></draw:frame></text:p>"
    assert read(inside).text == "So E=1/2x^(n+1)"


def test_charts_are_read_and_other_embedded_documents_are_said() -> None:
    table = "<table:table><table:table-row><table:table-cell><text:p>7</text:p></table:table-cell></table:table-row></table:table>"
    chart = content(f"<chart:chart>{table}</chart:chart>", "chart")
    read_chart = read(f"<text:p>See {frame('Object1')}</text:p>", Object1=chart)
    assert (read_chart.text, read_chart.notes) == ("See\n\nChart\n\n7", ())
    for embedded in (content("<text:p>inner</text:p>"), content(table, "spreadsheet")):
        document = read(f"<text:p>See {frame('Object1')}</text:p>", Object1=embedded)
        assert (document.text, document.notes) == ("See", (EMBEDDED,))
    ole = '<text:p>See <draw:frame><draw:object-ole xlink:href="./Object 2"/><draw:image xlink:href="x.png"/></draw:frame></text:p>'
    assert read(ole).notes == (EMBEDDED,)


def test_large_pictures_are_said_and_small_ones_are_not() -> None:
    picture = (
        '<text:p>See <draw:frame svg:width="{}" svg:height="{}"><draw:image xlink:href="x.png"/></draw:frame></text:p>'
    )
    assert read(picture.format("17cm", "20cm")).notes == ("1 large picture in this document was not read.",)
    assert read(picture.format("2cm", "0.5in")).notes == ()


def test_what_was_typed_and_ticked_in_forms_is_read_where_it_is_shown_or_at_the_end() -> None:
    form = (
        '<office:forms><form:form><form:text form:id="c1" form:current-value="Ann Berg"/>'
        '<form:checkbox form:id="c2" form:label="agreed" form:current-state="checked"/>'
        '<form:radio form:id="c3" form:label="cash"/><form:password form:id="c4" form:current-value="pw"/>'
        '<form:listbox form:id="c5"><form:option form:label="red"/><form:option form:label="green" '
        'form:current-selected="true"/></form:listbox>'
        '<form:textarea form:current-value="Please call"/></form:form></office:forms>'
    )
    controls = " ".join(f'<draw:control draw:control="c{number}"/>' for number in (1, 2, 3, 4, 5))
    document = read(f"{form}<text:p>Name: {controls}</text:p>")
    assert document.text == "Name: Ann Berg ☑ agreed ☐ cash  green\n\nForm field: Please call"


def test_form_fields_of_word_are_read() -> None:
    box = '<field:fieldmark field:type="vnd.oasis.opendocument.field.FORMCHECKBOX">{}</field:fieldmark>'
    ticked = box.format('<field:param field:name="Checkbox_Checked" field:value="true"/>')
    assert read(f"<text:p>{ticked} yes {box.format('')} no</text:p>").text == "☑ yes ☐ no"
    chosen = (
        '<field:fieldmark field:type="vnd.oasis.opendocument.field.FORMDROPDOWN">'
        + "".join(f'<field:param field:name="Dropdown_ListEntry" field:value="{it}"/>' for it in ("red", "green"))
        + '<field:param field:name="Dropdown_Selected" field:value="1"/></field:fieldmark>'
    )
    assert read(f"<text:p>Color: {chosen}</text:p>").text == "Color: green"


def test_a_cell_that_is_merged_over_rows_stands_in_each_of_them() -> None:
    def cell(text: str, more: str = "") -> str:
        return f"<table:table-cell {more}><text:p>{text}</text:p></table:table-cell>"

    rows = (
        cell("North", 'table:number-rows-spanned="3"') + cell("a"),
        "<table:covered-table-cell/>" + cell("b"),
        "<table:covered-table-cell/>" + cell("c"),
        cell("South") + cell("d"),
    )
    body = "".join(f"<table:table-row>{row}</table:table-row>" for row in rows)
    assert read(f"<table:table>{body}</table:table>").text == "North | a\nNorth | b\nNorth | c\nSouth | d"


def test_slides_that_are_pictures_are_said() -> None:
    picture = '<draw:frame><draw:image xlink:href="Pictures/a.png"/></draw:frame>'
    title = '<draw:frame presentation:class="title"><draw:text-box><text:p>Title</text:p></draw:text-box></draw:frame>'
    text = "<draw:frame><draw:text-box><text:p>Words</text:p></draw:text-box></draw:frame>"
    body = "".join(f"<draw:page>{it}</draw:page>" for it in (title + picture, text + picture, picture))
    document = opendocument.parse(
        zipped(
            {
                "mimetype": b"application/vnd.oasis.opendocument.presentation",
                "content.xml": content(body, "presentation").encode(),
            }
        ),
        ".odp",
    )
    assert document.notes == ("Slides 1, 3 show pictures and no text: text on pictures was not read.",)
