"""The cluster under test: Postgres, Valkey, a model daemon, two web processes, two workers, and TCP proxies."""

from __future__ import annotations

import asyncio
import base64
import os
import shutil
import signal
import struct
import subprocess
import sys
import tempfile
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

import httpx

from rxchat.adapters.objects.folder import FolderStore
from rxchat.adapters.objects.s3 import S3Store
from rxchat.connections import Connections
from rxchat.domain.ports import ObjectStore
from rxchat.embedded import data_folder, process, secrets, valkey
from rxchat.embedded.child import Child, SupervisedProcess
from rxchat.embedded.errors import StartFailed
from rxchat.embedded.postgres import Postgres
from tests.faults.line import Line
from tests.peers.swift import SwiftS3
from tests.performance.processes import ROOT, command_of, environment, family
from tests.ports import free_port

ROUND = "scripted:count=1,tokens=200,rate=50"
LONG = "scripted:count=1,tokens=650,rate=50"
ENDLESS = "scripted:count=1,tokens=20000,rate=50"
EMBEDDER = "scripted-embed:tokens=256"
MODELS = (ROUND, LONG, ENDLESS, EMBEDDER)

BUCKET = "faults"
_DISK_MEGABYTES = 400
_START_SECONDS = 90.0
_STOP_SECONDS = 20.0
_STARTS = 3


class Part:
    """A process of the cluster, which can be killed, frozen, thawed, ended and restarted."""

    def __init__(self, child: Child, logs: Path) -> None:
        """`child` is the command to run."""
        self.name = child.name
        self._kept = SupervisedProcess(child, logs, lambda line: None)

    @property
    def pid(self) -> int:
        """Its process ID."""
        assert self._kept.pid is not None, f"{self.name} does not run"
        return self._kept.pid

    @property
    def is_running(self) -> bool:
        """Whether it is running."""
        return self._kept.pid is not None

    def pids(self) -> list[int]:
        """The IDs of the process and its descendants."""
        return family(self.pid)

    async def start(self) -> None:
        """Run it, and wait until it answers; what others are editing may keep it from starting for a moment."""
        for left in reversed(range(_STARTS)):
            try:
                await self._kept.start()
            except StartFailed:
                if not left:
                    raise
                await asyncio.sleep(5)
            else:
                return

    def kill(self) -> None:
        """Send SIGKILL to the process, but not to its descendants."""
        os.kill(self.pid, signal.SIGKILL)

    def freeze(self) -> None:
        """Send SIGSTOP to the process and its descendants."""
        for pid in self.pids():
            _signal(pid, signal.SIGSTOP)

    def thaw(self) -> None:
        """Send SIGCONT to the process and its descendants."""
        for pid in reversed(self.pids()):
            _signal(pid, signal.SIGCONT)

    async def end(self) -> float:
        """Ask the process to end, and return the seconds until it did."""
        loop = asyncio.get_running_loop()
        began = loop.time()
        await self._kept.stop(_STOP_SECONDS)
        return loop.time() - began

    async def again(self) -> None:
        """Start the process after it was killed."""
        await self._kept.stop(_STOP_SECONDS)
        await self.start()


class Cluster:
    """All processes, on free ports and a separate disk."""

    def __init__(self, *, web_workers: int = 2, workers: int = 2, swift: SwiftS3 | None = None) -> None:
        """Configure the cluster; files are in a bucket of `swift` if given, otherwise on the disk."""
        self.swift = swift
        self.data = Path(tempfile.mkdtemp(prefix="rxchat-faults-"))
        self.data.chmod(0o711)
        self.has_own_disk = _mount(self.data)
        self._logs = self.data / "logs"
        self._web_workers = web_workers
        self._names = [f"worker{number}" for number in range(workers)]
        self.lines: dict[str, Line] = {}
        self.workers: list[Part] = []
        self.url = ""

    async def start(self) -> None:
        """Start everything, the servers first."""
        known = secrets.load_or_create(self.data)
        data_folder.create(self.data)
        await self._start_servers(known)
        key, pepper = known.secret_key, known.password_pepper
        self._settings = {"RXCHAT_DATA": str(self.data), "RXCHAT_LOG_FORMAT": "json", "RXCHAT_BCRYPT_ROUNDS": "4"}
        self._settings |= {"RXCHAT_SECRET_KEY": key, "RXCHAT_PASSWORD_PEPPER": pepper}
        self._settings |= {"RXCHAT_DATABASE_POOL_SIZE": "6", "RXCHAT_TOKEN_TIMEOUT_SECONDS": "20"}
        if self.swift is not None:
            self._settings |= {"S3_ENDPOINT": self.swift.endpoint, "S3_BUCKET": BUCKET}
            self._settings |= {"S3_ACCESS_KEY": self.swift.access_key, "S3_SECRET_KEY": self.swift.secret_key}
        self.at = Connections(
            database_url=self.postgres_url,
            database_owner_url=self.owner_url,
            redis_url=self.valkey_url,
            ollama_hosts=(self.model_url,),
            demo_hosts=(),
            secret_key=base64.urlsafe_b64decode(key),
            password_pepper=base64.urlsafe_b64decode(pepper),
        )
        servers = {
            "DATABASE_URL": self.postgres_url,
            "DATABASE_OWNER_URL": self.owner_url,
            "OLLAMA_HOSTS": self.model_url,
            "RXCHAT_EMBEDDING_MODEL": EMBEDDER,
        }
        await _run("migrate", environment(**self._settings, **servers))
        # No test looks at the pages, so any earlier build is sufficient.
        if not (ROOT / ".web" / "build" / "client" / "index.html").is_file():
            await _run("build", environment(**self._settings, **servers))
        self.clock = self.data / "clock"
        self.turn_clock(0)
        port = free_port()
        self.web = Part(await self._web(port), self._logs)
        self.lines["front"] = Line(port)
        await self.lines["front"].open()
        # Readers send the origin that the process accepts as its own.
        self.url = f"http://127.0.0.1:{port}"
        self.workers = [Part(await self._worker(name), self._logs) for name in self._names]
        await asyncio.gather(*(part.start() for part in (self.web, *self.workers)))

    async def _start_servers(self, known: secrets.Secrets) -> None:
        postgres = Postgres(self.data, free_port(), known, process.unprivileged_user(self.data / "postgres"))
        valkey_port, model_port = free_port(), free_port()
        self.postgres_url, self.owner_url = postgres.web_url, postgres.owner_url
        self.postgres_port, self.valkey_port, self.model_port = postgres.port, valkey_port, model_port
        self.valkey_url, self.model_url = (
            valkey.Endpoint(valkey_port, None).url(known),
            f"http://127.0.0.1:{model_port}",
        )
        self.postgres = Part(await postgres.prepare(lambda line: None), self._logs)
        self.valkey = Part(valkey.child(self.data, valkey.Endpoint(valkey_port, None), known), self._logs)
        command = [sys.executable, "-m", "tests.faults.models", str(model_port), *MODELS]
        answers = _answers(f"{self.model_url}/api/version")
        self.model = Part(Child("model", command, healthy=answers, folder=ROOT, env=environment()), self._logs)
        await asyncio.gather(*(part.start() for part in (self.postgres, self.valkey, self.model)))
        await postgres.provision()

    async def _lined(self, name: str) -> dict[str, str]:
        """Return the settings with which a process reaches the servers through its own proxies."""
        ports = {"postgres": self.postgres_port, "valkey": self.valkey_port, "model": self.model_port}
        for server, port in ports.items():
            line = self.lines[f"{name}-{server}"] = Line(port)
            await line.open()
        return {
            "DATABASE_URL": self.lines[f"{name}-postgres"].url(self.postgres_url),
            "REDIS_URL": self.lines[f"{name}-valkey"].url(self.valkey_url),
            "OLLAMA_HOSTS": self.lines[f"{name}-model"].url(self.model_url),
            "RXCHAT_EMBEDDING_MODEL": EMBEDDER,
        }

    async def _web(self, port: int) -> Child:
        settings = self._settings | {"RXCHAT_PORT": str(port)} | await self._lined("web")
        command = [sys.executable, "-m", "rxchat", "web", "--workers", str(self._web_workers)]
        if self._names:
            command.append("--no-engine")
        answers = _answers(f"http://127.0.0.1:{port}/healthz")
        return Child(
            "web",
            command,
            env=environment(**settings),
            healthy=answers,
            folder=ROOT,
            death_signal=signal.SIGTERM,
            start_seconds=_START_SECONDS,
        )

    async def _worker(self, name: str) -> Child:
        clock = {"PYTHONPATH": str(Path(__file__).parent / "clock"), "FAULTS_CLOCK": f"{self.clock}-{name}"}
        command, log = [sys.executable, "-m", "rxchat", "worker"], self._logs / f"{name}.log"
        env = environment(**self._settings, **await self._lined(name), **clock)

        async def healthy() -> None:
            # The worker logs this line once for each start.
            pid = next(part.pid for part in self.workers if part.name == name)
            if f"(process {pid})" not in log.read_text(errors="replace"):
                raise ConnectionError("it has not said that it writes answers")

        return Child(name, command, env=env, healthy=healthy, folder=ROOT, start_seconds=_START_SECONDS)

    def turn_clock(self, *seconds: float) -> None:
        """Shift the workers' wall clocks by these seconds, in order; a single value is for all."""
        for number, name in enumerate(self._names):
            path = Path(f"{self.clock}-{name}")
            ours = path.with_suffix(".new")
            ours.write_bytes(struct.pack("d", seconds[number % len(seconds)]))
            ours.replace(path)

    def web_workers(self) -> list[int]:
        """The IDs of the web worker processes, without their parent."""
        return [pid for pid in self.web.pids()[1:] if "resource_tracker" not in command_of(pid)]

    def busiest(self) -> int:
        """The index of the worker that writes the most answers."""
        return max(range(len(self.workers)), key=lambda number: self.lines[f"worker{number}-model"].busy())

    def lines_of(self, *servers: str, to: Sequence[str] = ()) -> list[Line]:
        """The proxies of these processes (default: all) to these servers."""
        return [
            line
            for name, line in self.lines.items()
            if name.rpartition("-")[2] in servers and (not to or name.rpartition("-")[0] in to)
        ]

    async def is_serving(self) -> None:
        """Wait until the pages are served and all processes are available."""
        await _until_answering(f"{self.url}/readyz")

    def store(self) -> ObjectStore:
        """The object store of its files."""
        if self.swift is None:
            return FolderStore(self.data / "files")
        return S3Store(self.swift.endpoint, BUCKET, self.swift.access_key, self.swift.secret_key)

    def fill_disk(self) -> None:
        """Leave no byte of the disk free."""
        descriptor = os.open(self.data / "filler", os.O_WRONLY | os.O_CREAT)
        try:
            for size in (1 << 20, 1 << 12, 1):
                with suppress(OSError):
                    while True:
                        os.write(descriptor, b"\0" * size)
        finally:
            os.close(descriptor)

    def empty_disk(self) -> None:
        """Give the space back."""
        (self.data / "filler").unlink(missing_ok=True)

    async def close(self) -> None:
        """End all processes and delete their data."""
        parts = [*self.workers, *(getattr(self, name, None) for name in ("web", "model", "valkey", "postgres"))]
        for part in parts:
            if part is not None and part._kept.pid is not None:
                part.thaw()
                await part.end()
        for line in self.lines.values():
            await line.cut()
        home = self.data / "postgres"
        if home.is_symlink():
            shutil.rmtree(home.resolve(), ignore_errors=True)
        if self.has_own_disk:
            subprocess.run(["umount", "-l", str(self.data)], check=False)
        shutil.rmtree(self.data, ignore_errors=True)


@asynccontextmanager
async def opened(*, swift: SwiftS3 | None = None, **size: int) -> AsyncGenerator[Cluster]:
    """Run a cluster while the context is open."""
    cluster = Cluster(swift=swift, **size)
    try:
        await cluster.start()
        yield cluster
    finally:
        await cluster.close()


def _signal(pid: int, number: int) -> None:
    with suppress(ProcessLookupError):
        os.kill(pid, number)


def _mount(folder: Path) -> bool:
    """Mount a small separate disk at the folder; False if that is not allowed."""
    command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MEGABYTES}m,mode=0711", "faults", str(folder)]
    try:
        return subprocess.run(command, capture_output=True, check=False).returncode == 0
    except OSError:
        return False


async def _run(command: str, env: dict[str, str]) -> None:
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rxchat", command), cwd=ROOT, env=env, stdout=asyncio.subprocess.PIPE
    )
    said, _ = await running.communicate()
    assert running.returncode == 0, said.decode()


def _answers(url: str) -> Callable[[], Awaitable[None]]:
    async def healthy() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            try:
                (await client.get(url, timeout=5)).raise_for_status()
            except httpx.HTTPError as error:
                raise ConnectionError(str(error)) from error

    return healthy


async def _until_answering(url: str) -> None:
    asked = _answers(url)
    async with asyncio.timeout(_START_SECONDS):
        while True:
            with suppress(ConnectionError):
                return await asked()
            await asyncio.sleep(0.1)
