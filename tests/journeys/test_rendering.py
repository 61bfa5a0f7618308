"""What models write, and what a reader sees: while it grows, when it has ended, and after a reload. Rows of ../shared/cases/rendering.md."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest
from playwright.sync_api import Locator, expect

from tests.journeys.browser import Chat
from tests.journeys.conftest import ECHO

pytestmark = pytest.mark.usefixtures("server")

Check = Callable[[Locator], None]


def _bold(answer: Locator) -> None:
    expect(answer.locator("strong")).to_have_text(["重要（Important）。", "注意：", "「重要」", "중요(Important)"])
    expect(answer.locator("del")).to_have_text(["이전（old）"])
    expect(answer).not_to_contain_text("*")


def _tildes(answer: Locator) -> None:
    expect(answer.locator("del")).to_have_text(["gone"])
    expect(answer).to_contain_text("大约3~5天，价格100~200元")
    expect(answer).to_contain_text("(~2000 lines) and (~5000 lines)")


def _formulas(answer: Locator) -> None:
    expect(answer.locator(".formula .katex")).to_have_count(2)
    expect(answer.locator(".formula-block .katex-display")).to_have_count(2)
    expect(answer.locator("annotation")).to_have_text(
        ["\\theta", "\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}", "E=mc^2", "x^2"]
    )


def _nested(answer: Locator) -> None:
    expect(answer.locator("figure.code-block")).to_have_count(1)
    expect(answer.locator("figure code")).to_contain_text("```bash\nls\n```\n\nEnd.")
    expect(answer.locator("p", has_text="After.")).to_be_visible()


def _links(answer: Locator) -> None:
    expect(answer.get_by_role("link")).to_have_text(["https://example.com/a", "link"])
    assert answer.get_by_role("link").last.get_attribute("data-tip") == "https://example.org/"


def _money(answer: Locator) -> None:
    expect(answer).to_contain_text("$/PR is down but $/session is up, $5 and $10")
    expect(answer.locator(".formula")).to_have_count(0)


def _generics(answer: Locator) -> None:
    expect(answer).to_contain_text("Vec<T>, <text>I love this</text>")


def _lines(answer: Locator) -> None:
    expect(answer.locator("p br")).to_have_count(1)


def _html(answer: Locator) -> None:
    expect(answer.locator("td br")).to_have_count(1)
    expect(answer.locator("sub")).to_have_text("2")
    expect(answer.locator("kbd")).to_have_text("Ctrl")
    answer.locator("summary").click()
    expect(answer.locator("details").get_by_text("inside")).to_be_visible()
    assert "<plan>\n  one\n  two\n</plan>" in answer.locator(".md").inner_text()


def _tasks(answer: Locator) -> None:
    expect(answer.get_by_role("checkbox")).to_have_count(3)
    lefts = answer.get_by_role("checkbox").evaluate_all("boxes => boxes.map(box => box.getBoundingClientRect().left)")
    assert lefts[0] == lefts[2] < lefts[1]
    assert (
        answer.locator("li").evaluate_all("all => all.map(item => getComputedStyle(item).listStyleType)")
        == ["none"] * 3
    )


def _headings(answer: Locator) -> None:
    headings = answer.get_by_role("heading")
    expect(headings).to_have_count(6)
    looks = headings.evaluate_all(
        "all => all.map(one => { const style = getComputedStyle(one); return style.fontSize + style.textTransform })"
    )
    assert len(set(looks)) == 6
    expect(answer.page.locator("h1")).to_have_count(1)


CASES: dict[str, tuple[str, Check]] = {
    "bold beside CJK": (
        "これは**重要（Important）。**次の文です。\n\n**注意：**正文\n\n他说**「重要」**的事\n\n**중요(Important)**입니다 ~~이전（old）~~입니다",
        _bold,
    ),
    "single tildes": ("大约3~5天，价格100~200元\n\n(~2000 lines) and (~5000 lines) and ~~gone~~", _tildes),
    "formulas": (
        "\\(\\theta\\) and\n\n\\[\\begin{pmatrix} a & b \\\\ c & d \\end{pmatrix}\\]\n\n$$E=mc^2$$\n\nso $x^2$.",
        _formulas,
    ),
    "a document in a block": ("```markdown\n# Title\n\n```bash\nls\n```\n\nEnd.\n```\n\nAfter.", _nested),
    "links": ("見て https://example.com/a。次の文\n\nReference [link][1]\n\n[1]: https://example.org", _links),
    "money": ("**$4** and $1.50\n\n$/PR is down but $/session is up, $5 and $10", _money),
    "generics": ("`Vec<T>`, <text>I love this</text>", _generics),
    "lines": ("line one\nline two", _lines),
    "html": (
        "| a |\n| - |\n| x<br>y |\n\nH<sub>2</sub>O, <kbd>Ctrl</kbd>\n\n<details><summary>More</summary>\n\ninside\n\n</details>\n\n"
        "<plan>\n  one\n  two\n</plan>",
        _html,
    ),
    "tasks": ("- [ ] one\n  - [x] inner\n- [ ] two", _tasks),
    "headings": ("\n\n".join(f"{'#' * level} Step {level}" for level in range(1, 7)), _headings),
}


def test_what_models_write_is_what_readers_see(chat: Chat) -> None:
    chat.open().choose(ECHO)
    for name, (text, check) in CASES.items():
        chat.ask(text)
        chat.page.wait_for_url("**/c/**")
        chat.wait_for_end()
        check(chat.answers.last)
        # The question shows what was written.
        assert chat.asked.last.inner_text().split() == text.split(), name
    chat.page.reload()
    chat.page.wait_for_function(
        "count => { document.querySelector('.thread-scroll')?.scrollTo(0, 0);"
        " return document.querySelectorAll('.message-answer').length === count }",
        arg=len(CASES),
    )
    for at, (_, check) in enumerate(CASES.values()):
        answer = chat.answers.nth(at)
        if check is _html:
            expect(answer.locator("summary")).to_be_visible()
        check(answer)


def test_formulas_are_copied_as_their_source(chat: Chat) -> None:
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.begin(ECHO, CASES["formulas"][0]).wait_for_end()
    _formulas(chat.answers.last)
    chat.answers.last.get_by_role("button", name="Copy answer").click()
    read = "() => navigator.clipboard.readText()"
    assert chat.page.evaluate(read) == CASES["formulas"][0]
    chat.answers.last.locator(".md").evaluate("element => getSelection().selectAllChildren(element)")
    chat.page.keyboard.press("ControlOrMeta+C")
    copied = chat.page.evaluate(read)
    assert "$\\theta$ and" in copied and "$$E=mc^2$$" in copied and "so $x^2$." in copied


def test_tables_go_to_spreadsheets(chat: Chat) -> None:
    chat.page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    chat.begin(ECHO, "| Name | Sum |\n| --- | ---: |\n| a, b | -5 |\n| =1+1 | $x^2$ |").wait_for_end()
    chat.answers.last.locator("td").first.hover()
    chat.answers.last.get_by_role("button", name="Copy table").click()
    assert chat.page.evaluate("() => navigator.clipboard.readText()") == "Name\tSum\na, b\t-5\n'=1+1\t$x^2$"
    with chat.page.expect_download() as download:
        chat.answers.last.get_by_role("button", name="Download CSV").click()
    assert download.value.suggested_filename == "table.csv"
    assert download.value.path().read_text("utf-8-sig").splitlines() == ["Name,Sum", '"a, b",-5', "'=1+1,$x^2$"]


def test_long_code_is_folded_wrapped_and_numbered(chat: Chat) -> None:
    code = "\n".join(f"line {number} = {number}" for number in range(1, 61))
    chat.begin(ECHO, f"```python\n{code}\n```").wait_for_end()
    block = chat.answers.last.locator("figure.code-block")
    # It was watched while it grew: nothing folds under the reader's eyes.
    expect(block.get_by_role("button", name="Show fewer lines")).to_be_visible()
    chat.page.reload()
    expect(block.get_by_text("line 60 = 60")).not_to_be_in_viewport()
    block.get_by_role("button", name="Show all 60 lines").click()
    expect(block.get_by_text("line 60 = 60")).to_be_visible()
    assert block.locator("code").inner_text() == code
    copy = block.get_by_role("button", name="Copy code")
    copy.focus()
    chat.page.keyboard.press("ArrowRight")
    expect(block.get_by_role("button", name="Wrap lines")).to_be_focused()
    chat.page.keyboard.press("Enter")
    block.get_by_role("button", name="Line numbers").click()
    chat.page.reload()
    expect(block.get_by_role("button", name="Wrap lines")).to_have_attribute("aria-pressed", "true")
    assert (
        block.locator(".code-line").nth(1).evaluate("line => getComputedStyle(line, '::before').content")
        == "counter(line)"
    )


def test_a_diagram_is_drawn_in_a_frame_of_its_own(chat: Chat) -> None:
    chat.begin(
        ECHO, "```mermaid\ngraph TD\n  A[Start] --> B[End]\n```\n\nand\n\n```mermaid\ngraph XX\n  ???\n```"
    ).wait_for_end()
    expect(chat.page.frame_locator("iframe[title=Diagram] >> nth=0").locator("svg")).to_contain_text("Start")
    expect(chat.answers.last.get_by_text("This diagram cannot be drawn.")).to_be_visible()
    chat.answers.last.get_by_role("button", name="Show source").click()
    expect(chat.answers.last.locator("code").first).to_contain_text("A[Start] --> B[End]")


HOSTILE_PAGE = """<!doctype html><title>x</title><h1>A page</h1><p id=said></p><script>
document.getElementById("said").textContent = "script ran, origin " + self.origin;
for (const act of [
  () => parent.document.body, () => localStorage.length, () => document.cookie, () => top.location.href,
  () => fetch("{other}/fetch"), () => new WebSocket("{other_socket}/socket"),
  () => { new Image().src = "{other}/image" }, () => open("{other}/open"),
  () => { top.location = "{other}/top" },
]) try { act() } catch {}
</script><img src="{other}/img"><form action="{other}/form"><button>Go</button></form>
<button onclick="location = '{other}/self'">Leave</button>"""


@pytest.fixture
def other_site() -> Iterator[tuple[str, list[str]]]:
    """Another site, and what it was asked for."""
    asked: list[str] = []

    class Site(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            self.send_response(204)
            self.end_headers()

        def log_request(self, code: int | str = "-", size: int | str = "-") -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as site:
        thread = Thread(target=site.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{site.server_port}", asked
        site.shutdown()
        thread.join()


def test_a_page_is_shown_beside_the_chat_and_reaches_nothing(chat: Chat, other_site: tuple[str, list[str]]) -> None:
    other, asked = other_site
    page_of = HOSTILE_PAGE.replace("{other}", other).replace("{other_socket}", other.replace("http", "ws"))
    chat.begin(
        ECHO, f"```html\n{page_of}\n```\n\n```svg\n<svg viewBox='0 0 9 9'><circle r='4'/></svg>\n```"
    ).wait_for_end()
    block = chat.answers.last.locator("figure.code-block").first
    block.get_by_role("button", name="Preview").click()
    panel = chat.page.get_by_role("dialog", name="Page")
    page = panel.frame_locator("iframe")
    expect(page.get_by_role("heading", name="A page")).to_be_visible()
    expect(page.locator("#said")).to_have_text("script ran, origin null")
    page.get_by_role("button", name="Go").click()
    expect(page.get_by_role("heading", name="A page")).to_be_visible()
    page.get_by_role("button", name="Leave").click()
    expect(page.get_by_role("heading", name="A page")).to_have_count(0)
    assert asked == []
    panel.get_by_role("button", name="Close the preview").click()
    expect(panel).to_have_count(0)
    expect(block.get_by_role("button", name="Preview")).to_be_focused()
    chat.answers.last.get_by_role("button", name="Preview").last.click()
    expect(chat.page.get_by_role("dialog", name="Drawing").frame_locator("iframe").locator("circle")).to_be_visible()
    chat.page.keyboard.press("Escape")
    expect(chat.page.get_by_role("dialog")).to_have_count(0)


def test_a_picture_of_another_site_is_loaded_when_the_reader_says_so(chat: Chat) -> None:
    picture = "<svg xmlns='http://www.w3.org/2000/svg' width='40' height='60'/>"
    referrers: list[str | None] = []
    chat.page.context.route(
        "http://pictures.invalid/**",
        lambda route: [
            referrers.append(route.request.headers.get("referer")),
            route.fulfill(body=picture, content_type="image/svg+xml"),
        ][-1],
    )
    chat.begin(ECHO, "![A map](http://pictures.invalid/map.svg)").wait_for_end()
    assert referrers == []
    chat.answers.last.get_by_role("button", name="Load image from pictures.invalid").click()
    expect(chat.page.frame_locator("iframe[title='A map']").get_by_alt_text("A map")).to_be_visible()
    expect(chat.answers.last.locator("iframe")).to_have_attribute("data-drawn", "true")
    assert referrers == [None]


# As Chrome's translation does: each text that may be translated is put into two elements, again and again.
TRANSLATE = """() => setInterval(() => {
  const walker = document.createTreeWalker(document.querySelector(".thread"), NodeFilter.SHOW_TEXT);
  const texts = [];
  while (walker.nextNode()) texts.push(walker.currentNode);
  for (const text of texts) {
    if (!text.data.trim() || text.parentElement.closest("[translate=no], font")) continue;
    const outer = document.createElement("font");
    outer.append(document.createElement("font"));
    text.replaceWith(outer);
    outer.firstChild.append(text.data);
  }
}, 20)"""


def test_a_page_that_is_translated_goes_on(chat: Chat) -> None:
    chat.begin(ECHO, "Some **words**, and `code`").wait_for_end()
    chat.page.evaluate(TRANSLATE)
    expect(chat.answers.last.locator("font font").first).to_be_visible()
    chat.ask("a " * 300)
    expect(chat.answers.last).to_have_attribute("aria-busy", "true")
    chat.wait_for_end()
    assert chat.said() == ("a " * 300).strip()
    chat.answers.first.hover()
    chat.answers.first.get_by_role("button", name="Answer again").click()
    expect(chat.answers).to_have_count(1)
    chat.wait_for_end()
    expect(chat.answers.first.locator("font font").first).to_be_visible()
    chat.answers.first.get_by_role("button", name="Earlier version").click()
    expect(chat.answers).to_have_count(2)
    expect(chat.answers.first).to_contain_text("Some words, and code")
    assert chat.said() == ("a " * 300).strip()
