"""Mail as jobs: queued with what makes it necessary, sealed, tried again, and sent by another process when one dies."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest
from structlog.testing import capture_logs

from rxchat.connections import Connections
from rxchat.domain import mail
from rxchat.domain.accounts import ClientInfo
from rxchat.domain.mail import Letter, MailUnavailable
from rxchat.lifespan import running
from rxchat.services.app.container import Services
from rxchat.services.platform import mail_sender as module
from rxchat.services.platform.mail_sender import TRIES
from rxchat.settings import Settings
from tests.factories import add_user
from tests.peers.mailbox import Mailbox, mailbox

pytestmark = pytest.mark.anyio

CALLER = ClientInfo("127.0.0.1", "a browser")


@pytest.fixture(scope="module")
def inbox() -> Iterator[Mailbox]:
    with mailbox() as found:
        yield found


@pytest.fixture
def settings(settings: Settings, inbox: Mailbox) -> Settings:
    inbox.mails.clear()
    return Settings.model_validate(settings.model_dump() | {"smtp_url": inbox.url, "registration": "open"})


def queued(owner_url: str) -> list[str]:
    """Return what stands in the queue, as somebody who reads the database sees it."""
    with psycopg.connect(owner_url) as connection:
        found = connection.execute("SELECT args FROM procrastinate_jobs WHERE queue_name = 'mail'").fetchall()
    return [json.dumps(args) for (args,) in found]


async def queue(services: Services, letter: Letter) -> None:
    async with services.platform.mail_sender._database.begin(None) as session:
        await services.platform.mail_sender.queue(session, letter)


LETTER = mail.reset("ada@example.org", "http://127.0.0.1/reset?token=canary", "http://127.0.0.1")


async def test_a_mail_whose_process_dies_is_sent_by_another(
    settings: Settings, at: Connections, owner_url: str, inbox: Mailbox
) -> None:
    async with running(settings.model_copy(update={"engine": False}), at) as dying:
        await queue(dying, LETTER)
    [told] = queued(owner_url)
    # Who can read the queue cannot open an account with it.
    assert "canary" not in told
    assert "ada" not in told
    assert inbox.mails == []
    async with running(settings, at) as other:
        await other.platform.mail_sender.drain()
    assert [(to, subject) for to, subject, _ in inbox.mails] == [(LETTER.to, LETTER.subject)]
    assert queued(owner_url) == []


async def test_what_is_rolled_back_sends_no_mail(services: Services, owner_url: str, inbox: Mailbox) -> None:
    with pytest.raises(ZeroDivisionError):
        async with services.platform.mail_sender._database.begin(None) as session:
            await services.platform.mail_sender.queue(session, LETTER)
            raise ZeroDivisionError
    await services.platform.mail_sender.drain()
    assert (inbox.mails, queued(owner_url)) == ([], [])


class Failing:
    """A mail server that is away a few times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.ids: list[str] = []

    async def send(self, letter: Letter) -> None:
        self.ids.append(letter.id)
        if len(self.ids) <= self.times:
            raise MailUnavailable("it is away")


async def test_a_mail_server_that_is_away_is_tried_again(
    services: Services, monkeypatch: pytest.MonkeyPatch, owner_url: str
) -> None:
    monkeypatch.setattr(module, "_FIRST_PAUSE_SECONDS", 0.01)
    services.platform.mail_sender._mailer = failing = Failing(2)
    await queue(services, LETTER)
    await services.platform.mail_sender.drain()
    assert len(failing.ids) == 3
    # A server that took it without saying so knows it again.
    assert len(set(failing.ids)) == 1
    assert queued(owner_url) == []


async def test_the_pauses_grow_and_in_the_end_it_is_given_up_with_a_line_in_the_log(services: Services) -> None:
    services.platform.mail_sender._mailer = Failing(1000)
    sealed = await sealed_by(services)
    with capture_logs() as logs:
        pauses = [await services.platform.mail_sender.deliver(sealed, attempt) for attempt in range(1, TRIES + 1)]
    assert pauses[:4] == [5, 10, 20, 40]
    assert (max(pause for pause in pauses if pause), pauses[-1]) == (900, None)
    assert (logs[-1]["event"], logs[-1]["log_level"]) == ("an e-mail was discarded", "error")
    assert "canary" not in str(logs)


async def sealed_by(services: Services) -> str:
    """Return what would be queued of a mail."""
    kept = []
    monkey = pytest.MonkeyPatch()

    async def keep(_session: object, sealed: str) -> None:
        kept.append(sealed)

    monkey.setattr(module.jobs, "enqueue_mail", keep)
    await queue(services, LETTER)
    monkey.undo()
    return kept[0]


async def test_a_mail_that_cannot_be_opened_is_given_up(services: Services) -> None:
    with capture_logs() as logs:
        assert await services.platform.mail_sender.deliver("bm9uc2Vuc2U=", 1) is None
    assert "cannot be decrypted" in logs[-1]["event"]


async def test_every_use_case_queues_its_mail_with_what_it_did(
    services: Services, owner_url: str, inbox: Mailbox
) -> None:
    administrator = add_user(owner_url, "Grace", role="admin")
    await services.access.user_admin.invite(administrator, email="new@example.org", role="member", client_info=CALLER)
    await services.accounts.registration.register(
        name="Zoe", email="zoe@example.org", password="a long enough one", client_info=CALLER
    )
    await services.accounts.password_reset.request_reset("zoe@example.org", CALLER)
    await services.platform.mail_sender.drain()
    assert {to for to, _, _ in inbox.mails} == {"new@example.org", "zoe@example.org"}
    assert len(inbox.mails) == 3
