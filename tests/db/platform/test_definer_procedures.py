"""Procedures that run with the owner's rights: nothing that the runtime role makes can lead them elsewhere."""

from __future__ import annotations

import re
from pathlib import Path

import psycopg
import pytest

from rxchat.domain.ids import new_id

PROCEDURES = Path(__file__).resolve().parents[3] / "alembic" / "sql"
OURS = """
    SELECT proname, pg_get_functiondef(pg_proc.oid), prosrc, prosecdef, proconfig FROM pg_proc
     WHERE pronamespace = 'public'::regnamespace AND prokind = 'f' AND proname NOT LIKE 'procrastinate%'
       AND NOT EXISTS (SELECT FROM pg_depend WHERE objid = pg_proc.oid AND deptype = 'e')
"""


def test_the_database_holds_the_procedures_of_the_files_and_no_others(owner_url: str) -> None:
    """Whoever changes a file writes a migration, and the other way round."""
    with psycopg.connect(owner_url) as connection:
        installed = {row[0]: row[1] for row in connection.execute(OURS)}
        for path in PROCEDURES.glob("*.sql"):
            text = path.read_text().replace("CREATE FUNCTION", "CREATE OR REPLACE FUNCTION", 1)
            connection.cursor().execute(text.encode())
        written = {row[0]: row[1] for row in connection.execute(OURS)}
        connection.rollback()
    assert installed.keys() == {path.stem for path in PROCEDURES.glob("*.sql")}
    assert [name for name, text in written.items() if installed[name] != text] == []


def test_every_procedure_with_the_owners_rights_looks_for_temporary_tables_last(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        definers = {row[0]: row[4] or [] for row in connection.execute(OURS) if row[3]}
    assert len(definers) > 30
    wrong = [name for name, settings in definers.items() if "search_path=pg_catalog, public, pg_temp" not in settings]
    assert wrong == []


def test_every_relation_in_a_procedure_is_named_with_its_schema(owner_url: str) -> None:
    with psycopg.connect(owner_url) as connection:
        relations = [
            name
            for (name,) in connection.execute(
                "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind IN ('r', 'v', 'S')"
            )
        ]
        sources = {row[0]: re.sub(r"--[^\n]*", "", row[2]) for row in connection.execute(OURS) if row[3]}
    names = "|".join(sorted(relations, key=len, reverse=True))
    verbs = r"FROM|JOIN|INTO|USING|ONLY|TABLE|\bON|(?<!FOR )UPDATE(?! OF)"
    bare = re.compile(rf"\b(?:{verbs})\s+(?:{names})\b(?!\s*\.)", re.IGNORECASE)
    listed = re.compile(rf"\bFROM\s+[\w. ]+,\s*(?:{names})\b", re.IGNORECASE)
    typed = re.compile(rf"^\s*\w+\s+(?:{names})(?:%ROWTYPE)?\s*(?:;|:=)", re.IGNORECASE | re.MULTILINE)
    found = {
        name: hits
        for name, text in sources.items()
        if (hits := [*bare.findall(text), *listed.findall(text), *typed.findall(text)])
    }
    assert found == {}


def test_the_runtime_role_can_make_no_temporary_table_and_nothing_in_public(database_url: str) -> None:
    for statement in (
        "CREATE TEMPORARY TABLE consumed_token (id uuid)",
        "CREATE TABLE public.mine (id uuid)",
        "CREATE FUNCTION public.mine() RETURNS int LANGUAGE sql AS 'SELECT 1'",
    ):
        with psycopg.connect(database_url) as connection, pytest.raises(psycopg.errors.InsufficientPrivilege):
            connection.execute(statement)


def test_a_temporary_table_in_a_tables_place_gets_no_rights_of_the_owner(owner_url: str) -> None:
    """The attack itself, by a role that may make temporary tables: its trigger never runs."""
    with psycopg.connect(owner_url) as connection:
        connection.execute("CREATE TEMPORARY TABLE consumed_token (id uuid, expires_at timestamptz)")
        connection.execute(
            "CREATE FUNCTION pg_temp.stolen() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE 'ran as %', current_user; END $$"
        )
        connection.execute(
            "CREATE TRIGGER stolen BEFORE INSERT ON pg_temp.consumed_token FOR EACH ROW EXECUTE FUNCTION pg_temp.stolen()"
        )
        used = new_id()
        assert connection.execute("SELECT consume_token(%s, now())", [used]).fetchone() == (True,)
        assert connection.execute("SELECT count(*) FROM pg_temp.consumed_token").fetchone() == (0,)
        assert connection.execute("SELECT count(*) FROM public.consumed_token WHERE id = %s", [used]).fetchone() == (1,)
        connection.rollback()
