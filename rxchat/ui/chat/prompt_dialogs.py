"""The dialogs of the page of prompts: the editor with its preview, versions, and sharing."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.domain.prompts import COMMAND_CHARACTERS, DESCRIPTION_CHARACTERS, TEXT_CHARACTERS, TITLE_CHARACTERS
from rxchat.states.chat.prompt_views import PieceView, VariableView, VersionView
from rxchat.states.chat.prompts import PromptsState
from rxchat.ui.kit.client_values import ClientValue, FreshValues, StateRequest
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import Moment, badge, icon, quiet_button, skeleton
from rxchat.ui.kit.forms import form_problem, text_area
from rxchat.ui.kit.sharing import Sharing

dialogs = Dialogs("prompts_dialog", PromptsState, dict[str, Any])
_opened = PromptsState.opened
_number = dialogs.number.to_string()
_id = dialogs.subject["id"].to(str)
_edited: ClientValue = ClientValue("prompt_edited", {"dialog": "", "id": "", "version": 0}, dict[str, Any])
"""The prompt whose editor is drawn. The editor stays as it is, with what was typed, if the server forgets about it."""
_PREVIEW_MS = 250


def prompt_dialogs() -> rx.Component:
    """All of them; one at most is open."""
    deletion = dialogs.confirm(
        "delete-for-good",
        f"Delete “{dialogs.subject['title']}” permanently?",
        "It is deleted immediately, with all its versions. This cannot be undone.",
        action="Delete permanently",
        busy="Deleting…",
        on_submit=PromptsState.delete_for_good,
    )
    return rx.fragment(_editor(), _view(), _versions(), _share(), deletion)


def _when_opened(request: Any, content: rx.Component, *, is_kept: Any = False) -> rx.Component:
    """What a dialog shows once the state has what it asks for; until then, a placeholder."""
    has_it = _opened.dialog == _number
    failed = (PromptsState.problem_dialog == dialogs.number) & (PromptsState.problem != "")
    waiting = rx.cond(failed, form_problem(PromptsState.problem), skeleton("Loading", 40, 100, 100, 100, 70))
    asking = StateRequest.create(
        wanted=_number,
        loaded=rx.cond(is_kept, _number, _opened.dialog),
        on_request=request({"dialog": _number, "id": _id}),
    )
    return rx.fragment(asking, rx.cond(has_it | is_kept, content, waiting))


def _hidden(name: str, value: Any) -> rx.Component:
    return rx.el.input(type="hidden", name=name, value=value)


def _editor() -> rx.Component:
    is_kept = _edited.value["dialog"].to(str) == _number
    known = _edited.value["version"].to(int)
    version = rx.cond(PromptsState.newest > known, PromptsState.newest, known)
    form = dialogs.content(
        FreshValues.create(
            values={"prompt_edited": {"dialog": _number, "id": _opened.id, "version": _opened.version}}, key=_number
        ),
        _hidden("id", _edited.value["id"].to(str)),
        _hidden("version", version.to_string()),
        rx.el.div(*_fields(), _preview(), class_name="prompt-editor"),
        # Beside the button that was pressed.
        rx.cond(PromptsState.newest > known, _theirs()),
        action="Save",
        busy="Saving…",
        on_submit=PromptsState.save,
    )
    return dialogs.window(
        "edit", rx.cond(_id == "", "New prompt", "Edit prompt"), _when_opened(PromptsState.open, form, is_kept=is_kept),
        is_wide=True,
    )  # fmt: skip


def _fields() -> tuple[rx.Component, ...]:
    names = rx.el.div(
        dialogs.field(
            "title",
            "Title",
            missing="Enter a title.",
            default_value=_opened.title,
            longest=TITLE_CHARACTERS,
            is_first=True,
        ),
        dialogs.field(
            "command",
            "Command",
            help_text="The word after /. Without one, the title makes it.",
            default_value=_opened.command,
            read_only=~_opened.is_own,
            longest=COMMAND_CHARACTERS,
            auto_capitalize="none",
            spell_check=False,
        ),
        class_name="prompt-names",
    )
    return (
        names,
        dialogs.field(
            "description", "Description (optional)", default_value=_opened.description, longest=DESCRIPTION_CHARACTERS
        ),
        text_area(
            "text",
            "Text",
            help_text=_syntax(),
            problem=dialogs.problem_of("text"),
            is_announced=True,
            longest=TEXT_CHARACTERS,
            rows="9",
            required=True,
            default_value=_opened.text,
            dir="auto",
            on_change=PromptsState.preview.debounce(_PREVIEW_MS),
        ),
    )


def _syntax() -> rx.Component:
    return rx.fragment(
        rx.el.code("{{name}}"),
        " is a variable, ",
        rx.el.code("{{language=English}}"),
        " has a default, ",
        rx.el.code("{{tone=formal|friendly}}"),
        " choices. ",
        rx.el.code("\\{{name}}"),
        " is no variable.",
    )


def _theirs() -> rx.Component:
    return rx.el.details(
        rx.el.summary(f"Version {PromptsState.newest} was saved meanwhile. Your text is kept."),
        rx.el.p(PromptsState.theirs, class_name="prompt-text"),
        rx.el.p(
            "Take from it what you need. If you save again, yours becomes the newest version; this one is kept.",
            class_name="field-help",
        ),
        class_name="prompt-theirs",
        open=True,
    )


def _preview() -> rx.Component:
    has_some = PromptsState.variables.length() > 0
    return rx.el.section(
        rx.el.h3("Preview"),
        rx.el.p(rx.foreach(PromptsState.pieces, _piece), class_name="prompt-text", dir="auto"),
        rx.cond(
            has_some,
            rx.el.ul(
                rx.foreach(PromptsState.variables, _variable), class_name="prompt-variables", aria_label="Variables"
            ),
            rx.el.p("It has no variables, and is inserted as it is.", class_name="field-help"),
        ),
        class_name="prompt-preview",
        aria_label="Preview",
    )


def _piece(piece: PieceView) -> rx.Component:
    return rx.cond(piece.is_variable, rx.el.mark(piece.text, class_name="prompt-variable"), rx.fragment(piece.text))


def _variable(item: VariableView) -> rx.Component:
    default = rx.cond(item.default == "", "may stay empty", f"“{item.default}” if nothing else is entered")
    facts = rx.cond(
        item.choices.length() > 0, item.choices.join(" · "), rx.cond(item.is_required, "has to be filled in", default)
    )
    return rx.el.li(rx.el.b(item.name), rx.el.span(facts, class_name="text-muted"), key=item.field)


def _view() -> rx.Component:
    content = rx.fragment(
        rx.cond(_opened.description != "", rx.el.p(_opened.description, class_name="dialog-lead")),
        _preview(),
        rx.el.p(
            "Its owner has shared it with you. Duplicate it to change the copy.", class_name="field-help prompt-note"
        ),
        rx.el.div(
            quiet_button("Close", on_click=dialogs.close),
            quiet_button(icon("copy", 15), " Duplicate", on_click=[dialogs.close, PromptsState.duplicate(_id)]),
            class_name="dialog-actions",
        ),
    )
    title = dialogs.subject["title"].to(str)
    return dialogs.window("view", title, _when_opened(PromptsState.open, content), is_wide=True)


def _versions() -> rx.Component:
    listed = rx.fragment(
        form_problem(dialogs.problem),
        rx.el.ul(rx.foreach(_opened.versions, _version), class_name="prompt-versions", aria_label="Versions"),
    )
    return dialogs.window(
        "versions",
        f"Versions of “{dialogs.subject['title']}”",
        _when_opened(PromptsState.open_versions, listed),
        lead="Each change is kept. A version that is restored becomes the newest one.",
        is_wide=True,
    )


def _version(item: VersionView) -> rx.Component:
    is_newest = item.version == _opened.version
    form = {
        "dialog": _number,
        "id": _opened.id,
        "number": item.version.to_string(),
        "version": _opened.version.to_string(),
    }
    restore = quiet_button(
        icon("rotate-ccw", 15),
        " Restore",
        aria_label=f"Restore version {item.version}",
        on_click=PromptsState.restore_version(form),
    )
    origin = rx.cond(item.restored_from > 0, f" · restored from version {item.restored_from}", "")
    return rx.el.li(
        rx.el.div(
            rx.el.p(
                rx.el.b(f"Version {item.version}"),
                rx.cond(is_newest, badge("Newest")),
                rx.el.span(
                    Moment.create(at=item.at),
                    " · ",
                    rx.cond(item.by != "", item.by, "a deleted user"),
                    origin,
                    class_name="text-muted",
                ),
                class_name="prompt-version-head",
            ),
            rx.cond(~is_newest, restore),
            class_name="prompt-version-line",
        ),
        rx.el.details(
            rx.el.summary(item.title),
            rx.el.p(item.text, class_name="prompt-text", dir="auto"),
        ),
        key=item.version,
    )


def _share() -> rx.Component:
    sharing = Sharing(dialogs, _id, PromptsState.share, PromptsState.unshare)
    return dialogs.window(
        "share",
        f"Share “{dialogs.subject['title']}”",
        _when_opened(PromptsState.open_shares, sharing.content(_opened.shares, PromptsState.groups)),
        lead="People you share it with find it behind / in their chats. Only you can delete or share it.",
    )
