"""Variables of a state that change only when their values do."""

from __future__ import annotations

from typing import Any

import reflex as rx


def set_changed(state: rx.State, **values: Any) -> None:
    """Set those variables whose values differ: Reflex sends each variable that was set, changed or not."""
    for name, value in values.items():
        if getattr(state, name) != value:
            setattr(state, name, value)
