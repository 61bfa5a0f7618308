"""Every route of the API, from its own description: without a session nothing, with nonsense a sentence, never a crash."""

from __future__ import annotations

from typing import Any, get_type_hints
from uuid import uuid4

import httpx
import pytest
from fastapi import Response
from fastapi.routing import APIRoute, iter_route_contexts

from rxchat.api.event_streams import STREAM
from rxchat.api.requests import DOWNLOAD
from rxchat.api.routes import build_api
from rxchat.domain.accounts import ClientInfo
from rxchat.domain.errors import SecondFactorNeeded
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.factories import add_user
from tests.security.http import ORIGIN, Open, create_user, error_of, sentence_of, sign_in

pytestmark = pytest.mark.anyio

API = build_api(Settings.model_validate({}), [])
SCHEMA = API.openapi()
ROUTES = [(method.upper(), path) for path, verbs in SCHEMA["paths"].items() for method in verbs]
# What somebody does who is not signed in, and what a machine asks: each of these is meant to be open.
OPEN = {
    ("GET", "/healthz"),
    ("GET", "/readyz"),
    ("GET", "/metrics"),
    ("GET", "/api/auth/offer"),
    # The link itself is the proof; a wrong one finds nothing (test_documents.py).
    ("GET", "/api/files/by-link/{sealed}"),
    ("GET", "/api/auth/providers/{key}"),
    ("GET", "/api/auth/providers/{key}/callback"),
    ("POST", "/api/auth/providers/{key}"),
    # The same for a public link (services/chat/test_public_links.py).
    ("POST", "/api/public-links/open"),
    ("POST", "/api/auth/providers/{key}/callback"),
    *(
        ("POST", f"/api/auth/{name}")
        for name in (
            "sign-in",
            "second-factor",
            "passkey/begin",
            "passkey",
            "start-over",
            "setup",
            "register",
            "invitation",
            "link",
            "join",
            "confirm",
            "forgot",
            "reset",
            "sign-out",
            "token",
            "token/refresh",
        )
    ),
}
CLOSED = sorted(set(ROUTES) - OPEN)
NONSENSE: list[Any] = [
    None,
    [],
    "x",
    7,
    {"": {}},
    {"email": {"$ne": ""}, "password": ["x"], "token": 1, "code": None, "name": {}, "scopes": "read", "days": 1e400},
    {
        "email": "\x00\ud800",
        "password": "\x00\ud800",
        "token": "\ud800",
        "code": "\ud800",
        "name": "\ud800",
        "scopes": ["\ud800"],
    },
    {"email": "x" * 30_000, "password": "x" * 30_000, "token": "x" * 30_000},
    {"credential": {"rawId": "\ud800", "response": {"clientDataJSON": 7}}, "password": "x"},
    {"credential": {"id": "AAAA", "rawId": "AAAA", "type": "public-key", "response": {}}, "name": "x"},
]


# Everything that a client may set beside paths and bodies. What stands in the schema and not here is a door that was
# not meant to be one: FastAPI makes query parameters of a dependency's keywords.
PARAMETERS = {
    ("GET", "/api/auth/providers/{key}"): {"next"},
    ("GET", "/api/conversations"): {"tag"},
    ("GET", "/api/conversations/{conversation_id}"): {"before"},
    ("GET", "/api/conversations/{conversation_id}/export"): {"format", "show"},
    ("DELETE", "/api/projects/{project_id}"): {"with_conversations"},
    ("POST", "/api/imports"): {"name"},
    ("POST", "/api/uploads"): {"upload-length", "upload-metadata"},
    ("PATCH", "/api/uploads/{document_id}"): {"upload-offset"},
    ("POST", "/api/files"): {"name", "collection", "if_exists", "content-length"},
    ("GET", "/api/documents/{document_id}"): {"start"},
    ("GET", "/api/documents/{document_id}/chunks"): {"first", "limit"},
    ("GET", "/api/admin/users"): {"words", "role", "offset"},
    ("PUT", "/api/v1/admin/models/{model}"): {"if-match"},
    ("GET", "/api/v1/assistants"): {"cursor", "limit"},
    ("PUT", "/api/v1/assistants/{assistant_id}"): {"if-match"},
    ("GET", "/api/v1/conversations"): {"list", "cursor", "limit"},
    ("PATCH", "/api/v1/conversations/{conversation_id}"): {"if-match"},
    ("PUT", "/api/v1/conversations/{conversation_id}/configuration"): {"if-match"},
    ("POST", "/api/v1/conversations"): {"idempotency-key"},
    ("POST", "/api/v1/conversations/{conversation_id}/messages"): {"idempotency-key"},
    ("POST", "/api/v1/conversations/{conversation_id}/messages/{message_id}/regenerate"): {"idempotency-key"},
    ("POST", "/v1/chat/completions"): {"idempotency-key"},
    ("POST", "/v1/completions"): {"idempotency-key"},
    ("GET", "/api/v1/conversations/{conversation_id}/events"): {"after", "limit"},
    ("GET", "/api/v1/conversations/{conversation_id}/messages"): {"before", "limit"},
    ("GET", "/api/v1/runs/{run_id}/events"): {"last-event-id"},
    ("GET", "/api/v1/admin/usage"): {"days"},
    ("GET", "/api/v1/admin/usage/series"): {"days", "by", "measure"},
    ("DELETE", "/api/v1/admin/prices"): {"model"},
    ("GET", "/api/admin/usage/export"): {"days"},
}
# What is answered with something else than a value: a file, a stream, an export. Each is begun by our own pages alone, but for
# these: links prove themselves and no cookie counts for them, and ways to providers send nothing but an address.
FREE_TO_BEGIN = {
    "/healthz",
    "/readyz",
    "/metrics",
    "/api/files/by-link/{sealed}",
    "/api/auth/providers/{key}",
    "/api/auth/providers/{key}/callback",
}


def is_sent(route: APIRoute) -> bool:
    """Whether a route's answer is written by itself: a file, a stream, an export."""
    answer = get_type_hints(route.endpoint).get("return")
    return "export" in route.path or (isinstance(answer, type) and issubclass(answer, Response))


SENT = {
    route.path: route
    for route in (context.original_route for context in iter_route_contexts(API.routes))
    if isinstance(route, APIRoute)
    and "GET" in (route.methods or ())
    and route.path not in FREE_TO_BEGIN
    and is_sent(route)
}
# Where a user goes who has to set up a second factor first.
ENROLLING = {
    ("POST", "/api/me/totp/begin"),
    ("POST", "/api/me/totp/confirm"),
    ("POST", "/api/me/passkeys/begin"),
    ("POST", "/api/me/passkeys"),
}


def filled(path: str, value: object) -> str:
    for part in path.split("/"):
        if part.startswith("{"):
            path = path.replace(part, str(value))
    return path


def test_the_walk_knows_every_route_and_none_that_is_gone() -> None:
    assert set(ROUTES) >= OPEN and len(CLOSED) >= 25


def test_clients_set_what_was_meant_to_be_set_by_them_and_nothing_else() -> None:
    found = {
        (method.upper(), path): names
        for path, verbs in SCHEMA["paths"].items()
        for method, about in verbs.items()
        if (names := {item["name"] for item in about.get("parameters", []) if item["in"] != "path"})
    }
    assert found == PARAMETERS


async def test_who_must_set_up_a_second_factor_gets_nowhere_else_whatever_they_add(
    services: Services, clients: Open, owner_url: str
) -> None:
    root = add_user(owner_url, "Root", "admin")
    await services.platform.instance_settings.change(
        root, ClientInfo("127.0.0.1", "a browser"), second_factor="everybody"
    )
    client = clients()
    await sign_in(client, await create_user(services, owner_url, "Admin", "admin"))
    added = {"enrolling": "true", "services": "x", "current_user": "x", "request": "x", "is_program": "false"}
    got_in = []
    for method, path in CLOSED:
        for query in ({}, added):
            answer = await client.request(method, filled(path, uuid4()), params=query, json={})
            codes = {"second_factor_needed", SecondFactorNeeded().message}
            if answer.status_code != 403 or (method != "HEAD" and error_of(answer) not in codes):
                got_in.append((method, path))
    assert set(got_in) == ENROLLING


async def test_without_a_session_no_route_gives_anything(clients: Open, subtests: pytest.Subtests) -> None:
    for cookie in ("", "nonsense", "v4.local.AAAA"):
        for method, path in CLOSED:
            with subtests.test(route=f"{method} {path}", cookie=cookie):
                client = clients()
                if cookie:
                    client.cookies.set("rxchat_session", cookie)
                answer = await client.request(method, filled(path, uuid4()), json={})
                assert answer.status_code == 401, answer.text
                assert "set-cookie" not in answer.headers
                # The answer to HEAD has no body.
                assert method == "HEAD" or sentence_of(answer)
                assert answer.headers["cache-control"] == "no-store"


async def test_nonsense_is_answered_with_a_sentence_and_never_a_crash(
    services: Services, clients: Open, owner_url: str, subtests: pytest.Subtests
) -> None:
    # These end the session that the walk needs.
    ending = {("POST", "/api/auth/sign-out"), ("POST", "/api/auth/token/revoke")}
    for number, (method, path) in enumerate(item for item in ROUTES if item not in ending):
        with subtests.test(route=f"{method} {path}"):
            # Each from an address of its own, so that no limit answers in the route's place.
            client = clients(f"203.0.113.{number}")
            await sign_in(client, await create_user(services, owner_url, f"Admin {number}", "admin"))
            await ask_nonsense(client, method, path)


async def ask_nonsense(client: httpx.AsyncClient, method: str, path: str) -> None:
    for value in (uuid4(), "x", "%00", "%ed%a0%80", "..%2f..", "0" * 36, "x" * 2_000):
        answer = await client.request(method, filled(path, value))
        assert answer.status_code < 500, (value, answer.text)
    for body in NONSENSE:
        answer = await client.request(
            method, filled(path, uuid4()), content=as_json(body), headers={"content-type": "application/json"}
        )
        assert answer.status_code < 500 or path == "/readyz", (body, answer.text)
        if answer.status_code >= 400 and method != "HEAD":
            assert sentence_of(answer).endswith((".", "?")), answer.text
    assert (await client.get("/api/me")).status_code == 200


def as_json(body: Any) -> bytes:
    import json

    return json.dumps(body).encode()


async def test_parameters_that_are_nonsense_are_answered_with_a_sentence(
    services: Services, clients: Open, owner_url: str, subtests: pytest.Subtests
) -> None:
    client = clients()
    await sign_in(client, await create_user(services, owner_url, "Admin", "admin"))
    for (method, path), names in PARAMETERS.items():
        for value in (2**63, -(2**63), "-1", "1e400", "x" * 3_000, "\x00", "\ud7ff", ""):
            with subtests.test(route=f"{method} {path}", value=str(value)[:20]):
                answer = await client.request(method, filled(path, uuid4()), params=dict.fromkeys(names, value))
                assert answer.status_code < 500, answer.text


async def test_another_sites_page_changes_nothing(clients: Open, subtests: pytest.Subtests) -> None:
    for method, path in ROUTES:
        # A provider's own page posts to the callback; what it posts is worth something only with our cookie.
        if method in {"GET", "HEAD", "OPTIONS"} or path.endswith("/callback"):
            continue
        with subtests.test(route=f"{method} {path}"):
            for origin in ("https://evil.example", "null", "http://127.0.0.1:8000.evil.example"):
                answer = await clients(origin=origin).request(method, filled(path, uuid4()), json={})
                assert answer.status_code == 403
            answer = await clients().request(
                method, filled(path, uuid4()), json={}, headers={"origin": "", "sec-fetch-site": "cross-site"}
            )
            assert answer.status_code == 403


def test_what_is_sent_as_a_stream_or_an_export_is_begun_by_our_own_pages_alone() -> None:
    assert {"/api/admin/audit/export", "/api/me/export/{ticket}", "/api/files/{document_id}"} <= SENT.keys()
    unlocked = [path for path, route in SENT.items() if not {DOWNLOAD, STREAM} & set(route.dependencies)]
    assert unlocked == []


async def test_a_page_of_another_site_begins_no_stream_and_no_export(
    services: Services, clients: Open, owner_url: str, subtests: pytest.Subtests
) -> None:
    boss = await create_user(services, owner_url, "Boss", "admin")
    client = clients()
    await sign_in(client, boss)
    del client.headers["origin"]
    _, key = await services.accounts.api_credentials.create_key(
        boss, name="k", scopes=["admin", "files"], days=None, client_info=ClientInfo()
    )
    program = clients(**{"x-api-key": key})
    foreign = (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    )
    for path in SENT:
        with subtests.test(path=path):
            for headers in foreign:
                answer = await client.get(filled(path, uuid4()), headers=headers)
                assert (answer.status_code, error_of(answer)) == (403, "not_allowed"), headers
                assert "another site" in answer.text
            for headers in ({}, {"sec-fetch-site": "none"}, {"sec-fetch-site": "same-origin"}, {"origin": ORIGIN}):
                assert "another site" not in (await client.get(filled(path, uuid4()), headers=headers)).text
            # No cookie counts beside a key, and a browser sends no key by itself.
            assert "another site" not in (await program.get(filled(path, uuid4()))).text
    assert (await client.get("/api/admin/audit/export", headers={"sec-fetch-site": "same-origin"})).status_code == 200


async def test_a_page_of_another_origin_changes_nothing(services: Services, clients: Open, owner_url: str) -> None:
    """Nor one of a neighboring host, even in a browser that leaves Origin out."""
    client = clients()
    await sign_in(client, await create_user(services, owner_url))
    del client.headers["origin"]
    for headers in (
        {"origin": "https://evil.example"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        answer = await client.post("/api/collections", json={"name": "Mine"}, headers=headers)
        assert (answer.status_code, error_of(answer)) == (403, "not_allowed"), headers
    for headers in ({}, {"sec-fetch-site": "same-origin"}):
        assert (
            await client.post("/api/collections", json={"name": f"Mine {headers}"}, headers=headers)
        ).status_code == 201


async def test_what_administrators_do_nobody_else_does(
    services: Services, clients: Open, owner_url: str, subtests: pytest.Subtests
) -> None:
    body = {"email": "x@example.org", "role": "admin"}
    for role in ("member", "guest"):
        client = clients()
        await sign_in(client, await create_user(services, owner_url, f"A {role}", role))
        for method, path in CLOSED:
            if "/admin/" in path:
                with subtests.test(route=f"{method} {path}", role=role):
                    answer = await client.request(method, filled(path, uuid4()), json=body)
                    said = answer.json()
                    # /api/v1 answers with problem details, where the code is a member of the whole.
                    assert answer.status_code == 403 and said.get("error", said)["code"] == "not_allowed"
