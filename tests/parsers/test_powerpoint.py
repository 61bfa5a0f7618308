"""What PowerPoint shows and the text of its shapes does not have."""

from __future__ import annotations

import pptx
from pptx.oxml import parse_xml
from pptx.util import Emu

from rxchat.parsers import powerpoint
from tests.parsers import samples

# pyright: reportPrivateUsage=false

_NUMBERED = '<a:buAutoNum xmlns:a="http://schemas.openxmlformats.org/drawingml/2006/main" type="{kind}"{start}/>'


def test_lists_have_their_automatic_numbers() -> None:
    presentation = pptx.Presentation()
    slide = presentation.slides.add_slide(presentation.slide_layouts[6])
    frame = slide.shapes.add_textbox(Emu(0), Emu(0), Emu(9), Emu(9)).text_frame
    rows = (("seven", "arabicPeriod", 0), ("inner", "alphaLcParenR", 1), ("eight", "arabicPeriod", 0), ("plain", "", 0),
            ("again", "arabicPeriod", 0), ("other", "romanUcPeriod", 0))  # fmt: skip
    for index, (text, kind, level) in enumerate(rows):
        paragraph = frame.add_paragraph() if index else frame.paragraphs[0]
        paragraph.text, paragraph.level = text, level
        if kind:
            start = ' startAt="7"' if kind == "arabicPeriod" else ""
            paragraph._p.get_or_add_pPr().append(parse_xml(_NUMBERED.format(kind=kind, start=start)))
    document = powerpoint.parse(samples.saved(presentation), ".pptx")
    assert document.text == "7. seven\n  a) inner\n8. eight\n- plain\n7. again\nI. other"


def test_text_of_a_layout_is_read_once_and_hidden_shapes_and_struck_out_text_are_said() -> None:
    presentation = pptx.Presentation()
    layout = presentation.slide_layouts[6]
    for text in ("Gone", "Old"):
        slide = presentation.slides.add_slide(layout)
        slide.shapes.add_textbox(Emu(0), Emu(0), Emu(9), Emu(9)).text_frame.text = text
    first, second = presentation.slides
    made = first.shapes.add_textbox(Emu(0), Emu(0), Emu(9), Emu(9))
    made.text_frame.text = "Confidential 2027"
    layout.shapes._spTree.append(made._element)
    first.shapes[0]._element.nvSpPr.cNvPr.set("hidden", "1")
    for run in second.shapes._spTree.iter("{*}r"):
        run.get_or_add_rPr().set("strike", "sngStrike")
    document = powerpoint.parse(samples.saved(presentation), ".pptx")
    assert document.text == "Gone\n\nLayout: Confidential 2027\n\nOld"
    assert document.notes == (
        "Slide 1 has hidden shapes; they were read.",
        "Slide 2 has text that is struck out; it was read.",
    )
