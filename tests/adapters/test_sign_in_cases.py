"""What sign-in providers really send: claims that are missing or words, and clocks that are ahead."""

from __future__ import annotations

import time
from typing import Any

import pytest

from rxchat.adapters.sign_in.id_tokens import checked
from rxchat.adapters.sign_in.oauth_client import UntrustedResponse
from rxchat.adapters.sign_in.oidc import account_of
from rxchat.domain.errors import AddressUnconfirmed

ISSUER = "https://login.example.org"
KINDS = {kind.code: kind for kind in (AddressUnconfirmed, *AddressUnconfirmed.__subclasses__())}


def account(trusts_email: bool = False, **claims: Any):
    return account_of(ISSUER, {"sub": "1", "name": "Ada", **claims}, trusts_email=trusts_email)


@pytest.mark.parametrize(
    ("claims", "problem"),
    [
        ({"email": "ada@x.org"}, "address_unsaid"),
        ({"email": "ada@x.org", "email_verified": None}, "address_unsaid"),
        ({"email": "ada@x.org", "email_verified": False}, "address_unconfirmed"),
        ({"email": "ada@x.org", "email_verified": "false"}, "address_unconfirmed"),
        ({"email": "ada@x.org", "email_verified": True}, ""),
        ({"email": "ada@x.org", "email_verified": "true"}, ""),
        *(
            ({"email": "ada@x.org", "email_verified": said}, "address_unconfirmed")
            for said in (
                0,
                1,
                1.0,
                "",
                "0",
                "1",
                "True",
                "TRUE",
                "yes",
                "no",
                [],
                [True],
                ["true"],
                {},
                {"value": True},
            )
        ),
        ({}, "address_missing"),
        ({"email": ""}, "address_empty"),
        ({"email": "", "email_verified": True}, "address_empty"),
    ],
)
def test_an_address_counts_only_when_the_provider_says_so(claims: dict[str, Any], problem: str) -> None:
    found = account(**claims)
    assert (found.email_problem, found.email_verified) == (problem, problem == "")
    if problem:
        named = KINDS[problem]().message
        assert ("email_verified" in named) or ("claim “email”" in named)


def test_an_issuer_whose_addresses_are_trusted_need_not_say_so_but_its_no_counts() -> None:
    assert account(trusts_email=True, email="ada@x.org").email_verified
    assert not account(trusts_email=True, email="ada@x.org", email_verified=False).email_verified
    assert not account(trusts_email=True).email_verified


@pytest.mark.parametrize("name", ["홍길동 👩‍💻", "x" * 300, "Eve \u202egnp.exe"])
def test_a_name_from_elsewhere_is_shortened_and_turns_nothing(name: str) -> None:
    found = account(email="a@x.org", email_verified=True, name=name)
    assert 0 < len(found.name) <= 100
    assert "\u202e" not in found.name


def token(**claims: Any) -> dict[str, Any]:
    now = int(time.time())
    return {"iss": ISSUER, "aud": "me", "sub": "1", "nonce": "n", "iat": now, "exp": now + 600} | claims


@pytest.mark.parametrize("seconds", [20, 45, 115])
@pytest.mark.parametrize("claim", ["iat", "nbf"])
def test_a_provider_whose_clock_is_a_little_ahead_is_believed(claim: str, seconds: int) -> None:
    claims = token(**{claim: int(time.time()) + seconds})
    assert checked(claims, issuer=ISSUER, client_id="me", nonce="n") == claims


def test_beyond_two_minutes_the_log_says_that_it_is_the_clock() -> None:
    with pytest.raises(UntrustedResponse, match=r"clock is 2\d\d s ahead"):
        checked(token(iat=int(time.time()) + 240), issuer=ISSUER, client_id="me", nonce="n")


@pytest.mark.parametrize("claim", [{"iat": None}, {"iat": "now"}, {"nbf": "now"}])
def test_a_token_of_no_time_is_not_believed(claim: dict[str, Any]) -> None:
    with pytest.raises(UntrustedResponse):
        checked(token(**claim), issuer=ISSUER, client_id="me", nonce="n")
