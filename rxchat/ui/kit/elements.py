"""Icons, links, buttons, menus, tabs and placeholders: plain elements whose keyboard behaviour is in client/behaviours.js."""

from __future__ import annotations

from typing import Any

import reflex as rx
from reflex_components_core.el.elements.inline import A
from reflex_components_core.react_router.dom import ReactRouterLink

from rxchat.ui.client import ClientComponent, module
from rxchat.ui.kit.client_values import js_function

focus_soon = js_function("focusSoon", "behaviours.js")
"""Call it with a selector: the first such element has the focus after the next redraw."""
focus_if_lost = js_function("focusIfLost", "behaviours.js")
"""The same, if nothing else has the focus then."""
focus_beside = js_function("focusBeside", "behaviours.js")
"""Call it with the selector of an element that is about to go, and the one of its like: the next one has the focus."""
click_on = js_function("clickOn", "behaviours.js")
"""Call it with a selector to click on the first such element."""
counted = js_function("counted", "words.js")
"""Call it with a number and a noun: "1 document", "3,000 documents"."""

_shortcut = js_function("shortcut", "behaviours.js")
focused = js_function("focused", "behaviours.js")
"""The `ref` of an element that has the focus when it appears."""
in_view = js_function("inView", "behaviours.js")
"""The `ref` of an element that is scrolled to when it appears."""
in_middle = js_function("inMiddle", "behaviours.js")
"""The same, into the middle."""
passes_focus = js_function("passesFocus", "behaviours.js")
"""The `ref` of an element that may be removed with the focus in it, which then goes to what is near."""

UNDEFINED = rx.Var("undefined")
"""The value of an attribute that is left out."""


def at_most(characters: int) -> dict[str, str]:
    """Return the attribute of a field whose text may have so many characters; a longer one is refused there.

    Browsers cut what is pasted at `maxlength`, without a word.
    """
    return {"data-longest": str(characters)}


def keys(names: str) -> rx.Var[str]:
    """Return a shortcut as this computer's keyboard names it: "Ctrl+B", "⌘B"."""
    return _shortcut.call(names).to(str)


class Behaviours(rx.Fragment):
    """Loads the keyboard behaviour of menus, tabs, lists and shortcuts; once on each page."""

    def add_imports(self) -> dict[str, Any]:
        """Import the module for its side effects."""
        return {"": module("behaviours.js")}


class Moment(ClientComponent):
    """A time in words, in the reader's time zone; the exact time is its tooltip."""

    library = module("moment.jsx")
    tag = "Moment"

    at: rx.Var[int]
    """Milliseconds since 1970."""
    never: rx.Var[str]
    """The words for 0."""
    is_exact: rx.Var[bool]
    is_day: rx.Var[bool]
    """Whether it is shown as a date: "5 March 2026"."""


class CopyButton(ClientComponent):
    """A button that copies a text, and says whether that worked."""

    library = module("copy.jsx")
    tag = "CopyButton"

    text: rx.Var[str]
    label: rx.Var[str]
    with_word: rx.Var[bool]


class PageTitle(ClientComponent):
    """The title of the browser's tab; shows nothing itself."""

    library = module("page-title.jsx")
    tag = "PageTitle"

    title: rx.Var[str]
    run: rx.Var[str]
    """The answer that is being written; when it ends while the page is not seen, the title gets a mark."""


def icon(name: str, size: int = 16, stroke: float = 2, **props: Any) -> rx.Component:
    """One of Lucide's icons, hidden from screen readers."""
    return rx.icon(name, size=size, custom_attrs={"strokeWidth": stroke, "aria-hidden": "true"}, **props)


def link(*content: Any, to: Any, **props: Any) -> rx.Component:
    """A link to a page of RxChat, without reloading the app."""
    return ReactRouterLink.create(*content, to=to, **props)


def anchor(*content: Any, href: Any, **props: Any) -> rx.Component:
    """A link that the browser follows by itself: away from the app, or to a download (`rx.el.a` stays in the app)."""
    return A.create(*content, href=href, **props)


def icon_button(
    name: str, label: Any, *, size: int = 18, side: str = "bottom", tip: Any = None, look: str = "", **props: Any
) -> rx.Component:
    """A square button with an icon; its label is read out and shown as a tooltip."""
    attributes = {"data-tip": label if tip is None else tip, "data-tip-side": side} | props.pop("custom_attrs", {})
    return rx.el.button(
        icon(name, size, 1.75),
        type="button",
        aria_label=label,
        class_name=f"icon-button {look}".strip(),
        custom_attrs=attributes,
        **props,
    )


def main_button(*words: Any, danger: bool = False, **props: Any) -> rx.Component:
    """The primary button of a page, a form or a dialog."""
    look = "button-main is-danger" if danger else "button-main"
    return rx.el.button(*words, **({"type": "button", "class_name": look} | props))


def quiet_button(*words: Any, danger: bool = False, **props: Any) -> rx.Component:
    """A secondary button."""
    look = "button-quiet is-danger" if danger else "button-quiet"
    return rx.el.button(*words, **({"type": "button", "class_name": look} | props))


def opens(menu_id: str) -> dict[str, str]:
    """Return the attributes of a button that opens the menu with this id."""
    return {"popoverTarget": menu_id, "aria-haspopup": "menu"}


def menu(identifier: str, label: Any, *items: Any, placement: str = "bottom-end") -> rx.Component:
    """A menu. One serves any number of buttons with `opens(identifier)`.

    Args:
        identifier: Its id.
        label: Its name for screen readers.
        items: `menu_item`s, and what stands between them.
        placement: Where it opens beside its button: `bottom-start`, `bottom-end` or `top-start`.
    """
    attributes = {"popover": "auto", "data-placement": placement}
    return rx.el.div(*items, id=identifier, role="menu", aria_label=label, class_name="menu", custom_attrs=attributes)


def popover(identifier: str, *content: Any, placement: str = "bottom-end") -> rx.Component:
    """A menu with more than its items, such as a filter: the items stand in an element with `role="menu"`."""
    attributes = {"popover": "auto", "data-placement": placement}
    return rx.el.div(*content, id=identifier, class_name="menu", custom_attrs=attributes)


def menu_item(
    menu_id: str, icon_name: str, *words: Any, danger: bool = False, checked: Any = None, **props: Any
) -> rx.Component:
    """An item of the menu with this id; `checked` makes it one of several choices."""
    state = {} if checked is None else {"aria-checked": rx.cond(checked, "true", "false")}
    return rx.el.button(
        icon(icon_name, 16, 1.75, class_name="shrink-0 opacity-80") if icon_name else rx.fragment(),
        *words,
        type="button",
        role="menuitem" if checked is None else "menuitemradio",
        tab_index=-1,
        class_name="menu-item text-danger" if danger else "menu-item",
        custom_attrs={"popoverTarget": menu_id, "popoverTargetAction": "hide"} | state,
        **props,
    )


def tabs(label: str, shown: Any, *items: tuple[str, str, Any]) -> rx.Component:
    """Tabs (the pattern of the ARIA Authoring Practices).

    Args:
        label: Their name for screen readers.
        shown: The name of the tab that is shown.
        items: (name, words, the trigger that shows it). The panel of each has the id `panel-NAME`.
    """
    buttons = [
        rx.el.button(
            words,
            type="button",
            role="tab",
            id=f"tab-{name}",
            tab_index=rx.cond(shown == name, 0, -1),
            on_click=show,
            custom_attrs={"aria-selected": rx.cond(shown == name, "true", "false"), "aria-controls": f"panel-{name}"},
        )
        for name, words, show in items
    ]
    return rx.el.div(*buttons, role="tablist", aria_label=label, class_name="tabs tab-list")


def tab_panel(shown: Any, *content: Any, **props: Any) -> rx.Component:
    """The panel of the tab that is shown."""
    return rx.el.div(
        *content, role="tabpanel", id=f"panel-{shown}", custom_attrs={"aria-labelledby": f"tab-{shown}"}, **props
    )


def skeleton(label: str, *widths: int, look: str = "skeleton") -> rx.Component:
    """A placeholder in the shape of what is being loaded: lines of these widths, in percent."""
    lines = (rx.el.i(style={"width": f"{width}%"}) for width in widths)
    return rx.el.div(*lines, class_name=look, role="status", aria_label=label)


def empty_state(icon_name: str, *content: Any) -> rx.Component:
    """The message of a list that contains nothing."""
    return rx.el.div(icon(icon_name, 22, 1.5), rx.el.p(*content), class_name="panel-empty")


def badge(words: Any, look: Any = "") -> rx.Component:
    """A badge."""
    return rx.el.span(words, class_name="badge", custom_attrs={"data-look": look})
