"""The command line: python -m rxchat COMMAND; --help lists the commands."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from importlib import import_module

from pydantic import ValidationError

from rxchat import __version__, arguments
from rxchat.checks import InsecureSettings
from rxchat.domain.errors import RxChatError
from rxchat.observability import configure_logging
from rxchat.settings import Settings

COMMANDS: dict[str, tuple[str, str]] = {
    "up": ("rxchat.commands:up", "start everything on this machine and serve (what `make run` does)"),
    "build": ("rxchat.commands:build", "build the pages, if their sources have changed"),
    "check": ("rxchat.commands:check", "check the settings, and report what is insecure and how to fix it"),
    "doctor": (
        "rxchat.doctor:doctor",
        "check each part of a running installation, and report how to fix problems",
    ),
    "web": ("rxchat.commands:web", "serve pages and the API, with the configured or running servers"),
    "worker": (
        "rxchat.commands:worker",
        "write answers and ingest documents, beside `web --no-engine`; start any number of workers",
    ),
    "migrate": ("rxchat.commands:migrate", "migrate the database to the schema of this version"),
    "servers": ("rxchat.commands:servers", "start only the embedded servers, while the process --owner lives"),
    "secrets": (
        "rxchat.env_file:secrets",
        "print new passwords and keys as a .env file for compose.yaml",
    ),
    "ask": ("rxchat.api_commands:ask", "ask a model one question through the API, and print its answer"),
    "chat": ("rxchat.api_commands:chat", "talk to a model through the API"),
    "setup-link": ("rxchat.commands:setup_link", "print the link that creates the first administrator"),
    "reset-link": ("rxchat.operator_commands:reset_link", "print a link to set a new password for a user"),
    "audit": ("rxchat.operator_commands:audit", "export the audit log, or verify an export"),
    "conversation": (
        "rxchat.operator_commands:conversation",
        "replay conversations from their events, and compare the result with what is stored",
    ),
    "rotate-file-keys": (
        "rxchat.operator_commands:rotate_file_keys",
        "encrypt the keys of all files with the current master key (RXCHAT_FILES_KEY)",
    ),
    "sweep-files": (
        "rxchat.operator_commands:sweep_files",
        "delete objects of deleted files, and report unknown objects in the file store",
    ),
    "claim-files": (
        "rxchat.operator_commands:claim_files",
        "claim the configured file store for this installation, after you moved its files there",
    ),
}

_ARGUMENTS: dict[str, Callable[[argparse.ArgumentParser], None]] = {
    "servers": arguments.servers,
    "web": arguments.web,
    "ask": arguments.ask,
    "chat": arguments.talk,
    "reset-link": arguments.reset_link,
    "audit": arguments.audit,
    "sweep-files": arguments.sweep_files,
    "conversation": arguments.conversation,
}


def function_of(command: str) -> Callable[[Settings, argparse.Namespace], int]:
    """Import a command's function and no other: `up` keeps its imports in memory while its children run."""
    module, _, name = COMMANDS[command][0].partition(":")
    return getattr(import_module(module), name)


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code."""
    parser = argparse.ArgumentParser(prog="python -m rxchat", description="RxChat: a private AI chat for teams.")
    parser.add_argument("--version", action="version", version=__version__)
    choices = parser.add_subparsers(dest="command", required=True, metavar="command")
    for name, (_, words) in COMMANDS.items():
        command = choices.add_parser(name, help=words, description=words)
        _ARGUMENTS.get(name, lambda _command: None)(command)
    chosen = parser.parse_args(argv)
    try:
        settings = Settings()  # pyright: ignore[reportCallIssue]
    except ValidationError as error:
        for problem in error.errors():
            print(f"rxchat: {problem['loc'][0]}: {problem['msg'].removeprefix('Value error, ')}", file=sys.stderr)
        return 1
    # `up` prints its own messages; its log is a file next to its children's, unless a setting asks for output here.
    is_asked_for = bool({"log_level", "log_format"} & settings.model_fields_set)
    to_file = chosen.command == "up" and not is_asked_for
    configure_logging(settings.log_level, settings.log_format, settings.data / "logs" / "up.log" if to_file else None)
    try:
        return function_of(chosen.command)(settings, chosen)
    except InsecureSettings as error:
        for finding in error.findings:
            print(f"rxchat: {finding}", file=sys.stderr)
        return 1
    except RxChatError as error:
        print(f"rxchat: {error.message}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
