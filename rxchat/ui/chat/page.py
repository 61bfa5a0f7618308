"""The chat page: the same for a new conversation and for one that has an address."""

from __future__ import annotations

import reflex as rx

from rxchat.states.chat.thread import ThreadState
from rxchat.ui.chat.artifact import artifact_beside
from rxchat.ui.chat.citations import citation_card
from rxchat.ui.chat.composer import composer
from rxchat.ui.chat.configuration import configuration_dialog
from rxchat.ui.chat.message_actions import message_actions
from rxchat.ui.chat.prompt_picks import prompt_fill_dialog
from rxchat.ui.chat.queue import queue
from rxchat.ui.chat.thread import thread, thread_feeds
from rxchat.ui.chat.voice import dictation_dialog
from rxchat.ui.documents.beside import document_beside
from rxchat.ui.layout import page_toasts, shell
from rxchat.ui.platform.not_found import not_found_panel

_MISSING = "The conversation may have been deleted, or the address may be wrong."


def chat_page() -> rx.Component:
    """A thread with its composer, or the words for a conversation that is not there."""
    return shell(
        thread_feeds(),
        rx.cond(
            ThreadState.missing,
            rx.fragment(not_found_panel(_MISSING), page_toasts()),
            rx.fragment(
                thread(),
                message_actions(),
                page_toasts(),
                queue(),
                rx.cond(
                    ThreadState.is_shared,
                    _shared(),
                    rx.fragment(composer(), prompt_fill_dialog(), dictation_dialog(), configuration_dialog()),
                ),
                citation_card(),
            ),
        ),
        beside=rx.fragment(document_beside(), artifact_beside()),
    )


def _shared() -> rx.Component:
    """What stands in the composer's place in another user's conversation."""
    return rx.el.p(
        "This conversation is shared with you: only its owner can write in it.", class_name="composer-hint shared-note"
    )
