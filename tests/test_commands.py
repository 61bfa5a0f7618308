"""`python -m rxchat up` as a person runs it: what it prints, and that nothing of it is left when it ends."""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg.conninfo import make_conninfo

from rxchat import __main__, commands, frontend
from rxchat.connections import ConfigurationError, Connections
from rxchat.embedded.endpoints import Endpoints
from rxchat.embedded.secrets import load_or_create
from rxchat.settings import Settings
from tests.embedded.processes import is_alive, until
from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[1]


@dataclass
class Running:
    """One `up` with a data folder and a port of its own."""

    process: subprocess.Popen[bytes]
    data: Path
    port: int
    output: Path

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def printed(self) -> str:
        return self.output.read_text()

    def until_printed(self, words: str, seconds: float = 120) -> str:
        until(lambda: words in self.printed() or self.process.poll() is not None, seconds)
        assert words in self.printed(), self.printed()
        return self.printed()

    def descendants(self) -> list[int]:
        """Return every process below it, workers of children included."""
        parents = {}
        for entry in Path("/proc").glob("[0-9]*/stat"):
            try:
                parents[int(entry.parent.name)] = int(entry.read_text().rpartition(")")[2].split()[1])
            except (FileNotFoundError, ProcessLookupError):
                continue
        found, last = {self.process.pid}, 0
        while len(found) != last:
            last = len(found)
            found |= {pid for pid, parent in parents.items() if parent in found}
        return sorted(found - {self.process.pid})


@pytest.fixture(scope="session")
def built() -> None:
    """The pages, built as `up` builds them."""
    subprocess.run(
        [sys.executable, "-m", "rxchat", "build"], cwd=ROOT, check=True, stdout=subprocess.DEVNULL, timeout=600
    )


@pytest.fixture
def folder() -> Iterator[Path]:
    found = Path(tempfile.mkdtemp(prefix="rxchat-up-"))
    found.chmod(0o711)
    yield found
    shutil.rmtree(found, ignore_errors=True)


@pytest.fixture
def start_up(built: None, folder: Path) -> Iterator:
    started: list[Running] = []

    def start(**settings: str) -> Running:
        port = free_port()
        environment = {
            **{name: value for name, value in os.environ.items() if name not in {"DATABASE_URL", "REDIS_URL"}},
            "RXCHAT_DATA": str(folder / "data"),
            "RXCHAT_PORT": str(port),
            "OLLAMA_HOSTS": "127.0.0.1:9",
            # The one that comes along takes ten seconds of processor time to be there.
            "RXCHAT_EMBEDDING_MODEL": "scripted-embed:tokens=256",
            **settings,
        }
        output = folder / f"output-{len(started)}"
        with output.open("wb") as written:
            process = subprocess.Popen(
                [sys.executable, "-m", "rxchat", "up"], cwd=ROOT, env=environment, stdout=written, stderr=written
            )
        running = Running(process, folder / "data", port, output)
        started.append(running)
        return running

    yield start
    for running in started:
        if running.process.poll() is None:
            running.process.kill()
            running.process.wait()


def test_ctrl_c_and_kill_9_end_all_of_it_and_the_start_between_them_has_everything(start_up) -> None:
    running = start_up()
    printed = running.until_printed("/setup#token=")
    last = [line for line in printed.splitlines() if line][-3:]
    assert last[0] == f"RxChat is at {running.url}"
    assert re.fullmatch(rf"{running.url}/setup#token=v4\.local\.[\w-]+", last[2])
    assert "Traceback" not in printed and '"event"' not in printed and "\x1b" not in printed
    assert printed.index("Starting the web server ...") < printed.index("RxChat is at")
    assert '"event": "servers_started"' in (running.data / "logs" / "up.log").read_text()
    assert httpx.get(f"{running.url}/healthz").status_code == 200
    person = {"name": "Ada", "email": "ada@example.org", "password": "correct horse battery"}
    token = printed.rpartition("token=")[2].strip()
    headers = {"origin": running.url}
    answer = httpx.post(f"{running.url}/api/auth/setup", json={"token": token, **person}, headers=headers)
    assert (answer.status_code, answer.json()) == (200, {"next": "in"})
    children = running.descendants()
    assert len(children) >= 4
    running.process.send_signal(signal.SIGINT)
    assert running.process.wait(60) == 0
    assert [pid for pid in children if is_alive(pid)] == []
    assert running.printed().rstrip().endswith("Stopped.")
    again = start_up(RXCHAT_LOG_LEVEL="info", RXCHAT_REGISTRATION="closed")
    printed = again.until_printed("RxChat is at")
    answer = httpx.post(f"{again.url}/api/auth/sign-in", json=person, headers={"origin": again.url})
    assert (answer.status_code, answer.json()) == (200, {"next": "in"})
    assert "setup" not in printed
    # Its log is on the terminal, since a setting asks for it.
    assert '"event": "servers_started"' in printed
    children = again.descendants()
    again.process.kill()
    again.process.wait()
    # Not even then is any of it left.
    until(lambda: not any(is_alive(pid) for pid in children), 10)


def test_a_port_in_use_is_one_clear_line(start_up) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        running = start_up(RXCHAT_PORT=str(taken.getsockname()[1]))
        assert running.process.wait(30) == 1
    # What is only advice, as to root, comes before it.
    (printed,) = [line for line in running.printed().splitlines() if not line.startswith("Please note:")]
    assert printed.startswith("rxchat: Cannot listen at 127.0.0.1:") and printed.endswith(
        "Set RXCHAT_PORT to a free port."
    )


def test_the_servers_that_are_set_are_used_and_the_embedded_ones_are_not_started(
    start_up, servers: Endpoints, database_url: str, owner_url: str
) -> None:
    assert servers.redis_url
    key = "a2tra2tra2tra2tra2tra2tra2tra2tra2tra2tra2s="
    running = start_up(
        DATABASE_URL=database_url,
        DATABASE_OWNER_URL=owner_url,
        REDIS_URL=servers.redis_url,
        RXCHAT_SECRET_KEY=key,
        RXCHAT_PASSWORD_PEPPER=key,
    )
    running.until_printed("RxChat is at")
    commands = [Path(f"/proc/{pid}/cmdline").read_bytes() for pid in running.descendants()]
    assert not any(name in command for command in commands for name in (b"postgres", b"valkey", b"rxchat.embedded"))
    assert not (running.data / "postgres").exists()
    parts = httpx.get(f"{running.url}/readyz").json()["parts"]
    assert (parts["database"], parts["redis"]) == ("ok", "ok") and "127.0.0.1:9" in parts["models"]
    with psycopg.connect(owner_url) as connection:
        connections = connection.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'rxchat listener'"
        )
        assert connections.fetchone() != (0,)


def test_the_pages_are_built_once_for_the_same_sources(built: None) -> None:
    assert frontend.is_fresh()
    stamp = frontend._STAMP.read_text()
    source = ROOT / "assets" / "rxchat.css"
    before = source.read_bytes()
    try:
        source.write_bytes(before + b"\n")
        assert not frontend.is_fresh()
    finally:
        source.write_bytes(before)
    assert frontend.is_fresh() and frontend._STAMP.read_text() == stamp


def test_the_settings_of_the_tests_are_those_of_a_person() -> None:
    assert Settings.model_validate({}).bcrypt_rounds == 12


def test_where_others_use_it_rxchat_serves_as_no_superuser(
    servers: Endpoints, data_folder: Path, owner_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    password = load_or_create(data_folder).postgres_superuser_password
    as_superuser = make_conninfo(owner_url, user="postgres", password=password)
    here, public = (
        Settings.model_validate({}),
        Settings.model_validate({"RXCHAT_PUBLIC_URL": "https://chat.example.org"}),
    )
    assert servers.database_url
    for settings, url, said in (
        (here, as_superuser, "superuser"),
        (here, owner_url, "owns the schema"),
        (public, owner_url, "owns the schema"),
        (public, servers.database_url, ""),
    ):
        at = Connections(url, owner_url, None, (), (), b"k" * 32, b"p" * 32)
        commands._check_database(settings, at)
        printed = capsys.readouterr().out
        assert said in printed and bool(printed) == bool(said)
    with pytest.raises(ConfigurationError, match="superuser"):
        commands._check_database(public, Connections(as_superuser, owner_url, None, (), (), b"k" * 32, b"p" * 32))


def test_every_command_has_a_function_and_is_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        __main__.main(["--help"])
    said = capsys.readouterr().out
    for name in __main__.COMMANDS:
        assert callable(__main__.function_of(name))
        assert f"  {name}" in said


def test_what_starts_the_others_does_not_hold_all_that_they_import() -> None:
    look = "import sys, rxchat.__main__ as main; main.function_of('up'); print(*sys.modules, sep='\\n')"
    imported = subprocess.run([sys.executable, "-c", look], cwd=ROOT, capture_output=True, text=True, check=True)
    held = set(imported.stdout.split())
    assert "rxchat.commands" in held
    assert not held & {
        "rxchat.bootstrap",
        "rxchat.lifespan",
        "rxchat.tables",
        "reflex",
        "fastapi",
        "minio",
        "ollama",
        "procrastinate",
    }
