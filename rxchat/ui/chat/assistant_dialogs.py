"""The dialogs of the page of assistants: the editor, versions, and sharing."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.domain.assistants import (
    DESCRIPTION_CHARACTERS,
    ICON_CHARACTERS,
    MOST_STARTERS,
    NAME_CHARACTERS,
    STARTER_CHARACTERS,
)
from rxchat.states.chat.assistant_views import AssistantVersionView
from rxchat.states.chat.assistants import AssistantsState
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.projects import CollectionChoice
from rxchat.ui.chat.configuration import parameter_fields, system_prompt_field
from rxchat.ui.kit.client_values import ClientValue, FreshValues, StateRequest
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import Moment, badge, icon, quiet_button, skeleton
from rxchat.ui.kit.forms import form_problem, select, text_area
from rxchat.ui.kit.sharing import Sharing

dialogs = Dialogs("assistants_dialog", AssistantsState, dict[str, Any])
_opened = AssistantsState.opened
_number = dialogs.number.to_string()
_id = dialogs.subject["id"].to(str)
_edited: ClientValue = ClientValue("assistant_edited", {"dialog": "", "id": "", "version": 0}, dict[str, Any])
"""The assistant whose editor is drawn. The editor stays as it is, with what was typed, if the server forgets about it."""


def assistant_dialogs() -> rx.Component:
    """All of them; one at most is open."""
    deletion = dialogs.confirm(
        "delete-for-good",
        f"Delete “{dialogs.subject['name']}” permanently?",
        "It is deleted immediately, with all its versions. Conversations with it keep what they have. This cannot be undone.",
        action="Delete permanently",
        busy="Deleting…",
        on_submit=AssistantsState.delete_for_good,
    )
    return rx.fragment(_editor(), _view(), _versions(), _share(), deletion)


def _when_opened(request: Any, content: rx.Component, *, is_kept: Any = False) -> rx.Component:
    """What a dialog shows once the state has what it asks for; until then, a placeholder."""
    has_it = _opened.dialog == _number
    failed = (AssistantsState.problem_dialog == dialogs.number) & (AssistantsState.problem != "")
    waiting = rx.cond(failed, form_problem(AssistantsState.problem), skeleton("Loading", 40, 100, 100, 100, 70))
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
    version = rx.cond(AssistantsState.newest > known, AssistantsState.newest, known)
    meanwhile = (
        f"Version {AssistantsState.newest} was saved meanwhile. If you save again, yours becomes the newest version;"
        " that one is kept among the versions."
    )
    form = dialogs.content(
        FreshValues.create(
            values={"assistant_edited": {"dialog": _number, "id": _opened.id, "version": _opened.version}}, key=_number
        ),
        _hidden("id", _edited.value["id"].to(str)),
        _hidden("version", version.to_string()),
        *_fields(),
        rx.cond(AssistantsState.newest > known, rx.el.p(meanwhile, class_name="field-help")),
        action="Save",
        busy="Saving…",
        on_submit=AssistantsState.save,
    )
    return dialogs.window(
        "edit",
        rx.cond(_id == "", "New assistant", "Edit assistant"),
        _when_opened(AssistantsState.open, form, is_kept=is_kept),
        is_wide=True,
    )


def _fields() -> tuple[rx.Component, ...]:
    return (
        rx.el.div(
            dialogs.field(
                "name",
                "Name",
                missing="Enter a name.",
                default_value=_opened.name,
                longest=NAME_CHARACTERS,
                is_first=True,
            ),
            dialogs.field(
                "icon",
                "Icon",
                help_text="An emoji or a letter.",
                default_value=_opened.icon,
                longest=ICON_CHARACTERS,
                spell_check=False,
            ),
            class_name="assistant-names",
        ),
        dialogs.field(
            "description", "Description (optional)", default_value=_opened.description, longest=DESCRIPTION_CHARACTERS
        ),
        system_prompt_field(dialogs, _opened.form.system_prompt),
        select("model", "Model", _models(), default_value=_opened.model),
        text_area(
            "starters",
            "Conversation starters",
            help_text=f"Messages that a new chat offers, one on each line, at most {MOST_STARTERS}.",
            problem=dialogs.problem_of("starters"),
            is_announced=True,
            longest=MOST_STARTERS * (STARTER_CHARACTERS + 1),
            default_value=_opened.starters,
            rows="3",
            dir="auto",
        ),
        _collections(),
        rx.el.label(
            rx.el.input(
                type="checkbox", name="may_use_tools", default_checked=_opened.may_use_tools, class_name="pick-box"
            ),
            rx.el.span("It may use tools, such as the search in documents"),
            class_name="project-collection",
        ),
        rx.el.details(
            rx.el.summary("Parameters"),
            rx.el.div(*parameter_fields(dialogs, _opened.form), class_name="form"),
            class_name="assistant-parameters",
            open=_has_parameter_problem(),
        ),
    )


def _has_parameter_problem() -> rx.Var[bool]:
    """The fields are shown when one of them was refused."""
    names = rx.Var.create([name for name in _opened.form._var_type.__dataclass_fields__ if name != "system_prompt"])
    return names.contains(AssistantsState.problem_field)


def _models() -> rx.Component:
    chosen = _opened.model
    is_gone = (chosen != "") & ~ModelPickerState.models.pluck("name").contains(chosen)
    return rx.fragment(
        rx.el.option("The one that the user chooses", value=""),
        rx.cond(is_gone, rx.el.option(chosen, value=chosen)),
        rx.foreach(ModelPickerState.models, lambda item: rx.el.option(item.title, value=item.name, key=item.name)),
    )


def _collections() -> rx.Component:
    nothing = rx.el.p("You have no collections. Create one on the page Documents.", class_name="text-muted")
    problem = dialogs.problem_of("collection_ids")
    return rx.el.fieldset(
        rx.el.legend("Collections that answers draw on, as far as the user who asks may read them"),
        rx.cond(problem != "", rx.el.p(problem, class_name="field-problem", role="alert")),
        rx.foreach(AssistantsState.collections, _collection),
        rx.cond(AssistantsState.collections.length() == 0, nothing),
        class_name="project-collections",
    )


def _collection(item: rx.Var[CollectionChoice]) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            name=f"collection-{item.id}",
            default_checked=_opened.collections.contains(item.id),
            class_name="pick-box",
        ),
        rx.el.span(item.name, class_name="truncate project-name"),
        class_name="project-collection",
        key=item.id,
    )


def _facts(facts: Any, system_prompt: Any) -> rx.Component:
    return rx.fragment(
        rx.el.ul(rx.foreach(facts, lambda fact, _number: rx.el.li(fact)), class_name="assistant-facts"),
        rx.cond(system_prompt != "", rx.el.p(system_prompt, class_name="prompt-text", dir="auto")),
    )


def _view() -> rx.Component:
    content = rx.fragment(
        rx.cond(_opened.description != "", rx.el.p(_opened.description, class_name="dialog-lead")),
        _facts(_opened.facts, _opened.form.system_prompt),
        rx.el.p(
            "Its owner has shared it with you. Duplicate it to change the copy.", class_name="field-help prompt-note"
        ),
        rx.el.div(
            quiet_button("Close", on_click=dialogs.close),
            quiet_button(icon("copy", 15), " Duplicate", on_click=[dialogs.close, AssistantsState.duplicate(_id)]),
            class_name="dialog-actions",
        ),
    )
    title = dialogs.subject["name"].to(str)
    return dialogs.window("view", title, _when_opened(AssistantsState.open, content), is_wide=True)


def _versions() -> rx.Component:
    listed = rx.fragment(
        form_problem(dialogs.problem),
        rx.el.ul(rx.foreach(_opened.versions, _version), class_name="prompt-versions", aria_label="Versions"),
    )
    return dialogs.window(
        "versions",
        f"Versions of “{dialogs.subject['name']}”",
        _when_opened(AssistantsState.open_versions, listed),
        lead="Each change is kept. A version that is restored becomes the newest one. Conversations keep the version that they have.",
        is_wide=True,
    )


def _version(item: rx.Var[AssistantVersionView]) -> rx.Component:
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
        on_click=AssistantsState.restore_version(form),
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
        rx.el.details(rx.el.summary(item.name), _facts(item.facts, item.system_prompt)),
        key=item.version,
    )


def _share() -> rx.Component:
    sharing = Sharing(dialogs, _id, AssistantsState.share, AssistantsState.unshare)
    return dialogs.window(
        "share",
        f"Share “{dialogs.subject['name']}”",
        _when_opened(AssistantsState.open_shares, sharing.content(_opened.shares, AssistantsState.groups)),
        lead="People you share it with can begin chats with it, and see its system prompt. It draws only on documents that they may read themselves.",
    )
