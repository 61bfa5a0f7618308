"""One spelling for each mailbox, however its domain is written."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import valid_email
from rxchat.domain.email_addresses import ascii_email, canonical_email, email_key, email_spellings
from rxchat.domain.errors import InvalidInput


@pytest.mark.parametrize(
    "spelling",
    [
        "jörg@exämple.org", "jörg@xn--exmple-cua.org", "jörg@XN--EXMPLE-CUA.ORG", "jörg@EXÄMPLE.org", "jo\u0308rg@exa\u0308mple.org",
        "jörg@exämple.org.", "jörg@exämple\u3002org", "jörg@ｅxämple．org", "  jörg@exämple.org ",
    ],
)  # fmt: skip
def test_spellings_of_one_address_are_one(spelling: str) -> None:
    assert valid_email(spelling) == "jörg@exämple.org"
    assert ascii_email(valid_email(spelling)) == "jörg@xn--exmple-cua.org"


@pytest.mark.parametrize(
    ("email", "stored"),
    [
        ("Otto.Meier+x@Example.ORG.", "Otto.Meier+x@example.org"),
        ("a@faß.de", "a@faß.de"),
        ("a@fass.de", "a@fass.de"),
        ("a@xn--fa-hia.de", "a@faß.de"),
        ("a@localhost", "a@localhost"),
        ("a@xn--zzzzzzzzzz99999.org", "a@xn--zzzzzzzzzz99999.org"),
        ("a@xn--abc-.org", "a@xn--abc-.org"),
        ("a@[127.0.0.1]", "a@[127.0.0.1]"),
        ("a@例え.テスト", "a@例え.テスト"),
    ],
)
def test_an_address_is_stored_in_one_spelling(email: str, stored: str) -> None:
    assert valid_email(email) == stored == valid_email(stored)
    assert valid_email(ascii_email(stored)) == stored


@pytest.mark.parametrize("email", ["a@.", "a@b..c", "a@.b", "a@b..", "a@\u3002", "a@b@c", "a"])
def test_a_domain_has_no_empty_parts(email: str) -> None:
    with pytest.raises(InvalidInput):
        valid_email(email)


def test_what_was_stored_before_as_it_was_typed_is_looked_for_too() -> None:
    stored = {"jörg@exämple.org", "jörg@xn--exmple-cua.org", "jörg@exämple.org.", "jörg@xn--exmple-cua.org."}
    for spelling in stored:
        assert set(email_spellings(spelling)) == stored and email_spellings(spelling)[0] == spelling


@pytest.mark.parametrize(
    "text", ["", "@", "nobody", "\x00@\x00", "a@xn--", "a@" + "xn--" * 50, "x" * 300, "@@@..", "a@xn--\U0001f600"]
)
def test_anything_can_be_looked_for(text: str) -> None:
    assert isinstance(canonical_email(text), str) and isinstance(ascii_email(text), str)
    assert email_spellings(text)


@pytest.mark.parametrize(
    "email",
    [
        '"x"<y@members.test', "victim,x@members.test", "a;b@members.test", "<x>@members.test", "x@members.test,y",
        "x@members.test>", "x@a.test(", "x@a.test (home)", '"x"@members.test', "x\\y@members.test", "a:b@members.test",
        "(x)y@members.test", "x[y]@members.test", "x.@members.test", ".x@members.test", "x..y@members.test", "x@a_b.test",
        "x@a.test\x01", "x\x7f@a.test", "x\x85@a.test", "x\u2028y@a.test", "x\uff0cy@a.test", "x@a\uff1btest", "x@[1.2.3]",
        "x@[::1]", "\uff41lice@members.test", "\ufb01x@members.test", "\u0301x@members.test", "x@\u0301a.test", "\u2460@a.test",
        "x@a/b.test", "x@a%b.test", "x@members.test?subject=y", "😀@members.test",
    ],
)  # fmt: skip
def test_what_is_not_one_plain_mailbox_is_no_address(email: str) -> None:
    with pytest.raises(InvalidInput):
        valid_email(email)


@pytest.mark.parametrize("code", [0xAD, 0x34F, 0x61C, 0x115F, 0x1160, 0x17B4, 0x180B, 0x180E, 0x200B, 0x200C, 0x200D, 0x202E,
    0x2060, 0x2066, 0x2800, 0x3164, 0xFE00, 0xFE0F, 0xFEFF, 0xFFA0, 0xFFF0, 0x1D159, 0xE0001, 0xE0041, 0xE0100])  # fmt: skip
def test_no_address_has_a_character_that_nobody_sees(code: int) -> None:
    sign = chr(code)
    for email in ("{}alice@members.test", "al{}ice@members.test", "alice{}@members.test", "{}@members.test",
                  "alice@{}members.test", "alice@mem{}bers.test", "alice@members.test{}", "alice@members{}.test"):  # fmt: skip
        with pytest.raises(InvalidInput):
            valid_email(email.format(sign))


@pytest.mark.parametrize(
    "email",
    [
        "o'neil+x=y@a.test",
        "!#$%&'*+-/=?^_`{|}~@a.test",
        "用户@例え.テスト",
        "अजय@डाटा.भारत",
        "Ёлка.1@пример.рф",
        "a@l·l.cat",
    ],
)
def test_an_address_of_any_script_is_one(email: str) -> None:
    assert valid_email(email) == email


def test_addresses_are_the_same_in_both_cases_of_ascii_letters_and_of_the_domain() -> None:
    assert email_key("Ann.Bo+X@EXÄMPLE.org.") == email_key("ann.bo+x@xn--exmple-cua.ORG") == "ann.bo+x@exämple.org"
    for one, other in (("\u0130ris", "iris"), ("\u017fam", "sam"), ("jÖrg", "jörg"), ("straße", "strasse")):
        assert email_key(f"{one}@a.test") != email_key(f"{other}@a.test")
    assert email_key("x@\u0130ris.test") != email_key("x@iris.test")
