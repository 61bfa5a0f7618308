"""The arguments of commands. In a module without other imports, since `--help` and other commands need no more."""

from __future__ import annotations

import argparse
from pathlib import Path


def web(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `web`."""
    command.add_argument("--workers", type=int, default=1, metavar="N", help="how many processes serve (default 1)")
    command.add_argument(
        "--no-engine", action="store_true", help="write no answers in this process; `worker` processes do"
    )


def ask(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `ask`."""
    command.add_argument("text", help="the question; - reads it from standard input")
    talk(command)


def talk(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `chat`, which `ask` has, too."""
    command.add_argument(
        "--model", default="", help="the model that answers (default: the conversation's, or the first one)"
    )
    command.add_argument("--conversation", default="", metavar="ID", help="continue this conversation")
    command.add_argument("--json", action="store_true", help="print each event as a line of JSON")


def servers(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `servers`."""
    command.add_argument("--owner", type=int, required=True, help="the process that they belong to")


def reset_link(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `reset-link`."""
    command.add_argument("email", help="the user whose password is reset")
    command.add_argument("--second-factor", action="store_true", help="also remove the user's second factors")


def audit(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `audit`."""
    choices = command.add_subparsers(dest="part", required=True, metavar="part")
    export = choices.add_parser("export", help="write the whole audit, signed, as lines of JSON")
    export.add_argument("file", help="where to write it; - for standard output")
    check = choices.add_parser("verify", help="verify that an export is complete and unchanged; needs no database")
    check.add_argument("file", type=Path, help="the export")
    check.add_argument("--key", default="", help="the public key that it must be signed with (see `audit key`)")
    choices.add_parser("key", help="print the public key that this installation's audit is signed with")


def sweep_files(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `sweep-files`."""
    command.add_argument(
        "--unknown", action="store_true", help="also delete objects that belong to no file of this installation"
    )


def conversation(command: argparse.ArgumentParser) -> None:
    """Add the arguments of `conversation`."""
    choices = command.add_subparsers(dest="part", required=True, metavar="part")
    words = "replay conversations from their events, and compare the result with what is stored"
    replay = choices.add_parser("replay", help=words, description=words)
    replay.add_argument("id", nargs="?", default="", help="one conversation; without it, those of all users")
    replay.add_argument("--repair", action="store_true", help="store what the events say wherever it differs")
