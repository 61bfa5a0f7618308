"""Import and export: files of conversations from other systems, the report of what was imported, and the ways out."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.imports import ImportedLine, ImportsState, ImportView, SkippedLine
from rxchat.ui.client import ClientComponent, module
from rxchat.ui.kit.client_values import ClientValue, in_sequence, js_function
from rxchat.ui.kit.elements import Moment, click_on, empty_state, icon, link, quiet_button, skeleton
from rxchat.ui.kit.forms import form_problem
from rxchat.ui.kit.inputs import adds_files, files_over_page
from rxchat.ui.kit.panels import panel

_INPUT = "files-to-import"
_IDLE: dict[str, Any] = {"busy": False, "name": "", "progress": 0, "problem": ""}
_upload: ClientValue = ClientValue("import_upload", _IDLE, dict[str, Any])
_cancel = js_function("cancelImport", "import-file.jsx")
_GUIDES: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "ChatGPT",
        (
            "Open ChatGPT, click on your name, then Settings → Data controls → Export data → Export.",
            "OpenAI sends an e-mail with a link. Download the ZIP file; the link works for 24 hours.",
            "Choose the ZIP file here, or the file conversations.json in it. Pictures and files are not imported.",
        ),
    ),
    (
        "Claude",
        (
            "Open Claude, click on your name, then Settings → Privacy → Export data.",
            "Anthropic sends an e-mail with a link. Download the ZIP file.",
            "Choose the ZIP file here, or the file conversations.json in it. Texts that you pasted are imported, files are not.",
        ),
    ),
    (
        "Open WebUI",
        (
            "Open Settings → Data controls (older versions: Chats) → Export chats.",
            "Choose the JSON file here. All versions of answers are imported, with the models that wrote them.",
        ),
    ),
    (
        "LibreChat",
        (
            "Open a conversation, then the menu at the top → Export. Choose JSON, with all branches.",
            "Choose the JSON files here, several at once if you like.",
        ),
    ),
    (
        "RxChat",
        (
            "One conversation: “Export or print” in its menu, then JSON.",
            "All of them: “Download my data” on the page My data. Choose the ZIP file here as it is.",
        ),
    ),
)


class ImportFiles(ClientComponent):
    """Sends the files that are chosen on the page; shows nothing."""

    library = module("import-file.jsx")
    tag = "ImportFiles"

    on_started: rx.EventHandler[rx.event.no_args_event_spec]


def imports_section() -> rx.Component:
    """All of it."""
    return rx.fragment(
        ImportFiles.create(on_started=ImportsState.load),
        _drop_overlay(),
        _import(),
        rx.cond(ImportsState.loaded, _reports(), skeleton("Loading your imports", 48, 72, look="panel skeleton")),
        _export(),
    )


def _drop_overlay() -> rx.Component:
    words = rx.el.p(icon("file-plus-2", 22, 1.75), " Drop to import")
    return rx.cond(files_over_page.value, rx.el.div(words, class_name="drop-overlay"))


def _import() -> rx.Component:
    busy = _upload.value["busy"].to(bool)
    progress, name = _upload.value["progress"].to(float), _upload.value["name"].to(str)
    sending = rx.el.div(
        rx.el.p(rx.el.span("Sending ", rx.el.bdi(name)), role="status", class_name="import-name"),
        rx.el.progress(value=progress, max=1, aria_label=f"{name}: upload progress"),
        quiet_button("Cancel", on_click=in_sequence(_cancel.call())),
        class_name="import-sending",
    )
    choose = rx.el.div(
        quiet_button(icon("upload", 15), " Choose files…", on_click=in_sequence(click_on.call(f"#{_INPUT}"))),
        rx.el.span("or drop them on this page.", class_name="text-muted import-drop"),
        rx.el.span("JSON or ZIP, less than 200 MB.", class_name="text-muted"),
        class_name="import-choose",
    )
    return rx.el.div(
        panel(
            "Import conversations",
            adds_files(id=_INPUT, aria_label="Files to import", accept=".json,.zip,application/json,application/zip"),
            rx.cond(busy, sending, choose),
            form_problem(_upload.value["problem"].to(str)),
            rx.cond(ImportsState.problem_dialog == 0, form_problem(ImportsState.problem)),
            rx.el.div(*[_guide(*guide) for guide in _GUIDES], class_name="import-guides"),
            lead="Bring your conversations from ChatGPT, Claude, Open WebUI, LibreChat or another RxChat: with all versions of "
            "messages, their models and times. Importing a file twice makes no duplicates.",
        ),
        custom_attrs={"data-imports-files": ""},
    )


def _guide(system: str, steps: tuple[str, ...]) -> rx.Component:
    return rx.el.details(
        rx.el.summary(f"How to get your export from {system}"), rx.el.ol(*[rx.el.li(step) for step in steps])
    )


def _reports() -> rx.Component:
    nothing = empty_state("inbox", "Nothing was imported yet. What was imported or skipped, and why, is shown here.")
    earlier = rx.el.div(
        rx.el.h3("Earlier imports"),
        rx.el.ul(rx.foreach(ImportsState.earlier, _earlier), class_name="rows", aria_label="Earlier imports"),
        class_name="import-earlier",
    )
    return panel(
        "Report",
        rx.cond(ImportsState.has_latest, _report(ImportsState.latest), nothing),
        rx.cond(ImportsState.earlier.length() > 0, earlier),
    )


def _report(item: Any) -> rx.Component:
    running = rx.cond(
        item.found > 0,
        rx.el.progress(value=item.done, max=item.found, aria_label="Progress of the import"),
        rx.el.progress(aria_label="Progress of the import"),
    )
    return rx.el.div(
        rx.el.p(
            rx.el.b(rx.el.bdi(item.file_name)), " · ", Moment.create(at=item.at), class_name="panel-lead import-file"
        ),
        rx.el.p(item.summary, role="status", class_name="import-summary"),
        rx.cond(item.is_running, running),
        form_problem(item.error),
        rx.cond(item.imported.length() > 0, _imported(item)),
        rx.cond(item.skipped.length() > 0, _skipped(item)),
        class_name="import-report",
    )


def _imported(item: Any) -> rx.Component:
    return rx.el.details(
        rx.el.summary("Imported"),
        rx.el.ul(rx.foreach(item.imported, _imported_line), class_name="import-lines"),
        _more(item.more_imported),
        open=True,
    )


def _skipped(item: Any) -> rx.Component:
    return rx.el.details(
        rx.el.summary("Skipped"),
        rx.el.ul(rx.foreach(item.skipped, _skipped_line), class_name="import-lines"),
        _more(item.more_skipped),
        open=True,
    )


def _imported_line(line: ImportedLine) -> rx.Component:
    notes = rx.cond(line.notes != "", rx.el.span(line.notes, class_name="import-note"))
    words = rx.fragment(link(rx.el.bdi(line.title), to=f"/c/{line.id}"), rx.el.span(line.source, class_name="chip"))
    return rx.el.li(words, notes, key=line.id)


def _skipped_line(line: SkippedLine) -> rx.Component:
    return rx.el.li(rx.el.bdi(line.title), rx.el.span(line.reason, class_name="import-note"))


def _more(count: Any) -> rx.Component:
    return rx.cond(count > 0, rx.el.p(f"and {count} more", class_name="import-note"))


def _earlier(item: ImportView) -> rx.Component:
    return rx.el.li(
        rx.el.div(
            rx.el.p(rx.el.bdi(item.file_name), " · ", Moment.create(at=item.at)),
            rx.el.p(item.summary, rx.cond(item.error != "", f" {item.error}", ""), class_name="panel-lead"),
        ),
        class_name="row",
        key=item.id,
    )


def _export() -> rx.Component:
    return panel(
        "Export conversations",
        rx.el.ul(
            rx.el.li(
                rx.el.b("One conversation: "),
                "“Export or print” in its menu makes Markdown, HTML, JSON or, by printing, a PDF of it.",
            ),
            rx.el.li(
                rx.el.b("All conversations: "),
                link("Download my data", to="/account/data"),
                " makes one ZIP file of everything, which RxChat can import again.",
            ),
            class_name="import-ways",
        ),
        lead="What is yours stays yours: take it with you at any time.",
    )
