"""Row 45: the audit is written with the change, by nobody else, and whoever touches it is found out offline."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from rxchat import __main__
from rxchat.connections import Connections
from rxchat.db.access import audit_log
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import ClientInfo
from rxchat.domain.audit import ChainInvalid, Signer, verify
from rxchat.domain.errors import InvalidInput, NotAllowed, NotFound
from rxchat.domain.ids import new_id
from rxchat.services.access.audit_log import AuditLog, signer_of
from rxchat.services.app.container import Services
from rxchat.services.platform.encryption import SecretBox
from tests.factories import add_user
from tests.security.http import Open, create_user, sign_in

pytestmark = [pytest.mark.anyio, pytest.mark.without_engine]

ROWS = 12


@pytest.fixture
async def exported(services: Services, at: Connections) -> list[str]:
    """The lines of an export with a checkpoint in the middle."""
    # It signs by itself, too, and might be quicker.
    await services.app.maintenance.stop()
    await write(services, ROWS // 2)
    assert await services.access.audit_log.sign() == 1
    await write(services, ROWS - ROWS // 2)
    database = Database.as_owner(at.database_owner_url)
    lines = [line async for line in AuditLog(database, signer_of(SecretBox(at.secret_key))).lines(None)]
    await database.aclose()
    return lines


async def write(services: Services, count: int) -> None:
    async with services.accounts.sessions._database.begin(None) as session:
        for number in range(count):
            await audit_log.append(
                session, None, "signed_out", "127.0.0.1", "c", words=f'é "{number}" \n', nested={"a": [1, None, 2.50]}
            )


def key_of(lines: list[str]) -> str:
    return json.loads(lines[0])["public_key"]


async def test_an_export_proves_itself(exported: list[str]) -> None:
    verdict = verify(exported, public_key=key_of(exported))
    assert (verdict.rows, verdict.checkpoints) == (ROWS, 2)


def row(lines: list[str], seq: int) -> int:
    return next(place for place, line in enumerate(lines) if f'"seq": {seq},' in line)


def changed(lines: list[str], seq: int, /, **fields: object) -> list[str]:
    place = row(lines, seq)
    return [*lines[:place], json.dumps(json.loads(lines[place]) | fields), *lines[place + 1 :]]


def rehashed(lines: list[str], seq: int) -> list[str]:
    """Alter a row and give it, and all after it, hashes that fit: what somebody without the key can do."""
    from rxchat.domain.audit import Entry

    found, previous = [], bytes(32)
    for line in lines:
        facts = json.loads(line)
        if "seq" in facts:
            if facts["seq"] == seq:
                facts["action"] = "nothing_happened"
            fields = {
                name: facts[name]
                for name in ("seq", "id", "at", "actor", "action", "address", "correlation_id", "data")
            }
            previous = Entry(**fields, hash=b"").computed_hash(previous)
            facts["hash"] = previous.hex()
        found.append(json.dumps(facts))
    return found


TAMPERING: dict[str, tuple[Callable[[list[str]], list[str]], int]] = {
    "the action": (lambda lines: changed(lines, 3, action="nothing"), 3),
    "the actor": (lambda lines: changed(lines, 3, actor=str(new_id())), 3),
    "the time": (lambda lines: changed(lines, 3, at="2020-01-01T00:00:00.000000Z"), 3),
    "the address": (lambda lines: changed(lines, 12, address="10.0.0.1"), 12),
    "the data": (lambda lines: changed(lines, 1, data="{}"), 1),
    "a field moved into another": (lambda lines: changed(lines, 3, address="127.0.0.1c", correlation_id=""), 3),
    "the hash": (lambda lines: changed(lines, 5, hash="00" * 32), 5),
    "the number": (lambda lines: changed(lines, 5, seq=50), 5),
    "removed": (lambda lines: lines[: row(lines, 4)] + lines[row(lines, 4) + 1 :], 4),
    "the first removed": (lambda lines: lines[: row(lines, 1)] + lines[row(lines, 1) + 1 :], 1),
    "twice": (lambda lines: [*lines[: row(lines, 4) + 1], lines[row(lines, 4)], *lines[row(lines, 4) + 1 :]], 5),
    "swapped": (
        lambda lines: [*lines[: row(lines, 8)], lines[row(lines, 9)], lines[row(lines, 8)], *lines[row(lines, 10) :]],
        8,
    ),
    "the last cut off": (lambda lines: [*lines[: row(lines, 12)], lines[-1]], 12),
    "half cut off": (lambda lines: lines[: row(lines, 10)], 10),
    "the end cut off": (lambda lines: lines[:-1], 13),
    "all cut off": (lambda lines: lines[:1], 1),
    "rows after the end": (lambda lines: [*lines, lines[row(lines, 12)]], 13),
    "rewritten with fitting hashes": (lambda lines: rehashed(lines, 2), 6),
    "no head": (lambda lines: lines[1:], 1),
    "rubbish in between": (lambda lines: [*lines[: row(lines, 7)], "{]", *lines[row(lines, 7) :]], 7),
    "null in between": (lambda lines: [*lines[: row(lines, 7)], "null", *lines[row(lines, 7) :]], 7),
    "a row that is none": (lambda lines: changed(lines, 7, hash=None), 7),
}


async def test_whoever_touches_it_is_found_out_and_where(exported: list[str], subtests: pytest.Subtests) -> None:
    for name, (tamper, seq) in TAMPERING.items():
        with subtests.test(touched=name):
            with pytest.raises(ChainInvalid) as found:
                verify(tamper(exported), public_key=key_of(exported))
            assert found.value.seq == seq and str(found.value).endswith(".")


async def test_a_signature_that_is_missing_is_missed(services: Services, at: Connections) -> None:
    await services.app.maintenance.stop()
    await write(services, 1_005)
    database = Database.as_owner(at.database_owner_url)
    lines = [line async for line in AuditLog(database, signer_of(SecretBox(at.secret_key))).lines(None)]
    await database.aclose()
    assert verify(lines).checkpoints >= 2
    with pytest.raises(ChainInvalid, match="row 1000 is missing"):
        verify([line for line in lines if '"checkpoint": 1000' not in line])


async def test_a_forger_with_another_key_is_found_out_by_who_knows_ours(exported: list[str]) -> None:
    forger = Signer(b"f" * 32)
    lines = rehashed(exported, 2)
    lines = [line for line in lines if '"checkpoint"' not in line and '"end"' not in line]
    lines[0] = json.dumps(json.loads(lines[0]) | {"public_key": forger.public_key})
    last = json.loads(lines[-1])
    from rxchat.domain.audit import checkpoint_line

    lines.append(
        checkpoint_line(forger.sign(ROWS, bytes.fromhex(last["hash"]), "2026-01-01T00:00:00.000000Z"), is_end=True)
    )
    assert verify(lines).public_key == forger.public_key
    with pytest.raises(ChainInvalid, match="another key"):
        verify(lines, public_key=key_of(exported))


async def test_the_command_says_whether_it_is_whole_without_a_database(
    exported: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Nothing of the environment says where a database is; the data folder is none.
    for name in list(os.environ):
        monkeypatch.delenv(name)
    monkeypatch.setenv("RXCHAT_DATA", str(tmp_path / "nowhere"))
    # The tests after this one log in this process, too.
    monkeypatch.setattr(__main__, "configure_logging", lambda *_: None)
    whole, cut = tmp_path / "audit.jsonl", tmp_path / "cut.jsonl"
    whole.write_text("\n".join(exported) + "\n")
    cut.write_text("\n".join(exported[:-2]) + "\n")
    for file, code, words in (
        (whole, 0, f"Whole: {ROWS} rows"),
        (cut, 1, "NOT VALID, from row 12 on"),
        (tmp_path / "none", 1, "cannot be read"),
    ):
        returned = __main__.main(["audit", "verify", str(file), "--key", key_of(exported)])
        printed = capsys.readouterr()
        assert returned == code and words in printed.out + printed.err, printed.err


def test_the_runtime_role_cannot_touch_it(database_url: str, owner_url: str, subtests: pytest.Subtests) -> None:
    admin = add_user(owner_url, "Admin", "admin")
    for statement in (
        "UPDATE audit_event SET action = 'x'",
        "DELETE FROM audit_event",
        "TRUNCATE audit_event",
        "INSERT INTO audit_event SELECT * FROM audit_event",
        "UPDATE audit_checkpoint SET seq = 1",
        "DELETE FROM audit_checkpoint",
        "INSERT INTO audit_checkpoint VALUES (1, '', now(), '', '')",
        "ALTER TABLE audit_event DISABLE ROW LEVEL SECURITY",
        "DROP TABLE audit_event",
        "SELECT audit_hash(audit_event, '') FROM audit_event",
        "SET ROLE rxchat_owner",
    ):
        with subtests.test(statement=statement), psycopg.connect(database_url) as connection:
            connection.execute("SET ROLE rxchat_app")
            connection.execute("SELECT set_config('rxchat.user_id', %s, true)", (str(admin.user_id),))
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                connection.execute(statement)
    with psycopg.connect(owner_url) as connection:
        connection.execute("DELETE FROM user_account")


async def test_many_who_write_at_once_make_one_chain_without_a_gap(services: Services, at: Connections) -> None:
    await asyncio.gather(*(write(services, 3) for _ in range(30)))
    database = Database.as_owner(at.database_owner_url)
    lines = [line async for line in AuditLog(database, signer_of(SecretBox(at.secret_key))).lines(None)]
    await database.aclose()
    assert verify(lines).rows == 90


async def test_what_is_rolled_back_was_never_written(services: Services, owner_url: str) -> None:
    await write(services, 2)
    with pytest.raises(ZeroDivisionError):
        async with services.accounts.sessions._database.begin(None) as session:
            await audit_log.append(session, None, "signed_out", "", "")
            raise ZeroDivisionError
    await write(services, 1)
    with psycopg.connect(owner_url) as connection:
        assert connection.execute("SELECT array_agg(seq ORDER BY seq) FROM audit_event").fetchone() == ([1, 2, 3],)


async def test_every_thousandth_row_and_the_newest_of_a_day_are_signed(services: Services, owner_url: str) -> None:
    await services.app.maintenance.stop()
    await write(services, 1)
    assert await services.access.audit_log.sign() == 1
    await write(services, 2_200)
    assert await services.access.audit_log.sign() == 2
    assert await services.access.audit_log.sign() == 0
    with psycopg.connect(owner_url) as connection:
        seqs = connection.execute("SELECT array_agg(seq ORDER BY seq) FROM audit_checkpoint").fetchone()
        assert seqs == ([1, 1000, 2000],)
        connection.execute("UPDATE audit_checkpoint SET signed_at = now() - interval '25 hours'")
    assert await services.access.audit_log.sign() == 1


async def test_administrators_read_filter_and_export_it_and_others_do_not(
    services: Services, clients: Open, owner_url: str
) -> None:
    admin, member = await create_user(services, owner_url, "Admin", "admin"), await create_user(services, owner_url)
    client, other = clients(), clients()
    await sign_in(client, admin)
    await sign_in(other, member)
    await services.platform.instance_settings.change(admin, ClientInfo("192.0.2.9"), registration="closed")
    found = await services.access.audit_log.page(admin, words="192.0.2.9")
    assert [item.action for item in found] == ["settings_changed"] and "Admin" in found[0].actor
    assert {item.action for item in await services.access.audit_log.page(admin, action="signed_in")} == {"signed_in"}
    everything = await services.access.audit_log.page(admin)
    assert [item.seq for item in await services.access.audit_log.page(admin, before=everything[0].seq)] == [
        item.seq for item in everything[1:]
    ]
    answer = await client.get("/api/admin/audit/export")
    assert answer.headers["content-disposition"].startswith("attachment")
    verdict = verify(answer.text.splitlines())
    assert verdict.rows == everything[0].seq + 1 and "audit_exported" in answer.text
    assert (await other.get("/api/admin/audit/export")).status_code == 403
    with pytest.raises(NotAllowed):
        await services.access.audit_log.page(member)


async def test_reading_somebodys_conversation_takes_a_reason_that_is_kept(services: Services, owner_url: str) -> None:
    admin, deputy = (
        await create_user(services, owner_url, "Admin", "admin"),
        await create_user(services, owner_url, "Mod", "moderator"),
    )
    member = await create_user(services, owner_url)
    turn = await services.chat.messages.send_message(member, None, "a private thing", "scripted:tokens=1")
    reason, client_info = "The works council has asked for it.", ClientInfo("192.0.2.9")
    for attempt in (
        lambda: services.access.user_admin.conversations_of(admin, member.user_id, " too  short", client_info),
        lambda: services.access.user_admin.read_conversation(admin, turn.conversation_id, "          ", client_info),
    ):
        with pytest.raises(InvalidInput):
            await attempt()
    with pytest.raises(NotAllowed):
        await services.access.user_admin.read_conversation(deputy, turn.conversation_id, reason, client_info)
    with pytest.raises(NotFound):
        await services.access.user_admin.read_conversation(admin, new_id(), reason, client_info)
    assert await services.access.audit_log.page(admin, action="conversation_read") == []
    [(listed, _, _)] = await services.access.user_admin.conversations_of(admin, member.user_id, reason, client_info)
    assert listed == turn.conversation_id
    messages = await services.access.user_admin.read_conversation(admin, listed, reason, client_info)
    assert messages[0].text == "a private thing"
    [row] = await services.access.audit_log.page(admin, action="conversation_read")
    assert row.data["reason"] == reason and row.data["user"] == str(member.user_id) and row.address == "192.0.2.9"
