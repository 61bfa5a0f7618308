"""Rules for addresses, names and passwords; ids that strangers send."""

from __future__ import annotations

import time

import pytest

from rxchat.domain.accounts import valid_email, valid_name, valid_password
from rxchat.domain.errors import InvalidInput, RxChatError
from rxchat.domain.ids import made_at, new_id, parse_id


@pytest.mark.parametrize("email", ["ada@example.org", "  ada@example.org ", "a.b+c@sub.example"])
def test_an_address_is_taken_without_the_space_around_it(email: str) -> None:
    assert valid_email(email) == email.strip()


@pytest.mark.parametrize(
    "email", ["", "ada", "@example.org", "a@", "a b@c.d", "a@b@c", "a\x00@b.c", "\ud800@b.c", "x" * 65 + "@b.c"]
)
def test_what_cannot_be_an_address_is_refused(email: str) -> None:
    with pytest.raises(InvalidInput, match="e-mail"):
        valid_email(email)


def test_names_and_passwords_have_their_limits() -> None:
    assert valid_name(" Ada  Lovelace ") == "Ada Lovelace"
    for name in ("", " ", "x" * 101):
        with pytest.raises(InvalidInput, match="name"):
            valid_name(name)
    assert valid_password("0123456789") == "0123456789"
    for password in ("short", "x" * 1001):
        with pytest.raises(InvalidInput, match="password"):
            valid_password(password)


def test_ids_sort_by_the_moment_they_were_made() -> None:
    ids = [new_id() for _ in range(100)]
    assert ids == sorted(ids)
    assert {identifier.version for identifier in ids} == {7}
    assert abs(made_at(ids[0]) - time.time()) < 5


@pytest.mark.parametrize("value", [None, 7, "", "x", "0" * 36, "-" * 36, ["a"], {"$ne": 1}, "../../../etc/passwd"])
def test_what_is_no_id_is_none(value: object) -> None:
    assert parse_id(value) is None


def test_an_id_is_read_as_it_is_written_everywhere_and_in_no_other_way_of_python() -> None:
    identifier = new_id()
    text = str(identifier)
    assert parse_id(text) == parse_id(text.upper()) == identifier
    bare = text.replace("-", "")
    for other in (bare, f"{{{bare}}}--", f"{bare}----", f"----{bare}", f"urn:{bare}", f"{text}\n", text[:-1] + "٣"):
        assert parse_id(other) is None, other


def every_error(kind: type[RxChatError] = RxChatError) -> list[type[RxChatError]]:
    """Return all errors of the domain; others say more than one sentence, and to operators."""
    ours = [child for child in kind.__subclasses__() if child.__module__ == RxChatError.__module__]
    return [kind, *(deeper for child in ours for deeper in every_error(child))]


@pytest.mark.parametrize("kind", every_error(), ids=lambda kind: kind.__name__)
def test_every_error_has_a_sentence_and_a_status_of_its_own(kind: type[RxChatError]) -> None:
    assert kind().message.endswith((".", "again.")) and 400 <= kind.status < 600 and kind.code
