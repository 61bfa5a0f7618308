"""The thread: what was said, and the two feeds that keep it current."""

from __future__ import annotations

from typing import Any

import reflex as rx

from rxchat.states.chat.message_actions import MessageActionsState
from rxchat.states.chat.model_picker import ModelPickerState
from rxchat.states.chat.stream import StreamState
from rxchat.states.chat.thread import ThreadState
from rxchat.states.platform.current_user import CurrentUserState
from rxchat.ui.chat.empty_page import empty_page
from rxchat.ui.client import ICONS, ClientComponent, module
from rxchat.ui.kit.elements import skeleton

# Streamdown's own plugins, or ones that they are made of: what remains is drawn with the same parser. KaTeX draws formulas, and
# Mermaid's smaller build, which needs no other package, diagrams (all but mind maps and architecture diagrams).
MARKDOWN = [
    "@streamdown/cjk@1.0.3",
    "remark-breaks@4.0.0",
    "remark-cjk-friendly@2.3.3",
    "remark-cjk-friendly-gfm-strikethrough@2.3.2",
    "remark-gfm@4.0.1",
    "remark-math@6.0.0",
    "katex@0.19.1",
    "@mermaid-js/tiny@12.0.0",
]


def _one_text(value: rx.Var[str]) -> tuple[rx.Var[str]]:
    """The arguments of an event that names one thing."""
    return (value,)


def _two_texts(one: rx.Var[str], other: rx.Var[str]) -> tuple[rx.Var[str], rx.Var[str]]:
    """The arguments of an event that names two things."""
    return (one, other)


def _text_id_and_attached(
    text: rx.Var[str], client_id: rx.Var[str], attached: rx.Var[dict[str, Any]]
) -> tuple[rx.Var[str], rx.Var[str], rx.Var[dict[str, Any]]]:
    """The arguments of a send."""
    return (text, client_id, attached)


class ReadMark(ClientComponent):
    """Says when the end of an answer was seen; shows nothing."""

    library = module("read-mark.js")
    tag = "ReadMark"

    conversation: rx.Var[str]
    seq: rx.Var[int]
    """The event that ended the answer; 0 if it was seen."""
    on_read: rx.EventHandler[_two_texts]


class ThreadFeed(ClientComponent):
    """Carries patches of the thread to the browser's own model of it, and what is sent to the server; shows nothing."""

    library = module("feeds.jsx")
    tag = "ThreadFeed"

    patch: rx.Var[dict[str, Any]]
    conversation_id: rx.Var[str]
    accepted: rx.Var[str]
    born: rx.Var[dict[str, str]]
    refused: rx.Var[dict[str, Any]]
    waiting: rx.Var[list[dict[str, Any]] | None]
    current_user: rx.Var[str]
    on_send: rx.EventHandler[_text_id_and_attached]
    on_resync: rx.EventHandler[rx.event.no_args_event_spec]
    on_more: rx.EventHandler[rx.event.no_args_event_spec]


class StreamFeed(ClientComponent):
    """Carries the newest piece of a running answer, 25 to 30 times a second; shows nothing."""

    library = module("feeds.jsx")
    tag = "StreamFeed"

    packet: rx.Var[dict[str, Any]]


class Thread(ClientComponent):
    """The messages and the typing indicator; its children are the page of a new chat and what is shown while a conversation is loaded."""

    library = module("thread.jsx")
    tag = "Thread"
    lib_dependencies: list[str] = [ICONS, "streamdown@2.7.1", "shiki@4.6.0", *MARKDOWN]

    run: rx.Var[dict[str, Any]]
    model: rx.Var[str]
    on_retry: rx.EventHandler[_one_text]
    on_go_on: rx.EventHandler[_one_text]
    on_older: rx.EventHandler[_one_text]
    on_regenerate: rx.EventHandler[_one_text]
    on_version: rx.EventHandler[_one_text]
    on_rate: rx.EventHandler[rx.event.passthrough_event_spec(str, str)]
    read_only: rx.Var[bool]


def thread_feeds() -> rx.Component:
    """What keeps the thread current; placed once on a page, before the thread."""
    return rx.fragment(
        ThreadFeed.create(
            patch=ThreadState.patch,
            conversation_id=ThreadState.conversation_id,
            accepted=ThreadState.accepted,
            born=ThreadState.born,
            refused=ThreadState.refused,
            waiting=ThreadState.waiting,
            current_user=CurrentUserState.email,
            on_send=ThreadState.send,
            on_resync=ThreadState.resync,
            on_more=ThreadState.more,
        ),
        StreamFeed.create(packet=StreamState.window),
        ReadMark.create(conversation=ThreadState.conversation_id, seq=ThreadState.unread_seq, on_read=ThreadState.read),
    )


def thread() -> rx.Component:
    """The conversation that the address names, or the empty page."""
    return Thread.create(
        empty_page(),
        skeleton("Loading the conversation", 46, 92, 84, 60, 34, 88, 72, look="skeleton thread-skeleton"),
        run=ThreadState.run,
        model=ModelPickerState.model,
        read_only=ThreadState.is_shared,
        on_retry=ThreadState.retry,
        on_go_on=ThreadState.go_on,
        on_older=ThreadState.older,
        on_regenerate=MessageActionsState.regenerate,
        on_version=MessageActionsState.show_version,
        on_rate=MessageActionsState.rate,
    )
