"""Whatever an answer quotes is looked for, however it is quoted, and in the source whose mark it belongs to."""

from __future__ import annotations

import pytest

from rxchat.domain.citations import Citation, Wording, citations_of
from tests.domain.test_citations import source
from tests.support.blowup import no_blowup

FEES = (
    "The fee is 900 dollars a year. Refunds are paid within thirty days of the request, and appli-\ncations are de-\ncided "
    "by the company's board. A well-known rule: the employees' rights are kept. She said “it's fine” at 5\" height.\n\n"
    + "Nothing of interest is said here. " * 20
    + "The deposit stays with the bank."
)
LEAVE = "员工每年享有三十天的带薪假期。申请须在日历中提出。Urlaub wird im Kalender beantragt. Les congés sont accordés."
SOURCES = (source(1, FEES), source(2, LEAVE))

TRUE = "Refunds are paid within thirty days"
INVENTED = "Refunds are refused after ten years"
LONG = "which, as everybody in the whole company has known for a very long time indeed, is what it says"

# {} is what is quoted, and [1] the source that has to have it.
KINDS = [
    '"{}" [1].',
    '"{}." [1]',
    "“{}”[1]",
    "„{}“ [1]",
    "”{}” [1]",
    "«{}» [1]",
    "« {} », so it says [1]",
    "»{}« [1]",
    "‹{}› [1]",
    "‘{}’ [1]",
    "‚{}‘ [1]",
    "'{}' [1]",
    "It's the employees' rule: '{}' [1].",
    "The '90s rule was '{}' [1].",
    "「{}」[1]",
    "『{}』[1]",
    "**“{}”** [1]",
    "*'{}'*[1]",
    '"**{}**" [1]',
    '("{}") [1]',
    '"{} [1]"',
    '"{} [1]',
    "“The fee is 900 dollars\n\n{}” [1]",
    '"The fee is 900 dollars\n\n{}." [1]',
    'Pipes of 5" say "{}" [1].',
    '"{}" and "The fee is 900 dollars" [1]',
    '"The fee is 900 dollars" and "{}" [1]',
    '"The fee is 900 dollars", ‘it\'s fine’ and “{}” are in it [1].',
    f'"{{}}", {LONG} [1].',
    f"‘{{}}’, {LONG} [1].",
    '"{}" says Dr. Smith of the board, e.g. in [1].',
    '"{}." The board says so [1].',
    '"The fee is 900 dollars a year. {}" [1]',
    "“‘{}’” as it says in [1]",
    'It says that\n"{}"\n[1]',
    '[1] says "{}".',
    "In [1] the board says: ‘{}’.",
    'As it says in [1]:\n\n"{}"',
    "As it says in [1]:\n\n> {}\n\nThat is all.",
    '"{}"\n\n[1]',
    "> {} [1]",
    "> {}\n[1]",
    "> {}\n\n[1]",
    "> {}\n— Handbook, page 3 [1]",
    "> {}\n>\n> The fee is 900 dollars [1]",
    "> The fee is 900 dollars\n>\n> {}\n>\n> — Handbook [1]",
    "> “{}” — Handbook [1]",
    "> {} (Handbook, [1])",
    "> {} ([1])",
    "The rule:\n\n> {}\n\nThis is what the rule says [1].",
    "- > {} [1]",
    "- The fee [1]\n- It says ‘{}’ [1]",
    '1. "{}" [1]\n2. More.',
    '| Rule | "{}" | [1] |',
    '## "{}" [1]',
    'Yes. "{}" [1]. 年假 [2]',
    "&quot;{}&quot; [1].",
    "&ldquo;{}&rdquo; [1].",
    "It is so: &#34;{}&#x22; [1]",
    "&laquo;{}&raquo; [1] &amp; more",
    "``{}'' [1].",
    "`{}' [1].",
    "''{}'' [1]",
    "<q>{}</q> [1].",
    "<blockquote>{}</blockquote> [1]",
    "`{}` [1].",
    "It says [1]: `{}`.",
    "It says [1]:\n\n```\n{}\n```",
    "It says [1]:\n```text\n{}\n\nThe fee is 900 dollars.\n```\nThat is all.",
    "```\n{}\n```\n\n[1]",
    "It says [1]:\n\n    {}\n\nThat is all.",
    'As stated in [1], the following holds. It is long. "{}."',
    'As stated in [1], this holds.\n\n"{}."',
    "As stated in [1], this holds. `{}`",
    "As stated in [1], this holds.\n\n> {}",
]  # fmt: skip


def marks(answer: str) -> list[Citation]:
    return list(citations_of(answer, SOURCES))


def of_first(answer: str) -> list[Citation]:
    return [item for item in marks(answer) if item.number == 1]


@pytest.mark.parametrize("kind", KINDS)
def test_true_words_verify_however_they_are_quoted(kind: str) -> None:
    cited = of_first(kind.format(TRUE))
    assert cited
    assert all(item.is_verified for item in cited)
    assert any(item.quote for item in cited)


@pytest.mark.parametrize("kind", KINDS)
def test_invented_words_do_not_verify_however_they_are_quoted(kind: str) -> None:
    cited = of_first(kind.format(INVENTED))
    failed = [item for item in cited if not item.is_verified]
    assert [item.reason for item in failed] == ["not in the source"]
    assert INVENTED in failed[0].quote


@pytest.mark.parametrize(
    ("answer", "holds"),
    [
        ('It is "bankrupt" [1].', False),
        ('A "deposit" is due [1].', True),
        ("‘Bankrupt’ [1]", False),
        ("规定「三十天的带薪假期」[2]。", True),
        ("规定「四十天的带薪假期」[2]。", False),
        ("规定『带薪假期』的内容[2]。", True),
        ('规定"三十天"假期[2]。', True),
        ('规定"四十天"假期[2]。', False),
        ("规定‘四十天’假期[2]。", False),
        ("规定「天三十」[2]。", False),
        ("规定“三十天的带薪假期。申请须在日历中提出”[2]。", True),
        ('"The fee ... paid within" [1]', True),
        ('"The fee […] paid within" [1]', True),
        ('"The fee … the deposit stays" [1]', False),
        ('"The ... fee ... deposit ... bank" [1]', False),
        ('"… paid within thirty days …" [1]', True),
        ('"applications are decided" [1]', True),
        ('"appli-cations are de- cided" [1]', True),
        ('"a well-known rule" and "well known rule" [1]', True),
        ('"thirtydays" [1]', False),
        ('"hirty day" [1]', False),
        ("'the employees' rights are kept' [1]", True),
        ("'the employees' rights are lost' [1]", False),
        ("“the company’s board” [1]", True),
        ("The company's board keeps the employees' rights [1].", True),
        ("The company’s board keeps the employees’ rights and pays 5\" of 6' [1].", True),
        ('It says `"invented words"` in code [1].', True),
        ('```\n"invented words"\n```\nIs code [1].', True),
        ("> [!NOTE]\n> Thirty days are yours [1].", True),
        ('"Invented words" are of no mark.\n\nThirty days [1].', True),
        ('- "Invented words" are of no mark\n- Thirty days [1]', True),
        ('He said "invented words". Thirty days are yours [1].', True),
        ('Thirty days are yours. [1] He said "invented words".', True),
        ('Thirty days are yours. [1] says "invented words".', False),
        ('"..." and "—" say nothing [1].', True),
        ("Fish &amp; chips cost 5 &lt; 6 [1].", True),
        ("It says [1]:\n\n```python\nfor fee in fees: print(fee[0], sum(fees))\n```", True),
        ("Type `pip install --upgrade rxchat[ocr]` as in [1].", True),
        ("- Fees [1]:\n    they are what the answer says of them", True),
        ("The ```unclosed fence [1]", True),
    ],
)  # fmt: skip
def test_what_counts_as_standing_in_a_source(answer: str, holds: bool) -> None:
    assert [item.is_verified for item in marks(answer)] == [holds]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ('"The fee is 900 dollars" [1] and "im Kalender" [2].', [(1, True), (2, True)]),
        ('"im Kalender" [1] and "The fee is 900 dollars" [2].', [(1, False), (2, False)]),
        ('[1] says "The fee is 900 dollars", [2] "im Kalender".', [(1, True), (2, False)]),
        ('"The fee is 900 dollars" and "im Kalender" [1, 2].', [(1, True), (2, True)]),
        ('"im Kalender" [1][2].', [(1, True), (2, True)]),
        ('"im Kalender" [1], [2].', [(1, True), (2, True)]),
        ('"im Büro" [1, 2].', [(1, False), (2, False)]),
        ('"im Büro" and "im Kalender" [1, 2].', [(1, False), (2, False)]),
        ('"im Kalender" [2, 9].', [(2, True), (9, False)]),
        ('"im Büro" [9].', [(9, False)]),
        ("> The fee is 900 dollars [1]\n> Urlaub wird im Kalender beantragt [2]", [(1, True), (2, True)]),
        ("> The fee is 900 dollars [1] im Kalender [2]", [(1, True), (2, True)]),
    ],
)
def test_a_quotation_belongs_to_the_marks_after_it_else_to_those_before(
    answer: str, found: list[tuple[int, bool]]
) -> None:
    assert [(item.number, item.is_verified) for item in marks(answer)] == found


def test_a_mark_shows_its_longest_quotation_and_the_others_of_its_group_their_passage() -> None:
    first, second, third = marks('"The fee" and "Refunds are paid within thirty days" [1, 2, 9].')
    assert FEES[first.start - 100 : first.end - 100] == first.quote == "Refunds are paid within thirty days"
    assert (second.is_verified, second.quote, second.end - second.start) == (True, "", len(LEAVE))
    assert (third.is_verified, third.reason) == (False, "no such source")


def test_of_several_quotations_the_one_that_is_missing_is_told() -> None:
    [item] = marks('"The fee", "invented words" and "thirty days" [1].')
    assert (item.quote, item.reason, item.start, item.end) == ("invented words", "not in the source", 0, 0)


def test_a_divided_word_is_marked_as_a_whole() -> None:
    span = Wording.of(FEES).span_of("and applications are")
    assert span is not None
    assert FEES[span[0] : span[1]] == "and appli-\ncations are"


@pytest.mark.parametrize(
    "text",
    [
        '"a b" ' * 15_000 + "[1, 2]", '"The fee" [1] ' * 7_000, '"' * 100_000 + "[1]", "'" * 100_000 + "[1]", "“" * 100_000 + "[1]",
        "“„‹«" * 25_000 + "»" * 1_000 + "[1]", "'a s' " * 16_000 + "[1]", "> " * 50_000 + "[1]", "> a\n" * 25_000 + "[1]",
        ">\n\n" * 30_000 + "[1]", "- > a [1]\n" * 10_000, "." * 100_000 + " [1]", ". " * 50_000 + "[1]", "a. [1] " * 14_000,
        "。" * 100_000 + "[1]", "\n" * 100_000 + "[1]", "a\n" * 50_000 + "[1]", '"' + "The fee ... " * 9_000 + '" [1]',
        '"' + "… " * 50_000 + '" [1]', '"' + "is " * 33_000 + '" [1]', '"' + "三" * 99_000 + '" [2]', '"' + "a-" * 50_000 + '" [1]',
        "> " + "(" * 99_000 + " [1]", "> " + "— " * 49_000 + " [1]", "> a" + " " * 99_000 + "— [1]", "(" * 100_000 + "[1]",
        "x:\n\n" * 25_000 + "[1]", " " * 100_000 + "[1]", "[1]:\n\n> a\n\n" * 9_000, "- " * 50_000 + "[1]", '["' * 50_000 + "[1]",
        "a 's b' \"c" * 10_000 + " [1]", '"x. Y" ' * 14_000 + "[1]", "\t" * 99_000 + ">[1]", '`"` ' * 25_000 + "[1]",
    ],
    ids=lambda text: text[:8],
)  # fmt: skip
def test_nonsense_costs_no_time(text: str) -> None:
    with no_blowup():
        citations_of(text, SOURCES)


@pytest.mark.parametrize("text", ["a-\n" * 7_000, "a-" * 10_000, "\u00ad" * 20_000, "- \n" * 7_000, "三" * 20_000])
def test_a_hostile_source_costs_no_time(text: str) -> None:
    with no_blowup():
        citations_of('"a a ... a a ... a" and "三 ... 三" [3]' * 20, [source(3, text)])
