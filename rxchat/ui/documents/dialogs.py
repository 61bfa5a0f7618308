"""The dialogs of the documents page: names, deletion, sharing, and files whose names are taken."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.documents.document_views import ShareView
from rxchat.states.documents.documents import DocumentsState
from rxchat.states.platform.library_page import GroupChoice
from rxchat.ui.documents.uploads import resolve_taken
from rxchat.ui.kit.client_values import ClientValue, in_sequence
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import at_most, counted, icon, main_button, quiet_button
from rxchat.ui.kit.forms import form_problem

dialogs = Dialogs("documents_dialog", DocumentsState, dict[str, Any])
chosen: ClientValue = ClientValue("documents_chosen", [], list[str])
"""The ids of the selected documents."""
_DESCRIPTION = "Helps others choose it, for example “Everything about holidays and travel”."


def document_dialogs() -> rx.Component:
    """All of them; one at most is open."""
    return rx.fragment(*_collection_dialogs(), *_document_dialogs(), _share_dialog(), _taken_names_dialog())


def _collection_dialogs() -> list[rx.Component]:
    about = dialogs.subject
    size = counted.call(about["documents"].to(int), "document")
    return [
        dialogs.form(
            "new",
            "New collection",
            *_fields(),
            action="Create collection",
            busy="Creating…",
            on_submit=DocumentsState.create,
        ),
        dialogs.form(
            "rename",
            "Rename collection",
            _hidden("id", about["id"]),
            *_fields(about["name"].to(str), about["description"].to(str)),
            action="Save",
            busy="Saving…",
            on_submit=DocumentsState.rename,
        ),
        dialogs.confirm(
            "delete",
            f"Delete “{about['name']}”?",
            f"This deletes the collection and its {size} immediately. This cannot be undone.",
            action="Delete collection",
            busy="Deleting…",
            on_submit=DocumentsState.remove_collection,
        ),
    ]


def _document_dialogs() -> list[rx.Component]:
    about = dialogs.subject
    ids = about["ids"].to(list[str])
    pending = rx.cond(
        DocumentsState.documents.pluck("is_pending").contains(True),
        " New versions that are not in use yet are deleted permanently.",
        "",
    )
    return [
        dialogs.form(
            "rename-document",
            "Rename document",
            _hidden("id", about["id"]),
            dialogs.field(
                "name",
                "Name",
                missing="Enter the document’s name.",
                default_value=about["name"].to(str),
                longest=255,
            ),
            action="Save",
            busy="Saving…",
            on_submit=DocumentsState.rename_document,
        ),
        dialogs.form(
            "delete-document",
            f"Delete “{about['name']}”?",
            _hidden("ids", about["id"]),
            lead=_deletion(about),
            action="Delete",
            busy="Deleting…",
            danger=True,
            on_submit=DocumentsState.remove_documents,
        ),
        dialogs.form(
            "delete-documents",
            f"Delete {counted.call(ids.length(), 'document')}?",
            _hidden("ids", ids.join(",")),
            lead=f"They are removed from search immediately, and can be restored for 30 days.{pending}"
            " Answers that cite them stay, without the passages.",
            action="Delete",
            busy="Deleting…",
            danger=True,
            on_submit=[DocumentsState.remove_documents, chosen.set([])],
        ),
        dialogs.confirm(
            "delete-for-good",
            f"Delete “{about['name']}” permanently?",
            "It is deleted immediately, with all its versions and passages. This cannot be undone.",
            action="Delete permanently",
            busy="Deleting…",
            on_submit=DocumentsState.delete_for_good,
        ),
    ]


def _deletion(about: Any) -> Any:
    is_pending = about["is_pending"].to(bool)
    lasts = rx.cond(
        is_pending,
        "It is deleted immediately, with all passages. This cannot be undone.",
        "It is removed from search immediately, and can be restored for 30 days.",
    )
    cited = rx.cond(about["cited"].to(int) > 0, " Answers that cite it stay, without the passages.", "")
    older = rx.cond(about["version"].to(int) > 1, " All its versions are deleted.", "")
    return f"{lasts}{cited}{rx.cond(is_pending, ' The version in use stays.', older)}"


def _hidden(name: str, value: Any) -> rx.Component:
    return rx.el.input(type="hidden", name=name, value=value.to(str))


def _fields(name: Any = "", description: Any = "") -> tuple[rx.Component, ...]:
    return (
        dialogs.field("name", "Name", missing="Enter the collection’s name.", default_value=name, longest=80),
        dialogs.field(
            "description",
            "Description (optional)",
            help_text=_DESCRIPTION,
            default_value=description,
            longest=300,
        ),
    )


def _share_dialog() -> rx.Component:
    address = rx.el.div(
        rx.el.label("E-mail address", html_for="share-address"),
        rx.el.input(
            id="share-address",
            name="principal",
            input_mode="email",
            auto_complete="off",
            spell_check=False,
            custom_attrs=at_most(320) | {"data-autofocus": ""},
        ),
        class_name="field",
    )
    group = rx.el.div(
        rx.el.label("A group", html_for="share-group"),
        rx.el.select(
            rx.el.option("Choose a group", value=""),
            rx.foreach(DocumentsState.groups, _group_option),
            id="share-group",
            name="principal",
            required=True,
        ),
        class_name="field",
    )
    count = DocumentsState.shares.length()
    return dialogs.window(
        "share",
        f"Share “{DocumentsState.collection.name}”",
        form_problem(dialogs.problem),
        _share_line("user", address, key=f"user-{count}"),
        rx.cond(DocumentsState.groups.length() > 0, _share_line("group", group, key=f"group-{count}")),
        rx.cond(~DocumentsState.shares.pluck("kind").contains("everyone"), _share_with_everyone()),
        rx.el.h3("Who can read it", class_name="readers-title"),
        rx.cond(
            count > 0,
            rx.el.ul(rx.foreach(DocumentsState.shares, _reader), class_name="readers", aria_label="Who can read it"),
            rx.el.p("Only you can read it.", class_name="dialog-lead"),
        ),
        lead="People you share it with can read its documents and ask about them. Only you can change it.",
    )


def _share_line(kind: str, control: rx.Component, key: Any) -> rx.Component:
    return rx.el.form(
        _hidden("dialog", dialogs.number),
        rx.el.input(type="hidden", name="kind", value=kind),
        control,
        quiet_button("Share", type="submit"),
        on_submit=DocumentsState.share,
        class_name="share-line",
        key=key,
    )


def _share_with_everyone() -> rx.Component:
    form = {"dialog": dialogs.number.to_string(), "kind": "everyone", "principal": ""}
    return rx.el.p(
        rx.el.span("Everyone with an account"),
        quiet_button("Share with everyone", on_click=DocumentsState.share(form)),
        class_name="share-all",
    )


def _group_option(choice: GroupChoice) -> rx.Component:
    return rx.el.option(choice.name, value=choice.id, key=choice.id)


def _reader(item: ShareView) -> rx.Component:
    form = {"dialog": dialogs.number.to_string(), "id": item.id}
    icons = (("group", icon("users", 16, 1.75)), ("everyone", icon("globe", 16, 1.75)))
    return rx.el.li(
        rx.match(item.kind, *icons, icon("user", 16, 1.75)),
        rx.el.span(item.name),
        quiet_button("Revoke", aria_label=f"Revoke {item.name}’s access", on_click=DocumentsState.unshare(form)),
        key=item.id,
    )


def _taken_names_dialog() -> rx.Component:
    """Files whose names are taken: without an answer none of them is uploaded."""
    about = dialogs.subject
    names, more = about["names"].to(list[str]), about["more"].to(int)
    is_one = names.length() == 1

    def answer(choice: str) -> Any:
        return in_sequence(resolve_taken.call(choice), dialogs.closing())

    listed = rx.fragment(
        rx.el.p("This collection already has documents with these names:", class_name="dialog-lead"),
        rx.el.ul(
            rx.foreach(names, lambda name: rx.el.li(name, key=name)),
            rx.cond(more > 0, rx.el.li(f"and {more} more")),
            class_name="taken-names",
        ),
    )
    return dialogs.window(
        "taken-names",
        rx.cond(is_one, f"Replace “{names[0]}”?", f"Replace {names.length() + more} documents?"),
        rx.cond(
            is_one, rx.el.p("This collection already has a document with this name.", class_name="dialog-lead"), listed
        ),
        rx.el.p(
            f"Replaced, {rx.cond(is_one, 'it', 'each')} gets a new version: answers use that once it is ready, and earlier"
            " versions can be opened and restored.",
            class_name="dialog-lead",
        ),
        rx.el.div(
            quiet_button("Cancel", on_click=answer("")),
            quiet_button("Keep both", on_click=answer("keep")),
            main_button("Replace", on_click=answer("replace"), custom_attrs={"data-autofocus": ""}),
            class_name="dialog-actions taken-actions",
        ),
    )
