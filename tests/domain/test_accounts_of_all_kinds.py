"""Names, addresses and passwords as people have them."""

from __future__ import annotations

import unicodedata

import pytest

from rxchat.domain.accounts import valid_email, valid_name, valid_password
from rxchat.domain.errors import InvalidInput

EMAIL, NAME = "ada.lovelace@example.org", "Ada Lovelace"


@pytest.mark.parametrize(
    "password",
    [
        EMAIL, EMAIL.upper(), "ada.lovelace", "AdaLovelace1815", "Lovelace-Ada!", "lovelacelovelace", "rxchatrxchat",
        "RxChat2026!", "rxchat.example.org", "Ada_Lovelace@RxChat", "example.org1234", "ＡｄａＬｏｖｅｌａｃｅ",
    ],
)  # fmt: skip
def test_a_password_about_its_owner_or_rxchat_is_refused(password: str) -> None:
    with pytest.raises(InvalidInput, match="your e-mail address, your name or"):
        valid_password(password, email=EMAIL, name=NAME)


@pytest.mark.parametrize(
    "password", ["correct horse battery", "ada rides a green bicycle", "rxchat keeps my secrets", "Ada 8301946275"]
)
def test_a_password_that_only_mentions_them_is_taken(password: str) -> None:
    assert valid_password(password, email=EMAIL, name=NAME) == password


def test_an_address_with_many_digits_is_no_password_either() -> None:
    email = "ada-20418893@example.org"
    for password in (email, "ada-20418893"):
        with pytest.raises(InvalidInput, match="your e-mail address, your name or"):
            valid_password(password, email=email, name=NAME)


def test_somebody_with_a_short_name_may_still_choose_a_password() -> None:
    assert valid_password("boilingwater", email="bo@x.org", name="Bo") == "boilingwater"


def test_an_address_is_the_same_however_its_umlauts_were_typed() -> None:
    composed = "m\u00fcller@example.org"
    decomposed = unicodedata.normalize("NFD", composed)
    assert decomposed != composed
    assert valid_email(decomposed) == valid_email(f" {composed} ") == composed


def test_a_name_of_any_script_is_kept_and_turns_nothing_beside_it() -> None:
    assert valid_name("홍길동 👩‍💻") == "홍길동 👩‍💻"
    assert valid_name("Zoe \u202egnp.exe\u202c") == "Zoe gnp.exe"
    assert valid_name("\u2067abc\u2069") == "abc"
    with pytest.raises(InvalidInput):
        valid_name("x" * 300)
