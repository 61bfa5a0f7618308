"""Quotation marks in tables as text: none is lost, and none swallows rows."""

from __future__ import annotations

import pytest

from rxchat.parsers import delimited

BROKEN = "Quotation marks in this table are not closed or not doubled correctly; they were read literally."


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('id,size,name\n1,"3" pipe,foo\n2,5" valve",bar', 'id | size | name\n1 | "3" pipe | foo\n2 | 5" valve" | bar'),
        ('id,size,name\n1,"3" pipe",foo\n2,"5""",bar', 'id | size | name\n1 | 3" pipe | foo\n2 | 5" | bar'),
        ('a,b\n1,"open\n2,x\n3,y\n4,"close"\n5,z', 'a | b\n1 | "open\n2 | x\n3 | y\n4 | close\n5 | z'),
        ('a,b\n1,"open\n2,x\n3,y\n4,close"\n5,z', 'a | b\n1 | "open\n2 | x\n3 | y\n4 | close"\n5 | z'),
        ('a;b\n1;"open\n2;"ok; so"\n3;z', 'a | b\n1 | "open\n2 | ok; so\n3 | z'),
        ('a,b\n1,"open\n2,x', 'a | b\n1 | "open\n2 | x'),
    ],
)
def test_broken_quotation_marks_stand_as_they_are_and_are_said(source: str, text: str) -> None:
    document = delimited.parse(source.encode(), ".csv")
    assert (document.text, document.notes) == (text, (BROKEN,))


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ('a,b\n1,"say \\"hi\\", ok"\n2,x', 'a | b\n1 | say "hi", ok\n2 | x'),
        ('a,b\n1,"say ""hi"", ok"\n2,5" x', 'a | b\n1 | say "hi", ok\n2 | 5" x'),
        ('a,b\n1,"line one\nline, two\nthree"\n2,"x"', "a | b\n1 | line one line, two three\n2 | x"),
        ('a,b\n1, "x, y"\n2,z', "a | b\n1 | x, y\n2 | z"),
        ('a,b\n1,"C:\\dir\\"\n2,x', "a | b\n1 | C:\\dir\\\n2 | x"),
        ("a^b^c\n1^2^3\n4^5^6", "a | b | c\n1 | 2 | 3\n4 | 5 | 6"),
    ],
)
def test_quotation_marks_that_are_closed_are_no_part_of_cells(source: str, text: str) -> None:
    document = delimited.parse(source.encode(), ".csv")
    assert (document.text, document.notes) == (text, ())


def test_a_table_of_opened_quotation_marks_is_read_in_bounded_time() -> None:
    document = delimited.parse(b"a,b\n" + b'1,"open\n2,x\n' * 40_000, ".csv")
    assert document.text.count('1 | "open') == 40_000


def test_a_delimiter_divides_the_header_too() -> None:
    lists = delimited.parse(b"id,addr\n1,a;b;c\n2,d;e;f\n3,g;h;i\n", ".csv")
    assert lists.text == "id | addr\n1 | a;b;c\n2 | d;e;f\n3 | g;h;i"
    above = delimited.parse(b"Konto, Mai\nTag;Betrag;Text\n1.5.;1,50;a\n2.5.;2,50;b\n3.5.;3,50;c\n", ".csv")
    assert "Tag | Betrag | Text\n1.5. | 1,50 | a" in above.text


def test_single_quotation_marks_hold_cells_together_where_the_columns_say_so() -> None:
    assert delimited.parse(b"name,note\n'Ann','a, b'\n'Bo','c'\n", ".csv").text == "name | note\nAnn | a, b\nBo | c"
    assert (
        delimited.parse(b"name,note\nAnn,it's\n'Bo,rock 'n' roll\n", ".csv").text
        == "name | note\nAnn | it's\n'Bo | rock 'n' roll"
    )
