"""Providers on their worst days: whatever they answer, and however, what comes out is an error of ours."""

from __future__ import annotations

import inspect
from typing import Any

import authlib.common.errors
import authlib.integrations.base_client.errors
import httpx2
import joserfc.errors
import pytest
from structlog.testing import capture_logs

from rxchat.adapters.sign_in import AppleSignIn, GitHubSignIn, OidcSignIn
from rxchat.adapters.sign_in.oauth_client import AsyncOAuth2Client, UntrustedResponse, translated
from rxchat.adapters.sign_in.oidc import believed
from rxchat.domain.errors import InvalidProviderResponse, ProviderError, ProviderRefused, ProviderUnavailable
from rxchat.domain.ports import SignInProvider
from tests.adapters.test_sign_in import KEY_PATHS, TOKEN_PATHS, callback, leave, sign_in
from tests.peers.sign_in_provider import CLIENT_IDS, KEY_ID, SECRETS, TEAM, Part, SignInProviderHost

pytestmark = pytest.mark.anyio

PATIENCE = 0.6
AWAY = {"status-500", "status-429", "reset", "garbage", "hang", "drip"}
BROKEN = {
    "html", "status-403", "empty", "list", "number", "wrong-types", "odd-numbers", "binary", "deep", "huge", "compressed",
    "redirect",
}  # fmt: skip
PLACES: list[tuple[Part, str]] = [
    ("oidc", "/.well-known/openid-configuration"),
    ("oidc", TOKEN_PATHS["oidc"]),
    ("oidc", KEY_PATHS["oidc"]),
    ("oidc", "/me"),
    ("github", TOKEN_PATHS["github"]),
    ("github", "/api/v3/user"),
    ("github", "/api/v3/user/emails"),
    ("apple", TOKEN_PATHS["apple"]),
    ("apple", KEY_PATHS["apple"]),
]
# Keys that make no sense are asked for once more, and that is a test of its own.
WORST_DAYS = [
    (part, path, fault)
    for part, path in PLACES
    for fault in sorted(AWAY | BROKEN)
    if fault != "wrong-types" or path not in KEY_PATHS.values()
]


def impatient(host: SignInProviderHost, key: str) -> SignInProvider:
    match key:
        case "oidc":
            return OidcSignIn(host.urls["oidc"], CLIENT_IDS["oidc"], SECRETS["oidc"], seconds=PATIENCE)
        case "github":
            return GitHubSignIn(CLIENT_IDS["github"], SECRETS["github"], url=host.urls["github"], seconds=PATIENCE)
        case _:
            return AppleSignIn(
                CLIENT_IDS["apple"],
                team_id=TEAM,
                key_id=KEY_ID,
                private_key=host.apple_private_key,
                url=host.urls["apple"],
                seconds=PATIENCE,
            )


async def attempt(host: SignInProviderHost, part: Part, path: str, fault: Any) -> ProviderError:
    """Sign in while one address misbehaves, and return how that ended."""
    provider = impatient(host, part)
    if path == "/me":
        host.keep_for_userinfo(part, is_kept=True)
    if path.startswith("/.well-known"):
        host.fail(part, path, fault)
        with pytest.raises(ProviderError) as failure:
            await provider.depart(callback(part))
        return failure.value
    departure, answer = await leave(provider, "ada")
    host.fail(part, path, fault)
    with pytest.raises(ProviderError) as failure:
        await provider.arrive(departure, answer)
    return failure.value


@pytest.mark.parametrize(("part", "path", "fault"), WORST_DAYS, ids=str)
async def test_every_failure_is_ours(host: SignInProviderHost, part: Part, path: str, fault: str) -> None:
    failure = await attempt(host, part, path, fault)
    assert type(failure) is (ProviderUnavailable if fault in AWAY else InvalidProviderResponse)
    assert failure.message == type(failure)().message, "a person is told nothing of the answer"
    assert host.trapped == []
    host.calm()
    assert (await sign_in(impatient(host, part), "ada")).email == "ada@example.org"


@pytest.mark.parametrize("part", ["oidc", "github", "apple"])
async def test_what_the_token_endpoint_says_of_itself_is_heard(host: SignInProviderHost, part: Part) -> None:
    assert type(await attempt(host, part, TOKEN_PATHS[part], "server-error")) is ProviderUnavailable
    assert type(await attempt(host, part, TOKEN_PATHS[part], "odd-error")) is InvalidProviderResponse


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ("access_denied", ProviderRefused),
        ("consent_required", ProviderRefused),
        ("<script>", ProviderRefused),
        ("temporarily_unavailable", ProviderUnavailable),
        ("server_error", ProviderUnavailable),
    ],
)
async def test_an_error_in_place_of_a_code_ends_it(host: SignInProviderHost, error: str, expected) -> None:
    provider = impatient(host, "github")
    departure, answer = await leave(provider, "ada")
    with capture_logs() as logs, pytest.raises(expected) as failure:
        await provider.arrive(departure, answer | {"error": error})
    assert error not in failure.value.message
    assert [(entry["provider"], entry["error"]) for entry in logs] == [("github", error)]


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/api/v3/user", {"id": True}),
        ("/api/v3/user", {"id": "583231"}),
        ("/api/v3/user", {"id": 0}),
        ("/api/v3/user", {"id": None}),
        (TOKEN_PATHS["github"], {"access_token": None}),
        (TOKEN_PATHS["github"], {"access_token": ""}),
        (TOKEN_PATHS["github"], {"access_token": ["a"]}),
        (TOKEN_PATHS["github"], {"access_token": "a\r\nX-Evil: 1"}),
        (TOKEN_PATHS["github"], {"access_token": "né"}),
    ],
    ids=str,
)
async def test_a_field_of_githubs_that_is_not_what_it_should_be(host: SignInProviderHost, path, fields) -> None:
    provider = impatient(host, "github")
    departure, answer = await leave(provider, "ada")
    host.tamper("github", path, **fields)
    with pytest.raises(InvalidProviderResponse):
        await provider.arrive(departure, answer)


async def test_the_api_of_a_github_may_be_elsewhere(host: SignInProviderHost) -> None:
    client, url = (CLIENT_IDS["github"], SECRETS["github"]), host.urls["github"]
    for api_url, is_there in ((f"{url}/api/v3/", True), ("http://127.0.0.1:9", False)):
        provider = GitHubSignIn(*client, url=url, api_url=api_url, seconds=PATIENCE)
        if is_there:
            assert (await sign_in(provider, "ada")).email == "ada@example.org"
        else:
            with pytest.raises(ProviderUnavailable):
                await sign_in(provider, "ada")


@pytest.mark.parametrize(
    "keys",
    [
        [],
        "x",
        [None, 7, "x", []],
        [{"kty": "oct", "k": "c2VjcmV0"}],
        [{"kty": "RSA"}],
        [{"kty": "RSA", "n": "AQAB", "e": "AQAB"}],
        [{"kty": "RSA", "n": 5, "e": "AQAB"}],
        [{"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}],
        [{"kty": "OKP", "crv": "Ed25519", "x": "AA"}],
        [{"kty": "new", "kid": "a"}],
        [{"kty": ["RSA"]}],
    ],
    ids=str,
)
async def test_keys_of_no_use_are_passed_over_and_the_right_ones_asked_for(host: SignInProviderHost, keys) -> None:
    provider = impatient(host, "oidc")
    departure, answer = await leave(provider, "ada")
    before = host.requests("oidc", KEY_PATHS["oidc"])
    host.tamper("oidc", KEY_PATHS["oidc"], keys=keys)
    assert (await provider.arrive(departure, answer)).subject == "ada"
    assert host.requests("oidc", KEY_PATHS["oidc"]) == before + 2


ENDPOINTS = ["authorization_endpoint", "token_endpoint", "jwks_uri", "userinfo_endpoint"]
ADDRESSES = [
    "http://evil.example/x", "http://127.0.0.1.evil.example/x", "http://127.0.0.1@evil.example/x", "ftp://127.0.0.1/x",
    "javascript:alert(1)", "file:///etc/passwd", "//evil.example/x", "/x", "", "https://", "https://a:b@evil.example/x",
    "https://evil.example/#x", "https://[x", "https://evil.example:x/", "http://169.254.169.254/latest", 7, ["https://a"],
]  # fmt: skip


@pytest.mark.parametrize("endpoint", ENDPOINTS)
@pytest.mark.parametrize("address", ADDRESSES, ids=str)
def test_a_discovery_document_leads_nowhere_unsafe(endpoint: str, address: object) -> None:
    document = good_document("https://id.example")
    assert believed("https://id.example", document).token_endpoint == "https://id.example/token_endpoint"
    with pytest.raises(ValueError):
        believed("https://id.example", document | {endpoint: address})


def good_document(issuer: str) -> dict[str, Any]:
    return {"issuer": issuer} | {name: f"{issuer}/{name}" for name in ENDPOINTS}


@pytest.mark.parametrize("endpoint", ENDPOINTS)
def test_only_an_issuer_on_this_machine_has_endpoints_without_https(endpoint: str) -> None:
    local = "http://127.0.0.1:4000"
    assert believed(local, good_document(local)).issuer == local
    with pytest.raises(UntrustedResponse):
        believed("https://id.example", good_document("https://id.example") | {endpoint: f"{local}/x"})


@pytest.mark.parametrize("said", ["https://evil.example", "https://id.example/x", "https://ID.example", "", None, 7])
def test_a_discovery_document_is_the_issuers_own(said: object) -> None:
    with pytest.raises(UntrustedResponse):
        believed("https://id.example", good_document("https://id.example") | {"issuer": said})


def test_a_slash_at_the_end_of_an_issuer_may_be_forgotten() -> None:
    assert believed("https://id.example", good_document("https://id.example/")).issuer == "https://id.example/"


@pytest.mark.parametrize(
    ("methods", "chosen"),
    [
        (None, "client_secret_basic"),
        (["client_secret_post", "client_secret_basic"], "client_secret_basic"),
        (["client_secret_post"], "client_secret_post"),
    ],
)
def test_a_client_proves_itself_in_a_way_that_the_provider_takes(methods, chosen: str) -> None:
    document = good_document("https://id.example") | {"token_endpoint_auth_methods_supported": methods}
    assert believed("https://id.example", document).client_authentication == chosen


async def test_nobody_departs_by_a_tampered_discovery_document(host: SignInProviderHost) -> None:
    for fields in ({"issuer": "https://evil.example"}, {"token_endpoint": "http://evil.example/"}, {"jwks_uri": None}):
        host.tamper("oidc", "/.well-known/openid-configuration", **fields)
        with pytest.raises(InvalidProviderResponse):
            await impatient(host, "oidc").depart(callback("oidc"))


def foreign_errors() -> list[type[Exception]]:
    modules = (httpx2, joserfc.errors, authlib.common.errors, authlib.integrations.base_client.errors)
    bases = (
        httpx2.HTTPError,
        httpx2.InvalidURL,
        httpx2.StreamError,
        joserfc.errors.JoseError,
        authlib.common.errors.AuthlibBaseError,
    )
    found = {kind for module in modules for kind in vars(module).values() if inspect.isclass(kind)}
    return sorted((kind for kind in found if issubclass(kind, bases)), key=lambda kind: kind.__qualname__)


def test_every_error_that_the_libraries_can_raise_is_translated() -> None:
    kinds = foreign_errors()
    assert len(kinds) > 50
    for kind in kinds:
        with pytest.raises(ProviderError), translated("oidc"):
            # Made without their constructors, which all want something else.
            raise kind.__new__(kind, "boom") if kind is not httpx2.HTTPStatusError else status_error()


def status_error() -> httpx2.HTTPStatusError:
    request = httpx2.Request("GET", "https://id.example")
    return httpx2.HTTPStatusError("boom", request=request, response=httpx2.Response(500, request=request))


def test_authlib_speaks_through_the_httpx_whose_errors_are_translated() -> None:
    assert issubclass(AsyncOAuth2Client, httpx2.AsyncClient)


@pytest.mark.parametrize("part", ["oidc", "github", "apple"])
async def test_the_log_says_why_and_holds_no_secret(host: SignInProviderHost, part: Part) -> None:
    provider = impatient(host, part)
    with capture_logs() as logs:
        departure, answer = await leave(provider, "ada")
        await provider.arrive(departure, answer)
        with pytest.raises(ProviderRefused):
            await provider.arrive(departure, answer)
        with pytest.raises(InvalidProviderResponse):
            await provider.arrive(departure, answer | {"state": "x"})
    assert [entry["event"] for entry in logs] == [
        "a sign-in provider sent no token",
        "a sign-in provider sent an invalid response",
    ]
    assert all(entry["provider"] == part for entry in logs)
    secrets = [departure.state, departure.nonce, departure.code_verifier, answer["code"], SECRETS[part], "example.org"]
    assert not any(secret in str(logs) for secret in secrets if secret)
