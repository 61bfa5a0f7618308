"""Checks of the Dockerfile and the compose files by the tools that their users run."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from tests.containers.engine import ROOT, run, tool

_SECONDS = 60.0
COMPOSE_FILES = (("compose.yaml",), ("compose.yaml", "compose.scale.yaml"))


def lint_dockerfile() -> str:
    """Check the Dockerfile with hadolint."""
    return run([tool("hadolint"), "--no-color", "Dockerfile"], os.environ, seconds=_SECONDS, cwd=ROOT)


def composed(files: tuple[str, ...]) -> str:
    """Return what the files come to, with every profile on, as podman-compose reads them."""
    with tempfile.TemporaryDirectory() as folder:
        settings = Path(folder) / ".env"
        settings.write_text(run([tool("python"), "-m", "rxchat", "secrets"], os.environ, seconds=_SECONDS, cwd=ROOT))
        named = [part for name in files for part in ("-f", str(ROOT / name))]
        profiles = [part for name in ("ollama", "minio") for part in ("--profile", name)]
        command = [tool("podman-compose"), "--env-file", str(settings), *named, *profiles, "config"]
        return run(command, os.environ, seconds=_SECONDS, cwd=ROOT)


def lint_all() -> str:
    """Check everything."""
    lint_dockerfile()
    for files in COMPOSE_FILES:
        composed(files)
    return "hadolint; podman-compose config"
