"""Names of all kinds, as they are stored: nothing in them turns around what a page shows beside them."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from rxchat.domain.accounts import ClientInfo
from rxchat.services.app.container import Services
from tests.security.http import create_user

pytestmark = pytest.mark.anyio

CALLER = ClientInfo("192.0.2.1", "a\u202e browser")
TURNED, CLEAN = " \u202einvoice\u2066 \u200fgnp.exe\ud800 ", "invoice gnp.exe\ufffd"
STYLES = Path(__file__).parents[2] / "assets" / "rxchat.css"


async def test_no_name_keeps_signs_that_turn_the_direction(services: Services, owner_url: str) -> None:
    boss = await create_user(services, owner_url, "Boss", "admin")
    await services.documents.collections.create(boss, TURNED, TURNED)
    await services.accounts.api_credentials.create_key(
        boss, name=TURNED, scopes=["read"], days=None, client_info=CALLER
    )
    await services.access.groups.save(boss, group_id=None, name=TURNED, description=TURNED, client_info=CALLER)
    with psycopg.connect(owner_url) as connection:
        for query in (
            "SELECT name, description FROM collection WHERE kind = 'library'",
            "SELECT name, name FROM api_key",
            "SELECT name, description FROM user_group",
        ):
            assert connection.execute(query.encode()).fetchall() == [(CLEAN, CLEAN)], query


@pytest.mark.parametrize("name", ["row-title", "topbar-title"])
def test_titles_from_before_turn_nothing_beside_them(name: str) -> None:
    (rule,) = re.findall(r":is\((.+)\) \{ unicode-bidi: isolate; \}", STYLES.read_text())
    assert f".{name}" in rule.split(", ")
