"""Rows that are picked for an action on all of them: with the mouse, as ranges with Shift, and with the keyboard."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.ui.kit.client_values import ClientValue, in_sequence, js_function

_pick = js_function("pick", "picking.js")
_pick_all = js_function("pickAll", "picking.js")
all_in = js_function("allIn", "picking.js")
"""Call it with two lists: whether the first one has something, and all of it is in the second one."""


class Picking:
    """The rows of one list that are picked, by their IDs."""

    def __init__(self, name: str) -> None:
        """Create it with an identifier that is unique among all pages."""
        self._name = name
        self.picked: ClientValue[list[str]] = ClientValue(name, [], list[str])
        self.clear = self.picked.assign([])
        """The call that picks nothing, for `in_sequence`."""
        self.all = in_sequence(_pick_all.call(name))
        """A trigger that picks all rows that are shown, or none if they are picked."""

    @property
    def count(self) -> rx.Var[int]:
        """How many are picked."""
        return self.picked.value.length()

    def list_attributes(self) -> dict[str, str]:
        """Return the attributes of the element around the rows."""
        return {"data-picking": self._name}

    def box(self, identifier: Any, label: Any, *, is_picked: Any = None) -> rx.Component:
        """The checkbox of a row.

        Args:
            identifier: The row's ID.
            label: Its name for screen readers; "" if the element around the box names it.
            is_picked: Whether it is picked, if the row is drawn again only when that changes.
        """
        checked = self.picked.value.contains(identifier) if is_picked is None else is_picked
        return rx.el.input(
            type="checkbox",
            checked=checked,
            on_change=in_sequence(_pick.call(self._name, identifier)),
            class_name="pick-box",
            custom_attrs={"data-picks": identifier} | ({"aria-label": label} if label != "" else {}),
        )
