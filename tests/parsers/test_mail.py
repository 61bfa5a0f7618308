"""E-mails of every shape, and what is attached to them."""

from __future__ import annotations

from email.message import EmailMessage

import pytest

from rxchat.adapters.parsing import SandboxedParser
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers import limits, mail
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


def test_a_plain_part_that_is_about_the_page_does_not_replace_it() -> None:
    made = message("Your mail program cannot show HTML.")
    made.add_alternative("<p>Contract 88-1204, price 12.50</p>", subtype="html")
    assert "Contract 88-1204, price 12.50" in mail.parse(bytes(made), ".eml").text


def test_a_page_about_the_plain_part_does_not_replace_it() -> None:
    made = message("Contract 88-1204, price 12.50")
    made.add_alternative("<p>View this mail as text.</p>", subtype="html")
    assert "Contract 88-1204, price 12.50" in mail.parse(bytes(made), ".eml").text


@pytest.mark.parametrize("body", ["Hello, contract 88-1204.", "東京で会議があります。\n資料を送ります。"])
def test_a_text_in_two_forms_is_read_once(body: str) -> None:
    made = message(body)
    made.add_alternative(f"<p>{body}</p>".replace("\n", ""), subtype="html")
    assert mail.parse(bytes(made), ".eml").text.count(body[:6]) == 1


def test_an_invitation_is_read_with_its_place() -> None:
    made = message("You are invited.")
    made.add_alternative("BEGIN:VEVENT\r\nLOCATION:Room\r\n  5\r\nEND:VEVENT\r\n", subtype="calendar")
    assert "You are invited." in mail.parse(bytes(made), ".eml").text
    assert "LOCATION:Room 5" in mail.parse(bytes(made), ".eml").text


@pytest.mark.parametrize(
    "end", [b"aGVsbG8gd29ybGQgYWdhaW4", b"aGVsbG8*gd29ybGQ=\r\n--x--", b"aGVsb\r\n--x--"], ids=["cut", "junk", "length"]
)
def test_a_damaged_mail_says_so(end: bytes) -> None:
    source = (
        b"From: a@b\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nHello\r\n--x\r\n"
        b"Content-Type: text/csv; name=a.csv\r\nContent-Transfer-Encoding: base64\r\n\r\n" + end
    )
    assert "damaged or incomplete" in mail.parse(source, ".eml").notes[0]


def test_a_part_of_a_mail_says_so() -> None:
    source = b"From: a@b\r\nContent-Type: message/partial; id=1; number=1; total=2\r\n\r\nSubject: inner\r\n\r\nHello"
    assert "one of several parts" in mail.parse(source, ".eml").notes[0]


@pytest.mark.parametrize(
    ("start", "other"), [(" a@b Thu Jan  1 00:00:00 2015", " - Fri Jan 2 10:00 2015"), (" a", " b")]
)
def test_a_mailbox_is_parted_where_messages_begin(start: str, other: str) -> None:
    gate = "\n\nFrom now on we use gate 7\nNote: keep it" if "2015" in start else ""
    source = f"From{start}\nFrom: a\nSubject: One\n\nHello{gate}\n\nFrom{other}\nFrom: b\nSubject: Two\n\nBye\n"
    document = mail.parse(source.encode(), ".mbox")
    assert samples.headings(document) == [(1, "One"), (1, "Two")]
    assert not gate or gate[2:] in document.text


def test_attachments_are_named_in_the_text_and_files_of_their_own() -> None:
    # Made once: the time of making is in it.
    document = samples.word()
    made = message()
    made.add_attachment(document, maintype="application", subtype="octet-stream", filename="Übersicht.docx")
    made.add_attachment("a;b\n1;2\n".encode("utf-16"), maintype="text", subtype="csv", filename="t.csv")
    made.add_attachment(b"\x89PNG\r\n\x1a\n", maintype="image", subtype="png", filename="logo.png")
    made.add_attachment(b"PK\x03\x04", maintype="application", subtype="zip", filename="all.zip")
    made.add_attachment(b"MZ", maintype="application", subtype="pdf", filename="bill.pdf")
    read = mail.read(bytes(made), ".eml")
    samples.check(read.document)
    assert read.document.text.endswith(
        "Hello.\n\nAttachment: Übersicht.docx\n\nAttachment: t.csv\n\nAttachment: logo.png\n\nAttachment: all.zip\n\n"
        "Attachment: bill.pdf"
    )
    assert [(item.name, item.content) for item in read.files[:2]] == [
        ("Übersicht.docx", document), ("t.csv", "a;b\n1;2\n".encode("utf-16")),
    ]  # fmt: skip
    assert [item.name for item in read.files[2:]] == ["logo.png"]
    assert [note.partition(":")[0] for note in read.document.notes] == [
        "The attachment “all.zip” was not read", "The attachment “bill.pdf” was not read",
    ]  # fmt: skip


def test_a_picture_that_the_text_shows_is_no_document() -> None:
    made = message()
    made.add_alternative('<p>Hello <img src="cid:x"></p>', subtype="html")
    picture = b"\x89PNG\r\n\x1a\n"
    made.get_payload()[1].add_related(picture, maintype="image", subtype="png", cid="<x>", filename="sign.png")  # type: ignore[union-attr, index]
    made.add_attachment(picture, maintype="image", subtype="png", filename="photo.png")
    assert [item.name for item in mail.read(bytes(made), ".eml").files] == ["photo.png"]


def test_attached_files_have_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    made = message()
    for number in range(4):
        made.add_attachment(b"x" * 100, maintype="text", subtype="plain", filename=f"{number}.txt")
    monkeypatch.setattr(limits, "ATTACHED_FILES", 2)
    read = mail.read(bytes(made), ".eml")
    assert ([item.name for item in read.files], "only the first 2 files" in read.document.notes[0]) == (
        ["0.txt", "1.txt"], True,
    )  # fmt: skip
    monkeypatch.setattr(limits, "ATTACHED_BYTES", 150)
    read = mail.read(bytes(made), ".eml")
    assert ([item.name for item in read.files], "together" in read.document.notes[0]) == (["0.txt"], True)


def test_names_of_attached_files_are_no_paths() -> None:
    made = message()
    made.add_attachment(b"x", maintype="text", subtype="plain", filename="../../etc/cron.d/job.txt")
    assert [item.name for item in mail.read(bytes(made), ".eml").files] == ["job.txt"]


async def _names(source: bytes) -> list[str]:
    found = await SandboxedParser().attached_files("a.eml", "", samples.pieces(source))
    assert [item.content for item in found] == [b"a;b\r\n1;2"]
    return [item.name for item in found]


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
    assert await _names(source) == ["über.csv"]


def test_headers_of_bare_bytes_are_decoded() -> None:
    document = mail.parse("From: Jürgen <a@b>\r\nSubject: Grüße\r\n\r\nHello".encode("cp1252"), ".eml")
    assert document.text.startswith("From: Jürgen <a@b>\nSubject: Grüße")


def test_a_message_that_was_forwarded_is_read_with_what_is_attached_to_it() -> None:
    inner = message("The tenant left.")
    inner.add_attachment(b"inner list", maintype="text", subtype="plain", filename="inner.txt")
    outer = message()
    outer.add_attachment(inner)
    read = mail.read(bytes(outer), ".eml")
    text = read.document.text
    assert text.index("Forwarded message: Keys") < text.index("The tenant left.") < text.index("Attachment: inner.txt")
    assert [item.content.strip() for item in read.files] == [b"inner list"]


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


def test_a_name_of_an_attachment_that_no_disk_takes_is_shortened_and_that_is_said() -> None:
    made = message()
    for number, length in ((1, 247), (2, 300)):
        made.add_attachment(b"x", maintype="text", subtype="plain", filename=f"{number}" + "a" * length + ".txt")
    read = mail.read(bytes(made), ".eml")
    assert [item.name for item in read.files] == ["1" + "a" * 247 + ".txt", "2" + "a" * 250 + ".txt"]
    (note,) = read.document.notes
    assert note.startswith("The name of the attachment “2aaa") and "shortened" in note


def test_lines_that_were_broken_for_the_way_are_whole_again() -> None:
    head = b"From: a@example.org\nSubject: d\nContent-Type: text/plain; format=flowed; delsp="
    body = b"\n\nDer Vertrags \nwert ist  \n5 Euro.\n> quoted \n> lines\nown\n-- \nSIG\n"
    assert "\n\nDer Vertragswert ist 5 Euro.\n> quotedlines\nown" in mail.parse(head + b"yes" + body, ".eml").text
    assert "> quoted lines\nown" in mail.parse(head + b"no" + body, ".eml").text


def test_mails_that_were_deleted_in_thunderbird_are_left_out_and_said() -> None:
    def mailed(status: str, text: str) -> str:
        return f"From - Thu Jan 01 00:00:00 2026\nX-Mozilla-Status: {status}\nFrom: a@example.org\nSubject: s\n\n{text}\n\n"

    document = mail.parse((mailed("0009", "GONE") + mailed("0001", "KEPT")).encode(), ".mbox")
    assert "KEPT" in document.text
    assert "GONE" not in document.text
    assert document.notes == ("1 e-mail that was deleted in Thunderbird was left out.",)
    with pytest.raises(DocumentUnreadable, match="were deleted in Thunderbird"):
        mail.parse(mailed("0008", "GONE").encode(), ".mbox")
