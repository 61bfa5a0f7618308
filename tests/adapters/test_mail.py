"""The SMTP mailer: each mail goes to the one mailbox of the account's address."""

from __future__ import annotations

import pytest

from rxchat.adapters.mail import SmtpMailer
from rxchat.domain.mail import Letter, MailUnavailable
from tests.peers.mailbox import mailbox

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("to", "recipient"),
    [
        ("ada@members.test", "ada@members.test"),
        ("o'neil+x=y@members.test", "o'neil+x=y@members.test"),
        ("ada@exämple.org", "ada@xn--exmple-cua.org"),
        ("jörg@members.test", "jörg@members.test"),
        # Addresses that earlier versions took.
        ("victim,x@members.test", '"victim,x"@members.test'),
        ('"x"<y@members.test', '"\\"x\\"<y"@members.test'),
        ("a;b@members.test", '"a;b"@members.test'),
        ("<x>@members.test", '"<x>"@members.test'),
    ],
)
async def test_a_mail_goes_to_the_one_mailbox_that_its_address_says(to: str, recipient: str) -> None:
    with mailbox() as server:
        try:
            await SmtpMailer(server.url, "RxChat <chat@members.test>").send(Letter(to, "A subject", "Some words."))
        except MailUnavailable:
            # Servers may refuse what is quoted.
            assert recipient.startswith('"')
        assert [to for to, _, _ in server.mails] in ([recipient], [] if recipient.startswith('"') else [recipient])
