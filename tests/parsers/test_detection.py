"""Which encoding bytes without any mark are in: texts of 40 languages, whole and in pieces, and what is doubtful."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

import pytest

from rxchat.parsers import encodings, plain_text

# fmt: off
TEXTS = {
    "de": ("Größe: drei Stück für Müller & Söhne, Straße 5, Köln. Der Mietvertrag läuft bis Ende März; die Gebühr beträgt 1.249,00 Euro. Über die Höhe der Kündigungsfrist entschied das Präsidium überraschend früh. Ärger mit Öl und Äpfeln gab es häufig",["cp1252","mac_roman","cp850","cp437","iso8859-15"]),
    "fr": ("Le contrat prend effet à la date de sa signature; l'élève a été reçu à l'hôtel. Où êtes-vous né? Les œuvres de Noël coûtent très cher, et la sœur de René a déjà payé le dîner. Ça va bien",["cp1252","mac_roman","iso8859-15"]),
    "fr0": ("Le contrat prend effet à la date de sa signature; l'élève a été reçu à l'hôtel. Où êtes-vous né? Noël coûte très cher, et René a déjà payé le dîner",["cp850","cp437"]),
    "euro": ("Prix: 5 €, soit 12 € pour la sœur. Total: 1.249,00 €. Fee 30 € net. Kosten 100 € monatlich. Žižek costs 7 €",["cp1252","iso8859-15"]),
    "es": ("El niño comió piñas mañana; ¿cuándo empieza la reunión? La compañía pagó según el artículo décimo. ¡Qué día más bonito! Señor Núñez vivió aquí",["cp1252","mac_roman","cp850","iso8859-15"]),
    "pt": ("Não há informações disponíveis sobre a aplicação. O órgão público já pôs à disposição três relatórios. Atenção às eleições de março em São Paulo",["cp1252","mac_roman","cp850"]),
    "it": ("La città è più bella così; perché non può venire lunedì? Il caffè costerà di più, però la qualità è già ottima",["cp1252","mac_roman","cp850"]),
    "sv": ("Räksmörgås på bordet. Avtalet träder i kraft när båda parterna har skrivit under, och avgiften är två kronor per månad. Åsa kör för långt",["cp1252","mac_roman","cp850"]),
    "da": ("Rødgrød med fløde på bordet. Kontrakten træder i kraft når begge parter har skrevet under; gebyret er på tyve kroner. Århus ligger på Jylland, Ærø er en ø",["cp1252","cp850","mac_roman"]),
    "is": ("Þessi samningur tekur gildi við undirritun; greiðsla fer fram áður en tíu dagar líða. Það er ekki hægt að breyta þessu ákvæði",["cp1252"]),
    "fi": ("Tämä sopimus tulee voimaan allekirjoituspäivänä. Maksu suoritetaan kymmenen päivän kuluessa, mikäli työ on hyväksytty. Äiti söi pöydässä",["cp1252"]),
    "nl": ("De coördinatie van de reünie kost één euro; de financiële gevolgen zijn geëvalueerd. Vóór mei komt het cliëntenoverleg",["cp1252"]),
    "pl": ("Zażółć gęślą jaźń. Proszę przesłać fakturę za usługę w terminie czternastu dni, dziękuję. Umowa została podpisana w Łodzi przez panią Świątek, która wyłączyła następujące usługi",["cp1250","iso8859-2","cp852"]),
    "cs": ("Příliš žluťoučký kůň úpěl ďábelské ódy. Smlouva nabývá účinnosti dnem podpisu oběma smluvními stranami. Částka bude uhrazena nejpozději třicátý den měsíce; další lhůty určí ředitel",["cp1250","iso8859-2","cp852"]),
    "sk": ("Zmluva nadobúda účinnosť dňom podpisu oboma zmluvnými stranami. Čiastka bude uhradená najneskôr tridsiaty deň. Kôň skáče ľahko, ďalej vŕta dážď",["cp1250","iso8859-2"]),
    "hu": ("Árvíztűrő tükörfúrógép. A szerződés az aláírás napján lép hatályba, kérjük őrizze meg. Győrben írták alá, és május végéig érvényes. A felek között létrejött megállapodás",["cp1250","iso8859-2","cp852"]),
    "ro": ("Contractul intră în vigoare la data semnării; casă, mâine, încă, România. Când vine băiatul cu pâine și unt? „Niciodată”, a zis mama",["iso8859-16"]),
    "ro0": ("Contractul intră în vigoare la data semnării; părţile îşi asumă răspunderea şi plătesc. Când vine băiatul cu pâine? Această înţelegere este încă valabilă",["cp1250","iso8859-2"]),
    "hr": ("Ugovor stupa na snagu danom potpisivanja. Plaćanje će se izvršiti u roku od deset dana, a obje će strane dobiti primjerak. Žao mi je, đak je došao u školu čim je čuo",["cp1250","iso8859-2","cp852"]),
    "sl": ("Pogodba začne veljati z dnem podpisa. Plačilo se izvrši v desetih dneh, če naročnik potrdi račun. Življenje je težko, šola je boljša",["cp1250","iso8859-2"]),
    "tr": ("İşbu sözleşme imza tarihinde yürürlüğe girer. Çalışanların ücretleri ayın beşinde ödenir, değişiklik yapılamaz. Ağaç ve çiçek gördüm; şimdi eve gidiyoruz",["cp1254","iso8859-9"]),
    "lt": ("Ši sutartis įsigalioja nuo jos pasirašymo dienos. Žmogaus teisės yra gerbiamos, ačiū už dėmesį. Sandėlio nuomos sutartis baigiasi kovo pabaigoje, šį dokumentą pasirašė vadovas",["cp1257","iso8859-13"]),
    "lv": ("Šis līgums stājas spēkā ar parakstīšanas dienu. Samaksa jāveic desmit dienu laikā, ja puses nevienojas citādi. Ļoti labi, paldies par jūsu vēstuli",["cp1257","iso8859-13"]),
    "et": ("See leping jõustub allkirjastamise päeval. Tasu makstakse kümne päeva jooksul; pooled võivad lõpetada kokkuleppe. Õnnelik töötaja sõidab müüa maja",["cp1257","iso8859-13","iso8859-15"]),
    "mt": ("Dan il-ftehim jidħol fis-seħħ fil-jum tal-iffirmar. Għandu jsir il-ħlas fi żmien għaxart ijiem. Il-Gvern ġie mgħarraf b'dan kollu; ċertifikat ġdid",["iso8859-3"]),
    "eo": ("Ĉiuj homoj estas denaske liberaj kaj egalaj laŭ digno kaj rajtoj. Ŝi ĝojas, ĉar la ĵurnalo jam aperis antaŭ la eĥo",["iso8859-3"]),
    "el": ("Η παρούσα σύμβαση τίθεται σε ισχύ από την ημερομηνία υπογραφής της. Άρθρο πρώτο: Ένα. Η σύμβαση μίσθωσης της αποθήκης λήγει στα τέλη Μαρτίου. Καλημέρα",["cp1253","iso8859-7","cp737"]),
    "ru": ("Настоящий договор вступает в силу с момента подписания. Оплата производится в течение десяти дней. Договор аренды склада заканчивается в конце марта. Привет! Объём",["cp1251","koi8-r","cp866","iso8859-5","mac_cyrillic"]),
    "uk": ("Цей договір набирає чинності з моменту підписання. Їхні обов'язки визначені у статті десятій. Договір оренди складу, її підписано в Києві",["cp1251","koi8-u","mac_cyrillic"]),
    "bg": ("Настоящият договор влиза в сила от деня на подписването му. Плащането се извършва в срок от десет дни; страните са длъжни да го съхраняват",["cp1251","mac_cyrillic"]),
    "sr": ("Уговор ступа на снагу даном потписивања. Плаћање ће се извршити у року од десет дана. Њихов љубазни ђак је дошао у школу чим је чуо џез",["cp1251","iso8859-5"]),
    "he": ("הסכם זה ייכנס לתוקפו ביום חתימתו. התשלום יבוצע בתוך עשרה ימים. חוזה השכירות של המחסן מסתיים בסוף מרץ. שלום",["cp1255","iso8859-8","cp862"]),
    "ar": ("تدخل هذه الاتفاقية حيز التنفيذ من تاريخ توقيعها. يتم الدفع خلال عشرة أيام. ينتهي عقد إيجار المستودع في نهاية شهر مارس. مرحبا بكم",["cp1256","iso8859-6"]),
    "fa": ("قرارداد اجاره انبار در پایان ماه مارس تمام می شود. پرداخت باید در ده روز انجام گیرد",["cp1256"]),
    "th": ("สัญญานี้มีผลบังคับใช้ตั้งแต่วันที่ลงนาม การชำระเงินภายในสิบวัน สัญญาเช่าคลังสินค้าสิ้นสุดในสิ้นเดือนมีนาคม",["cp874"]),
    "vi": ("Hợp đồng này có hiệu lực kể từ ngày ký. Bên thuê phải trả tiền trong vòng mười ngày, nếu không sẽ bị phạt. Việt Nam và Hà Nội",["cp1258"]),
    "zh": ("本合同自双方签字之日起生效。付款应在十天内完成,违约责任由违约方承担。 员工请病假超过三天的,须提交医院证明。 公司于每月五日发放工资。 合同 会议记录 销售报告 价格表 人事部 通知",["gb18030"]),
    "zht": ("本合約自雙方簽字之日起生效。付款應在十天內完成,違約責任由違約方承擔。 員工請病假超過三天者,須提交醫院證明。 會議記錄 銷售報告 價格表 通知 合約",["big5"]),
    "ko": ("이 계약은 서명한 날부터 효력이 발생한다. 대금은 열흘 안에 지급해야 한다. 직원이 사흘 넘게 병가를 내면 병원 진단서를 제출해야 한다. 회의는 오후 세 시에 시작합니다",["cp949","johab"]),
    "ja": ("本契約は署名の日から効力を生じる。支払いは十日以内に行うものとする。 会議は午後三時から 株式会社ひかり電機の取締役会議事録。部長は賃貸契約が三月末で終了すると報告した。 請求書 議事録 契約書 報告書 見積書 株式会社 ありがとう 価格表 東京都 領収書",["cp932","euc_jp"]),
    "jahw": ("ﾊﾝｶｸｶﾅﾉ ﾒｲｻｲｼｮ ｺﾞｳｹｲ ｷﾝｶﾞｸ ﾄｳｷｮｳﾄ ﾁﾖﾀﾞｸ ｶﾌﾞｼｷｶﾞｲｼｬ ﾌﾘｺﾐ ﾃｽﾄ ﾔﾏﾀﾞ ﾀﾛｳ ﾌﾘｶﾞﾅ",["cp932"]),
    "signs": ("Price “quoted” – 5 €… It’s ½ of £30, ±2 °C, © 2024 Acme™ • item § 4 naïve café",["cp1252","mac_roman"]),
}


# fmt: on
_TONES = "\u0300\u0301\u0303\u0309\u0323"


def encoded(text: str, encoding: str) -> bytes:
    """Encode a text; windows-1258 has tones as characters of their own."""
    if encoding == "cp1258":
        marks = (unicodedata.normalize("NFD", it) for it in text)
        text = "".join(
            unicodedata.normalize("NFC", "".join(it for it in letter if it not in _TONES))
            + "".join(it for it in letter if it in _TONES)
            for letter in marks
        )
    return text.encode(encoding)


def pieces(text: str, words: int) -> Iterator[str]:
    split = text.split(" ")
    for start in range(0, len(split) - words + 1, max(1, words // 2)):
        piece = " ".join(split[start : start + words])
        if not piece.isascii():
            yield piece


def is_right(text: str, encoding: str) -> bool:
    try:
        content = encoded(text, encoding)
    except UnicodeEncodeError:
        return True
    read = encodings.decode(content).text
    return unicodedata.normalize("NFC", read) == unicodedata.normalize("NFC", text)


def test_texts_of_forty_languages_are_read_in_the_encoding_they_are_in() -> None:
    wrong = [
        (language, encoding)
        for language, (text, names) in TEXTS.items()
        for encoding in names
        if not is_right(text, encoding)
    ]
    # It has letters of three languages.
    assert wrong == [("euro", "cp1252")]


def test_pieces_of_eight_and_three_words_are_mostly_read_right() -> None:
    counts = {
        words: [
            is_right(piece, encoding)
            for text, names in TEXTS.values()
            for encoding in names
            for piece in pieces(text, words)
        ]
        for words in (8, 3)
    }
    shares = {words: sum(right) / len(right) for words, right in counts.items()}
    assert shares[8] > 0.97, shares
    assert shares[3] > 0.86, shares


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("5 €", "iso8859-15"), ("5 €", "cp1252"), ("Fee: 30 €, 40€", "iso8859-15"), ("cœur", "iso8859-15"),
        ("½ cup, 5 €", "cp1252"), ("§ 5", "cp1252"), ("5 £", "cp1252"), ("± 5 %", "cp1252"), ("2 × 3 m²", "cp1252"),
        ("10 – 20", "cp1252"), ("“Quote” – it’s €5…", "cp1252"), ("• one\n• two", "mac_roman"), ("• one\n• two", "cp1252"),
        ("5 °C", "cp850"), ("請求書", "euc_jp"), ("契約書", "euc_jp"), ("領収書", "euc_jp"), ("東京都", "euc_jp"),
        ("請求書", "cp932"), ("合同", "gb18030"), ("销售报告", "gb18030"), ("会议", "gb18030"), ("ｶﾌﾞｼｷｶﾞｲｼｬ", "cp932"),
        ("ﾊﾝｶｸｶﾅﾉ ﾒｲｻｲｼｮ ｺﾞｳｹｲ ｷﾝｶﾞｸ", "cp932"), ("금액", "cp949"), ("Müller", "cp1252"), ("Кот", "cp1251"), ("Łódź", "cp1250"),
    ],
)  # fmt: skip
def test_a_few_signs_or_letters_are_enough(text: str, encoding: str) -> None:
    assert encodings.decode(text.encode(encoding)).text == text


def test_a_doubtful_encoding_is_said_and_a_clear_one_is_not() -> None:
    said = (
        "The encoding was guessed as windows-1252: if the text looks wrong, choose another encoding for this document."
    )
    assert plain_text.parse("od deset dana, a obje će strane dobiti".encode("cp1250"), ".txt").notes == (said,)
    long = (
        "Ugovor stupa na snagu danom potpisivanja. Plaćanje će se izvršiti. Žao mi je, đak je došao u školu čim je čuo."
    )
    assert plain_text.parse(long.encode("cp1250"), ".txt").notes == ()
    assert plain_text.parse("Größe für Müller".encode("cp1252"), ".txt").notes == ()


def test_what_is_marked_declared_or_utf_8_is_not_doubtful() -> None:
    read = [
        encodings.decode("će".encode()),
        encodings.decode("će".encode("utf-16")),
        encodings.decode("će".encode("cp1250"), "windows-1250"),
    ]
    assert [it.text for it in read] == ["će", "će", "će"]
    assert not any(it.is_doubtful for it in read)
