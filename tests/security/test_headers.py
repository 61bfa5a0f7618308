"""What every answer of a real server says: nothing private is kept anywhere, and a page runs nothing but its own."""

from __future__ import annotations

import base64
import hashlib
import http.client
import re
from typing import Any

import httpx
import pytest

from rxchat.api.gateway import Gateway
from rxchat.api.headers import page_policy
from rxchat.settings import Settings
from tests.journeys.server import RxChat

PAGES = [
    "/",
    "/c/0190",
    "/c/0190?next=//evil.example",
    "/sign-in",
    "/setup",
    "/setup?token=x",
    "/nowhere",
    "/index.html",
]
OTHERS = [
    "/_event",
    "/_event/",
    "/ping",
    "/_health",
    "/_upload",
    "/api/nothing",
    "/assets/nothing.js",
    "//evil.example/",
    "/..%2f",
    "/%00",
    "/assets/",
]
METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE"]
DENIED = ["camera", "geolocation", "payment", "usb", "display-capture", "serial"]


def directives(answer: httpx.Response) -> dict[str, list[str]]:
    """The answer's Content-Security-Policy; there is one, and each directive stands once."""
    [policy] = answer.headers.get_list("content-security-policy")
    parts = [part.split() for part in policy.split("; ")]
    assert len({part[0] for part in parts}) == len(parts)
    return {name: values for name, *values in parts}


def assert_guarded(answer: httpx.Response) -> None:
    """Whatever it is, it is neither framed nor sniffed, and more than its own site does not get it."""
    headers = answer.headers
    policy = directives(answer)
    assert policy["default-src"] == policy["frame-ancestors"] == policy["base-uri"] == ["'none'"]
    assert "unsafe" not in headers["content-security-policy"] and "*" not in headers["content-security-policy"]
    assert headers.get_list("x-content-type-options") == ["nosniff"]
    assert headers.get_list("x-frame-options") == ["DENY"]
    assert headers.get_list("referrer-policy") == ["same-origin"]
    assert headers.get_list("cross-origin-opener-policy") == ["same-origin"]
    assert headers.get_list("cross-origin-resource-policy") == ["same-origin"]
    assert "strict-transport-security" not in headers, "this server is not reached over https"
    if "text/html" in headers.get("content-type", ""):
        assert all(f"{feature}=()" in headers["permissions-policy"] for feature in DENIED)
        assert "microphone=(self)" in headers["permissions-policy"]
        assert "publickey-credentials-get=(self)" in headers["permissions-policy"]
    else:
        assert policy["sandbox"] == [] and "script-src" not in policy


def assert_private(answer: httpx.Response) -> None:
    """Nobody may keep it, and nobody can ask whether it has changed."""
    assert answer.headers.get_list("cache-control") == ["no-store"]
    assert "cookie" in answer.headers["vary"].lower()
    assert not {"etag", "last-modified", "expires", "age"} & set(answer.headers)


def routes(of: httpx.Client) -> list[tuple[str, str]]:
    """Every operation that the API itself tells of."""
    schema: dict[str, Any] = of.get("/api/openapi.json").json()
    found = [(method.upper(), path) for path, methods in schema["paths"].items() for method in methods]
    assert ("POST", "/api/auth/sign-in") in found and ("GET", "/readyz") in found
    return [(method, re.sub(r"\{[^}]*\}", "0190", path)) for method, path in found]


def test_every_route_of_the_api_answers_privately_to_everybody(stranger: httpx.Client, member: httpx.Client) -> None:
    # The order keeps the member signed in until the end.
    for method, path in sorted(routes(stranger), key=lambda route: "sign-out" in route[1]):
        for client, headers in ((stranger, {}), (stranger, {"origin": "https://evil.example"}), (member, {})):
            answer = client.request(method, path, headers=headers, json={} if method != "GET" else None)
            assert answer.status_code < 500 or path == "/readyz", (method, path)
            assert_guarded(answer)
            assert_private(answer)


def test_odd_questions_are_answered_as_carefully(member: httpx.Client, subtests: pytest.Subtests) -> None:
    for path in ("/api/auth/sign-in", "/healthz", "/metrics", "/api/openapi.json", *OTHERS):
        for method in METHODS:
            with subtests.test(path=path, method=method):
                answer = member.request(method, member.base_url.join("/").copy_with(raw_path=path.encode()))
                assert answer.status_code < 500
                assert_guarded(answer)
                assert_private(answer)


@pytest.mark.parametrize("path", PAGES)
def test_pages_and_the_way_to_them_are_kept_by_nobody(stranger: httpx.Client, member: httpx.Client, path: str) -> None:
    for client in (stranger, member):
        for encoding in ("identity", "gzip", "br"):
            answer = client.get(path, headers={"accept-encoding": encoding})
            assert answer.status_code in {200, 303, 404}
            assert_guarded(answer)
            assert_private(answer)
            again = client.get(
                path, headers={"if-none-match": "*", "if-modified-since": "Fri, 01 Jan 2100 00:00:00 GMT"}
            )
            assert again.status_code == answer.status_code
            assert_private(again)


def test_a_page_runs_the_scripts_that_were_built_into_it_and_no_other(member: httpx.Client) -> None:
    answer = member.get("/")
    policy = directives(answer)
    inside = re.findall(r"<script(?![^>]* src=)[^>]*>(.*?)</script>", answer.text, re.DOTALL)
    assert len(inside) >= 3
    hashes = {f"'sha256-{base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()}'" for script in inside}
    assert hashes <= set(policy["script-src"]) and policy["script-src"][0] == "'self'"
    assert all(source == "'self'" or source.startswith("'sha256-") for source in policy["script-src"])
    assert policy["object-src"] == ["'none'"] and policy["form-action"] == ["'self'"]
    assert policy["img-src"] == ["'self'", "data:", "blob:"] and policy["font-src"] == ["'self'"]
    port = member.base_url.port
    assert policy["connect-src"] == ["'self'", f"ws://127.0.0.1:{port}", "wss://chat.internal"]


def test_files_that_are_the_same_for_everybody_may_be_kept(stranger: httpx.Client) -> None:
    page = stranger.get("/sign-in").text
    hashed = sorted(set(re.findall(r"/assets/[\w.-]+\.(?:js|css)", page)))
    assert hashed
    for path in hashed:
        answer = stranger.get(path)
        assert_guarded(answer)
        assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
        assert "set-cookie" not in answer.headers
    assert "etag" in stranger.get(hashed[0]).headers
    for path in ("/rxchat.css", "/mark.svg"):
        answer = stranger.get(path)
        assert_guarded(answer)
        assert answer.headers["cache-control"] == "no-cache"
        again = stranger.get(path, headers={"if-none-match": answer.headers["etag"]})
        assert again.status_code == 304
        assert_guarded(again)


def test_the_service_worker_loads_pages_and_nothing_else(stranger: httpx.Client) -> None:
    answer = stranger.get("/service-worker.js")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert "javascript" in answer.headers["content-type"] and answer.headers["cache-control"] == "no-cache"
    assert answer.headers["content-security-policy"].startswith("default-src 'none'; connect-src 'self'; ")
    manifest = stranger.get("/manifest.webmanifest")
    assert manifest.headers["content-type"].startswith("application/manifest+json")
    for icon in manifest.json()["icons"]:
        found = stranger.get(icon["src"])
        assert (found.status_code, found.headers["content-type"].partition(";")[0]) == (200, icon["type"])
    assert "RxChat cannot be reached" in stranger.get("/offline.html").text


def test_frames_for_what_models_wrote_have_no_origin_and_reach_nothing(stranger: httpx.Client) -> None:
    for name, sources in {
        "page": {"script-src": ["'self'", "'unsafe-inline'", "'unsafe-eval'"], "style-src": ["'unsafe-inline'"]},
        "diagram": {"script-src": ["'self'"], "img-src": ["data:"]},
        "image": {"script-src": ["'self'"], "img-src": ["http:", "https:"]},
    }.items():
        answer = stranger.get(f"/frames/{name}.html")
        policy = directives(answer)
        assert answer.status_code == 200 and policy["sandbox"] == ["allow-scripts"]
        assert policy["default-src"] == policy["base-uri"] == policy["form-action"] == ["'none'"]
        assert policy["frame-ancestors"] == ["'self'"] and "connect-src" not in policy and "frame-src" not in policy
        assert {directive: policy[directive] for directive in sources} == sources
        assert answer.headers["x-frame-options"] == "SAMEORIGIN" and answer.headers["referrer-policy"] == "no-referrer"
        script = stranger.get(f"/frames/{name}.js")
        assert script.headers["cross-origin-resource-policy"] == "cross-origin" and "sandbox" in directives(script)
    # What holds them lets them go nowhere else.
    assert directives(stranger.get("/sign-in"))["frame-src"] == ["'self'"]
    for path in ("/frames/nothing.html", "/frames/../index.html", "/frames/"):
        assert directives(stranger.get(path))["frame-ancestors"] == ["'none'"]


def test_the_answer_to_a_broken_request_says_no_more_than_it_must(web_server: RxChat) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", web_server.port, timeout=10)
    try:
        connection.request(
            "POST", "/api/auth/sign-in", b"{", {"Origin": web_server.url, "Content-Type": "application/json"}
        )
        answer = connection.getresponse()
        assert answer.status == 422 and answer.headers["cache-control"] == "no-store"
        assert "x-powered-by" not in answer.headers
    finally:
        connection.close()


@pytest.mark.anyio
@pytest.mark.parametrize("fails", [False, True])
async def test_over_https_browsers_are_told_to_stay_there(fails: bool) -> None:
    async def pages(scope, receive, send) -> None:
        headers = [(b"content-type", b"text/html"), (b"etag", b'"1"')]
        await send({"type": "http.response.start", "status": 500 if fails else 200, "headers": headers})
        await send({"type": "http.response.body", "body": b""})

    public = Settings.model_validate({"RXCHAT_PUBLIC_URL": "https://chat.example.org"})
    front = Gateway(pages, pages, public, script_hashes=["sha256-AAAA"])
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(app=front), base_url="https://chat.example.org"
    ) as client:
        for path in ("/sign-in", "/api/nothing"):
            answer = await client.get(path)
            assert answer.headers["strict-transport-security"] == "max-age=31536000"
            assert "script-src 'self' 'sha256-AAAA'; " in answer.headers["content-security-policy"]
            assert "connect-src 'self' wss://chat.example.org; " in answer.headers["content-security-policy"]
            assert_private(answer)


def test_an_origin_for_everybody_does_not_open_the_policy() -> None:
    settings = Settings.model_validate({"RXCHAT_EXTRA_ORIGINS": "*, javascript:x, https://a.example"})
    assert "connect-src 'self' ws://127.0.0.1:8000 wss://a.example; " in page_policy(settings, [])
