"""The compose stack in a folder of its own, with the .env that `python -m rxchat secrets` prints."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import httpx

from tests.containers.engine import PREFIX, ROOT, Engine, run, tool, until
from tests.ports import free_port

START_SECONDS = 240.0
PROJECT = f"{PREFIX}-stack"
# A network that no stack of this machine has by default.
EDGE = "172.30.84"


class Stack:
    """What `docker compose` would run, with podman-compose."""

    def __init__(self, engine: Engine, folder: Path, image: str) -> None:
        self.engine = engine
        self.folder = folder
        self.files = ["compose.yaml"]
        self.project = PROJECT
        self.port = free_port()
        self.url = f"http://localhost:{self.port}"
        for name in ("compose.yaml", "compose.scale.yaml"):
            shutil.copy(ROOT / name, folder / name)
        shutil.copytree(ROOT / "docker", folder / "docker")
        printed = engine.podman(
            "run", "--rm", "--name", f"{PREFIX}-secrets", image, "python", "-m", "rxchat", "secrets"
        )
        self._settings = dict(re.findall(r"^([A-Z0-9_]+)=(.*)$", printed, re.MULTILINE)) | {
            "RXCHAT_IMAGE": image,
            "RXCHAT_PUBLIC_URL": self.url,
            "RXCHAT_HTTP_PORT": f"127.0.0.1:{self.port}",
            "RXCHAT_HTTPS_PORT": f"127.0.0.1:{free_port()}",
            "RXCHAT_EDGE_NETWORK": EDGE,
        }
        self._write_settings()

    def use_image(self, image: str) -> None:
        """Name another image in .env, as an upgrade does."""
        self._settings["RXCHAT_IMAGE"] = image
        self._write_settings()

    def setting(self, name: str) -> str:
        """Return a line of .env."""
        return self._settings[name]

    def compose(self, *arguments: str, seconds: float = 300, check: bool = True, **more: Any) -> str:
        """Run podman-compose with the files and the profile that the stack uses."""
        named = [part for name in self.files for part in ("-f", name)]
        fixed = [tool("podman-compose"), "--no-ansi", "-p", PROJECT, *named, "--profile", "ollama"]
        return run([*fixed, *arguments], self.engine.environment, seconds=seconds, check=check, cwd=self.folder, **more)

    def up(self, *arguments: str) -> float:
        """Start what is not running and return how many seconds it took until requests are answered.

        Podman before 4.6 has no waiting for health, so Postgres and Valkey are started first here.
        """
        self.compose("up", "-d", "--no-build", "postgres", "valkey", "ollama")
        until("Postgres is healthy", self.is_database_ready, START_SECONDS)
        self.compose("up", "-d", "--no-build", *arguments)
        return until("the stack answers", self.is_ready, START_SECONDS)

    def down(self, *arguments: str) -> None:
        """Stop and remove the containers."""
        self.compose("down", *arguments)

    def is_ready(self) -> bool:
        """Whether a web process answers through the proxy and has all that it needs."""
        try:
            return httpx.get(f"{self.url}/readyz", timeout=5, trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def is_database_ready(self) -> bool:
        """Whether Postgres takes connections over the network."""
        (name,) = self.names("postgres") or ("",)
        if not name:
            return False
        command = ("exec", name, "pg_isready", "-h", "127.0.0.1", "-U", "rxchat_web", "-d", "rxchat")
        return "accepting connections" in self.engine.podman(*command, check=False)

    def names(self, service: str, *, only_running: bool = True) -> list[str]:
        """Return the names of a service's containers."""
        labels = (f"com.docker.compose.project={PROJECT}", f"com.docker.compose.service={service}")
        filters = [part for label in labels for part in ("--filter", f"label={label}")]
        every = [] if only_running else ["--all"]
        return sorted(self.engine.podman("ps", *every, *filters, "--format", "{{.Names}}").split())

    def name(self, service: str) -> str:
        """Return the name of a service's first container."""
        return self.names(service)[0]

    def setup_link(self) -> str:
        """Return the link that creates the first administrator, printed as docs/operations.md says."""
        printed = self.compose("exec", "-T", "web", "python", "-m", "rxchat", "setup-link")
        return next(line for line in printed.split() if "/setup#token=" in line)

    def sql(self, service: str, statement: str) -> str:
        """Run a statement as Postgres' superuser and return its first value."""
        socket_folder = "/tmp" if service == "standby" else "/var/run/postgresql"
        command = ("psql", "-h", socket_folder, "-U", "postgres", "-d", "rxchat", "-Atc", statement)
        # While it starts it answers nothing, which is no value of any statement here.
        return self.engine.podman("exec", self.name(service), *command, check=service != "standby").strip()

    def _write_settings(self) -> None:
        lines = (f"{name}={value}\n" for name, value in self._settings.items())
        (self.folder / ".env").write_text("".join(lines))
