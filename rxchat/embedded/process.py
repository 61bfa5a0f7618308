"""Functions of the operating system for child processes: death signals, exits, ports, users."""

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
# Loaded here and not in the forked child, where loading a library could wait forever for a lock.
_prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform == "linux" else None

# Below the range that Linux uses for outgoing connections, so that a server that restarts finds its port
# free.
_PORTS = range(20000, 32000)


def die_with_parent(signal_number: int, parent_pid: int | None = None) -> None:
    """Have the kernel signal this process when the thread that forked it ends (Linux only).

    Workers of a supervised process call this. `parent_pid` is the expected parent; default: the one that
    multiprocessing knows, if any.
    """
    if _prctl is None:
        return
    _prctl(_PR_SET_PDEATHSIG, signal_number, 0, 0, 0)
    if parent_pid is None:
        parent = multiprocessing.parent_process()
        parent_pid = parent.pid if parent else None
    # The parent may have died before prctl took effect; then the kernel sends no signal.
    if parent_pid is not None and os.getppid() != parent_pid:
        os.kill(os.getpid(), signal_number)


def before_exec(death_signal: int) -> Callable[[], None]:
    """Return the function that a child calls between fork and exec, so that it never outlives this process."""
    parent_pid = os.getpid()
    return lambda: die_with_parent(death_signal, parent_pid)


async def exited(pid: int) -> None:
    """Wait until a process, not necessarily a child, has ended."""
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
    """Wait for the end of a process on systems without pidfd."""
    while True:
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return
        except PermissionError:
            pass
        await asyncio.sleep(0.2)


def free_port(preferred: int | None = None) -> int:
    """Return a free port of 127.0.0.1: the preferred one if possible."""
    choices = [preferred] if preferred else []
    choices += random.sample(_PORTS, 50)
    for port in choices:
        if is_free(port):
            return port
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def is_free(port: int) -> bool:
    """Whether a server can listen on the port now."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


@dataclass(frozen=True, slots=True)
class RunAs:
    """The user that runs a child."""

    name: str
    uid: int
    gid: int

    def can_reach(self, path: Path) -> bool:
        """Whether this user may enter every folder above the path and read the path itself."""
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


# The first one that exists on this machine runs Postgres; other programs may use the last one, too.
_UNPRIVILEGED = ("rxchat", "postgres", "nobody")


def unprivileged_user(home: Path) -> RunAs | None:
    """Return the user that runs Postgres: None for the current one, unless that is root, which Postgres refuses.

    For root, the owner of the files in `home`; if there are none yet, the first of `_UNPRIVILEGED` that exists.
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
    """Return the arguments with which `subprocess` runs a command as a user."""
    if user is None:
        return {}
    return {"user": user.uid, "group": user.gid, "extra_groups": []}


def works_in(pid: int, folder: Path) -> bool:
    """Whether a process runs with this working directory (Linux; True on other systems)."""
    link = Path(f"/proc/{pid}/cwd")
    return link.resolve() == folder if sys.platform == "linux" else True
