"""The services of this process, for those who cannot be handed them: Reflex makes its states itself."""

from __future__ import annotations

from dataclasses import dataclass

from rxchat.services.accounts import Accounts
from rxchat.services.chats import Chats
from rxchat.services.conversations import Conversations
from rxchat.services.health import Health
from rxchat.services.live import LiveAnswers
from rxchat.services.models import Models
from rxchat.services.notices import Activity, Notices
from rxchat.services.runs import RunEngine


@dataclass(frozen=True, slots=True)
class Services:
    """All that RxChat can do, wired together by bootstrap.py."""

    accounts: Accounts
    activity: Activity
    chats: Chats
    conversations: Conversations
    engine: RunEngine
    health: Health
    live: LiveAnswers
    models: Models
    notices: Notices


_installed: list[Services] = []


def install(services: Services) -> None:
    """Make these the services of this process."""
    _installed[:] = [services]


def uninstall() -> None:
    """Leave this process without services."""
    _installed.clear()


def current() -> Services:
    """Return the services of this process.

    Raises:
        RuntimeError: before `install`.
    """
    if not _installed:
        raise RuntimeError("no services are installed: the process has not started yet")
    return _installed[0]
