"""What books have besides chapters of text."""

from __future__ import annotations

from rxchat.parsers import epub, html
from tests.parsers import samples


def test_a_chapter_with_a_heading_and_a_picture_is_said_and_a_table_of_contents_is_not() -> None:
    book = samples.epub(
        *("a.xhtml", "b.xhtml", "nav.xhtml"),
        chapters={
            "O/a.xhtml": "<p>Apples.</p><img src='a.png'/>",
            "O/b.xhtml": "<h2>Chapter 2</h2><img src='b.png'/>",
            "O/nav.xhtml": "<nav><ol><li><a href='a.xhtml'>Apples</a></li></ol></nav>",
        },
    )
    assert epub.parse(book, ".epub").notes == (
        "1 of the 3 chapters have a heading and pictures: pictures in a book are not read.",
    )


def test_pages_that_chapters_lead_to_are_read_after_them() -> None:
    book = samples.replaced(
        samples.epub(
            *("a.xhtml", "notes.xhtml", "unused.xhtml"),
            chapters={
                "O/a.xhtml": "<p>Apples <a href='notes.xhtml#n1'>1</a></p>",
                "O/notes.xhtml": "<p>Note on apples.</p>",
                "O/unused.xhtml": "<p>Unused.</p>",
            },
        ),
        {"O/book.opf": lambda opf: opf.replace(b'<itemref idref="i1"/>', b"").replace(b'<itemref idref="i2"/>', b"")},
    )
    document = epub.parse(book, ".epub")
    assert document.text == "Apples 1\n\nNote on apples."
    assert not document.notes


def test_entities_that_a_page_declares_are_what_they_stand_for() -> None:
    page = (
        '<!DOCTYPE html PUBLIC "-//W3C//DTD XHTML 1.1//EN" "http://www.example.org/xhtml11.dtd"'
        '[<!ENTITY comp "ACME GmbH"><!ENTITY a "&a;&a;"><!ENTITY x SYSTEM "file:///etc/passwd">]>'
        "<html><body><p>by &comp; &eacute;&hellip; &a; &x;</p></body></html>"
    )
    assert html.parse(page.encode(), ".xhtml").text == "by ACME GmbH é… &a;&a; &x;"
