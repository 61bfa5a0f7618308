"""The content of a dialog that shares a thing: with a user, a group or everyone, to use it or to change it, too."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import at_most, icon, quiet_button
from rxchat.ui.kit.forms import form_problem, select

_ACTIONS = (("read", "may use it"), ("write", "may change it"))


class Sharing:
    """The lines of one page's dialog; its forms have the thing's `id`, and the `dialog`'s number."""

    def __init__(self, dialogs: Dialogs, resource_id: Any, on_share: Any, on_unshare: Any) -> None:
        """Name the handlers: for a form with `kind`, `principal` and `action`, and for one with the ID of a `share`."""
        self._dialogs, self._id = dialogs, resource_id
        self._on_share, self._on_unshare = on_share, on_unshare
        self._number = dialogs.number.to_string()

    def content(self, shares: Any, groups: Any) -> rx.Component:
        """The forms, and who has it already."""
        count = shares.length()
        address = rx.el.div(
            rx.el.label("E-mail address", html_for="share-address"),
            rx.el.input(
                id="share-address",
                auto_focus=True,
                name="principal",
                input_mode="email",
                auto_complete="off",
                spell_check=False,
                custom_attrs=at_most(320),
            ),
            class_name="field",
        )
        group = select(
            "principal",
            "A group",
            rx.fragment(rx.el.option("Choose a group", value=""), rx.foreach(groups, _group_option)),
            required=True,
        )
        return rx.fragment(
            form_problem(self._dialogs.problem),
            self._line("user", address, key=f"user-{count}"),
            rx.cond(groups.length() > 0, self._line("group", group, key=f"group-{count}")),
            rx.cond(~shares.pluck("kind").contains("everyone"), self._with_everyone()),
            rx.el.h3("Who has it", class_name="readers-title"),
            rx.cond(
                count > 0,
                rx.el.ul(
                    rx.foreach(shares, lambda item, _number: self._reader(item)),
                    class_name="readers",
                    aria_label="Who has it",
                ),
                rx.el.p("Only you have it.", class_name="dialog-lead"),
            ),
        )

    def _line(self, kind: str, control: rx.Component, key: Any) -> rx.Component:
        action = rx.el.select(
            *(rx.el.option(words, value=value) for value, words in _ACTIONS),
            name="action",
            aria_label="What they may do",
        )
        return rx.el.form(
            _hidden("dialog", self._number),
            _hidden("id", self._id),
            _hidden("kind", kind),
            control,
            rx.el.div(action, class_name="field"),
            quiet_button("Share", type="submit"),
            on_submit=self._on_share,
            class_name="share-line prompt-share-line",
            key=key,
        )

    def _with_everyone(self) -> rx.Component:
        form = {"dialog": self._number, "id": self._id, "kind": "everyone", "principal": "", "action": "read"}
        return rx.el.p(
            rx.el.span("Everyone with an account"),
            quiet_button("Share with everyone", on_click=self._on_share(form)),
            class_name="share-all",
        )

    def _reader(self, item: Any) -> rx.Component:
        form = {"dialog": self._number, "id": self._id, "share": item.id}
        icons = (("group", icon("users", 16, 1.75)), ("everyone", icon("globe", 16, 1.75)))
        return rx.el.li(
            rx.match(item.kind, *icons, icon("user", 16, 1.75)),
            rx.el.span(item.name),
            rx.el.span(rx.cond(item.may_write, "may change it", "may use it"), class_name="text-muted prompt-may"),
            quiet_button("Revoke", aria_label=f"Revoke {item.name}’s access", on_click=self._on_unshare(form)),
            key=item.id,
        )


def _hidden(name: str, value: Any) -> rx.Component:
    return rx.el.input(type="hidden", name=name, value=value)


def _group_option(choice: Any) -> rx.Component:
    return rx.el.option(choice.name, value=choice.id, key=choice.id)
