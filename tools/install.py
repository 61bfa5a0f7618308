"""Installs locked requirements into the virtual environment that runs this, with one line of progress.

    python tools/install.py requirements.txt [requirements-weights.txt ...]

The locks are complete, so nothing is resolved: a resolver looks at packages that are newer than the lock, and fails
when one of them asks for more than its hashes. uv (pinned in requirements-install.txt) takes seconds where pip takes
minutes; where uv cannot be had, or cannot reach the index that pip is configured for, pip installs the same.
"""

from __future__ import annotations

import ast
import compileall
import os
import subprocess
import sys
import sysconfig
import tempfile
import time
from pathlib import Path
from typing import TextIO

ROOT = Path(__file__).resolve().parents[1]
UV = Path(sys.executable).with_name("uv")
PIP = [
    sys.executable,
    "-m",
    "pip",
    "--disable-pip-version-check",
    "install",
    "--quiet",
    "--no-deps",
    "--require-hashes",
]
_LINE_SECONDS = 10.0
_SHOWN_ERROR_LINES = 15
# What only parsers of documents import. They are processes that may write nowhere, so each would compile it all again.
_PARSERS_PACKAGES = "chardet docx et_xmlfile lxml markdown_it odfdo openpyxl PIL pptx pypdfium2 pypdfium2_raw selectolax striprtf webencodings xlsxwriter"
# pip's settings, and what uv calls them.
_UV_NAMES = {"index-url": "UV_DEFAULT_INDEX", "extra-index-url": "UV_INDEX", "find-links": "UV_FIND_LINKS"}


class InstallFailed(Exception):
    """A command that installs did not succeed; the message is what it printed last."""


def main(locks: list[str]) -> int:
    """Install all the locks; 0 when everything is there."""
    arguments = [part for lock in locks for part in ("-r", str(ROOT / lock))]
    began = time.monotonic()
    try:
        _install(arguments)
    except InstallFailed as error:
        print(f"\nThe packages could not be installed:\n{error}\nCheck the network and try again.", file=sys.stderr)
        return 1
    for package in _PARSERS_PACKAGES.split():
        compileall.compile_dir(Path(sysconfig.get_path("purelib"), package), quiet=2)
    print(f"Installed the packages in {time.monotonic() - began:.0f} s.", flush=True)
    return 0


def _install(arguments: list[str]) -> None:
    try:
        if not UV.exists():
            _run("Installing uv", [*PIP, "-r", str(ROOT / "requirements-install.txt")], os.environ)
        uv = [str(UV), "pip", "install", "--python", sys.executable, "--no-deps", "--require-hashes", *arguments]
        _run("Installing the packages", uv, {**_uv_environment(), **os.environ})
    except InstallFailed as error:
        print(f"uv could not install them ({_last_line(error)}); pip goes on, which takes longer.", flush=True)
        _run("Installing the packages", [*PIP, *arguments], os.environ)


def _run(what: str, command: list[str], environment: object) -> None:
    """Run a command and show how far it is: rewritten in place at a terminal, every few seconds elsewhere.

    Raises:
        InstallFailed: when it does not succeed.
    """
    began = told = time.monotonic()
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=output, env=environment)  # type: ignore[call-overload]
        _show(f"{what} ...", is_new=True)
        while process.poll() is None:
            time.sleep(0.2)
            elapsed = time.monotonic() - began
            if sys.stdout.isatty() or time.monotonic() - told > _LINE_SECONDS:
                told = time.monotonic()
                _show(f"{what}: {elapsed:.0f} s {_newest(output)}")
        if sys.stdout.isatty():
            print(flush=True)
        if process.returncode:
            output.seek(0)
            raise InstallFailed("\n".join(output.read().strip().splitlines()[-_SHOWN_ERROR_LINES:]))


def _show(line: str, *, is_new: bool = False) -> None:
    if sys.stdout.isatty():
        print(("" if is_new else "\r") + f"{line[:78]:<78}", end="", flush=True)
    else:
        print(line, flush=True)


def _newest(output: TextIO) -> str:
    """Return what the installer said last, such as which package has arrived."""
    lines = (
        Path(f"/proc/self/fd/{output.fileno()}").read_text(errors="replace") if Path("/proc/self/fd").is_dir() else ""
    )
    return lines.strip().rpartition("\n")[2].strip()


def _last_line(error: InstallFailed) -> str:
    return (str(error).strip().splitlines() or ["no reason given"])[-1].strip()


def _uv_environment() -> dict[str, str]:
    """Return pip's settings in uv's words: whoever has a mirror of their own has told pip about it."""
    listed = subprocess.run(
        [sys.executable, "-m", "pip", "config", "list"], capture_output=True, text=True, check=False
    ).stdout
    found: dict[str, str] = {}
    for line in listed.splitlines():
        name, separator, value = line.partition("=")
        setting = name.rpartition(".")[2]
        if not separator:
            continue
        text = str(ast.literal_eval(value))
        if setting == "cert":
            found["SSL_CERT_FILE"] = text
        elif (usable := [part for part in text.split() if _is_reachable(part)]) and setting in _UV_NAMES:
            found[_UV_NAMES[setting]] = " ".join(usable)
    if "UV_INDEX" in found:
        # Safe with hashes: the lock says what is right, whichever index has it.
        found["UV_INDEX_STRATEGY"] = "unsafe-best-match"
    return found


def _is_reachable(place: str) -> bool:
    """Whether uv can use it: it fails on folders that are not there, where pip only warns."""
    return place.startswith(("http://", "https://")) or Path(place.removeprefix("file://")).is_dir()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
