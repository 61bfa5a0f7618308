"""E-mails of every shape, and what is attached to them."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from rxchat.parsers import mail
from tests.parsers import samples


def message(body: str = "Hello.") -> EmailMessage:
    made = EmailMessage()
    made["From"], made["Subject"] = "ann@example.org", "Keys"
    made.set_content(body)
    return made


def test_an_empty_plain_part_gives_way_to_the_page() -> None:
    made = message(" \n")
    made.add_alternative("<p>Order 88-1204</p>", subtype="html")
    assert "Order 88-1204" in mail.parse(bytes(made), ".eml").text


def test_attachments_are_read_below_their_names() -> None:
    made = message()
    made.add_attachment(samples.word(), maintype="application", subtype="octet-stream", filename="Übersicht.docx")
    made.add_attachment("a;b\n1;2\n".encode("utf-16"), maintype="text", subtype="csv", filename="t.csv")
    made.add_attachment(b"\x89PNG\r\n\x1a\n", maintype="image", subtype="png", filename="logo.png")
    document = mail.parse(bytes(made), ".eml")
    samples.check(document)
    assert [text for _, text in samples.headings(document)] == [
        "Attachment: Übersicht.docx", "Harvest", "Numbers", "Attachment: t.csv",
    ]  # fmt: skip
    assert "a | b\n1 | 2" in document.text
    assert document.notes == (
        "The attachment “logo.png” was not read: it is a picture or a scan. Upload it by itself.",
    )


def test_an_attachment_that_breaks_its_parser_costs_only_itself() -> None:
    made = message()
    made.add_attachment(samples.word()[:900], maintype="application", subtype="zip", filename="a.docx")
    document = mail.parse(bytes(made), ".eml")
    assert "Hello." in document.text
    assert document.notes[0].startswith("The attachment “a.docx” was not read:")


async def _names(source: bytes) -> str:
    return (await samples.parsed("a.eml", source)).text


@pytest.mark.anyio
@pytest.mark.parametrize(
    "header",
    [
        b"attachment; filename*0*=utf-8''%C3%BCb; filename*1*=er.csv",
        b'attachment; filename="=?utf-8?B?w7xiZXIuY3N2?="',
        b"attachment; filename*=iso-8859-1'de'%FCber.csv",
    ],
)
async def test_names_of_attachments_are_decoded(header: bytes) -> None:
    source = (
        b"From: a@b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nHello\r\n--x\r\n"
        b"Content-Type: text/csv\r\nContent-Disposition: " + header + b"\r\n\r\na;b\r\n1;2\r\n--x--\r\n"
    )
    assert "Attachment: über.csv\n\na | b" in await _names(source)


def test_headers_of_bare_bytes_are_decoded() -> None:
    document = mail.parse("From: Jürgen <a@b>\r\nSubject: Grüße\r\n\r\nHello".encode("cp1252"), ".eml")
    assert document.text.startswith("From: Jürgen <a@b>\nSubject: Grüße")


def test_a_message_that_was_forwarded_is_read_with_what_is_attached_to_it() -> None:
    inner = message("The tenant left.")
    inner.add_attachment(b"inner list", maintype="text", subtype="plain", filename="inner.txt")
    outer = message()
    outer.add_attachment(inner)
    text = mail.parse(bytes(outer), ".eml").text
    assert text.index("Forwarded message: Keys") < text.index("The tenant left.") < text.index("inner list")


def test_messages_in_messages_end_somewhere() -> None:
    made = message("deepest")
    for _ in range(20):
        outer = message()
        outer.add_attachment(made)
        made = outer
    document = mail.parse(bytes(made), ".eml")
    assert "nested too deeply" in document.notes[0]


def test_an_encrypted_message_says_so() -> None:
    source = b"From: a@b\r\nContent-Type: application/pkcs7-mime; smime-type=enveloped-data\r\n\r\nxx"
    assert "encrypted" in mail.parse(source, ".eml").notes[0]


def test_a_mailbox_has_each_message_below_its_subject() -> None:
    box = b"".join(
        b"From a@b Mon Mar  2 10:00:00 2026\nFrom: a@b\nSubject: %s\n\n>From here on.\n\n" % subject
        for subject in (b"one", b"two")
    )
    document = mail.parse(box, ".mbox")
    assert [text for _, text in samples.headings(document)] == ["one", "two"]
    assert "\nFrom here on." in document.text
