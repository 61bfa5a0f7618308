"""The images that the Dockerfile and the compose files name, made here instead of pulled.

Debian's own packages stand in for what the real images hold: Python for python:3.12-slim-bookworm, and Postgres with
pgvector, Valkey and Caddy under their images' names, with the same users, entry points and environment variables.
Ollama is the scripted model host of the tests.
"""

from __future__ import annotations

import re
import shutil
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.containers.engine import ROOT, Engine, run

IMAGES = Path(__file__).with_name("images")
CERTIFICATES = "/etc/ssl/certs:/etc/ssl/certs:ro"
_BOOTSTRAP_SECONDS = 900
_BUILD_SECONDS = 1800
# What the official slim images leave out, too.
_LEFT_OUT = (
    "usr/share/doc",
    "usr/share/man",
    "usr/share/locale",
    "usr/share/info",
    "var/cache/apt",
    "var/lib/apt/lists",
)


def image_names() -> dict[str, str]:
    """Return the images that the files name, by what they are: the files decide, not this test."""
    text = (ROOT / "compose.yaml").read_text()
    named = {
        service: re.search(rf"^  {service}:\n(?:    .*\n)*?    image: (\S+)$", text, re.MULTILINE)
        for service in ("proxy", "postgres", "valkey", "ollama")
    }
    base = re.search(r"^ARG BASE=(\S+)", (ROOT / "Dockerfile").read_text(), re.MULTILINE)
    assert base and all(named.values()), "the files name no images"
    return {"base": _full(base[1]), **{name: _full(found[1]) for name, found in named.items() if found}}


def make_bases(engine: Engine, say: Callable[[str], None]) -> None:
    """Make every image that is not in the store yet."""
    names = image_names()
    if not engine.has_image(names["base"]):
        say(f"debootstrap: {names['base']}")
        _bootstrap(engine, "bookworm", names["base"], ("python3", "python3-venv", "ca-certificates"))
    debian = "localhost/rxchat-test-debian:trixie"
    if not engine.has_image(debian):
        say(f"debootstrap: {debian}")
        _bootstrap(engine, "trixie", debian, ("ca-certificates",))
    for service, base in (
        ("postgres", debian),
        ("valkey", debian),
        ("proxy", names["base"]),
        ("ollama", names["base"]),
    ):
        say(f"stand-in: {names[service]}")
        options = ["--file", str(IMAGES / f"{service}.Containerfile"), "--build-arg", f"BASE={base}"]
        # The machine's certificates are for PyPI; Debian's packages write into that folder when they are installed.
        options += ["--volume", CERTIFICATES] if base == names["base"] else []
        build(engine, names[service], ROOT / "tests", *options)


def build(engine: Engine, tag: str, context: Path, *options: str) -> None:
    """Build an image; steps that were built before are taken from the store."""
    # Podman's own format has no health checks; Docker's has.
    fixed = ("--layers", "--format", "docker", "--network", "host", "--pull-never")
    command = ["nice", "-n", "10", "podman", "build", *fixed, *options, "--tag", tag, str(context)]
    run(command, engine.environment, seconds=_BUILD_SECONDS)


def _bootstrap(engine: Engine, suite: str, tag: str, packages: tuple[str, ...]) -> None:
    """Make a minimal Debian and commit it as an image."""
    folder = Path(tempfile.mkdtemp(prefix="rxchat-debian-", dir=engine.cache))
    try:
        command = ["nice", "-n", "10", "debootstrap", "--variant=minbase", f"--include={','.join(packages)}"]
        run([*command, suite, str(folder)], engine.environment, seconds=_BOOTSTRAP_SECONDS)
        for name in _LEFT_OUT:
            shutil.rmtree(folder / name, ignore_errors=True)
            (folder / name).mkdir(parents=True)
        if (folder / "usr/bin/python3").exists():
            (folder / "usr/bin/python").symlink_to("python3")
        container = run(["buildah", "from", "scratch"], engine.environment, seconds=60).strip()
        run(["buildah", "add", "--quiet", container, str(folder), "/"], engine.environment, seconds=600)
        run(["buildah", "config", "--cmd", "/bin/sh", container], engine.environment, seconds=60)
        run(["buildah", "commit", "--quiet", "--rm", container, tag], engine.environment, seconds=600)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _full(name: str) -> str:
    """Return an image's name with its registry, as Docker completes it."""
    return f"docker.io/{name}" if "/" in name else f"docker.io/library/{name}"
