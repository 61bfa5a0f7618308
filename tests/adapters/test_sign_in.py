"""The contract of the SignInProvider port, kept by each adapter with real providers (see the peer for what they are)."""

from __future__ import annotations

import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from rxchat.adapters.sign_in import AppleSignIn, GitHubSignIn, OidcSignIn, providers
from rxchat.domain.errors import InvalidProviderResponse, ProviderError, ProviderRefused
from rxchat.domain.ports import SignInProvider
from rxchat.domain.sign_in_providers import AuthorizationRequest, ExternalIdentity, ProviderInfo, ProviderKind
from rxchat.settings import Settings
from tests.peers.sign_in_provider import CLIENT_IDS, SECRETS, TEAM, Part, SignInProviderHost, visit

pytestmark = pytest.mark.anyio

TOKEN_PATHS: dict[str, str] = {"oidc": "/token", "github": "/login/oauth/access_token", "apple": "/auth/token"}
KEY_PATHS: dict[Part, str] = {"oidc": "/jwks", "apple": "/auth/keys"}


def callback(key: str) -> str:
    return f"http://127.0.0.1:9/api/auth/providers/{key}/callback"


def offered(host: SignInProviderHost) -> dict[str, SignInProvider]:
    """The providers by their keys, and more patient than with users: what they answer is tested here, not how soon."""
    found = {item.info.key: item for item in providers(Settings.model_validate(host.environment))}
    for item in found.values():
        item._calls._seconds = 60.0  # pyright: ignore[reportAttributeAccessIssue]
    return found


@pytest.fixture(params=["oidc", "github", "apple"])
def provider(request: pytest.FixtureRequest, host: SignInProviderHost) -> SignInProvider:
    return offered(host)[request.param]


@pytest.fixture(params=["oidc", "apple"])
def with_token(request: pytest.FixtureRequest, host: SignInProviderHost) -> SignInProvider:
    """Those that send an ID token."""
    return offered(host)[request.param]


async def leave(provider: SignInProvider, login: str, **how: Any) -> tuple[AuthorizationRequest, dict[str, str]]:
    departure = await provider.depart(callback(provider.info.key))
    return departure, await visit(departure.url, login, redirect_uri=departure.redirect_uri, **how)


async def sign_in(provider: SignInProvider, login: str) -> ExternalIdentity:
    departure, answer = await leave(provider, login)
    return await provider.arrive(departure, answer)


async def test_whose_account_it_is_comes_back(provider: SignInProvider, host: SignInProviderHost) -> None:
    account = await sign_in(provider, "ada")
    assert account.issuer == host.urls[provider.info.key]
    assert (account.email, account.email_verified) == ("ada@example.org", True)
    if provider.info.key == "github":
        assert account.subject.isdecimal()
    else:
        assert account.subject == "ada"


async def test_the_same_person_is_the_same_account_and_another_with_the_same_address_is_not(provider) -> None:
    first, again, other = [await sign_in(provider, login) for login in ("bob", "bob", "mallory+as=bob")]
    assert first.subject == again.subject != other.subject
    assert first.email == other.email == "bob@example.org"


@pytest.mark.parametrize("page", ["login", "consent"])
async def test_who_says_no_comes_back_refused(provider: SignInProvider, page: str) -> None:
    departure, answer = await leave(provider, "nina", refuses=page)
    assert answer["error"] == ("user_cancelled_authorize" if provider.info.key == "apple" else "access_denied")
    with pytest.raises(ProviderRefused):
        await provider.arrive(departure, answer)


@pytest.mark.parametrize("state", ["", "x", "\ud800", "é", None])
async def test_an_answer_with_another_state_is_not_even_tried(provider, host: SignInProviderHost, state) -> None:
    key = provider.info.key
    departure, answer = await leave(provider, "ada")
    forged = {name: value for name, value in answer.items() if name != "state"}
    forged |= {"state": state} if state is not None else {}
    before = host.requests(key, TOKEN_PATHS[key])
    for tried in (forged, {"error": "access_denied"} | forged):
        with pytest.raises(InvalidProviderResponse):
            await provider.arrive(departure, tried)
    assert host.requests(key, TOKEN_PATHS[key]) == before
    assert (await provider.arrive(departure, answer)).email == "ada@example.org"


async def test_an_answer_is_worth_nothing_in_another_browser(provider: SignInProvider) -> None:
    victims = await provider.depart(callback(provider.info.key))
    _, attackers = await leave(provider, "mallory")
    with pytest.raises(InvalidProviderResponse):
        await provider.arrive(victims, attackers)


async def test_somebody_elses_code_is_refused_even_with_the_right_state(provider: SignInProvider) -> None:
    victims = await provider.depart(callback(provider.info.key))
    _, attackers = await leave(provider, "mallory")
    # PKCE at the provider; at Apple, which has none, the nonce.
    expected = InvalidProviderResponse if provider.info.key == "apple" else ProviderRefused
    with pytest.raises(expected):
        await provider.arrive(victims, attackers | {"state": victims.state})


async def test_a_departure_to_one_provider_does_not_arrive_at_another(host: SignInProviderHost) -> None:
    found = offered(host)
    departure, answer = await leave(found["oidc"], "ada")
    for other in ("github", "apple"):
        with pytest.raises(InvalidProviderResponse):
            await found[other].arrive(departure, answer)


async def test_a_code_works_once(provider: SignInProvider) -> None:
    departure, answer = await leave(provider, "ada")
    await provider.arrive(departure, answer)
    with pytest.raises(ProviderRefused):
        await provider.arrive(departure, answer)


@pytest.mark.parametrize("code", ["", "made-up", "x" * 5000])
async def test_a_code_that_nobody_gave_is_refused(provider: SignInProvider, code: str) -> None:
    departure, answer = await leave(provider, "ada")
    with pytest.raises(ProviderRefused if code == "made-up" else InvalidProviderResponse):
        await provider.arrive(departure, answer | {"code": code})


async def test_an_answer_of_another_issuer_is_refused(provider: SignInProvider) -> None:
    departure, answer = await leave(provider, "ada")
    with pytest.raises(InvalidProviderResponse):
        await provider.arrive(departure, answer | {"iss": "https://evil.example"})


async def test_a_provider_that_promises_to_name_itself_has_to(host: SignInProviderHost) -> None:
    provider = offered(host)["oidc"]
    departure, answer = await leave(provider, "ada")
    assert answer.pop("iss") == host.urls["oidc"]
    with pytest.raises(InvalidProviderResponse):
        await provider.arrive(departure, answer)


NOW = int(time.time())
FORGERIES: list[tuple[str, str, dict[str, Any], dict[str, Any]]] = [
    ("another nonce", "own", {}, {"nonce": "x"}),
    ("no nonce", "own", {}, {"nonce": None}),
    ("many nonces", "own", {}, {"nonce": ["x", "y"]}),
    ("another issuer", "own", {}, {"iss": "https://evil.example"}),
    ("the issuer with a slash", "own", {}, {"iss": "http://127.0.0.1/"}),
    ("many issuers", "own", {}, {"iss": ["https://evil.example"]}),
    ("no issuer", "own", {}, {"iss": None}),
    ("for somebody else", "own", {}, {"aud": "somebody-else"}),
    ("for nobody", "own", {}, {"aud": None}),
    ("for an empty list", "own", {}, {"aud": []}),
    ("expired", "own", {}, {"exp": NOW - 120}),
    ("never expires", "own", {}, {"exp": None}),
    ("expires in words", "own", {}, {"exp": "tomorrow"}),
    ("expires after all of us", "own", {}, {"exp": 1e30}),
    ("expires in ten years", "own", {}, {"exp": NOW + 10 * 366 * 86_400}),
    ("from the future", "own", {}, {"iat": NOW + 3600}),
    ("of no time", "own", {}, {"iat": None}),
    ("not valid yet", "own", {}, {"nbf": NOW + 3600}),
    ("about nobody", "own", {}, {"sub": None}),
    ("about an empty name", "own", {}, {"sub": ""}),
    ("about a number", "own", {}, {"sub": 7}),
    ("about a very long name", "own", {}, {"sub": "x" * 256}),
    ("about a name that cannot be kept", "own", {}, {"sub": "a\0b"}),
    ("given to somebody else", "own", {}, {"azp": "somebody-else"}),
    ("signed by a stranger", "stranger", {}, {}),
    ("signed by a stranger with another key id", "stranger", {"kid": "x"}, {}),
    ("signed by nobody", "none", {}, {}),
    ("signed with the client's secret", "secret", {}, {}),
    ("signed with the public key as a secret", "confused", {}, {}),
]


@pytest.mark.parametrize(
    ("sign", "header", "claims"), [row[1:] for row in FORGERIES], ids=[row[0] for row in FORGERIES]
)
async def test_a_forged_id_token_is_refused(with_token, host: SignInProviderHost, sign, header, claims) -> None:
    departure, answer = await leave(with_token, "ada")
    host.forge(with_token.info.key, sign, header, **claims)
    with pytest.raises(InvalidProviderResponse):
        await with_token.arrive(departure, answer)
    # And it was the forgery that was refused.
    assert (await sign_in(with_token, "ada")).subject == "ada"


async def test_a_token_for_several_clients_has_to_be_given_to_us(with_token, host: SignInProviderHost) -> None:
    ours = CLIENT_IDS[with_token.info.key]
    departure, answer = await leave(with_token, "ada")
    host.forge(with_token.info.key, aud=[ours, "somebody-else"])
    with pytest.raises(InvalidProviderResponse):
        await with_token.arrive(departure, answer)
    departure, answer = await leave(with_token, "ada")
    host.forge(with_token.info.key, aud=[ours, "somebody-else"], azp=ours)
    assert (await with_token.arrive(departure, answer)).subject == "ada"


@pytest.mark.parametrize(("claim", "seconds"), [("exp", -5), ("iat", 5)])
async def test_clocks_may_differ_a_little(with_token, host: SignInProviderHost, claim: str, seconds: int) -> None:
    departure, answer = await leave(with_token, "ada")
    claims: dict[str, Any] = {claim: int(time.time()) + seconds}
    host.forge(with_token.info.key, **claims)
    assert (await with_token.arrive(departure, answer)).subject == "ada"


@pytest.mark.parametrize("algorithm", ["RS256", "PS256", "ES256", "EdDSA"])
async def test_every_signature_that_only_the_provider_can_make_is_taken(host: SignInProviderHost, algorithm) -> None:
    host.sign_with("oidc", algorithm)
    assert (await sign_in(offered(host)["oidc"], "ada")).subject == "ada"


async def test_keys_are_kept_and_fetched_again_when_they_change(with_token, host: SignInProviderHost) -> None:
    key = with_token.info.key
    fetched = [host.requests(key, KEY_PATHS[key])]
    for step in ("first", "kept", "rotated", "kept again"):
        if step == "rotated":
            host.rotate_keys(key)
        assert (await sign_in(with_token, "ada")).subject == "ada"
        fetched.append(host.requests(key, KEY_PATHS[key]))
    assert [count - fetched[0] for count in fetched] == [0, 1, 1, 2, 2]
    departure, answer = await leave(with_token, "ada")
    host.forge(key, "stranger", {"kid": "x"})
    with pytest.raises(InvalidProviderResponse):
        await with_token.arrive(departure, answer)
    assert host.requests(key, KEY_PATHS[key]) == fetched[-1] + 1


async def test_a_token_that_names_no_key_is_checked_with_the_one_that_fits(with_token, host) -> None:
    departure, answer = await leave(with_token, "ada")
    host.forge(with_token.info.key, header={"kid": None})
    assert (await with_token.arrive(departure, answer)).subject == "ada"


async def test_whether_an_address_is_verified_is_the_providers_word(provider: SignInProvider) -> None:
    unverified, none = await sign_in(provider, "eve+unverified"), await sign_in(provider, "eve+noemail")
    assert not unverified.email_verified
    # GitHub tells several addresses, and only one that is verified and the primary one is of use.
    assert unverified.email == ("" if provider.info.key == "github" else "eve@example.org")
    assert (none.email, none.email_verified) == ("", False)


async def test_apple_tells_the_name_once_and_hides_addresses(host: SignInProviderHost) -> None:
    apple = offered(host)["apple"]
    first, second = await sign_in(apple, "zoe+private"), await sign_in(apple, "zoe+private")
    assert (first.name, second.name) == ("Zoe Appleseed", "")
    assert first.email == second.email and first.email.endswith("@privaterelay.appleid.com") and first.email_verified


@pytest.mark.parametrize(
    "user", ["x", "7", "[]", '{"name": 7}', '{"name": {"firstName": 5}}', '{"name": null}', "[" * 100_000, "\0"]
)
async def test_what_a_browser_says_beside_apples_token_can_only_be_a_name(host, user: str) -> None:
    apple = offered(host)["apple"]
    departure, answer = await leave(apple, "yan")
    account = await apple.arrive(departure, answer | {"user": user})
    assert (account.subject, account.email, account.name) == ("yan", "yan@example.org", "")


async def test_an_address_in_apples_form_is_not_believed(host: SignInProviderHost) -> None:
    apple = offered(host)["apple"]
    departure, answer = await leave(apple, "mallory")
    account = await apple.arrive(departure, answer | {"user": '{"email": "ada@example.org", "sub": "ada"}'})
    assert (account.subject, account.email) == ("mallory", "mallory@example.org")


async def test_what_an_id_token_leaves_out_is_asked_for(host: SignInProviderHost) -> None:
    host.keep_for_userinfo("oidc", is_kept=True)
    account = await sign_in(offered(host)["oidc"], "ada")
    assert (account.email, account.email_verified, account.name) == ("ada@example.org", True, "Ada")
    provider = offered(host)["oidc"]
    departure, answer = await leave(provider, "mallory")
    host.tamper("oidc", "/me", sub="ada", email="ada@example.org")
    with pytest.raises(InvalidProviderResponse):
        await provider.arrive(departure, answer)


async def test_a_departure_keeps_its_secrets_and_asks_for_what_is_needed(provider: SignInProvider) -> None:
    first, second = [await provider.depart(callback(provider.info.key)) for _ in range(2)]
    asked = {name: values[0] for name, values in parse_qs(urlsplit(first.url).query).items()}
    kept = [value for value in (first.state, first.nonce, first.code_verifier) if value]
    assert all(len(value) >= 43 for value in kept) and len(set(kept)) == len(kept)
    assert not set(kept) & {second.state, second.nonce, second.code_verifier}
    assert not any(value in repr(first) for value in kept)
    assert first.code_verifier not in first.url or not first.code_verifier
    assert (asked["state"], asked["redirect_uri"]) == (first.state, callback(provider.info.key))
    match provider.info.key:
        case "apple":
            assert (asked["response_mode"], asked["scope"]) == ("form_post", "name email")
            assert "code_challenge" not in asked and asked["nonce"] == first.nonce
        case "github":
            assert (asked["code_challenge_method"], asked["scope"]) == ("S256", "read:user user:email")
        case _:
            assert (asked["code_challenge_method"], asked["nonce"]) == ("S256", first.nonce)
            assert asked["scope"] == "openid email profile"


async def test_a_client_that_the_provider_does_not_know_is_our_mistake(host: SignInProviderHost) -> None:
    other = SignInProviderHost()
    wrong = {
        "oidc": OidcSignIn(host.urls["oidc"], CLIENT_IDS["oidc"], "wrong"),
        "github": GitHubSignIn(CLIENT_IDS["github"], "wrong", url=host.urls["github"]),
        "apple": AppleSignIn(
            CLIENT_IDS["apple"],
            team_id=TEAM,
            key_id="KEY1234567",
            private_key=other.apple_private_key,
            url=host.urls["apple"],
        ),
    }
    for provider in wrong.values():
        departure, answer = await leave(provider, "ada")
        with pytest.raises(InvalidProviderResponse):
            await provider.arrive(departure, answer)


async def test_nobody_there_is_said_so() -> None:
    oidc = OidcSignIn("http://127.0.0.1:9", CLIENT_IDS["oidc"], SECRETS["oidc"])
    with pytest.raises(ProviderError) as failure:
        await oidc.depart(callback("oidc"))
    assert (failure.value.status, failure.value.code) == (503, "provider_away")


async def test_only_what_is_set_is_offered(host: SignInProviderHost) -> None:
    assert providers(Settings()) == ()  # pyright: ignore[reportCallIssue]
    assert [found.info for found in offered(host).values()] == [
        ProviderInfo("github", "GitHub", ProviderKind.GITHUB),
        ProviderInfo("apple", "Apple", ProviderKind.APPLE),
        ProviderInfo("oidc", "Example ID", ProviderKind.OIDC),
    ]


async def test_a_provider_that_stands_still_for_seconds_is_waited_for(host: SignInProviderHost) -> None:
    """As on a machine that is busy with other tests; httpx alone would give up after 5 s."""
    provider = offered(host)["apple"]
    with host.standing_still(6.0):
        account = await sign_in(provider, "ada")
    assert account.subject == "ada"
