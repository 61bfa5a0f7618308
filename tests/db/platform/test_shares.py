"""Shares with groups that today's rules would refuse: `check` lists them for the operator."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

import psycopg
import pytest

from rxchat import commands
from rxchat.connections import Connections
from rxchat.db.platform import invalid_shares
from rxchat.domain.ids import new_id
from rxchat.settings import Settings
from tests.conftest import empty
from tests.factories import add_user


@pytest.fixture
def shared(owner_url: str) -> Iterator[str]:
    """A name that is part of everything here: a member, an outsider, and a moderator share with one group."""
    mark = new_id().hex[-10:]
    group = new_id()
    users = {name: add_user(owner_url, name, role) for name, role in
              (("Insider", "member"), ("Outsider", "member"), ("Manager", "moderator"))}  # fmt: skip
    with psycopg.connect(owner_url) as connection:
        connection.execute("INSERT INTO user_group (id, name, description) VALUES (%s, %s, '')", (group, f"g{mark}"))
        connection.execute(
            "INSERT INTO group_member (group_id, user_id) VALUES (%s, %s)", (group, users["Insider"].user_id)
        )
        for name, current_user in users.items():
            collection = new_id()
            connection.execute(
                "INSERT INTO collection (owner_id, id, kind, name, description) VALUES (%s, %s, 'library', %s, '')",
                (current_user.user_id, collection, f"{name}\x1b[2J {mark}"),
            )
            connection.execute(
                "INSERT INTO access_grant (id, principal_kind, principal, resource_kind, resource, action, created_by)"
                " VALUES (%s, 'group', %s, 'collection', %s, 'read', %s)",
                (new_id(), str(group), str(collection), current_user.user_id),
            )
    yield mark
    empty(owner_url)


def test_only_shares_of_users_who_are_not_in_the_group_and_manage_none_are_found(shared: str, owner_url: str) -> None:
    found = [item for item in invalid_shares.by_outsiders(owner_url) if item.group_name == f"g{shared}"]
    assert [(item.kind, item.name, item.shared_by) for item in found] == [
        ("collection", f"Outsider\x1b[2J {shared}", "Outsider")
    ]


def test_check_lists_them_and_sends_no_control_characters_to_the_terminal(
    shared: str, owner_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    at = Connections(owner_url, owner_url, None, (), (), b"k" * 32, b"p" * 32)
    monkeypatch.setattr(commands, "connections", lambda _settings: at)
    assert commands.check(Settings.model_validate({}), argparse.Namespace()) == 0
    printed = capsys.readouterr().out
    assert f"The collection “Outsider?[2J {shared}” is shared with the group “g{shared}” by Outsider" in printed
    assert f"Insider?[2J {shared}" not in printed and f"Manager?[2J {shared}" not in printed
    assert "\x1b" not in printed


def test_where_there_is_no_database_check_says_nothing_of_shares(capsys: pytest.CaptureFixture[str], tmp_path) -> None:
    settings = Settings.model_validate({"RXCHAT_DATA": str(tmp_path)})
    commands.check(settings, argparse.Namespace())
    assert "shared with the group" not in capsys.readouterr().out
