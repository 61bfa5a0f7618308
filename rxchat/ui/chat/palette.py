"""The palette (Ctrl+K): one field that finds conversations, messages and documents, and what one can do."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.domain.conversation_search import QUERY_CHARACTERS
from rxchat.states.chat.projects import ProjectsState
from rxchat.states.chat.search import FoundView, Part, SearchState
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.sidebar_views import ProjectView, TagView
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui.chat.tags import tag_dot
from rxchat.ui.kit.client_values import ClientValue, in_sequence
from rxchat.ui.kit.dialogs import Modal
from rxchat.ui.kit.elements import Moment, at_most, icon, icon_button, keys

_LIST = "palette-options"
_PAGES = (
    ("square-pen", "New chat", "/"),
    ("message-circle-dashed", "Temporary chat", "/temporary"),
    ("library", "Documents", "/documents"),
    ("archive", "Archive and trash", "/archive"),
    ("square-slash", "Prompts", "/prompts"),
    ("bot", "Assistants", "/assistants"),
    ("circle-user-round", "Account", "/account"),
    ("settings-2", "Preferences", "/account/preferences"),
)
_DEBOUNCE_MS = 150
_HINT = "Filters: model:llama, after:2026-01-31, before:2026-02-28, has:code, has:files, tag:work, project:house"
is_open: ClientValue[bool] = ClientValue("palette", initial=False)
"""Whether the palette is open."""
_typed: ClientValue[str] = ClientValue("palette_typed", "")


def _opening(drawer: ClientValue[bool]) -> Any:
    """The trigger that opens the palette, with an empty field; an open one stays as it is."""
    return in_sequence(
        drawer.assign(False), rx.cond(is_open.value, rx.Var("null"), _typed.assign("")), is_open.assign(True)
    )


def palette_icon(drawer: ClientValue[bool]) -> rx.Component:
    """The same button in the top bar, while the sidebar is folded."""
    return icon_button(
        "search",
        "Search",
        tip=f"Search · {keys('K')}",
        side="right",
        look="opens-sidebar opens-palette",
        on_click=_opening(drawer),
        custom_attrs={"aria-keyshortcuts": "Control+K Meta+K", "aria-haspopup": "dialog"},
    )


def palette_button(drawer: ClientValue[bool]) -> rx.Component:
    """The button that opens the palette, and its keys."""
    return rx.el.button(
        icon("search", 17, 1.75),
        " Search",
        type="button",
        class_name="sidebar-link",
        on_click=_opening(drawer),
        custom_attrs={
            "aria-keyshortcuts": "Control+K Meta+K", "aria-haspopup": "dialog",
            "data-tip": keys("K"), "data-tip-side": "bottom",
        },
    )  # fmt: skip


def palette() -> rx.Component:
    """The palette, where it is open."""
    return rx.cond(is_open.value, _window())


def _window() -> rx.Component:
    typed = _typed.value
    words = typed.strip()
    is_searched = (words != "") & (SearchState.searched.strip() == words)
    results = rx.fragment(rx.foreach(SearchState.found, _result))
    nothing = rx.cond(
        is_searched & (SearchState.found.length() == 0),
        f"Nothing found for “{words}”. Fewer letters find more.",
        "",
    )
    unknown = rx.cond(is_searched & (SearchState.unknown != ""), f"Not a filter: {SearchState.unknown}. {_HINT}", _HINT)
    field = rx.el.input(
        id="palette",
        type="text",
        enter_key_hint="go",
        role="combobox",
        auto_complete="off",
        spell_check=False,
        placeholder="Search chats, messages and documents",
        aria_label="Search chats, messages and documents",
        aria_expanded=True,
        on_change=lambda value: [in_sequence(_typed.assign(value)), SearchState.find(value).debounce(_DEBOUNCE_MS)],
        custom_attrs=at_most(QUERY_CHARACTERS)
        | {"aria-controls": _LIST, "aria-autocomplete": "list", "data-autofocus": ""},
    )
    return Modal.create(
        rx.el.div(
            icon("search", 18, 1.75),
            field,
            icon_button("x", "Close", side="left", look="small", on_click=is_open.set(False)),
            class_name="palette-field",
        ),
        rx.el.ul(
            *(_action(*page) for page in _PAGES),
            rx.cond(
                CurrentUserState.admin_home != "",
                _action("shield-check", "Administration", CurrentUserState.admin_home),
            ),
            rx.cond(
                words != "",
                rx.fragment(rx.foreach(SidebarState.projects, _project), rx.foreach(SidebarState.tags, _tag), results),
            ),
            id=_LIST,
            role="listbox",
            aria_label="Results",
            aria_busy=(words != "") & ~is_searched,
            class_name="palette-list",
        ),
        rx.el.p(nothing, role="status", class_name="palette-note"),
        rx.el.p(unknown, class_name="palette-hint"),
        class_name="dialog palette",
        aria_label="Search",
        on_cancel=is_open.set(False),
    )


def _option(icon_name: Any, href: Any, *content: Any, key: Any = None) -> rx.Component:
    return rx.el.li(
        icon_name if isinstance(icon_name, rx.Component) else icon(icon_name, 17, 1.75),
        *content,
        role="option",
        tab_index=-1,
        aria_selected=False,
        on_click=[is_open.set(False), rx.redirect(href)],
        **({} if key is None else {"key": key}),
    )


def _action(icon_name: str, label: str, href: Any) -> rx.Component:
    """Something to do, if its name contains what was typed."""
    words = _typed.value.strip().lower()
    return rx.cond(
        (words == "") | rx.Var.create(label.lower()).to(str).contains(words), _option(icon_name, href, label)
    )


def _tag(tag: rx.Var[TagView]) -> rx.Component:
    """A tag whose name contains what was typed: it filters the sidebar."""
    words = rx.el.span(f"Chats tagged “{tag.name}”", class_name="palette-name")
    option = _place(tag_dot(tag.color), words, SidebarState.filter_by(tag.id))
    return rx.fragment(rx.cond(_fits(tag.name, "tag"), option), key=tag.id)


def _project(project: rx.Var[ProjectView]) -> rx.Component:
    """A project whose name contains what was typed: the sidebar shows it."""
    words = rx.el.span(f"Project “{project.name}”", class_name="palette-name")
    option = _place(icon("folder", 17, 1.75), words, ProjectsState.enter(project.id))
    return rx.fragment(rx.cond(_fits(project.name, "project"), option), key=project.id)


def _place(sign: rx.Component, words: rx.Component, show: Any) -> rx.Component:
    return rx.el.li(
        sign, words, role="option", tab_index=-1, aria_selected=False, on_click=[is_open.set(False), show],
        class_name="palette-tag",
    )  # fmt: skip


def _fits(name: Any, kind: str) -> Any:
    words = _typed.value.strip().lower()
    return name.lower().contains(words) | (words == kind) | (words == f"{kind}:{name.lower()}")


def _result(item: rx.Var[FoundView]) -> rx.Component:
    sign = rx.match(
        item.kind,
        ("document", icon("file-text", 17, 1.75)),
        ("message", icon("message-square-text", 17, 1.75)),
        icon("messages-square", 17, 1.75),
    )
    words = rx.el.span(
        rx.el.span(item.title, class_name="palette-name"),
        rx.cond(
            item.parts.length() > 0, rx.el.span(rx.foreach(item.parts, _part), class_name="palette-snippet", dir="auto")
        ),
        class_name="palette-words",
    )
    return _option(sign, item.href, words, rx.el.span(Moment.create(at=item.at), class_name="palette-at"), key=item.id)


def _part(part: rx.Var[Part]) -> rx.Component:
    return rx.cond(part.is_hit, rx.el.mark(part.text), rx.fragment(part.text))
