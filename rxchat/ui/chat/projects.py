"""Projects: the items that show one in the sidebar, its chip above a chat, and the dialogs that make, change, fill and delete them."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.domain.projects import INSTRUCTIONS_CHARACTERS, NAME_CHARACTERS
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.projects import CollectionChoice, ProjectsState
from rxchat.states.chat.sidebar import SidebarState
from rxchat.states.chat.sidebar_views import ProjectView
from rxchat.ui.chat.tags import FILTER_MENU
from rxchat.ui.kit.client_values import StateRequest
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import counted, icon, icon_button, menu_item, quiet_button, skeleton
from rxchat.ui.kit.forms import select, text_area

_dialogs = Dialogs("projects_dialog", ProjectsState, dict[str, Any])
_NEW = {"id": "", "name": "", "parent": ""}


def open_move(ids: Any, title: Any) -> Any:
    """A trigger that opens the dialog in which these conversations get a project."""
    return _dialogs.open("move", {"ids": ids, "title": title})


def leave_project() -> Any:
    """The event that shows the conversations of all projects again."""
    return ProjectsState.enter("")


def project_filters() -> rx.Component:
    """The items of the filter's menu for projects."""
    return rx.fragment(
        rx.foreach(SidebarState.projects, _filter_item),
        menu_item(FILTER_MENU, "folder-plus", "New project…", on_click=_dialogs.open("edit", _NEW)),
        rx.cond(
            SidebarState.projects.length() > 0,
            menu_item(FILTER_MENU, "folder-cog", "Manage projects…", on_click=_dialogs.open("manage")),
        ),
    )


def _filter_item(project: rx.Var[ProjectView]) -> rx.Component:
    item = menu_item(
        FILTER_MENU,
        "",
        rx.el.span(icon("folder", 16, 1.75), class_name="project-sign", custom_attrs={"data-depth": project.depth}),
        rx.el.span(project.name, class_name="grow truncate project-name"),
        rx.el.span(project.count, class_name="menu-count", title=counted.call(project.count, "conversation").to(str)),
        checked=SidebarState.project == project.id,
        on_click=ProjectsState.enter(project.id),
    )
    return rx.fragment(item, key=project.id)


def opened_project() -> rx.Component:
    """The project of the conversation on screen, which the chip shows in the sidebar."""
    name = SidebarState.opened_project_name
    chip = rx.el.button(
        icon("folder", 13),
        rx.el.span(name, class_name="truncate project-name"),
        type="button",
        class_name="project-chip",
        title=f"Show the project “{name}”",
        aria_label=f"In the project {name}. Show its chats",
        on_click=ProjectsState.enter(SidebarState.opened_project),
    )
    return rx.cond(SidebarState.opened_project != "", chip)


def project_of_new() -> rx.Component:
    """Where the conversation begins that the page is for."""
    name = SidebarState.project_name
    words = rx.el.p(
        icon("folder", 15, 1.75),
        rx.el.span("New chat in "),
        rx.el.b(name, class_name="truncate"),
        class_name="topbar-project",
        role="status",
    )
    return rx.cond(SidebarState.project != "", words)


def project_dialogs() -> rx.Component:
    """The dialogs; once on each page with the sidebar."""
    return rx.fragment(_moved(), _managed(), _edited(), _deleted())


def _moved() -> rx.Component:
    """Where conversations go: into one of the projects, or out of theirs."""
    ids, number = _dialogs.subject["ids"], _dialogs.number.to_string()

    def place(project_id: Any, sign: rx.Component, name: Any, key: Any = None) -> rx.Component:
        return rx.el.button(
            sign,
            rx.el.span(name, class_name="grow truncate project-name"),
            type="button",
            class_name="tag-choice",
            on_click=ProjectsState.move({"ids": ids, "project": project_id, "dialog": number}),
            **({} if key is None else {"key": key}),
        )

    def project(item: rx.Var[ProjectView]) -> rx.Component:
        sign = rx.el.span(icon("folder", 16, 1.75), class_name="project-sign", custom_attrs={"data-depth": item.depth})
        return place(item.id, sign, item.name, key=item.id)

    nothing = rx.el.p("You have no projects yet.", class_name="text-muted")
    return _dialogs.window(
        "move",
        "Move to a project",
        rx.el.p(_dialogs.problem, class_name="form-problem", role="alert", hidden=_dialogs.problem == ""),
        rx.el.div(
            rx.cond(SidebarState.projects.length() > 0, rx.foreach(SidebarState.projects, project), nothing),
            rx.cond(SidebarState.projects.length() > 0, place("", icon("folder-minus", 16, 1.75), "No project")),
            class_name="tag-choices",
            role="group",
            aria_label="Projects",
        ),
        rx.el.div(
            quiet_button(icon("folder-plus", 15), " New project…", on_click=_dialogs.open("edit", _NEW)),
            class_name="dialog-actions",
        ),
        lead=_dialogs.subject["title"].to(str),
    )


def _managed() -> rx.Component:
    nothing = rx.el.p("You have no projects.", class_name="text-muted")
    rows = rx.el.ul(
        rx.foreach(SidebarState.projects, _managed_row), class_name="tag-rows", aria_label="Projects", role="list"
    )
    return _dialogs.window(
        "manage",
        "Manage projects",
        rx.cond(SidebarState.projects.length() > 0, rows, nothing),
        rx.el.div(
            quiet_button(icon("folder-plus", 15), " New project…", on_click=_dialogs.open("edit", _NEW)),
            class_name="dialog-actions",
        ),
        lead="Chats in a project follow its instructions, and draw on its collections. Only you see your projects.",
    )


def _managed_row(item: rx.Var[ProjectView]) -> rx.Component:
    subject = {"id": item.id, "name": item.name, "count": item.count}
    return rx.el.li(
        rx.el.span(icon("folder", 16, 1.75), class_name="project-sign", custom_attrs={"data-depth": item.depth}),
        rx.el.span(item.name, class_name="grow truncate project-name"),
        rx.el.span(counted.call(item.count, "conversation").to(str), class_name="text-muted tag-count"),
        icon_button(
            "pencil", f"Change {item.name}", size=15, side="left", tip="Change", on_click=_dialogs.open("edit", subject)
        ),
        icon_button(
            "trash-2",
            f"Delete {item.name}",
            size=15,
            side="left",
            tip="Delete",
            on_click=_dialogs.open("delete", subject),
        ),
        key=item.id,
    )


def _edited() -> rx.Component:
    """The editor of a project, drawn once the state has loaded it."""
    number, subject = _dialogs.number.to_string(), _dialogs.subject
    loading = skeleton("Loading the project", 60, 90, 75, look="skeleton")
    return _dialogs.window(
        "edit",
        rx.cond(subject["id"].to(str) != "", "Change the project", "New project"),
        StateRequest.create(
            wanted=number,
            loaded=ProjectsState.opened.to_string(),
            on_request=ProjectsState.show({"id": subject["id"], "dialog": number}),
        ),
        rx.cond(ProjectsState.opened == _dialogs.number, _editor(), loading),
        is_wide=True,
    )


def _editor() -> rx.Component:
    form = ProjectsState.form
    return _dialogs.content(
        rx.el.input(type="hidden", name="id", value=_dialogs.subject["id"].to(str)),
        _dialogs.field(
            "name",
            "Name",
            default_value=form.name,
            longest=NAME_CHARACTERS,
            missing="Enter the name of the project.",
            is_first=True,
        ),
        text_area(
            "instructions",
            "Instructions",
            help_text="The model gets them with each message, after your own instructions and those of the projects around.",
            problem=_dialogs.problem_of("instructions"),
            is_announced=True,
            longest=INSTRUCTIONS_CHARACTERS,
            default_value=form.instructions,
            rows="3",
            dir="auto",
        ),
        rx.el.div(
            select("model", "Model of new chats", _models(), default_value=form.model),
            select("parent", "Inside the project", _parents(), default_value=form.parent),
            class_name="project-pair",
        ),
        _collections(),
        action="Save",
        on_submit=ProjectsState.save,
    )


def _parents() -> rx.Component:
    return rx.fragment(
        rx.el.option("None", value=""),
        rx.foreach(ProjectsState.parents, lambda item: rx.el.option(item.name, value=item.id, key=item.id)),
    )


def _models() -> rx.Component:
    chosen = ProjectsState.form.model
    is_gone = (chosen != "") & ~ModelPickerState.models.pluck("name").contains(chosen)
    return rx.fragment(
        rx.el.option("As usual", value=""),
        rx.cond(is_gone, rx.el.option(chosen, value=chosen)),
        rx.foreach(ModelPickerState.models, lambda item: rx.el.option(item.title, value=item.name, key=item.name)),
    )


def _collections() -> rx.Component:
    nothing = rx.el.p("You have no collections. Create one on the page Documents.", class_name="text-muted")
    return rx.el.fieldset(
        rx.el.legend("Collections that answers draw on"),
        rx.foreach(ProjectsState.collections, _collection),
        rx.cond(ProjectsState.collections.length() == 0, nothing),
        class_name="project-collections",
    )


def _collection(item: rx.Var[CollectionChoice]) -> rx.Component:
    return rx.el.label(
        rx.el.input(
            type="checkbox",
            name=f"collection-{item.id}",
            default_checked=ProjectsState.form.collections.contains(item.id),
            class_name="pick-box",
        ),
        rx.el.span(item.name, class_name="truncate project-name"),
        class_name="project-collection",
        key=item.id,
    )


def _deleted() -> rx.Component:
    project = _dialogs.subject
    count = project["count"].to(int)
    words = rx.cond(count == 1, "1 conversation is in it.", f"{count} conversations are in it.")

    def choice(value: str, words: Any, *, is_first: bool) -> rx.Component:
        return rx.el.label(
            rx.el.input(type="radio", name="conversations", value=value, default_checked=is_first),
            rx.el.span(words),
            class_name="project-collection",
        )

    return _dialogs.confirm(
        "delete",
        f"Delete the project “{project['name'].to(str)}”?",
        rx.fragment(words, " Projects inside it are deleted, too."),
        action="Delete project",
        on_submit=ProjectsState.delete,
        fields=rx.cond(
            count > 0,
            rx.el.fieldset(
                rx.el.legend("What happens to the conversations in it?"),
                choice("keep", "Keep them, in no project", is_first=True),
                choice("trash", "Move them to the trash", is_first=False),
                class_name="project-collections",
            ),
        ),
    )
