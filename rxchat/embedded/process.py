"""What the operating system gives for looking after processes: death signals, exits, ports, another user."""

from __future__ import annotations

import asyncio
import ctypes
import multiprocessing
import os
import pwd
import random
import socket
import stat
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rxchat.embedded.errors import EmbeddedError

_PR_SET_PDEATHSIG = 1
# Looked up here and not in the forked child, where loading a library could wait for a lock for ever.
_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None

# Below the range that Linux gives to outgoing connections, so that a server that is down for
# a moment finds its port free when it comes back.
_PORTS = range(20000, 32000)


def die_with_parent(signal_number: int, parent_pid: int | None = None) -> None:
    """Have the kernel send this process a signal when the thread that forked it ends (Linux; elsewhere nothing).

    A worker below a supervised process calls this for itself. `parent_pid` says who the parent should be; without it,
    it is the one that multiprocessing knows, if any.
    """
    if _prctl is None:
        return
    _prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if parent_pid is None:
        parent = multiprocessing.parent_process()
        parent_pid = parent.pid if parent else None
    # The parent may have died before prctl took effect; then nobody would send the signal any more.
    if parent_pid is not None and os.getppid() != parent_pid:
        os.kill(os.getpid(), signal_number)


def before_exec(death_signal: int) -> Callable[[], None]:
    """What a child does between fork and exec so that it never outlives the process that calls this."""
    parent_pid = os.getpid()
    return lambda: die_with_parent(death_signal, parent_pid)


async def exited(pid: int) -> None:
    """Wait until a process that need not be our child is gone."""
    try:
        descriptor = os.pidfd_open(pid)
    except ProcessLookupError:
        return
    except (AttributeError, OSError):
        await _poll_until_gone(pid)
        return
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    loop.add_reader(descriptor, gone.set)
    try:
        await gone.wait()
    finally:
        loop.remove_reader(descriptor)
        os.close(descriptor)


async def _poll_until_gone(pid: int) -> None:
    """Wait for an exit where the system has no pidfd."""
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        except PermissionError:
            pass
        await asyncio.sleep(0.2)


def free_port(preferred: int | None = None) -> int:
    """A port of 127.0.0.1 that nobody listens on: the preferred one where possible."""
    choices = [preferred] if preferred else []
    choices += random.sample(_PORTS, 50)
    for port in choices:
        if is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass(frozen=True, slots=True)
class RunAs:
    """The user that a child becomes before it starts."""

    name: str
    uid: int
    gid: int

    def can_reach(self, path: Path) -> bool:
        """Whether this user may pass through every folder above the path and use the path itself."""
        for folder in (*reversed(path.parents), path):
            try:
                about = folder.stat()
            except FileNotFoundError:
                return True
            if self.uid == about.st_uid:
                allowed = about.st_mode & stat.S_IXUSR
            elif self.gid == about.st_gid:
                allowed = about.st_mode & stat.S_IXGRP
            else:
                allowed = about.st_mode & stat.S_IXOTH
            if not allowed:
                return False
        return True


# The first that this machine has; `nobody` is the last resort, since other programs' processes may be its, too.
_UNPRIVILEGED = ("rxchat", "postgres", "nobody")


def unprivileged_user(home: Path) -> RunAs | None:
    """Who Postgres runs as: ourselves (None), or when we are root, which it refuses, the owner of its files in `home`.

    Where there are none yet, a user of its own if this machine has one.
    """
    if os.geteuid() != 0:
        return None
    with suppress(FileNotFoundError, KeyError):
        owner = home.stat().st_uid
        if owner != 0:
            return _run_as(pwd.getpwuid(owner))
    for name in _UNPRIVILEGED:
        with suppress(KeyError):
            return _run_as(pwd.getpwnam(name))
    raise EmbeddedError("This machine has no user “nobody”. Start RxChat as a user that is not root.")


def _run_as(user: pwd.struct_passwd) -> RunAs:
    return RunAs(user.pw_name, user.pw_uid, user.pw_gid)


def become(user: RunAs | None) -> dict[str, Any]:
    """The arguments that have `subprocess` run a command as a user."""
    if user is None:
        return {}
    return {"user": user.uid, "group": user.gid, "extra_groups": []}


def works_in(pid: int, folder: Path) -> bool:
    """Whether a live process has the folder as its working directory (Linux; elsewhere it is taken to be so)."""
    link = Path(f"/proc/{pid}/cwd")
    return link.resolve() == folder if sys.platform == "linux" else True
