"""The settings of sign-in elsewhere: what a provider wants, and what an operator may write."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from pydantic import ValidationError

from rxchat.adapters.sign_in import providers
from rxchat.settings import Settings


def pem(key: ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey | ed25519.Ed25519PrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


GITHUB = {"RXCHAT_GITHUB_CLIENT_ID": "a", "RXCHAT_GITHUB_CLIENT_SECRET": "b"}
APPLE = {
    "RXCHAT_APPLE_CLIENT_ID": "a",
    "RXCHAT_APPLE_TEAM_ID": "b",
    "RXCHAT_APPLE_KEY_ID": "c",
    "RXCHAT_APPLE_PRIVATE_KEY": pem(ec.generate_private_key(ec.SECP256R1())),
}
OIDC = {"RXCHAT_OIDC_CLIENT_ID": "a", "RXCHAT_OIDC_ISSUER": "https://id.example"}


@pytest.mark.parametrize("whole", [GITHUB, APPLE, OIDC], ids=["github", "apple", "oidc"])
def test_a_provider_is_offered_when_all_of_it_is_set(whole: dict[str, str]) -> None:
    assert len(providers(Settings.model_validate(whole))) == 1
    client_id, *rest = whole
    for name in rest:
        partial = {key: value for key, value in whole.items() if key != name}
        with pytest.raises(ValidationError) as failure:
            Settings.model_validate(partial)
        (problem,) = failure.value.errors()
        assert problem["msg"] == f"Value error, {name} is needed with {client_id}"
        del partial[client_id]
        assert providers(Settings.model_validate(partial)) == ()


@pytest.mark.parametrize(
    "name", ["RXCHAT_GITHUB_URL", "RXCHAT_GITHUB_API_URL", "RXCHAT_APPLE_URL", "RXCHAT_OIDC_ISSUER"]
)
@pytest.mark.parametrize(
    ("address", "is_taken"),
    [
        ("https://id.example/realms/a", True),
        ("http://127.0.0.1:4000", True),
        ("http://localhost:4000", True),
        ("http://[::1]:4000", True),
        ("http://id.example", False),
        ("id.example", False),
        ("http://127.0.0.1@id.example", False),
        ("http://localhost.id.example", False),
        ("http://[::1", False),
    ],
)
def test_nobody_can_listen_on_the_way_to_a_provider(name: str, address: str, is_taken: bool) -> None:
    if is_taken:
        assert address in Settings.model_validate({name: address}).model_dump().values()
    else:
        with pytest.raises(ValidationError, match="must begin with https://"):
            Settings.model_validate({name: address})


def test_apples_key_may_stand_on_one_line() -> None:
    text = APPLE["RXCHAT_APPLE_PRIVATE_KEY"]
    found = Settings.model_validate(APPLE | {"RXCHAT_APPLE_PRIVATE_KEY": text.replace("\n", "\\n")}).apple_private_key
    assert found is not None and found.get_secret_value() == text
    assert "PRIVATE" not in repr(found)


@pytest.mark.parametrize(
    "text",
    [
        "AuthKey_ABC.p8",
        "-----BEGIN PRIVATE KEY-----\nAAAA\n-----END PRIVATE KEY-----",
        pem(ec.generate_private_key(ec.SECP384R1())),
        pem(rsa.generate_private_key(65537, 2048)),
        pem(ed25519.Ed25519PrivateKey.generate()),
    ],
    ids=["a path", "rubbish", "another curve", "rsa", "ed25519"],
)
def test_only_apples_kind_of_key_is_taken(text: str) -> None:
    with pytest.raises(ValidationError, match=r"must be the text of the \.p8 file"):
        Settings.model_validate(APPLE | {"RXCHAT_APPLE_PRIVATE_KEY": text})


def test_an_id_token_is_asked_for_in_any_case() -> None:
    assert Settings.model_validate({"RXCHAT_OIDC_SCOPES": "email  openid email"}).oidc_scopes == "openid email"


@pytest.mark.anyio
async def test_another_github_is_asked_at_its_own_address() -> None:
    (github,) = providers(Settings.model_validate(GITHUB | {"RXCHAT_GITHUB_URL": "https://git.example.org/"}))
    departure = await github.depart("https://chat.example.org/callback")
    assert departure.url.startswith("https://git.example.org/login/oauth/authorize?")
