"""One spelling for each mailbox, however its domain is written."""

from __future__ import annotations

import pytest

from rxchat.domain.accounts import valid_email
from rxchat.domain.email_addresses import ascii_email, canonical_email, email_spellings
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
