"""In which encoding a text is read, when nothing says so and when something does."""

from __future__ import annotations

import pytest

from rxchat.domain.documents import ENCODINGS
from rxchat.parsers import encodings, html, plain_text, source_code, terminal
from tests.parsers.samples import parts

TEXTS = {
    "cp932": ["株式会社ひかり電機㈱第①回取締役会。髙橋部長は契約が三月末で終了すると報告した。", "会議は午後三時から", "ﾃｽﾄ 半角カナ"],
    "euc_jp": ["株式会社ひかり電機の取締役会議事録。部長は賃貸契約が三月末で終了すると報告した。", "会議は午後三時から"],
    "iso2022_jp": ["会議は午後三時から", "Agenda: 予算"],
    "big5": ["員工請病假超過三天者，須提交醫院證明。公司於每月五日發放薪資。", "請於下週一前回覆"],
    "gb18030": ["员工请病假超过三天的，须提交医院证明。公司于每月五日发放工资。", "请于下周一前回复"],
    "cp949": ["직원이 사흘 넘게 병가를 내면 병원 진단서를 제출해야 한다.", "회의는 오후 세 시에 시작합니다"],
    "cp1252": [
        "Die Gebühr beträgt 1.249,00 € – zahlbar binnen „vierzehn Tagen“ an Jürgen Weiß.", "Größe", "naïve café",
        "L’été dernier, les élèves ont été reçus à l’hôtel de ville.", "El niño comió piñas mañana",
        "Räksmörgås på bordet", "Não há informações disponíveis sobre a aplicação",
    ],
    "cp1250": ["Zażółć gęślą jaźń. Umowa została podpisana w Łodzi przez panią Świątek.", "Łódź",
               "Příliš žluťoučký kůň úpěl ďábelské ódy", "A szerződést Győrben írták alá, és május végéig érvényes."],
    "iso8859-2": ["Zażółć gęślą jaźń. Umowa została podpisana w Łodzi.", "Příliš žluťoučký kůň úpěl ďábelské ódy"],
    "cp1251": ["Договор аренды склада заканчивается в конце марта.", "Привет", "Договір оренди складу, її підписано"],
    "koi8-r": ["Договор аренды склада заканчивается в конце марта.", "Привет"],
    "cp866": ["Договор аренды склада заканчивается в конце марта."],
    "cp1253": ["Η σύμβαση μίσθωσης της αποθήκης λήγει στα τέλη Μαρτίου.", "Καλημέρα"],
    "cp1254": ["Depo kira sözleşmesi mart sonunda sona eriyor. İstanbul'da imzalandı"],
    "cp1255": ["חוזה השכירות של המחסן מסתיים בסוף מרץ", "שלום"],
    "cp1256": ["ينتهي عقد إيجار المستودع في نهاية شهر مارس", "مرحبا بكم"],
    "cp1257": ["Sandėlio nuomos sutartis baigiasi kovo pabaigoje, šį dokumentą pasirašė vadovas"],
    "cp874": ["สัญญาเช่าคลังสินค้าสิ้นสุดในสิ้นเดือนมีนาคม"],
    "mac_roman": ["L’été dernier, les élèves ont été reçus à l’hôtel de ville.", "Grüße aus Köln"],
    "cp437": ["Größe der Straße: für Müller geprüft"],
}  # fmt: skip
WIDE = [
    "Das Lager in Göttingen",
    "договор аренды склада",
    "请病假超过三天的，须提交医院证明。\n公司于每月五日发放工资。",
    "hi",
]
BEFORE = "A line of plain English text before it.\n" * 3000


@pytest.mark.parametrize("encoding", TEXTS)
def test_a_text_is_read_in_the_encoding_it_is_in(encoding: str) -> None:
    wrong = [
        (text, decoded.encoding)
        for text in TEXTS[encoding]
        for whole in (text, f"{BEFORE}{text}\nAnd one after it.\n")
        if (decoded := encodings.decode(whole.encode(encoding))).text != whole
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be", "utf-8-sig"]
)
def test_unicode_is_read_with_and_without_a_mark(encoding: str) -> None:
    assert [encodings.decode(text.encode(encoding)).text for text in WIDE] == WIDE


@pytest.mark.parametrize(
    ("label", "name"),
    [
        ("iso-8859-1", "windows-1252"), ("ascii", "windows-1252"), ("latin-1", "windows-1252"),
        ("Shift_JIS", "shift_jis"), ("windows-31j", "shift_jis"), ("gb2312", "gbk"), ("ks_c_5601-1987", "euc-kr"),
        ("iso-8859-9", "windows-1254"), ("utf8", "utf-8"), ("cp850", "ibm850"), ("iso-2022-kr", "iso-2022-kr"),
        ("rot13", ""), ("no-such", ""),
    ],
)  # fmt: skip
def test_labels_mean_what_the_standard_says(label: str, name: str) -> None:
    assert encodings.encoding_of(label) == name


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_each_encoding_that_can_be_chosen_is_one(encoding: str) -> None:
    assert encodings.decode_as(b"", encoding).text == ""
    assert encodings.encoding_of(encoding) == encoding


@pytest.mark.parametrize(
    ("label", "content", "text"),
    [
        ("shift_jis", "㈱髙①".encode("cp932"), "㈱髙①"),
        ("euc-jp", b"\xad\xea\xad\xa1", "㈱①"),
        ("iso-2022-jp", b"\x1b$B-j-!\x1b(Bend\x1b(I1\x1b(B", "㈱①endｱ"),
        ("gb2312", b"\xd6\xec\xe9F\xbb\xf9\x80", "朱镕基€"),
        ("euc-kr", "똥방각하".encode("cp949"), "똥방각하"),
        ("iso-8859-1", b"\x801 \x96 \x84so\x93\x81", "€1 – „so“"),
    ],
)
def test_a_page_is_read_in_what_its_encoding_really_is(label: str, content: bytes, text: str) -> None:
    page = f'<meta charset="{label}"><p>'.encode() + content + b"</p>"
    assert html.parse(page, ".html").text == text


def test_source_code_is_read_as_it_declares() -> None:
    document = source_code.parse("# -*- coding: koi8-r -*-\nx = 'Ж'\n".encode("koi8-r"), ".py")
    assert "'Ж'" in document.text
    assert document.encoding == "koi8-r"


def test_one_bad_byte_costs_one_character_and_is_told() -> None:
    document = plain_text.parse("Größe in Brüssel".encode() + b" \xff " + "für alle".encode(), ".txt")
    assert document.text == "Größe in Brüssel � für alle"
    assert document.encoding == "utf-8"
    assert document.notes == ("1 character is not valid in the encoding utf-8, and was replaced by “�”.",)


def test_lines_in_another_encoding_are_read_in_theirs() -> None:
    lines = ["café 1".encode(), "café 2".encode("cp1252"), "naïve".encode(), "größer".encode("cp1252")]
    document = plain_text.parse(b"\n".join(lines), ".log")
    assert document.text == "café 1\ncafé 2\nnaïve\ngrößer"
    assert "windows-1252" in document.notes[0]


def test_the_encoding_that_a_user_has_chosen_goes_before_all_others() -> None:
    reset = encodings.chosen.set("koi8-r")
    try:
        assert plain_text.parse("größer".encode(), ".txt").encoding == "koi8-r"
    finally:
        encodings.chosen.reset(reset)


def test_detection_looks_at_all_of_a_large_file_and_is_bounded() -> None:
    content = b"plain\n" * 5_000_000 + "Überschwemmung in Halle 7, gemeldet von Jörg Müßig\n".encode("cp1252")
    assert encodings.decode(content).text.endswith("Überschwemmung in Halle 7, gemeldet von Jörg Müßig\n")


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("\x1b[1;31mFAILED\x1b[0m x\x1b[K", "FAILED x"),
        ("\x1b]0;title\x07a \x1b]8;;http://x\x1b\\link\x1b]8;;\x1b\\", "a link"),
        ("N\x08NA\x08AME _\x08x", "NAME x"),
        ("Get 10%\rGet 50%\rGet 100%\r\nDone\n", "Get 100%\r\nDone\n"),
        ("rows 1,2\rrows 3,4\nend", "rows 1,2\nrows 3,4\nend"),
        ("old\rMac\r", "old\rMac\r"),
        ("abc\x08\x08XY x\x08_", "aXY x"),
        ("Name\x1b[10CAge\x1b[1CCity\r\n", "Name          Age City\r\n"),
        ("\x1b[2J\x1b[5;1Hline five\x1b[6;1Hline six\x1b[m", "line five\nline six"),
        ("\x1b[3;1HName\x1b[3;10HAge\x1b[4;1H\x1b[32mEva\x1b[0m\x1b[4;10H44", "Name     Age\nEva      44"),
        ("one\x1b[Etwo\x1bEthree\x1b[2Bfour", "one\ntwo\nthree\nfour"),
        ("Name\x1b[9GAge\n", "Name    Age\n"),
        ("ab\x1b[1Dc", "ac"),
        ("kept\x1b[4D", "kept"),
        ("Get 10%\x1b[GGet 100%\n", "Get 100%\n"),
    ],
)
def test_what_only_terminals_obey_is_gone_and_nothing_else(text: str, plain: str) -> None:
    assert terminal.plain(text) == plain


def test_blocks_of_zeros_in_a_log_are_left_out_and_told() -> None:
    document = plain_text.parse(b"before the crash\n" + bytes(5000) + b"\nafter it\n", ".log")
    assert [text for _, text in parts(document)] == ["before the crash", "after it"]
    assert document.notes[0].startswith("5,000 zero bytes were left out")


def test_texts_of_seven_bits_are_decoded() -> None:
    assert encodings.decode(b"Gr+APwA3w-e", "UTF-7").text == "Grüße"
    assert encodings.decode(b"Gr+APwA3w-e").text == "Gr+APwA3w-e"
    assert encodings.decode(b"in ~{VPND2bJTND55~}.").text == "in 中文测试文档."
    assert encodings.decode(b"x ~{name} ~}").text == "x ~{name} ~}"
