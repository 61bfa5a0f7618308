"""Refused requests in the audit: what one user or one address does cannot hide, or bury, what another one does."""

from __future__ import annotations

import psycopg
import pytest

from rxchat.domain.ids import new_id
from rxchat.services.graph import Services
from tests.security.house import Open, error_of, person, sign_in

pytestmark = pytest.mark.anyio


def denied(owner_url: str) -> list[tuple[str | None, str]]:
    with psycopg.connect(owner_url) as connection:
        return connection.execute(
            "SELECT actor_id::text, data->>'door' FROM audit_event WHERE action = 'denied' ORDER BY seq"
        ).fetchall()


async def test_what_others_send_from_their_address_keeps_no_refusal_of_a_user_out_of_the_audit(
    services: Services, clients: Open, owner_url: str
) -> None:
    """Pictures of another page at the same address, 140 of them: the counter of the address is used up."""
    ada = await person(services, owner_url)
    client, pictures = clients(), clients()
    await sign_in(client, ada)
    for _ in range(140):
        await pictures.get(f"/api/files/by-link/{new_id()}")
    answer = await client.get(f"/api/conversations/{new_id()}")
    assert answer.status_code == 404
    assert denied(owner_url)[-1] == (str(ada.user_id), "GET /api/conversations/{conversation_id}")


async def test_refusals_that_are_too_many_for_rows_of_their_own_are_summed_in_one(
    services: Services, clients: Open, owner_url: str
) -> None:
    ada = await person(services, owner_url)
    client = clients()
    await sign_in(client, ada)
    for _ in range(50):
        await client.get(f"/api/conversations/{new_id()}")
    rows = len(denied(owner_url))
    assert 30 <= rows < 50
    await services.denials.write_sums()
    assert denied(owner_url)[-1] == (str(ada.user_id), f"{50 - rows} more")
    await services.denials.write_sums()
    assert len(denied(owner_url)) == rows + 1


async def test_pictures_of_another_page_lock_nobody_out_of_single_sign_on(
    services: Services, clients: Open, owner_url: str
) -> None:
    client = clients()
    picture = {"sec-fetch-mode": "no-cors", "sec-fetch-dest": "image", "sec-fetch-site": "cross-site"}
    frame = {"sec-fetch-mode": "navigate", "sec-fetch-dest": "iframe", "sec-fetch-site": "cross-site"}
    for path in ("/api/auth/providers/oidc", "/api/auth/providers/oidc/callback?state=x&code=y"):
        for headers in (picture, frame) * 30:
            answer = await client.get(path, headers=headers)
            assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in?problem=not_allowed")
            assert "set-cookie" not in answer.headers
    with psycopg.connect(owner_url) as connection:
        assert connection.execute("SELECT count(*) FROM attempt_counter WHERE key LIKE 'provider:%'").fetchone() == (0,)
    answer = await client.get(
        "/api/auth/providers/oidc", headers={"sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    )
    assert answer.headers["location"] == "/sign-in?problem=not_found"


async def test_an_export_wants_the_password_and_is_for_one_sign_in_once(
    services: Services, clients: Open, owner_url: str
) -> None:
    ada, bob = await person(services, owner_url, "Ada"), await person(services, owner_url, "Bob")
    client, again, other = clients(), clients(), clients()
    for browser, user in ((client, ada), (again, ada), (other, bob)):
        await sign_in(browser, user)
    assert (await client.get("/api/me/export")).status_code == 405
    assert error_of(await client.post("/api/me/export", json={"password": "not it"})) == "not_allowed"
    cross = await client.post("/api/me/export", json={}, headers={"origin": "https://evil.example"})
    assert cross.status_code == 403
    url = (await client.post("/api/me/export", json={"password": "correct horse battery"})).json()["url"]
    for browser in (again, other, clients()):
        assert (await browser.get(url)).status_code in {401, 403}
    whole = await client.get(url)
    assert whole.status_code == 200 and whole.content[:2] == b"PK"
    assert (await client.get(url)).status_code == 403


async def test_an_export_goes_out_once_at_a_time_and_is_written_nowhere(
    services: Services, clients: Open, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.TemporaryFile", lambda *_: pytest.fail("a file was made"))
    ada = await person(services, owner_url)
    client = clients()
    await sign_in(client, ada)
    urls = [
        (await client.post("/api/me/export", json={"password": "correct horse battery"})).json()["url"]
        for _ in range(3)
    ]
    viewer = await services.sessions.viewer(client.cookies["rxchat_session"])
    from rxchat.domain.accounts import Caller

    running = await services.my_data.export(viewer, urls[0].rpartition("/")[2], Caller())
    assert (await anext(running)).startswith(b"PK")
    assert (await client.get(urls[1])).status_code == 409
    await running.aclose()
    assert (await client.get(urls[1])).status_code == 200
