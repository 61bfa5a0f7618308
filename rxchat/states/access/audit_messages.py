"""The sentences for audit log entries; `{...}` is a value of the entry, with names in place of ids."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from rxchat.domain.permissions import EVERYTHING, PERMISSION_WORDS, PrincipalKind

_WORDS: dict[str, tuple[str, str]] = {
    "signed_in": ("Signed in", "Signed in with {method}"),
    "signed_out": ("Signed out", "Signed out"),
    "sign_in_refused": ("Sign-in refused", "Failed to sign in"),
    "second_factor_refused": ("Wrong second factor", "Entered a wrong second factor for {account}"),
    "proof_refused": (
        "Wrong password for a protected action",
        "Entered a wrong password for a protected action",
    ),
    "session_ended": ("Session ended", "Ended one of their own sessions"),
    "other_sessions_ended": ("Other sessions ended", "Ended their other sessions ({count})"),
    "first_administrator_created": ("First administrator", "Became the first administrator"),
    "registered": ("Account created", "Created an account"),
    "registration_refused": ("Registration refused", "Tried to register with an address that is taken"),
    "joined": ("Invitation accepted", "Accepted the invitation from {invited_by}"),
    "invited": ("Invitation", "Invited {email} as {role}"),
    "invitation_withdrawn": ("Invitation revoked", "Revoked an invitation"),
    "email_confirmed": ("Address confirmed", "Confirmed their e-mail address"),
    "role_changed": ("Role changed", "Made {user} {role}"),
    "suspended": ("Suspended", "Suspended {user}"),
    "readmitted": ("Reinstated", "Reinstated {user}"),
    "sessions_ended": ("Signed out by an administrator", "Signed {user} out everywhere ({count})"),
    "second_factor_reset": ("Two-factor authentication reset", "Reset two-factor authentication of {user}"),
    "reset_link_made": ("Password link created", "Made a password link for {user}"),
    "reset_requested": ("Password link requested", "Requested a password link by e-mail"),
    "password_reset": ("Password reset", "Chose a new password with a link"),
    "password_changed": ("Password changed", "Changed their password"),
    "totp_added": ("Authenticator app added", "Set up an authenticator app"),
    "totp_removed": ("Authenticator app removed", "Removed their authenticator app"),
    "recovery_codes_renewed": ("Recovery codes replaced", "Created new recovery codes"),
    "recovery_code_used": ("Recovery code used", "Used a recovery code ({codes_left} left)"),
    "passkey_added": ("Passkey added", "Added the passkey “{name}”"),
    "passkey_removed": ("Passkey removed", "Removed a passkey"),
    "passkey_refused": ("Passkey refused", "Failed to sign in with a passkey"),
    "identity_linked": ("External account connected", "Connected their account at {provider}"),
    "identity_unlinked": ("External account disconnected", "Disconnected their account at {provider}"),
    "key_created": ("API key created", "Created the API key “{name}”"),
    "key_revoked": ("API key revoked", "Revoked an API key"),
    "refresh_token_replayed": ("Refresh token replayed", "A refresh token was used twice, so its session was ended"),
    "group_saved": ("Group saved", "Saved the group “{name}”"),
    "group_removed": ("Group deleted", "Deleted the group {group}"),
    "member_added": ("Added to a group", "Put {user} into the group {group}"),
    "member_removed": ("Removed from a group", "Took {user} out of the group {group}"),
    "role_saved": ("Role saved", "Saved the role {role}"),
    "role_removed": ("Role deleted", "Deleted the role {role}"),
    "granted": ("Access granted", "Granted access: {grant}"),
    "grant_revoked": ("Access revoked", "Revoked access: {grant}"),
    "collection_shared": ("Collection shared", "Shared a collection with {principal}"),
    "collection_unshared": ("Collection no longer shared", "Stopped sharing a collection with {principal}"),
    "public_link_created": ("Public link created", "Created a public link to a conversation"),
    "public_link_revoked": ("Public link revoked", "Revoked a public link to a conversation"),
    "assistant_changed": ("Shared assistant changed", "Changed another user's assistant (version {version})"),
    "assistant_shared": ("Assistant shared", "Shared an assistant with {principal} ({access})"),
    "assistant_unshared": ("Assistant no longer shared", "Stopped sharing an assistant with {principal}"),
    "prompt_changed": ("Shared prompt changed", "Changed another user's prompt (version {version})"),
    "prompt_shared": ("Prompt shared", "Shared a prompt with {principal} ({access})"),
    "prompt_unshared": ("Prompt no longer shared", "Stopped sharing a prompt with {principal}"),
    "document_replaced": ("Document replaced", "Replaced the document “{name}” with version {version}"),
    "document_version_restored": ("Earlier version restored", "Restored version {restored} of the document “{name}”"),
    "conversation_repaired": (
        "Conversation repaired",
        "The operator stored again what the events of a conversation say",
    ),
    "file_keys_rotated": ("File keys rotated", "The operator rotated the keys of all files"),
    "unknown_objects_deleted": ("Orphaned files deleted", "The operator deleted files that no document refers to"),
    "file_store_claimed": ("File store claimed", "The operator claimed the file store for this installation"),
    "model_changed": ("Model changed", "Changed how the model {model} is offered and answers"),
    "model_reset": ("Model reset", "Removed everything that was set for the model {model}"),
    "models_ordered": ("Models reordered", "Moved the model {model} in the list of models"),
    "model_deleted": ("Model deleted", "Deleted the model {model} from the host {host}"),
    "model_loaded": ("Model loaded", "Loaded the model {model} at the host {host}"),
    "model_pull_cancelled": (
        "Download of a model cancelled",
        "Cancelled the download or loading of {model} at the host {host}",
    ),
    "model_pulled": ("Model pulled", "Began to download the model {model} to the host {host}"),
    "model_unloaded": ("Model unloaded", "Unloaded the model {model} at the host {host}"),
    "provider_added": ("Model provider added", "Added the model provider {provider}"),
    "provider_changed": ("Model provider changed", "Changed the model provider {provider}"),
    "provider_deleted": ("Model provider deleted", "Deleted the model provider {provider}"),
    "provider_disabled": ("Model provider disabled", "Disabled the model provider {provider}"),
    "provider_enabled": ("Model provider enabled", "Enabled the model provider {provider}"),
    "quota_set": ("Quota added", "Added a quota: {subject_kind} {subject}, {model}, {period}"),
    "quota_changed": ("Quota changed", "Changed a quota: {subject_kind} {subject}, {model}, {period}"),
    "quota_deleted": ("Quota deleted", "Deleted a quota: {subject_kind} {subject}, {model}, {period}"),
    "price_set": ("Price set", "Set the price of {model}: {input_price} and {output_price} for a million tokens"),
    "price_deleted": ("Price deleted", "Deleted the price of {model}"),
    "settings_changed": ("Settings changed", "Changed the settings: {changes}"),
    "conversations_listed": ("Conversations listed", "Listed the conversations of {user}"),
    "conversation_read": ("Conversation read", "Read a conversation of {user}"),
    "data_exported": ("Own data exported", "Exported their own data"),
    "deletion_requested": ("Account deletion requested", "Requested the deletion of their account"),
    "deletion_withdrawn": ("Account deletion canceled", "Canceled the deletion of their account"),
    "account_deletion_scheduled": (
        "Account deletion by an administrator",
        "Had the account of {user} deleted, on {at}",
    ),
    "account_deletion_canceled": (
        "Account deletion canceled by an administrator",
        "Kept the account of {user} after all",
    ),
    "account_deleted": ("Account deleted", "The account {user} was deleted, as had been asked"),
    "audit_exported": ("Audit log exported", "Exported the audit log"),
    "denied": ("Access denied", "Was denied access to {door}"),
    "reset_link_made_by_operator": (
        "Password link created on the server",
        "The operator made a password link for {user}",
    ),
}

ACTIONS = {action: title for action, (title, _) in sorted(_WORDS.items(), key=lambda item: item[1][0])}
"""The titles of the actions, in alphabetical order."""

_HANDLER = re.compile(r"(\w+?)State\.(\w+)")
_CAPITAL = re.compile(r"(?<=[a-z])(?=[A-Z])")
_PERMISSIONS = {permission.value: words for permission, words in PERMISSION_WORDS.items()}
_LABELS = {"second_factor": "two-factor authentication", "codes_left": "codes left", "sessions_ended": "ended sessions"}
_UNTOLD = frozenset(
    {"session", "conversation", "invitation", "grant_id", "key", "passkey", "correlation_id", "document"}
)


class _Spoken(dict[str, str]):
    """The values of an entry; entries of older versions may lack some."""

    def __missing__(self, name: str) -> str:
        return "…"


def sentence(action: str, data: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return the sentence for an entry, to follow the name of the user who acted."""
    words = _WORDS.get(action, ("", action.replace("_", " ").capitalize()))[1]
    if action == "denied":
        data = {**data, "door": door_words(str(data.get("door", "…")))}
    return words.format_map(_Spoken({name: _spoken(value, names) for name, value in data.items()}))


def door_words(door: str) -> str:
    """Return what was refused in words: the page and the action of an event handler, or the route as it is."""
    found = _HANDLER.fullmatch(door)
    if not found:
        return door
    page, action = (_CAPITAL.sub(" ", part).replace("_", " ").strip().lower() for part in found.groups())
    return f"the page “{page}” ({action})"


def details(action: str, data: Mapping[str, Any], names: Mapping[str, str]) -> str:
    """Return the values that the sentence does not contain, except ids."""
    told = sentence(action, data, names)
    left = {
        _LABELS.get(name, name): spoken
        for name, value in data.items()
        if name not in _UNTOLD and (spoken := _spoken(value, names)) and spoken not in told
    }
    return " · ".join(f"{name}: {spoken}" for name, spoken in left.items())


def _spoken(value: Any, names: Mapping[str, str]) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Mapping) and {"principal", "resource", "action"} <= value.keys():
        who, what = _spoken(value["principal"], names), _spoken(value["resource"], names)
        return f"{who} may {value['action']} {what}"
    if isinstance(value, Mapping):
        return ", ".join(f"{_LABELS.get(str(name), name)} {_spoken(item, names)}" for name, item in value.items())
    if isinstance(value, (list, tuple)):
        return ", ".join(_spoken(item, names) for item in value)
    kind, _, rest = str(value).partition(" ")
    if rest == EVERYTHING:
        return kind if kind == PrincipalKind.EVERYONE else f"every {kind}"
    if kind in {"user", "group", "role"} and rest in names:
        return f"{kind} {names[rest]}"
    return names.get(str(value), _PERMISSIONS.get(str(value), str(value)))
