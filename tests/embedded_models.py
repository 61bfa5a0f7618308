"""The demo model's host for tests outside tests/embedded, with weights that are prepared once and cached."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rxchat.embedded import endpoints
from tests.embedded import weights_cache

ROOT = Path(__file__).resolve().parents[1]


@dataclass(frozen=True)
class EmbeddedModels:
    """The address of the model host."""

    host: str


@contextmanager
def embedded_models() -> Iterator[EmbeddedModels]:
    """Run the model host under a supervisor while the context is open."""
    data = Path(tempfile.mkdtemp(prefix="rxchat-models-"))
    data.chmod(0o711)
    weights_cache.seed(data)
    environment = {
        **os.environ,
        "RXCHAT_DATA": str(data),
        "DATABASE_URL": "postgresql://unused",
        "REDIS_URL": "redis://unused",
    }
    environment.pop("OLLAMA_HOSTS", None)
    log = data / "servers.log"
    with log.open("wb") as output:
        process = subprocess.Popen(
            [sys.executable, "-m", "rxchat", "servers", "--owner", str(os.getpid())],
            cwd=ROOT,
            env=environment,
            stdout=output,
            stderr=output,
        )
    deadline = time.monotonic() + 90
    while (found := endpoints.read(data)) is None:
        assert process.poll() is None, log.read_text()
        assert time.monotonic() < deadline, log.read_text()
        time.sleep(0.1)
    try:
        yield EmbeddedModels(found.ollama_hosts[0])
    finally:
        process.terminate()
        process.wait(10)
        shutil.rmtree(data, ignore_errors=True)
