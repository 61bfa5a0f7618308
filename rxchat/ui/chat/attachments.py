"""What goes along with a message: chips of attachments, the list that `#` opens, and the conversation's context sources."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import reflex as rx

from rxchat.states.chat.attached_files import AttachedFilesState
from rxchat.states.chat.context_sources import ContextSourcesState
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.ui.kit.client_values import ClientValue, StateRequest, in_sequence, js_function, route_param
from rxchat.ui.kit.elements import UNDEFINED, click_on, icon, link
from rxchat.ui.kit.inputs import files_over_page

_SHOWN_SOURCES = 3
_PICTURES = ["png", "jpg", "jpeg", "webp", "gif"]
_LIST = "context-choices"


@dataclass
class Chip:
    """An attachment, as client/page-attachments.js describes it."""

    key: str
    kind: str
    name: str
    id: str
    state: str
    error: str
    percent: int


@dataclass
class Attachments:
    """The attachments of the message that is being written, as client/page-attachments.js describes them."""

    chips: list[Chip]
    coming: int
    """How many are being uploaded."""
    left_out: list[str]
    """The names of those that will not be sent."""
    pictures: int
    """How many of those that are on the server are pictures."""
    uploaded: str
    """The IDs of the files among them that are on the server, with spaces between them."""


_attachments: ClientValue = ClientValue(
    "attachments", {"chips": [], "coming": 0, "left_out": [], "pictures": 0, "uploaded": ""}, Attachments
)
_choices: ClientValue = ClientValue(
    "context_choices",
    {"is_open": False, "is_answered": False, "words": "", "found": [], "active": 0},
    dict[str, Any],
)
_all_sources_of: ClientValue[str] = ClientValue("all_sources_of", "")
"""The conversation of which all context sources are shown."""
_remove = js_function("removeAttachment", "page-attachments.js")
_retry = js_function("retryAttachment", "page-attachments.js")
_choose = js_function("choosePick", "picker.js")
_point_at = js_function("pointAtPick", "picker.js")
_focus_composer = js_function("focusComposer", "composer.jsx")


def drop_overlay() -> rx.Component:
    """Covers the window while files are dragged over it."""
    words = " Drop files to attach them to your message"
    return rx.cond(
        files_over_page.value,
        rx.el.div(rx.el.p(icon("paperclip", 22, 1.75), words), class_name="drop-zone", role="status"),
    )


def attachment_chips() -> rx.Component:
    """The attachments of the message that is being written."""
    chips, uploaded = _attachments.value.chips, _attachments.value.uploaded
    watch = AttachedFilesState.watch(uploaded)
    return rx.fragment(
        StateRequest.create(wanted=uploaded, loaded=AttachedFilesState.of, on_request=watch),
        rx.cond(
            chips.length() > 0,
            rx.el.ul(rx.foreach(chips, _chip), class_name="attachment-all", aria_label="Attached to this message"),
        ),
    )


def is_uploading() -> rx.Var[bool]:
    """Whether a file is still being uploaded, so that the message has to wait."""
    return _attachments.value.coming > 0


def attachments_hint() -> rx.Var[str]:
    """What should be known about the attachments before the message is sent; "" if nothing."""
    coming, left_out = _attachments.value.coming, _attachments.value.left_out
    uploading = rx.cond(coming == 1, "A file is still being uploaded.", f"{coming} files are still being uploaded.")
    one = f"“{left_out[0]}” was not uploaded and will not be sent."
    more = f"{left_out.length()} files were not uploaded and will not be sent."
    is_blind = (_attachments.value.pictures > 0) & (ModelPickerState.model != "") & ~ModelPickerState.sees
    blind = f"{ModelPickerState.title} does not see pictures: it gets only the text that is read from them."
    return rx.cond(
        coming > 0,
        uploading,
        rx.cond(left_out.length() == 0, rx.cond(is_blind, blind, ""), rx.cond(left_out.length() == 1, one, more)),
    )


def _is_left_out(chip: Chip) -> Any:
    return (chip.state == "failed") | (chip.state == "gone")


def _is_being_read(chip: Chip) -> Any:
    return AttachedFilesState.being_read.contains(chip.id)


def _is_unreadable(chip: Chip) -> Any:
    return AttachedFilesState.problems.contains(chip.id)


def _problem_of(chip: Chip) -> Any:
    return AttachedFilesState.problems[chip.id]


def _is_coming(chip: Chip) -> Any:
    return ~_is_left_out(chip) & (chip.state != "done")


def _chip(chip: Chip) -> rx.Component:
    reading = rx.cond(_is_being_read(chip), "Being read…", rx.cond(_is_unreadable(chip), _problem_of(chip), ""))
    said: Any = rx.match(
        chip.state,
        ("lost", "Connection lost. The upload will resume on its own."),
        ("gone", "The upload was interrupted when you left the page. Choose the file again."),
        ("done", rx.cond(chip.error != "", chip.error, reading)),
        chip.error,
    )
    named: dict[str, Any] = {"class_name": "attachment-name", "title": chip.name}
    progress = rx.el.span(f", {chip.percent} % uploaded", class_name="sr-only")
    return rx.el.li(
        _mark(chip),
        rx.el.span(
            rx.cond(chip.state == "done", _opened(chip), rx.el.span(chip.name, **named)),
            rx.cond(_is_coming(chip) & (said == ""), progress),
            rx.cond(said != "", _said(chip, said)),
            class_name="attachment-words",
        ),
        rx.cond(
            chip.state == "failed",
            _chip_button("rotate-ccw", f"Upload {chip.name} again", _retry.call(chip.key), title="Retry"),
        ),
        rx.cond(
            chip.state == "gone",
            _chip_button(
                "upload", f"Choose {chip.name} again", click_on.call("[data-adds-files]"), title="Choose again"
            ),
        ),
        _chip_button("x", f"Remove {chip.name}", _remove.call(chip.key), _focus_composer.call()),
        class_name="attachment",
        key=chip.key,
        custom_attrs={"data-kind": chip.kind, "data-failed": rx.cond(_is_left_out(chip), "", UNDEFINED)},
    )


def _opened(chip: Chip) -> rx.Component:
    folder = rx.cond(chip.kind == "collection", "/documents/", "/documents/view/")
    return link(chip.name, to=f"{folder}{chip.id}", class_name="attachment-name", title=chip.name)


def _mark(chip: Chip) -> rx.Component:
    ring = rx.el.span(class_name="attachment-ring", style={"--progress": f"{chip.percent}%"}, aria_hidden="true")
    file = rx.cond(
        _is_left_out(chip),
        icon("file-warning", 16, 1.75),
        rx.cond(chip.kind == "collection", icon("library", 16, 1.75), icon("file-text", 16, 1.75)),
    )
    names: Any = chip.name.lower()
    is_picture = (chip.state == "done") & rx.Var.create(_PICTURES).contains(names.split(".")[-1])
    thumbnail = rx.el.img(src=f"/api/files/{chip.id}/picture", alt="", class_name="attachment-thumbnail")
    return rx.cond(_is_coming(chip), ring, rx.cond(is_picture, thumbnail, file))


def _said(chip: Chip, words: Any) -> rx.Component:
    is_quiet = (chip.state == "lost") | _is_being_read(chip)
    return rx.el.span(words, class_name="attachment-said", role=rx.cond(is_quiet, UNDEFINED, "alert"))


def _chip_button(icon_name: str, label: Any, *calls: Any, **props: Any) -> rx.Component:
    return rx.el.button(
        icon(icon_name, 14),
        type="button",
        class_name="attachment-button",
        aria_label=label,
        on_click=in_sequence(*calls),
        **props,
    )


def context_choices() -> rx.Component:
    """The list that `#` opens in the composer: collections and documents to ground the answer in."""
    found = _choices.value["found"].to(list[dict[str, str]])
    options = rx.el.ul(
        rx.foreach(found, _choice),
        id=_LIST,
        role="listbox",
        aria_label="Collections and documents",
        class_name="menu hash-list",
        custom_attrs={"data-keeps-focus": ""},
    )
    nothing = rx.fragment(
        rx.cond(
            _choices.value["words"] != "", "No collections or documents match.", "No collections or documents yet."
        ),
        " Upload some on the ",
        link("Documents page", to="/documents"),
        ".",
    )
    note = rx.el.div(
        rx.el.p(rx.cond(_choices.value["is_answered"], nothing, "Searching…"), class_name="menu-note"),
        class_name="menu hash-list",
        role="status",
        custom_attrs={"data-keeps-focus": ""},
    )
    return rx.cond(_choices.value["is_open"], rx.cond(found.length() > 0, options, note))


def _choice(choice: rx.Var[dict[str, str]], number: rx.Var[int]) -> rx.Component:
    is_collection = choice["kind"] == "collection"
    is_active = _choices.value["active"] == number
    return rx.el.li(
        rx.cond(is_collection, icon("library", 16, 1.75), icon("file-text", 16, 1.75)),
        rx.el.span(choice["name"], class_name="hash-name"),
        rx.el.span(rx.cond(is_collection, "Collection", choice["in"]), class_name="hash-in"),
        role="option",
        id=f"{_LIST}-{number}",
        class_name="menu-item",
        key=choice["id"],
        on_click=in_sequence(_choose.call("context", number)),
        on_mouse_move=in_sequence(_point_at.call("context", number)),
        custom_attrs={"aria-selected": rx.cond(is_active, "true", "false")},
    )


def context_source_line() -> rx.Component:
    """What the answers of this conversation may use; what one did use stands under it."""
    sources, conversation = ContextSourcesState.attached, route_param("conversation_id")
    # One more takes no more room than the words that there is one more.
    is_cut = (sources.length() > _SHOWN_SOURCES + 1) & (_all_sources_of.value != conversation)
    hidden = sources.length() - _SHOWN_SOURCES
    more = rx.el.li(
        rx.el.button(
            f"+{hidden}",
            type="button",
            class_name="context-source-more",
            aria_label=f"Show {hidden} more",
            on_click=_all_sources_of.set(conversation),
        )
    )
    shown = rx.cond(
        is_cut,
        rx.fragment(rx.foreach(sources[:_SHOWN_SOURCES], _source), more),
        rx.fragment(rx.foreach(sources, _source)),
    )
    return rx.cond(
        (conversation != "") & (ContextSourcesState.of == conversation) & (sources.length() > 0),
        rx.el.section(
            rx.el.span("Answers may use", class_name="context-sources-title"),
            rx.el.ul(shown),
            class_name="context-sources",
            aria_label="What answers may use",
        ),
    )


def _source(source: rx.Var[dict[str, str]]) -> rx.Component:
    kind = source["kind"]
    words = rx.match(kind, ("collection", "Collection"), ("attachments", "Attached to a message"), "Document")
    picture = rx.match(
        kind,
        ("collection", icon("library", 14, 1.75)),
        ("attachments", icon("paperclip", 14, 1.75)),
        icon("file-text", 14, 1.75),
    )
    return rx.el.li(
        picture,
        rx.el.span(source["name"], class_name="context-source-name"),
        rx.el.button(
            icon("x", 13),
            type="button",
            class_name="attachment-button",
            aria_label=f"Take {source['name']} out",
            on_click=[in_sequence(_focus_composer.call()), ContextSourcesState.detach(source["id"])],
        ),
        class_name="context-source",
        title=f"{words}: {source['name']}. Answers here may use it.",
        key=source["id"],
    )
