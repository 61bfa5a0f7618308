"""The table that the test prints: the image by layer, how long things took, and what each container needs."""

from __future__ import annotations

import json

from tests.containers.engine import Engine
from tests.containers.stack import Stack

_MEGABYTE = 1_000_000
_SHOWN_MEGABYTES = 1
_WORDS = 70
_FOLDERS = (
    "du -sm /app/.venv/share/rxchat /app/.venv/lib/python3*/site-packages/* /app/.web /app/rxchat | sort -rn | head -12"
)


def image_rows(engine: Engine, image: str) -> list[tuple[str, str]]:
    """Return the image's size, its layers' and what its largest folders hold."""
    rows = [("image: all of it", _size(engine.inspect(image)["Size"]))]
    history = json.loads(engine.podman("history", "--format", "json", image))
    for layer in history:
        if layer["size"] >= _SHOWN_MEGABYTES * _MEGABYTE:
            created = " ".join(layer.get("CreatedBy", "").replace("/bin/sh -c", "").split())
            rows.append((f"layer: {created[:_WORDS] or 'base'}", _size(layer["size"])))
    printed = engine.podman("run", "--rm", "--name", "rxchat-test-du", image, "sh", "-c", _FOLDERS)
    for line in printed.splitlines():
        megabytes, _, folder = line.partition("\t")
        rows.append((f"  {folder.replace('/app/.venv/lib/', '')}", f"{megabytes} MB"))
    return rows


def memory_rows(engine: Engine, stack: Stack) -> list[tuple[str, str]]:
    """Return what each container of the stack uses, and what it may use."""
    shown = engine.podman("stats", "--no-stream", "--format", "{{.Name}}\t{{.MemUsage}}")
    lines = [line.partition("\t")[::2] for line in shown.splitlines()]
    return [
        (f"memory: {name}", used)
        for name, used in sorted(lines)
        if name.startswith(stack.project) and not used.startswith("0B")
    ]


def table(rows: list[tuple[str, str]]) -> str:
    """Return rows as a table in Markdown."""
    return "\n".join(["| what | result |", "|---|---|", *(f"| {what} | {result} |" for what, result in rows)])


def _size(size: int) -> str:
    return f"{size / _MEGABYTE:,.0f} MB"
