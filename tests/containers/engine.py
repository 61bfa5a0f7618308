"""Podman with images, containers and networks of its own, so that it touches nothing else on the machine.

Debian's podman, buildah and runc, run as root. Everything is below one folder: RXCHAT_CONTAINERS_CACHE, or
rxchat-containers in the user's cache folder. Stand-ins have the names of the real images, so they must not be among
the machine's own images.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PREFIX = "rxchat-test"
NEEDED = ("podman", "buildah", "runc", "debootstrap")
_HEALTH_SECONDS = 2.0
# Podman 4.3 fails to start a container whose dependency has one of its own; podman-compose waits for conditions anyway.
_WITHOUT_REQUIRES = """#!/bin/bash
arguments=()
for argument; do [[ $argument == --requires=* ]] || arguments+=("$argument"); done
exec /usr/bin/podman "${arguments[@]}"
"""


class Failed(Exception):
    """A command or an expectation failed; the message says which one and what it printed."""


def cache_folder() -> Path:
    """Return the folder that holds the base images and everything that was built."""
    named = os.environ.get("RXCHAT_CONTAINERS_CACHE")
    base = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(named) if named else base / "rxchat-containers"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


class Engine:
    """One store of images and containers, and the commands over it."""

    def __init__(self, cache: Path) -> None:
        self.cache = cache
        self.environment = {**os.environ, **_configured(cache)}

    def podman(self, *arguments: str, seconds: float = 120, check: bool = True, **more: Any) -> str:
        """Run podman and return what it printed."""
        return run(["podman", *arguments], self.environment, seconds=seconds, check=check, **more)

    def inspect(self, name: str) -> dict[str, Any]:
        """Return what podman knows about a container or an image."""
        return json.loads(self.podman("inspect", name))[0]

    def has_image(self, name: str) -> bool:
        """Whether an image of this name is in the store."""
        return bool(self.podman("images", "--quiet", "--filter", f"reference={name}").strip())

    def containers(self) -> list[str]:
        """Return the names of all containers that the test started."""
        names = self.podman("ps", "--all", "--format", "{{.Names}}").split()
        return [name for name in names if name.startswith(PREFIX)]

    def kill_process(self, name: str) -> None:
        """Kill a container's main process, as the kernel does when memory runs out; podman then restarts it."""
        os.kill(int(self.inspect(name)["State"]["Pid"]), 9)

    def remove_everything(self) -> None:
        """Remove the containers, volumes and networks that the test started; images stay for the next run.

        Volumes without a name are all removed: the store is the test's own.
        """
        if names := self.containers():
            self.podman("rm", "--force", "--time", "2", *names, check=False)
        # podman-compose puts a stack's containers into a pod.
        pods = self.podman("pod", "ls", "--format", "{{.Name}}").split()
        for pod in (name for name in pods if PREFIX in name):
            self.podman("pod", "rm", "--force", "--time", "2", pod, check=False)
        kinds = {kind: self.podman(kind, "ls", "--quiet").split() for kind in ("volume", "network")}
        for kind, names in kinds.items():
            for name in names:
                if name.startswith(PREFIX):
                    self.podman(kind, "rm", "--force", name, check=False)
        self.podman("volume", "prune", "--force", check=False)

    @contextmanager
    def health_checks(self) -> Iterator[None]:
        """Run the containers' health checks, which podman leaves to systemd's timers."""
        stopping = threading.Event()
        thread = threading.Thread(target=self._check_health, args=(stopping,), daemon=True)
        thread.start()
        try:
            yield
        finally:
            stopping.set()
            thread.join(timeout=60)

    def _check_health(self, stopping: threading.Event) -> None:
        while not stopping.wait(_HEALTH_SECONDS):
            for name in self.podman("ps", "--format", "{{.Names}}", check=False).split():
                if name.startswith(PREFIX) and not stopping.is_set():
                    self.podman("healthcheck", "run", name, seconds=30, check=False)


def run(
    command: list[str],
    environment: Mapping[str, str],
    *,
    seconds: float,
    check: bool = True,
    stdin: Any = None,
    stdout: Any = subprocess.PIPE,
    cwd: Path | None = None,
) -> str:
    """Run a command for at most so many seconds and return its output.

    Raises:
        Failed: it took longer, or its exit code is not 0 (unless `check` is off).
    """
    shown = " ".join(command[:6])
    try:
        done = subprocess.run(
            command, env=environment, stdin=stdin or subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE,
            timeout=seconds, check=False, cwd=cwd,
        )  # fmt: skip
    except subprocess.TimeoutExpired as error:
        raise Failed(f"{shown} ... did not end within {seconds:.0f} s") from error
    printed = (done.stdout or b"").decode(errors="replace")
    if check and done.returncode:
        said = (printed + done.stderr.decode(errors="replace")).strip().splitlines()[-30:]
        raise Failed(f"{shown} ... ended with {done.returncode}:\n  " + "\n  ".join(said))
    return printed


def until(what: str, is_true: Callable[[], object], seconds: float, every: float = 0.3) -> float:
    """Wait until something is true and return how many seconds it took.

    Raises:
        Failed: it did not become true in time.
    """
    began = time.monotonic()
    while True:
        if is_true():
            return time.monotonic() - began
        if time.monotonic() - began > seconds:
            raise Failed(f"{what}: not within {seconds:.0f} s")
        time.sleep(every)


def missing_programs() -> list[str]:
    """Return which of the programs that the test needs are not installed."""
    path = os.pathsep.join((os.environ.get("PATH", ""), "/usr/sbin", "/sbin"))
    return [name for name in NEEDED if shutil.which(name, path=path) is None]


def tool(name: str) -> str:
    """Return the path of a program of the virtual environment."""
    return str(Path(sys.executable).with_name(name))


def _configured(cache: Path) -> dict[str, str]:
    """Write podman's settings and return the environment that names them.

    crun fails where cgroups are of both versions, and the default limits are more than a container may raise.
    """
    settings = cache / "settings"
    settings.mkdir(exist_ok=True)
    (settings / "containers.conf").write_text(
        "[containers]\n"
        'default_ulimits = ["nofile=16384:16384", "nproc=4096:4096"]\n'
        "[engine]\n"
        'cgroup_manager = "cgroupfs"\nruntime = "runc"\nevents_logger = "file"\n'
        "[network]\n"
        f'network_config_dir = "{cache / "networks"}"\n'
    )
    (settings / "storage.conf").write_text(
        f'[storage]\ndriver = "overlay"\ngraphroot = "{cache / "storage"}"\nrunroot = "/run/{PREFIX}"\n'
    )
    (settings / "registries.conf").write_text(
        'unqualified-search-registries = ["docker.io"]\nshort-name-mode = "permissive"\n'
    )
    (settings / "bin").mkdir(exist_ok=True)
    (settings / "bin" / "podman").write_text(_WITHOUT_REQUIRES)
    (settings / "bin" / "podman").chmod(0o755)
    return {
        "CONTAINERS_CONF": str(settings / "containers.conf"),
        "CONTAINERS_STORAGE_CONF": str(settings / "storage.conf"),
        "CONTAINERS_REGISTRIES_CONF": str(settings / "registries.conf"),
        "PATH": os.pathsep.join((str(settings / "bin"), os.environ.get("PATH", ""), "/usr/sbin", "/sbin")),
    }
