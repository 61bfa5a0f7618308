"""The parts of the interface that live in the browser: JavaScript modules, and the components that Python places."""

from __future__ import annotations

from pathlib import Path

import reflex as rx

_MODULES = {
    path.name: rx.asset(path.name, shared=True).importable_path
    for path in sorted(Path(__file__).parent.iterdir())
    if path.suffix in (".js", ".jsx")
}
"""All of them, since they import one another and the build sees only what is linked here."""

ICONS = "lucide-react@1.26.0"


def module(name: str) -> str:
    """The address under which the frontend build finds one of these modules."""
    return _MODULES[name]


class ClientComponent(rx.Component):
    """A React component of ours; subclasses name its module, its tag and its props."""

    lib_dependencies: list[str] = [ICONS]
