"""The pages for administrators: each handler as administrator, moderator and member, with wrong ids, and unproven."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest
import reflex as rx

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.services.app.container import Services
from rxchat.states.access.audit_log import AuditState
from rxchat.states.access.audit_messages import ACTIONS, details, sentence
from rxchat.states.access.feedback import FeedbackState
from rxchat.states.access.grants import AccessState
from rxchat.states.access.groups import GroupsState
from rxchat.states.access.providers import ProvidersState
from rxchat.states.access.registration import RegistrationState
from rxchat.states.access.roles import RolesState
from rxchat.states.access.usage import UsageState
from rxchat.states.access.user import UserState
from rxchat.states.access.users import UsersState
from rxchat.states.platform.current_user import CurrentUserState
from tests.factories import add_user, signed_in_as
from tests.peers.scripted_ollama import ScriptedOllama
from tests.tab import open_tab

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

NOT_ALLOWED = "You are not allowed to do this."
CALLER = ClientInfo("127.0.0.1", "a browser")

PROVIDER = {"name": "gpu", "kind": "openai", "url": "http://127.0.0.1:9/v1", "timeout_seconds": "60"}

CHANGES: list[tuple[type[rx.State], str, dict[str, Any]]] = [
    (UsageState, "choose", {"days": "7"}),
    (UsersState, "search", {"words": "a"}),
    (UsersState, "filter_role", {"role": "admin"}),
    (UsersState, "next_page", {}),
    (UsersState, "previous_page", {}),
    (UsersState, "invite", {"form": {"email": "new@example.org", "role": "member"}}),
    (UserState, "set_role", {"form": {"role": "admin"}}),
    (UserState, "suspend", {"form": {}}),
    (UserState, "readmit", {"form": {}}),
    (UserState, "end_sessions", {"form": {}}),
    (UserState, "reset_factor", {"form": {}}),
    (UserState, "make_link", {"form": {}}),
    (UserState, "list_conversations", {"form": {"reason": "a very good reason"}}),
    (GroupsState, "save", {"form": {"name": "Mine"}}),
    (GroupsState, "find", {"words": "a"}),
    (RolesState, "save", {"form": {"title": "Mine", "may:users.manage": "on"}}),
    (AccessState, "give", {"form": {"model": "*"}}),
    (RegistrationState, "choose", {"rule": "registration", "value": "open"}),
    (AuditState, "search", {"words": "a"}),
    (AuditState, "filter_action", {"action": "signed_in"}),
    (AuditState, "older", {}),
    (FeedbackState, "older", {}),
    (ProvidersState, "ask_again", {}),
    (ProvidersState, "add", {"form": PROVIDER}),
    (ProvidersState, "save", {"form": PROVIDER}),
    (ProvidersState, "look_at_use", {"name": "gpu"}),
    (ProvidersState, "remove", {"form": {"name": "gpu"}}),
]


async def test_a_member_can_do_nothing_of_it(
    services: Services, owner_url: str, ada: CurrentUser, grace: CurrentUser, subtests: pytest.Subtests
) -> None:
    for state, handler, payload in CHANGES:
        with subtests.test(handler=f"{state.__name__}.{handler}"):
            before = rows(owner_url)
            async with open_tab(await signed_in_as(services, grace)) as tab:
                tab.be_at(user_id=str(ada.user_id))
                await tab.do(UserState, "load")
                await tab.do(state, handler, **payload)
                assert tab.shown(state, "problem") == NOT_ALLOWED
            assert rows(owner_url) == before


def rows(owner_url: str) -> list[Any]:
    """Return all that a handler here could change."""
    with psycopg.connect(owner_url) as connection:
        return [
            connection.execute(query).fetchall()
            for query in (
                "SELECT id, role, suspended_at FROM user_account ORDER BY id",
                "SELECT name, permissions FROM role ORDER BY name",
                "SELECT id FROM user_group",
                "SELECT id FROM access_grant",
                "SELECT id FROM account_token",
                "SELECT name FROM model_provider",
                "SELECT id FROM quota",
                "SELECT model FROM model_price",
                "SELECT name, value FROM instance_setting",
                "SELECT action FROM audit_event WHERE action NOT IN ('signed_in', 'denied')",
            )
        ]


async def test_people_are_found_by_words_and_role_fifty_at_a_time(
    services: Services, owner_url: str, ada: CurrentUser
) -> None:
    for number in range(60):
        add_user(owner_url, f"Person{number:02}")
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(UsersState, "load")
        assert (len(tab.shown(UsersState, "users")), tab.shown(UsersState, "total")) == (50, 61)
        await tab.do(UsersState, "next_page")
        await tab.do(UsersState, "next_page")
        assert len(tab.shown(UsersState, "users")) == 11
        await tab.do(UsersState, "previous_page")
        await tab.do(UsersState, "search", words="person07")
        assert [line.name for line in tab.shown(UsersState, "users")] == ["Person07"]
        await tab.do(UsersState, "filter_role", role="admin")
        assert tab.shown(UsersState, "users") == []
        await tab.do(UsersState, "search", words="%")
        assert tab.shown(UsersState, "total") == 0


async def test_an_invitation_is_made_shown_once_and_taken_back(services: Services, ada: CurrentUser) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(UsersState, "load")
        await tab.do(UsersState, "begin_invite")
        await tab.do(UsersState, "invite", form={"dialog": "3", "email": "nowhere", "role": "member"})
        assert "e-mail address" in tab.shown(UsersState, "problem") and tab.shown(UsersState, "problem_dialog") == 3
        await tab.do(UsersState, "invite", form={"email": " new@example.org ", "role": "member"})
        link = tab.shown(UsersState, "link")
        await tab.do(UsersState, "invite", form={"email": " new@example.org ", "role": "member"})
        # A double click: the link that is shown keeps working.
        assert tab.shown(UsersState, "link") == link and not tab.shown(UsersState, "has_replaced")
        assert "/join#token=" in tab.shown(UsersState, "link") and not tab.shown(UsersState, "is_mailed")
        # The dialog stays open, to show the link; another one begins without it.
        assert tab.shown(UsersState, "done_dialog") == 0
        await tab.do(UsersState, "begin_invite")
        assert tab.shown(UsersState, "link") == ""
        (invitation,) = tab.shown(UsersState, "invitations")
        assert (invitation.email, invitation.role) == ("new@example.org", "Member")
        await tab.do(UsersState, "revoke_invitation", form={"dialog": "4", "id": invitation.id})
        assert tab.shown(UsersState, "invitations") == [] and tab.shown(UsersState, "done_dialog") == 4
        assert tab.shown(UsersState, "flash") == "Revoked the invitation of new@example.org."


async def test_what_is_done_to_a_person_is_asked_first_and_shown(
    services: Services, ada: CurrentUser, grace: CurrentUser
) -> None:
    theirs = await signed_in_as(services, grace)
    async with open_tab(await signed_in_as(services, ada)) as tab:
        tab.be_at(user_id=str(grace.user_id))
        await tab.do(UserState, "load")
        assert tab.shown(UserState, "user").name == "Grace"
        await tab.do(UserState, "set_role", form={"role": "moderator"})
        assert tab.shown(UserState, "flash") == "Grace is Moderator now."
        await tab.do(UserState, "suspend", form={"dialog": "3"})
        assert tab.shown(UserState, "user").state == "suspended"
        await tab.do(UserState, "readmit", form={"dialog": "3"})
        assert tab.shown(UserState, "user").state == "active"
        await tab.do(UserState, "end_sessions", form={"dialog": "3"})
        await tab.do(UserState, "reset_factor", form={"dialog": "3"})
        await tab.do(UserState, "make_link", form={"dialog": "3"})
        assert "/reset#token=" in tab.shown(UserState, "link") and tab.shown(UserState, "problem") == ""
        await tab.do(UserState, "forget_link")
        assert tab.shown(UserState, "link") == ""
    async with open_tab(theirs) as tab:
        await tab.send_event(CurrentUserState, "enter")
        await tab.until(lambda: tab.redirects)


async def test_a_person_who_is_not_there_is_not_there(
    services: Services, ada: CurrentUser, subtests: pytest.Subtests
) -> None:
    for named in ("", "nonsense", "0" * 36, "01900000-0000-7000-8000-000000000000", "\x00" * 36):
        with subtests.test(named=named):
            async with open_tab(await signed_in_as(services, ada)) as tab:
                tab.be_at(user_id=named)
                await tab.do(UserState, "load")
                assert tab.shown(UserState, "missing")
                await tab.do(UserState, "suspend", form={"dialog": "3"})
                assert tab.shown(UserState, "problem") != ""


async def test_reading_somebodys_words_wants_a_reason_and_listing_first(
    services: Services, owner_url: str, ada: CurrentUser, grace: CurrentUser
) -> None:
    turn = await services.chat.messages.send_message(grace, None, "a <b>private</b> question", "scripted:tokens=2")
    async with open_tab(await signed_in_as(services, ada)) as tab:
        tab.be_at(user_id=str(grace.user_id))
        await tab.do(UserState, "load")
        await tab.do(UserState, "read", conversation_id=str(turn.conversation_id))
        assert tab.shown(UserState, "said") == []
        await tab.do(UserState, "list_conversations", form={"reason": "because"})
        assert "audit log records it" in tab.shown(UserState, "problem")
        await tab.do(UserState, "list_conversations", form={"reason": "a complaint of Friday"})
        await tab.do(UserState, "read", conversation_id=str(turn.conversation_id))
        assert tab.shown(UserState, "said")[0].text == "a <b>private</b> question"
        await tab.do(UserState, "stop_reading")
        assert tab.shown(UserState, "said") == [] and not tab.shown(UserState, "has_listed")
    with psycopg.connect(owner_url) as connection:
        found = connection.execute(
            "SELECT action, data ->> 'reason' FROM audit_event WHERE action LIKE 'conversation%' ORDER BY seq"
        ).fetchall()
    assert found == [(action, "a complaint of Friday") for action in ("conversations_listed", "conversation_read")]


async def test_groups_are_made_filled_renamed_and_deleted(
    services: Services, ada: CurrentUser, grace: CurrentUser
) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(GroupsState, "load")
        await tab.do(GroupsState, "save", form={"dialog": "7", "name": "  "})
        assert tab.shown(GroupsState, "problem") and tab.shown(GroupsState, "problem_dialog") == 7
        await tab.do(GroupsState, "save", form={"dialog": "8", "name": "Night  shift", "description": "awake"})
        assert (tab.shown(GroupsState, "problem"), tab.shown(GroupsState, "done_dialog")) == ("", 8)
        (group,) = tab.shown(GroupsState, "groups")
        assert (group.name, tab.shown(GroupsState, "flash")) == ("Night shift", "Saved “Night shift”.")
        await tab.do(GroupsState, "show_members", group_id=group.id)
        await tab.do(GroupsState, "find", words="grac")
        assert [member.name for member in tab.shown(GroupsState, "found")] == ["Grace"]
        await tab.do(GroupsState, "add", user_id=str(grace.user_id))
        assert tab.shown(GroupsState, "groups")[0].users == 1
        await tab.do(GroupsState, "find", words="grac")
        assert tab.shown(GroupsState, "found") == []
        await tab.do(GroupsState, "take_out", user_id=str(grace.user_id))
        assert tab.shown(GroupsState, "members") == []
        await tab.do(GroupsState, "remove", form={"dialog": "9", "id": group.id})
        assert tab.shown(GroupsState, "groups") == []


async def test_roles_are_made_changed_and_deleted_but_for_the_built_in(
    services: Services, ada: CurrentUser, grace: CurrentUser
) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(RolesState, "load")
        assert [role.name for role in tab.shown(RolesState, "roles")] == ["admin", "guest", "member", "moderator"]
        await tab.do(RolesState, "edit", name="")
        await tab.do(RolesState, "save", form={"title": "Auditor", "may:audit.read": "on"})
        made = tab.shown(RolesState, "roles")[-1]
        assert (made.name, made.may) == ("auditor", ["Read and export the audit log"])
        await tab.do(RolesState, "edit", name="auditor")
        chosen = [choice.name for choice in tab.shown(RolesState, "administrative") if choice.is_chosen]
        assert chosen == ["audit.read"]
        await tab.do(RolesState, "save", form={"id": "auditor", "title": "Reader", "may:nonsense": "on"})
        assert "does not exist" in tab.shown(RolesState, "problem")
        await services.access.user_admin.set_role(ada, grace.user_id, "auditor", CALLER)
        await tab.do(RolesState, "remove", form={"dialog": "3", "id": "auditor"})
        assert "Some users have this role" in tab.shown(RolesState, "problem")
        await tab.do(RolesState, "save", form={"id": "admin", "title": "Mine"})
        assert "cannot be changed" in tab.shown(RolesState, "problem")


async def test_access_is_given_and_taken_back_in_words(
    services: Services, ada: CurrentUser, grace: CurrentUser, ollama: ScriptedOllama
) -> None:
    ollama.offered = ["scripted:tokens=2"]
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(AccessState, "load")
        assert [choice.value for choice in tab.shown(AccessState, "models")] == ["*", "scripted:tokens=2"]
        await tab.do(AccessState, "begin")
        await tab.do(AccessState, "choose_kind", kind="user")
        await tab.do(AccessState, "give", form={"model": "scripted:tokens=2"})
        assert "for whom" in tab.shown(AccessState, "problem")
        await tab.do(AccessState, "find", words="grace")
        await tab.do(AccessState, "pick", user_id=str(grace.user_id))
        await tab.do(AccessState, "give", form={"model": "scripted:tokens=2"})
        await tab.do(AccessState, "choose_kind", kind="everyone")
        await tab.do(AccessState, "give", form={"model": "*"})
        lines = tab.shown(AccessState, "grants")
        assert [(line.who, line.model) for line in lines] == [
            ("Everyone", "Every model"),
            ("Grace", "scripted:tokens=2"),
        ]
        await tab.do(AccessState, "choose_kind", kind="nobody")
        assert tab.shown(AccessState, "problem") != ""
        await tab.do(AccessState, "revoke", form={"dialog": "5", "id": lines[0].id})
        assert tab.shown(AccessState, "done_dialog") == 5
        assert [line.who for line in tab.shown(AccessState, "grants")] == ["Grace"]


async def test_rules_hold_at_once_and_can_be_taken_back(services: Services, ada: CurrentUser) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(RegistrationState, "load")
        await tab.do(RegistrationState, "choose", rule="registration", value="open")
        assert (await services.platform.instance_settings.current()).registration.value == "open"
        assert tab.shown(RegistrationState, "changed") == "registration"
        await tab.do(RegistrationState, "undo")
        assert (await services.platform.instance_settings.current()).registration.value == "invitation"
        for rule, value in (("registration", "ajar"), ("default_role", "admin"), ("anything", "open")):
            await tab.do(RegistrationState, "choose", rule=rule, value=value)
            assert tab.shown(RegistrationState, "problem") != ""
        assert tab.shown(RegistrationState, "registration") == "invitation"


async def test_the_audit_says_who_did_what_from_where(services: Services, ada: CurrentUser, grace: CurrentUser) -> None:
    async with open_tab(await signed_in_as(services, ada)) as tab:
        tab.address = "203.0.113.7"
        tab.be_at(user_id=str(grace.user_id))
        await tab.do(UserState, "load")
        await tab.do(UserState, "suspend", form={"dialog": "3"})
        await tab.do(AuditState, "load")
        newest = tab.shown(AuditState, "rows")[0]
        assert (newest.sentence, newest.address) == ("Suspended Grace", "203.0.113.7")
        assert newest.actor == f"Ada <{ada.email}>"
        await tab.do(AuditState, "filter_action", action="signed_in")
        assert {row.sentence for row in tab.shown(AuditState, "rows")} == {"Signed in with password"}
        await tab.do(AuditState, "search", words="nobody at all")
        assert tab.shown(AuditState, "rows") == []


async def test_older_rows_follow_the_newer_ones(services: Services, ada: CurrentUser) -> None:
    for number in range(55):
        await services.access.groups.save(
            ada, group_id=None, name=f"Group {number}", description="", client_info=CALLER
        )
    async with open_tab(await signed_in_as(services, ada)) as tab:
        await tab.do(AuditState, "load")
        assert len(tab.shown(AuditState, "rows")) == 50 and tab.shown(AuditState, "has_older")
        await tab.do(AuditState, "older")
        seqs = [row.seq for row in tab.shown(AuditState, "rows")]
        assert seqs == sorted(seqs, reverse=True) and len(seqs) == 56
        assert not tab.shown(AuditState, "has_older")


def test_every_row_has_its_sentence_also_one_that_nobody_knows() -> None:
    assert all(sentence(action, {}, {}) for action in ACTIONS)
    assert sentence("something_new", {}, {}) == "Something new"
    given = {"grant": {"principal": "group g1", "resource": "model *", "action": "use"}}
    assert sentence("granted", given, {"g1": "Research"}) == "Granted access: group Research may use every model"
    assert details("granted", given, {"g1": "Research"}) == ""
    assert sentence("denied", {"door": "UserState.list_conversations"}, {}) == (
        "Was denied access to the page “user” (list conversations)"
    )
    assert sentence("denied", {"door": "GET /api/files/{id}"}, {}) == "Was denied access to GET /api/files/{id}"
    hostile = {"user": "{role.__class__}", "role": "x"}
    assert sentence("role_changed", hostile, {}) == "Made {role.__class__} x"
    assert (
        details("signed_in", {"method": "password", "second_factor": True, "session": "x"}, {})
        == "two-factor authentication: yes"
    )
