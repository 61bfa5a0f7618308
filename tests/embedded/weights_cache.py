"""The converted weights, made once for all test runs and linked into the data folders that need them."""

import fcntl
import os
import shutil
from pathlib import Path

from rxchat.embedded import weights

FOLDER = Path(__file__).parents[2] / ".pytest_cache" / "rxchat-models"


def prepared() -> Path:
    """The folder with both models' weights; the first call converts them (10 CPU seconds)."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    (FOLDER.parent / ".gitignore").write_text("*\n")
    with (FOLDER / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        for item in weights.missing(FOLDER):
            weights.prepare(item, FOLDER, lambda _percent: None)
    return FOLDER


def seed(data: Path) -> None:
    """Give a data folder the converted weights, so that its supervisor need not make them."""
    models = data / "models"
    models.mkdir(parents=True, exist_ok=True)
    for source in prepared().glob("*.gguf"):
        target = models / source.name
        if target.exists():
            continue
        try:
            os.link(source, target)
        except OSError:
            shutil.copy(source, target)
