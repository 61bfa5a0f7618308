"""The dialogs of the page of one user: what an action leads to, before it happens."""

from __future__ import annotations

import reflex as rx

from rxchat.states.access.user import UserState
from rxchat.ui.access.frame import options
from rxchat.ui.kit.dialogs import Dialogs
from rxchat.ui.kit.elements import quiet_button
from rxchat.ui.kit.forms import FormStatus, select, text_area
from rxchat.ui.kit.inputs import link_box

dialogs = Dialogs("user_dialog", UserState)
_deletion = FormStatus("user_deletion")
_name = UserState.user.name
_CONFIRMATIONS = (
    (
        "suspend",
        f"Suspend {_name}?",
        (
            "They will be signed out everywhere within seconds, and cannot sign in until you reinstate them."
            " Their conversations are kept."
        ),
        "Suspend",
        UserState.suspend,
        True,
    ),
    (
        "sessions",
        f"Sign {_name} out everywhere?",
        "All their sessions end, on every device, including those of programs. They can sign in again immediately.",
        "Sign out everywhere",
        UserState.end_sessions,
        True,
    ),
    (
        "factor",
        f"Reset two-factor authentication of {_name}?",
        (
            "Their authenticator app, passkeys and recovery codes stop working, and they are signed out. Make sure that the"
            " request really comes from them: afterwards the password alone is enough to sign in."
        ),
        "Reset two-factor authentication",
        UserState.reset_factor,
        True,
    ),
    (
        "readmit",
        f"Reinstate {_name}?",
        "They can sign in with the same password and passkeys as before.",
        "Reinstate",
        UserState.readmit,
        False,
    ),
    (
        "keep",
        f"Cancel the deletion of {_name}?",
        "The account will not be deleted. The user can sign in as before.",
        "Cancel deletion",
        UserState.keep_account,
        False,
    ),
)
"""Name, title, what happens, the button, the handler, and whether it is dangerous."""
_DELETION = (
    "They will be signed out everywhere, and their API keys stop working. The account, its conversations and documents are"
    " deleted after the grace period. Until then they can sign in to download their data, and you can cancel the deletion."
)
_REASON = "At least ten characters. The audit log permanently records your name, this reason and each conversation that you open."


def user_dialogs() -> rx.Component:
    """All of them; one at most is open."""
    confirmations = (
        dialogs.confirm(which, title, words, action=action, on_submit=handler, danger=danger)
        for which, title, words, action, handler, danger in _CONFIRMATIONS
    )
    return rx.fragment(*confirmations, _role_dialog(), _deletion_dialog(), _link_dialog(), _reason_dialog())


def _role_dialog() -> rx.Component:
    return dialogs.form(
        "role",
        f"Change the role of {_name}",
        select(
            "role",
            "Role",
            options(UserState.roles),
            default_value=UserState.user.role,
            help_text="The user is signed out everywhere, and gets the new role with the next sign-in.",
        ),
        action="Change role",
        on_submit=UserState.set_role,
    )


def _deletion_dialog() -> rx.Component:
    return dialogs.proof(
        "delete",
        f"Delete the account of {_name}?",
        status=_deletion,
        has_password=UserState.has_password,
        path=f"/api/admin/users/{UserState.selected_id}/delete",
        words="Delete account",
        on_done=lambda _: [dialogs.close, UserState.show_deletion],
        danger=True,
        lead=_DELETION,
    )


def _link_dialog() -> rx.Component:
    made = rx.el.div(
        link_box(UserState.link, "Password link"),
        rx.el.p("Send it only to this user. It will not be shown again.", class_name="field-help"),
        rx.el.div(quiet_button("Done", on_click=dialogs.close), class_name="dialog-actions"),
        class_name="form",
    )
    return dialogs.window(
        "link",
        f"A new password for {_name}",
        rx.cond(UserState.link == "", dialogs.content(action="Create link", on_submit=UserState.make_link), made),
        lead="Anyone with this link can choose a new password for the account, once, within a day."
        " Earlier links stop working.",
    )


def _reason_dialog() -> rx.Component:
    return dialogs.form(
        "reason",
        f"Read conversations of {_name}",
        text_area("reason", "Reason", help_text=_REASON, problem=dialogs.problem_of("reason"), is_announced=True),
        action="Show conversations",
        on_submit=UserState.list_conversations,
    )
