"""The parts of the interface that live in the browser: JavaScript modules, and the components that Python places."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import reflex as rx


def _linked() -> dict[str, str]:
    names = sorted(path.name for path in Path(__file__).parent.iterdir() if path.suffix in (".js", ".jsx"))
    return {name: rx.asset(name, shared=True).importable_path for name in names}


# On a thread of its own, where the stack is three frames deep: for each asset Reflex looks up the module of every frame
# (inspect.stack), and for the frames of an import in progress that is a walk through all modules. 0.5 s at a start, 15 s
# below pytest.
with ThreadPoolExecutor(1) as _threads:
    _MODULES = _threads.submit(_linked).result()
"""All of them, since they import one another and the build sees only what is linked here."""

ICONS = "lucide-react@1.26.0"


def module(name: str) -> str:
    """The address under which the frontend build finds one of these modules."""
    return _MODULES[name]


class ClientComponent(rx.Component):
    """A React component of RxChat; subclasses name its module, tag and props."""

    lib_dependencies: list[str] = [ICONS]
