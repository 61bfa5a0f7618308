"""Checks of the Dockerfile and the compose files by the tools that their users run."""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

import yaml
from compose_spec import PyCompose

from tests.containers.engine import ROOT, run, tool

_SECONDS = 60.0
_NESTED = 3
_VARIABLE = re.compile(r"\$\{\w+:[-?]([^{}]*)\}")
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


def parse_by_the_specification(name: str) -> int:
    """Parse a file as strictly as Docker's compose does and return how many services it has.

    Raises:
        ValueError: a key that the Compose Specification does not have, or a value that it does not allow.
    """
    # The parser knows neither merges (<<) nor variables: the first are done, the second have their defaults.
    loaded = yaml.safe_load((ROOT / name).read_text())
    text = yaml.safe_dump({key: value for key, value in loaded.items() if not key.startswith("x-")})
    for _ in range(_NESTED):
        text = _VARIABLE.sub(lambda found: found[1] or "x", text)
    return len(PyCompose.from_yaml(text))


def lint_all() -> str:
    """Check everything."""
    lint_dockerfile()
    for files in COMPOSE_FILES:
        composed(files)
    for name in COMPOSE_FILES[-1]:
        parse_by_the_specification(name)
    return "hadolint; podman-compose config; the Compose Specification"
