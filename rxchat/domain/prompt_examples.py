"""Prompts that an empty library offers."""

from __future__ import annotations

from rxchat.domain.prompts import PromptContent

EXAMPLES = (
    PromptContent(
        "Summarize a text",
        "summarize",
        "Summarize the following text in {{length=five sentences|one paragraph|ten bullet points}}, in {{language=English}}."
        " Keep names, numbers and dates.\n\n{{text}}",
        "The main points, in the language and length that you choose",
    ),
    PromptContent(
        "Write a reply",
        "reply",
        "Write a {{tone=friendly|formal|short}} reply to this message. Say that {{what to say}}.\n\n{{message}}",
        "An answer to a message, in the right tone",
    ),
    PromptContent(
        "Review some code",
        "review",
        "Review this code. Look for bugs, missing cases and unclear names, the most important first. For each, show the line"
        " and how to mend it.\n\n```\n{{code}}\n```",
        "Bugs and unclear places, with how to mend them",
    ),
)
