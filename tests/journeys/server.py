"""A real RxChat, started as people start it, and the scripted model host beside it: processes that a test may kill."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx

from rxchat.embedded import endpoints, process
from tests.ports import free_port
from tests.summary import STARTS

ROOT = Path(__file__).resolve().parents[2]
EMBEDDER = "scripted-embed:tokens=256"
# The first one builds the pages.
_START_SECONDS = 300.0
_STOP_SECONDS = 15.0


def until(condition: Callable[[], object], seconds: float = 60.0) -> None:
    """Wait for a condition."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


def children(parent: int) -> dict[int, str]:
    """The command lines of a process's own children, by process id."""
    found: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            after_name = (folder / "stat").read_text().rpartition(")")[2].split()
            command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(after_name[1]) == parent and after_name[0] not in {"Z", "X"}:
            found[int(folder.name)] = command
    return found


class ModelHost:
    """The scripted Ollama as a process of its own."""

    def __init__(self, *offered: str) -> None:
        """Configure the server; `start` runs it."""
        self.port = free_port()
        self._offered = offered
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def host(self) -> str:
        """Its address, as OLLAMA_HOSTS takes it."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Run it at its port, and wait until it answers."""
        command = [sys.executable, "-m", "tests.journeys.models", str(self.port), *self._offered]
        ends_with_us = process.before_exec(signal.SIGKILL)
        self._process = subprocess.Popen(command, cwd=ROOT, preexec_fn=ends_with_us)  # noqa: PLW1509 - one prctl
        until(self._answers)

    def _answers(self) -> bool:
        try:
            return httpx.get(f"{self.host}/api/version", trust_env=False).is_success
        except httpx.TransportError:
            return False

    def go_on(self) -> None:
        """Let an answer that holds in its middle (`hold` in a model's name) go on."""
        httpx.post(f"{self.host}/scripted/go-on", trust_env=False).raise_for_status()

    def kill(self) -> None:
        """Be gone, in the middle of whatever it does."""
        if self._process is not None:
            self._process.kill()
            self._process.wait(_STOP_SECONDS)
            self._process = None


class RxChat:
    """`python -m rxchat up` on a data folder and a port of its own."""

    def __init__(self, ollama_host: str = "", **settings: str) -> None:
        """Make the data folder, and know what else is set; nothing runs yet."""
        self.data = Path(tempfile.mkdtemp(prefix="rxchat-journey-"))
        self.data.chmod(0o711)
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.link = ""
        self.extra_origin = settings.get("RXCHAT_EXTRA_ORIGINS", "")
        self._ollama_host = ollama_host
        self._settings = settings
        self._lines: list[str] = []
        self._process: subprocess.Popen[str] | None = None

    def start(self) -> None:
        """Start it, and wait until it says where it is."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("RXCHAT_")}
        for name in ("DATABASE_URL", "DATABASE_OWNER_URL", "REDIS_URL", "OLLAMA_HOSTS"):
            environment.pop(name, None)
        environment |= {"RXCHAT_DATA": str(self.data), "RXCHAT_PORT": str(self.port), "RXCHAT_BCRYPT_ROUNDS": "4"}
        if self._ollama_host:
            # The embedder that comes along takes ten seconds of processor time to be there.
            environment |= {"OLLAMA_HOSTS": self._ollama_host, "RXCHAT_EMBEDDING_MODEL": EMBEDDER}
        environment |= self._settings
        self._lines = []
        STARTS["RxChat"] += 1
        # It ends with the tests, however they end.
        self._process = subprocess.Popen(
            [sys.executable, "-m", "rxchat", "up"],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            preexec_fn=process.before_exec(signal.SIGTERM),  # noqa: PLW1509 - one prctl
        )
        threading.Thread(target=self._listen, args=(self._process,), daemon=True).start()
        until(self._is_up, _START_SECONDS)
        # The link, where there is one, is printed right after the address.
        time.sleep(0.05)
        found = re.search(r"http\S+/setup#token=\S+", self.said())
        self.link = found[0] if found else ""

    def _listen(self, started: subprocess.Popen[str]) -> None:
        assert started.stdout is not None
        with started.stdout as output:
            for line in output:
                self._lines.append(line)

    def _is_up(self) -> bool:
        assert self._process is not None
        assert self._process.poll() is None, self.said()
        return "RxChat is at http" in self.said()

    def said(self) -> str:
        """What it printed since it was started."""
        return "".join(self._lines)

    def web_log(self, characters: int = 6000) -> str:
        """The end of the web process's log."""
        path = self.data / "logs" / "web.log"
        return path.read_text(errors="replace")[-characters:] if path.is_file() else ""

    def stop(self) -> None:
        """Press Ctrl-C, and wait until all of it has ended."""
        if self._process is None:
            return
        self._process.send_signal(signal.SIGINT)
        try:
            assert self._process.wait(_STOP_SECONDS) == 0, self.said()
        finally:
            self._process.kill()
            self._process.wait()
            self._process = None

    def remove(self) -> None:
        """Stop it, and remove what it kept."""
        try:
            self.stop()
        finally:
            postgres = self.data / "postgres"
            if postgres.is_symlink():
                shutil.rmtree(postgres.resolve(), ignore_errors=True)
            shutil.rmtree(self.data, ignore_errors=True)

    def pid_of(self, command: str) -> int:
        """The process id of the supervisor's child whose command line says this."""
        assert self._process is not None
        return next(pid for pid, line in children(self._process.pid).items() if command in line)

    def web_worker(self) -> int:
        """The process id of the worker that serves pages and writes answers."""
        return next(iter(children(self.pid_of("rxchat.server"))))

    def owner_url(self) -> str:
        """The database as its owner reaches it."""
        found = endpoints.read(self.data)
        assert found is not None and found.database_owner_url is not None
        return found.database_owner_url
