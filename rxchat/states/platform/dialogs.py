"""The answers of a state to the dialogs of its page."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import reflex as rx

from rxchat.domain.errors import InvalidInput, RxChatError
from rxchat.domain.ids import require_id


class DialogState(rx.State, mixin=True):
    """The variables by which a page's dialogs recognize the answer to their own form (`Dialogs` of rxchat/ui/kit)."""

    problem: str = ""
    """The error of the last action."""
    problem_field: str = ""
    """The name of the field that it is about, if it is one."""
    problem_dialog: int = 0
    """The number of the dialog whose action failed; 0 if the page's own did."""
    refusals: int = 0
    """How many actions have failed, by which a dialog knows the answer to its second attempt from that to its first."""
    done_dialog: int = 0
    """The number of the dialog whose action is done."""

    def _done(self, form: dict[str, Any] | None = None) -> None:
        """Close the dialog that sent the form, and forget the error."""
        self.problem, self.problem_field, self.problem_dialog = "", "", 0
        if form is not None:
            self.done_dialog = dialog_number(form)


def dialog_number(form: Any) -> int:
    """Return the number of the dialog that sent a form; 0 if it says none."""
    number = form.get("dialog", "") if isinstance(form, dict) else ""
    return int(number) if isinstance(number, str) and number.isascii() and number.isdigit() and len(number) < 16 else 0


def show_problem(state: Any, error: RxChatError, given: dict[str, Any]) -> bool:
    """Show an error in the dialog that sent the form, or on the page; for the `refuse` of `requires_user`."""
    state.problem, state.problem_dialog = error.message, dialog_number(given.get("form"))
    state.problem_field = error.field if isinstance(error, InvalidInput) else ""
    state.refusals += 1
    return True


def text_in(form: dict[str, Any], name: str) -> str:
    """Return the text of a form's field; "" if it is not text."""
    value = form.get(name, "")
    return value if isinstance(value, str) else ""


def ids_in(form: dict[str, Any], name: str, most: int) -> list[UUID]:
    """Return the IDs in a list of a form.

    Raises:
        InvalidInput: when it is no list, or too long.
        NotFound: when one of them is no ID.
    """
    values = form.get(name)
    if not isinstance(values, list) or len(values) > most:
        raise InvalidInput(f"Choose at most {most:,} of them.")
    return [require_id(value if isinstance(value, str) else "") for value in values]
