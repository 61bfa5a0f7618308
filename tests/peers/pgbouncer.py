"""A real pgbouncer in front of the tests' Postgres; its tests are skipped if it is not installed."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from psycopg.conninfo import conninfo_to_dict

from tests.ports import free_port

_START_SECONDS = 10.0


@contextmanager
def pgbouncer(folder: Path, url: str, **settings: str) -> Iterator[str]:
    """Run pgbouncer with these settings; yields the URL with the same database, role and password through it."""
    program = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
    if program is None:
        pytest.skip("pgbouncer is not installed")
    at, port = conninfo_to_dict(url), free_port()
    user, password, name = at["user"], at["password"], at["dbname"]
    lines = {
        "listen_addr": "127.0.0.1",
        "listen_port": str(port),
        "unix_socket_dir": "",
        "auth_type": "trust",
        "auth_file": str(folder / "users"),
        **settings,
    }
    # The configuration contains the password for Postgres; only these tests connect to this port.
    server = f"{name} = host={at['host']} port={at.get('port', '5432')} user={user} password={password}"
    (folder / "users").write_text(f'"{user}" ""\n')
    text = "\n".join([f"[databases]\n{server}", "[pgbouncer]", *(f"{key} = {value}" for key, value in lines.items())])
    (folder / "pgbouncer.ini").write_text(text + "\n")
    command = [program, "--quiet", str(folder / "pgbouncer.ini")]
    if os.geteuid() == 0:
        # pgbouncer refuses to run as root. The user of Postgres can reach its socket.
        for path in (folder, folder / "users", folder / "pgbouncer.ini"):
            path.chmod(0o755)
        command[1:1] = ["--user", "nobody"]
    running = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)
    try:
        deadline = time.monotonic() + _START_SECONDS
        while not _listens(port):
            assert running.poll() is None and time.monotonic() < deadline, running.stderr and running.stderr.read()
            time.sleep(0.02)
        yield f"postgresql://{user}@127.0.0.1:{port}/{name}"
    finally:
        running.kill()
        running.communicate()


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0
