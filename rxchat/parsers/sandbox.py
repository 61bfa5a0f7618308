"""The sandbox of a parser: the rights that its process gives up before it reads a document.

On Linux: the process dies with its parent, has limits on processor time, memory, open files and written bytes, has no
capabilities and cannot get any, can read only the files of Python (Landlock), and cannot reach the network or other
processes or write files (seccomp). On other systems, only the limits apply.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

from rxchat.parsers import landlock, limits, seccomp

_PR_SET_PDEATHSIG = 1
_PR_SET_DUMPABLE = 4
_PR_SET_NO_NEW_PRIVS = 38
_CAPABILITY_VERSION = 0x20080522
_LIBRARIES = ("/lib", "/lib64", "/usr/lib", "/usr/lib64", "/etc/ld.so.cache")
_PACKAGE = Path(__file__).resolve().parents[1]
_HIGHEST_DESCRIPTOR = 65536

DECISIVE = frozenset({"memory", "cpu", "no new privileges", "landlock", "seccomp"})
"""Without one of these, a document that exploits its parser could do more than waste time."""

_in_force: list[str] = []


@dataclass(frozen=True, slots=True)
class Limits:
    """The limits on the process's resources."""

    cpu_seconds: int = limits.CPU_SECONDS
    memory_bytes: int = limits.MEMORY_BYTES


def barriers() -> tuple[str, ...]:
    """Return the names of the barriers that are active in this process."""
    return tuple(_in_force)


def begin(parent_pid: int, allowance: Limits) -> None:
    """Set the limits, and die with the parent; modules of parsers can still be loaded."""
    libc = _libc()
    if libc is not None and libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) == 0:
        _in_force.append("parent")
    # The parent may have ended before; then the kernel sends no signal.
    if os.getppid() != parent_pid:
        os._exit(1)
    os.closerange(3, _HIGHEST_DESCRIPTOR)
    _limit("cpu", resource.RLIMIT_CPU, allowance.cpu_seconds)
    _limit("memory", resource.RLIMIT_AS, allowance.memory_bytes)
    _limit("written bytes", resource.RLIMIT_FSIZE, 0)
    _limit("core dumps", resource.RLIMIT_CORE, 0)
    _limit("open files", resource.RLIMIT_NOFILE, limits.OPEN_FILES)
    _limit("processes", resource.RLIMIT_NPROC, 0)


def seal() -> None:
    """Give up all other rights; afterwards, the process may read a document."""
    libc = _libc()
    if libc is None:
        return
    libc.prctl(_PR_SET_DUMPABLE, 0, 0, 0, 0)
    if _drop_capabilities(libc):
        _in_force.append("capabilities")
    if libc.prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
        return
    _in_force.append("no new privileges")
    if landlock.restrict(libc, readable()):
        _in_force.append("landlock")
    if seccomp.install(libc):
        _in_force.append("seccomp")


def readable() -> list[Path]:
    """Return the folders of Python's modules and libraries, the only paths that a parser may read."""
    home = _PACKAGE.parent
    modules = [Path(entry).resolve() for entry in sys.path if entry]
    return [_PACKAGE, *(path for path in modules if path != home), *map(Path, _LIBRARIES)]


def _limit(name: str, kind: int, most: int) -> None:
    """Set a limit that cannot be raised again, unless a stricter one exists."""
    _, hard = resource.getrlimit(kind)
    most = most if hard == resource.RLIM_INFINITY else min(most, hard)
    # The hard limit on processor time kills the process a moment later, even if it handles the first signal.
    highest = most + 2 if kind == resource.RLIMIT_CPU and hard == resource.RLIM_INFINITY else most
    try:
        resource.setrlimit(kind, (most, highest))
    except (ValueError, OSError):
        return
    _in_force.append(name)


def _libc() -> ctypes.CDLL | None:
    return ctypes.CDLL(None, use_errno=True) if sys.platform == "linux" else None


def _drop_capabilities(libc: ctypes.CDLL) -> bool:
    """Drop the capabilities of root; does nothing for a process without capabilities."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION, 0)
    nothing = (ctypes.c_uint32 * 6)()
    return libc.capset(header, nothing) == 0
