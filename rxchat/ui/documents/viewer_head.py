"""The head of the document viewer: what the document is, how it was parsed, and its versions."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.documents.viewed_document import ENCODING_CHOICES, READER_CHOICES, VersionView
from rxchat.states.documents.viewer import ViewerState
from rxchat.ui.kit.client_values import ClientValue, backend_address
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import Moment, anchor, icon, link, quiet_button
from rxchat.ui.kit.forms import labelled

reading_open: ClientValue[bool] = ClientValue("viewer_reading_open", initial=False)
versions_open: ClientValue[bool] = ClientValue("viewer_versions_open", initial=False)
_document = ViewerState.document
_dialogs = Dialogs("viewer_dialog", ViewerState, VersionView)


def viewer_head() -> rx.Component:
    """Name, facts, versions, and the download."""
    back = link(
        icon("arrow-left", 15),
        f" {_document.collection_name}",
        to=f"/documents/{_document.collection_id}",
        class_name="back-link",
    )
    parent = rx.el.p(
        rx.el.span(_document.parent_words),
        link("Open e-mail", to=f"/documents/view/{_document.parent_id}"),
        class_name="collection-facts",
    )
    download = anchor(
        icon("download", 15),
        " Download",
        href=backend_address.call(f"/api/files/{_document.id}").to(str),
        download=_document.name,
        class_name="button-quiet",
    )
    return rx.el.div(
        rx.cond(_document.collection_id != "", back),
        rx.el.div(
            rx.el.div(
                rx.el.h2(_document.name),
                rx.el.p(_document.facts, class_name="collection-facts"),
                rx.cond(_document.title != "", rx.el.p(_document.title, class_name="viewer-subtitle")),
                _reading(),
                rx.cond(_document.warnings != "", rx.el.p(_document.warnings, class_name="document-note")),
                rx.cond(_document.parent_id != "", parent),
                rx.cond(ViewerState.versions.length() > 0, _versions()),
            ),
            download,
            class_name="viewer-title",
        ),
        class_name="viewer-head",
    )


def _reading() -> rx.Component:
    change = rx.el.button(
        "Change",
        type="button",
        class_name="link-button",
        aria_expanded=reading_open.value,
        on_click=reading_open.set(~reading_open.value),
    )
    words = rx.el.p(
        rx.el.span(_document.reading), rx.cond(_document.can_choose_reading, change), class_name="collection-facts"
    )
    choices = rx.el.form(
        _choice("encoding", "Encoding", _document.chosen_encoding, ENCODING_CHOICES),
        _choice("reader", "Format", _document.chosen_reader, READER_CHOICES),
        quiet_button("Parse again", type="submit"),
        on_submit=[reading_open.set(False), ViewerState.read_again],
        class_name="reading-choices",
    )
    return rx.fragment(
        rx.cond(_document.reading != "", words), rx.cond(reading_open.value & _document.can_choose_reading, choices)
    )


def _choice(name: str, label: str, value: Any, options: list[tuple[str, str]]) -> rx.Component:
    choices = (rx.el.option(words, value=key) for key, words in options)
    control = rx.el.select(
        rx.el.option("Automatic", value=""), *choices, id=f"reading-{name}", name=name, default_value=value
    )
    return labelled(f"reading-{name}", label, control)


def _versions() -> rx.Component:
    notice = ViewerState.notice
    notice_link = link(notice.link, to=f"/documents/view/{notice.id}")
    return rx.el.div(
        rx.cond(
            notice.words != "",
            rx.el.p(
                rx.el.span(notice.words),
                " ",
                rx.cond(notice.id != "", notice_link),
                class_name="version-notice",
                role="status",
            ),
        ),
        rx.el.button(
            f"Version {_document.version} of {ViewerState.versions[0].version}",
            type="button",
            class_name="link-button",
            aria_expanded=versions_open.value,
            on_click=versions_open.set(~versions_open.value),
        ),
        rx.cond(
            versions_open.value,
            rx.el.ol(rx.foreach(ViewerState.versions, _version), class_name="version-list", aria_label="Versions"),
        ),
        class_name="versions",
    )


def _version(item: VersionView) -> rx.Component:
    is_shown = item.id == _document.id
    name = f"Version {item.version}"
    restore = quiet_button(
        icon("rotate-ccw", 15),
        " Restore",
        aria_label=f"Restore version {item.version}",
        on_click=_dialogs.open("restore", item),
    )
    return rx.el.li(
        rx.el.div(
            rx.el.p(
                rx.cond(is_shown, rx.el.b(name), link(name, to=f"/documents/view/{item.id}")),
                " ",
                rx.el.span(item.words, class_name="version-state", custom_attrs={"data-part": item.role}),
            ),
            rx.el.p(rx.el.span(item.facts), Moment.create(at=item.at), class_name="collection-facts"),
            class_name="version-words",
        ),
        rx.el.div(
            anchor(
                icon("download", 15),
                href=backend_address.call(f"/api/files/{item.id}").to(str),
                download=item.name,
                class_name="button-quiet",
                aria_label=f"Download version {item.version}",
            ),
            rx.cond(item.can_restore, restore),
            class_name="version-actions",
        ),
        class_name="version",
        key=item.id,
        custom_attrs={"aria-current": rx.cond(is_shown, "true", rx.Var("undefined"))},
    )


def restore_dialog() -> rx.Component:
    """The question before an earlier version is restored."""
    next_version = ViewerState.versions[0].version + 1
    return _dialogs.confirm(
        "restore",
        f"Restore version {_dialogs.subject.version}?",
        f"It becomes version {next_version}, and answers use it once it is ready. The other versions are kept.",
        action="Restore",
        danger=False,
        on_submit=ViewerState.restore,
    )
