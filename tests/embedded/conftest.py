"""Data folders for real servers: below /tmp and open to pass through, as Postgres' own user needs it."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rxchat.embedded import process
from rxchat.embedded.child import Child
from tests.embedded import weights_cache
from tests.embedded.processes import first_json, spawn_supervisor


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


def _data_folder() -> Path:
    folder = Path(tempfile.mkdtemp(prefix="rxchat-test-"))
    folder.chmod(0o711)
    return folder


def _remove(folder: Path) -> None:
    postgres = folder / "postgres"
    if postgres.is_symlink():
        shutil.rmtree(postgres.resolve(), ignore_errors=True)
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture
def data() -> Iterator[Path]:
    """An empty data folder."""
    folder = _data_folder()
    yield folder
    _remove(folder)


@pytest.fixture(scope="session")
def prepared_folder() -> Iterator[Path]:
    """A data folder with a database and weights in it; no supervisor runs on it between tests."""
    folder = _data_folder()
    weights_cache.seed(folder)
    yield folder
    _remove(folder)


@pytest.fixture(scope="session")
def models_url(prepared_folder: Path) -> Iterator[str]:
    """A models server under a supervisor of its own."""
    folder = _data_folder()
    weights_cache.seed(folder)
    supervisor = spawn_supervisor(folder, "models")
    yield first_json(supervisor)["endpoints"]["ollama_hosts"][0]
    supervisor.terminate()
    assert supervisor.wait(6) == 0
    assert supervisor.stdout is not None
    supervisor.stdout.close()
    _remove(folder)


@pytest.fixture
def ollama(models_url: str) -> Iterator[httpx.Client]:
    """A client of the models server."""
    with httpx.Client(base_url=models_url, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture
def sleeper() -> Child:
    """A child that does nothing for a long time."""
    return Child("sleeper", ["sleep", "600"])


@pytest.fixture
def as_root() -> process.RunAs:
    """The user that root's Postgres runs as; skips when the tests do not run as root."""
    user = process.unprivileged_user(Path("/nowhere"))
    if user is None:
        pytest.skip("needs root")
    return user
