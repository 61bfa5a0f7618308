"""The barriers around a parser, tried out one by one in processes that stand behind them."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from rxchat.parsers import sandbox

ROOT = Path(__file__).resolve().parents[2]
PREPARE = """
import ctypes, os, signal, socket, sys, threading, time
sys.path.insert(0, sys.argv[1])
from rxchat.parsers import sandbox
sandbox.begin(int(sys.argv[2]), sandbox.Limits(cpu_seconds=1, memory_bytes=1_500_000_000))
sandbox.seal()
"""


def behind_barriers(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-I", "-c", PREPARE + textwrap.dedent(code), str(ROOT), str(os.getpid())],
        capture_output=True,
        text=True,
        timeout=20,
        check=False,
        cwd="/",
    )


pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="elsewhere there are limits only")


def test_all_barriers_are_in_force_on_this_machine() -> None:
    names = set(behind_barriers("print(*sandbox.barriers(), sep='\\n')").stdout.splitlines())
    always = {"parent", "cpu", "memory", "written bytes", "core dumps", "open files", "processes", "capabilities"}
    assert names >= always | {"no new privileges", "seccomp"}
    assert names <= always | {"no new privileges", "seccomp", "landlock"}


def test_none_are_in_force_here() -> None:
    assert sandbox.barriers() == ()


@pytest.mark.parametrize(
    "attempt",
    [
        "socket.socket()",
        "__import__('fcntl').fcntl(0, 8, int(sys.argv[2]))",
        "__import__('fcntl').fcntl(0, 10, 9)",
        "__import__('fcntl').fcntl(0, 15, b'\\0' * 8)",
        "__import__('fcntl').fcntl(0, 1024, 0)",
        "__import__('fcntl').fcntl(0, 1026, 1)",
        "__import__('fcntl').fcntl(0, 4, 0o20000)",
        "__import__('fcntl').ioctl(0, 0x5452, b'\\1\\0\\0\\0')",
        "__import__('fcntl').ioctl(0, 0x8901, b'\\1\\0\\0\\0')",
        "__import__('fcntl').ioctl(0, 0x8902, b'\\1\\0\\0\\0')",
        "os.sched_setparam(int(sys.argv[2]), os.sched_param(0))",
        "socket.socketpair()",
        "socket.create_connection(('127.0.0.1', 80))",
        "os.fork()",
        "os.posix_spawn('/bin/true', ['true'], {})",
        "os.execv('/bin/true', ['true'])",
        "open('/tmp/rxchat-should-not-be', 'w')",
        "os.open('/dev/null', os.O_RDWR)",
        "os.open('/tmp', os.O_TMPFILE | os.O_RDWR)",
        "os.kill(int(sys.argv[2]), 0)",
        "os.kill(os.getpid(), 9)",
        "os.mkdir('/tmp/rxchat-should-not-be')",
        "os.unlink('/tmp/nothing')",
        "os.rename('/tmp/nothing', '/tmp/something')",
        "os.symlink('/etc/passwd', '/tmp/rxchat-should-not-be')",
        "os.chmod('/', 0o777)",
        "os.memfd_create('m')",
        "os.setuid(0)",
        "os.setsid()",
        "__import__('resource').setrlimit(__import__('resource').RLIMIT_CPU, (99, 99))",
        "__import__('resource').prlimit(0, __import__('resource').RLIMIT_CPU, (99, 99))",
        "os.pidfd_open(int(sys.argv[2]))",
    ],
)
def test_it_is_refused(attempt: str) -> None:
    ended = behind_barriers(
        f"""
        try:
            {attempt}
        except OSError as error:
            print(error.errno)
        except ValueError as error:
            print(1 if "not allowed to raise" in str(error) else error)
        """
    )
    assert ended.returncode == 0, ended.stderr
    assert ended.stdout in {"1\n", "38\n"}, ended.stdout


# All calls for semaphores, messages, shared memory and message queues of other processes: 29 to 31, 64 to 71, 220, 240 to 245.
_SHARED = [(number, 0, 0, 0, 0) for number in (29, 30, 31, *range(64, 72), 220, *range(240, 246))]


@pytest.mark.parametrize(
    "call",
    [(101, 16, 1, 0, 0), (157, 1, 0, 0, 0), (165, 0, 0, 0, 0), (425, 1, 0, 0, 0), *_SHARED],
    ids=lambda call: call[0],
)
@pytest.mark.skipif(os.uname().machine != "x86_64", reason="the numbers are of this architecture")
def test_a_raw_call_is_refused(call: tuple[int, ...]) -> None:
    ended = behind_barriers(
        f"""
        libc = ctypes.CDLL(None, use_errno=True)
        print(libc.syscall(*{call}), ctypes.get_errno())
        """
    )
    assert ended.stdout in {"-1 1\n", "-1 38\n"}, (ended.stdout, ended.stderr)


def test_a_thread_can_be_made_where_the_user_may_have_more() -> None:
    ended = behind_barriers(
        """
        try:
            thread = threading.Thread(target=print, args=("ran",)); thread.start(); thread.join()
        except RuntimeError as error:
            print(error)
        """
    )
    assert ended.stdout in {"ran\n", "can't start new thread\n"}


@pytest.mark.parametrize("path", ["/etc/passwd", "/proc/self/environ", str(ROOT / "pyproject.toml"), "/proc/1/status"])
def test_files_of_others_cannot_be_read(path: str) -> None:
    if "landlock" not in behind_barriers("print(*sandbox.barriers())").stdout:
        pytest.skip("this kernel has no Landlock")
    ended = behind_barriers(f"open({path!r})")
    assert "PermissionError" in ended.stderr


def test_what_python_needs_can_be_read() -> None:
    ended = behind_barriers("import json.tool, lxml.etree, rxchat.parsers.pdf; print('fine')")
    assert ended.stdout == "fine\n", ended.stderr


def test_a_limit_ends_endless_work() -> None:
    assert behind_barriers("while True: pass").returncode == -24


def test_more_memory_than_allowed_is_refused() -> None:
    ended = behind_barriers("bytes(4_000_000_000)")
    assert "MemoryError" in ended.stderr


def test_files_that_were_open_are_closed() -> None:
    reading, writing = os.pipe()
    os.set_inheritable(writing, True)
    try:
        ended = subprocess.run(
            [sys.executable, "-I", "-c", PREPARE + f"os.write({writing}, b'x')", str(ROOT), str(os.getpid())],
            capture_output=True,
            text=True,
            close_fds=False,
            check=False,
        )
    finally:
        os.close(reading)
        os.close(writing)
    assert "Bad file descriptor" in ended.stderr


def test_who_has_lost_its_parent_ends_at_once() -> None:
    ended = subprocess.run(
        [sys.executable, "-I", "-c", PREPARE + "print('alive')", str(ROOT), "1"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (ended.returncode, ended.stdout) == (1, "")
