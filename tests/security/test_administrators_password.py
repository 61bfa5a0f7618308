"""An administrator's open browser does not delete accounts: that takes the administrator's own password."""

from __future__ import annotations

import psycopg
import pytest

from rxchat.domain.accounts import ClientInfo
from rxchat.domain.errors import NotAllowed, RxChatError
from rxchat.domain.ids import new_id
from rxchat.domain.permissions import ADMINISTRATIVE, Permission
from rxchat.services.accounts.one_time_links import LinkKind
from rxchat.services.app.container import Services
from rxchat.states.access.user import UserState
from tests.factories import PASSWORD, signed_in_as
from tests.security.http import Open, create_user, error_of, sign_in
from tests.tab import open_tab

pytestmark = pytest.mark.anyio


def deletion_of(owner_url: str, user_id: object) -> object:
    with psycopg.connect(owner_url) as connection:
        row = connection.execute("SELECT deletion_at FROM user_account WHERE id = %s", (user_id,)).fetchone()
    return row and row[0]


async def test_an_account_is_deleted_with_the_administrators_password_alone(
    services: Services, clients: Open, owner_url: str
) -> None:
    admin, other = await create_user(services, owner_url, "Grace", "admin"), await create_user(services, owner_url)
    client = clients()
    await sign_in(client, admin)
    address = f"/api/admin/users/{other.user_id}/delete"
    for body in ({}, {"password": ""}, {"password": "wrong"}):
        refused = await client.post(address, json=body)
        assert (refused.status_code, refused.json()["error"]["message"]) == (403, "Wrong password.")
    assert deletion_of(owner_url, other.user_id) is None
    assert (await client.post(address, json={"password": PASSWORD})).status_code == 204
    assert deletion_of(owner_url, other.user_id) is not None


async def test_it_is_refused_to_others_without_a_look_at_their_password(
    services: Services, clients: Open, owner_url: str
) -> None:
    member, other = await create_user(services, owner_url), await create_user(services, owner_url, "Bob")
    client = clients()
    address = f"/api/admin/users/{other.user_id}/delete"
    assert (await client.post(address, json={"password": PASSWORD})).status_code == 401
    await sign_in(client, member)
    for password in (PASSWORD, "wrong"):
        refused = await client.post(address, json={"password": password})
        assert (refused.status_code, error_of(refused)) == (403, "not_allowed")
    assert deletion_of(owner_url, other.user_id) is None


async def test_unknown_people_and_oneself_are_not_deleted(services: Services, clients: Open, owner_url: str) -> None:
    admin, _ = (
        await create_user(services, owner_url, "Grace", "admin"),
        await create_user(services, owner_url, "G2", "admin"),
    )
    client = clients()
    await sign_in(client, admin)
    for user_id, status in ((new_id(), 404), (admin.user_id, 403)):
        answer = await client.post(f"/api/admin/users/{user_id}/delete", json={"password": PASSWORD})
        assert answer.status_code == status


async def test_no_event_of_the_page_deletes_an_account(services: Services, owner_url: str) -> None:
    assert "delete_account" not in UserState.event_handlers
    admin, other = await create_user(services, owner_url, "Grace", "admin"), await create_user(services, owner_url)
    async with open_tab(await signed_in_as(services, admin)) as tab:
        tab.be_at(user_id=str(other.user_id))
        await tab.do(UserState, "load")
        assert tab.shown(UserState, "has_password") is True
        await tab.do(UserState, "show_deletion")
        assert tab.shown(UserState, "flash") == ""
        await services.access.user_admin.delete_account(admin, other.user_id, ClientInfo())
        await tab.do(UserState, "show_deletion")
        assert "will be deleted" in tab.shown(UserState, "flash")


async def test_an_administrator_whose_account_is_to_be_deleted_administers_nothing_meanwhile(
    services: Services, clients: Open, owner_url: str
) -> None:
    admin, bob = (
        await create_user(services, owner_url, "Grace", "admin"),
        await create_user(services, owner_url, "Bob", "admin"),
    )
    erin, client = await create_user(services, owner_url, "Erin"), clients()
    await services.access.user_admin.delete_account(admin, bob.user_id, ClientInfo())
    assert (await sign_in(client, bob)).status_code == 200
    attempts = {
        "/api/admin/invitations": {"email": "accomplice@members.test", "role": "admin"},
        f"/api/admin/users/{erin.user_id}/suspend": {},
        f"/api/admin/users/{erin.user_id}/delete": {"password": PASSWORD},
        f"/api/admin/users/{erin.user_id}/end-sessions": {},
    }
    for address, body in attempts.items():
        assert (await client.post(address, json=body)).status_code == 403, address
    for address in ("/api/admin/users", "/api/admin/audit/export"):
        assert (await client.get(address)).status_code == 403, address
    # What they do as users stays, and their data is theirs to take along.
    ticket = await client.post("/api/me/export", json={"password": PASSWORD})
    assert (await client.get(ticket.json()["url"])).status_code == 200
    key = await client.post("/api/me/keys", json={"name": "k", "scopes": ["read"], "password": PASSWORD})
    assert key.status_code == 201
    program = await services.accounts.sessions.authenticate_bearer(key.json()["key"])
    assert program.permissions
    assert not program.permissions & ADMINISTRATIVE
    # The database decides so, too, whatever a request was checked with.
    for change in (
        services.access.user_admin.set_role(bob, erin.user_id, "admin", ClientInfo()),
        services.access.user_admin.invite(bob, email="accomplice@members.test", role="admin", client_info=ClientInfo()),
        services.access.user_admin.keep_account(bob, bob.user_id, ClientInfo()),
        services.access.user_admin.end_sessions(bob, admin.user_id, ClientInfo()),
    ):
        with pytest.raises(RxChatError):
            await change
    assert await services.access.user_admin.invitations(admin) == []
    await services.access.user_admin.keep_account(admin, bob.user_id, ClientInfo())
    await sign_in(client, bob)
    assert (await client.get("/api/admin/users")).status_code == 200


async def test_an_invitation_of_an_administrator_whose_account_is_to_be_deleted_opens_nothing(
    services: Services, owner_url: str
) -> None:
    admin, bob = (
        await create_user(services, owner_url, "Grace", "admin"),
        await create_user(services, owner_url, "Bob", "admin"),
    )
    await services.access.user_admin.delete_account(admin, bob.user_id, ClientInfo())
    # As if it had been made at the same moment.
    async with services.access.user_admin._database.begin(admin.user_id) as session:
        made = await services.access.user_admin._one_time_links.make(
            session, LinkKind.INVITATION, email="x@members.test", role="admin", is_mailed=False, created_by=bob.user_id
        )
    with pytest.raises(NotAllowed):
        await services.accounts.registration.check_link("invitation", made.partition("token=")[2], ClientInfo())


def test_postgres_and_python_agree_on_what_administers(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        row = connection.execute(
            "SELECT without_administrative_permissions(%s::varchar[])",
            ([permission.value for permission in Permission],),
        ).fetchone()
    assert row
    assert set(row[0]) == {permission.value for permission in set(Permission) - ADMINISTRATIVE}
