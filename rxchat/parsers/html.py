"""Web pages: their text without hidden elements and navigation."""

from __future__ import annotations

import re
from html import escape

from selectolax.lexbor import LexborHTMLParser, LexborNode

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.parsers import xml_entities
from rxchat.parsers.builder import TextBuilder
from rxchat.parsers.html_lists import LISTS, OpenLists
from rxchat.parsers.html_math import math_after, math_before
from rxchat.parsers.plain_text import read
from rxchat.parsers.tables import add_table

# Ruby annotations of East Asian texts (searches find the words without them), and metadata of drawings and
# formulas.
_ASIDE = frozenset({"rp", "rt", "rtc", "annotation", "annotation-xml", "defs", "desc", "metadata", "symbol", "title"})
_DROPPED = _ASIDE | {
    *("audio", "canvas", "datalist", "head", "nav", "noscript", "script", "style", "template", "video")
}
_TICKED = {"checkbox": "☐☑", "radio": "○●"}
_WITHOUT_VALUE = frozenset({"file", "hidden", "image", "password"})
_FRAMES = frozenset({"embed", "frame", "iframe", "object"})
_FRAMES_NOT_READ = "This page shows other pages or files in frames: they were not read."
_HIDDEN = "Hidden text in this page was left out."
_BLOCKS = frozenset(
    {
        *(
            "address",
            "article",
            "aside",
            "blockquote",
            "body",
            "button",
            "caption",
            "center",
            "dd",
            "details",
            "dialog",
        ),
        *(
            "div",
            "dl",
            "dt",
            "fieldset",
            "figcaption",
            "figure",
            "footer",
            "form",
            "header",
            "hr",
            "html",
            "legend",
            "li",
        ),
        *(
            "main",
            "p",
            "section",
            "summary",
            "svg",
            "table",
            "tbody",
            "td",
            "text",
            "textarea",
            "tfoot",
            "th",
            "thead",
            "tr",
        ),
    }
)
_HEADINGS = {f"h{level}": level for level in range(1, 7)}
_IN_LAYOUT = "table, h1, h2, h3, h4, h5, h6, ul, ol, pre"
_UNSEEN = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
_DECLARED = re.compile(
    rb"(?:<meta[^>]{0,200}?charset\s*=\s*[\"']?|\A\s*<\?xml[^>]{0,200}?encoding\s*=\s*[\"'])([\w.:-]{1,40})",
    re.IGNORECASE,
)
_VOID = frozenset(
    ["area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "param", "source", "track", "wbr"]
)
_SELF_CLOSED = re.compile(r"<([A-Za-z][\w.-]{0,40})((?:\s(?:[^<>\"']|\"[^\"<]{0,4000}\"|'[^'<]{0,4000}')*)?)/>")
_CDATA = re.compile(r"<!\[CDATA\[(.*?)\]\]>", re.DOTALL)
_XHTML = re.compile(r"\A\s*<\?xml|<html[^>]{0,500}xmlns\s*=", re.IGNORECASE)
_XHTML_WITHIN = 4096
_DECLARED_WITHIN = 2048
_WHITE_SPACE = re.compile(r"\s+")
_AROUND_BREAKS = re.compile(r" *\n *")
_SPACES = re.compile(" {2,}")


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the headings, paragraphs, lists, tables and code of a page."""
    builder = TextBuilder(len(content))
    builder.title = add_page(builder, content, is_xml=suffix == ".xhtml")
    return builder.built()


def add_page(builder: TextBuilder, content: bytes | str, *, page: int = 0, is_xml: bool = False) -> str:
    """Append the text of a page to a document, and return its title."""
    source = content if isinstance(content, str) else read(builder, content, _declared(content))
    if is_xml or _XHTML.search(source[:_XHTML_WITHIN]):
        source = _as_html(xml_entities.resolved(source))
    tree = LexborHTMLParser(source)
    title = tree.css_first("title")
    if tree.root is not None:
        _Walk(builder, page).over(tree.root)
    return title.text() if title else ""


def _as_html(source: str) -> str:
    """Convert XHTML to HTML, in which a self-closing element would contain everything after it."""
    opened = _SELF_CLOSED.sub(
        lambda tag: (
            tag.group() if tag.group(1).lower() in _VOID else f"<{tag.group(1)}{tag.group(2)}></{tag.group(1)}>"
        ),
        source,
    )
    return _CDATA.sub(lambda data: escape(data.group(1)), opened)


def _declared(content: bytes) -> str:
    """Return the encoding that an XML declaration or meta element declares; "" without one."""
    declared = _DECLARED.search(content[:_DECLARED_WITHIN])
    return declared.group(1).decode("ascii") if declared else ""


class _Walk:
    """Visits the nodes of a page without recursion: pages may be nested more deeply than the stack allows."""

    def __init__(self, builder: TextBuilder, page: int) -> None:
        self._builder = builder
        self._page = page
        self._inline: list[str] = []
        self._lists = OpenLists()
        self._items: list[str] = []
        self._cell: list[str] | None = None
        """The paragraphs of the current table cell; None outside of cells."""

    def over(self, root: LexborNode) -> None:
        """Append everything below a node to the document."""
        node = root
        while not self._builder.is_full:
            if self._enter(node):
                child = node.first_child
                if child is not None:
                    node = child
                    continue
                self._leave(node)
            # Nodes are compared by identity: "==" would compare their contents.
            while node.mem_id != root.mem_id and node.next is None and node.parent is not None:
                node = node.parent
                self._leave(node)
            if node.mem_id == root.mem_id or (following := node.next) is None:
                self._between()
                return
            node = following

    def _enter(self, node: LexborNode) -> bool:
        """Enter a node; returns whether to visit its children and leave it afterwards."""
        tag = node.tag or ""
        if node.is_text_node:
            self._inline.append(_WHITE_SPACE.sub(" ", node.text_content or ""))
            return False
        if not node.is_element_node:
            return node.is_document_node
        if tag in _DROPPED or tag in _FRAMES or _is_hidden(node):
            self._leave_out(node)
            return False
        self._inline.append(math_before(node))
        if tag == "br":
            self._inline.append("\n")
        elif tag in {"input", "select"}:
            self._inline.append(f" {_field_text(node)} ")
            return False
        elif tag == "pre":
            self._between()
            self._builder.add(BlockKind.CODE, node.text(), page=self._page)
            return False
        elif tag == "table" and not _arranges(node):
            return self._table(node)
        elif tag in _HEADINGS:
            self._between()
        else:
            self._enter_block(node)
        return True

    def _leave_out(self, node: LexborNode) -> None:
        """Add a note that an element is not read, unless it is invisible or unimportant."""
        if node.tag in _FRAMES:
            self._builder.note(_FRAMES_NOT_READ)
        elif node.tag not in _DROPPED and node.text(strip=True):
            self._builder.note(_HIDDEN)

    def _enter_block(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag in _BLOCKS or tag in LISTS:
            self._flush()
        if tag in LISTS:
            self._lists.enter(tag, node.attributes, sum(item.tag == "li" for item in node.iter()))
        if tag == "li":
            self._lists.begin_item(node.attributes)

    def _table(self, node: LexborNode) -> bool:
        """Append a table; returns whether it is a layout table, whose children are to be visited."""
        rows = [[cell for cell in row.iter() if cell.tag in {"td", "th"}] for row in node.css("tr")]
        if all(len(row) <= 1 for row in rows):
            self._flush()
            return True
        self._between()
        add_table(self._builder, ([self._cell_text(cell) for cell in row] for row in rows), page=self._page)
        return False

    def _cell_text(self, cell: LexborNode) -> str:
        """Return the text of a cell without tables and lists."""
        self._cell = []
        self.over(cell)
        text, self._cell = " ".join(self._cell), None
        return text

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag in _HEADINGS:
            self._builder.heading(self._taken(), _HEADINGS[tag], page=self._page)
        elif tag in _BLOCKS:
            self._flush()
        elif tag in LISTS:
            self._flush()
            self._lists.leave()
            if not self._lists:
                self._end_list()
        else:
            self._inline.append(math_after(node))

    def _taken(self) -> str:
        """Return the collected running text, and clear it."""
        text = _AROUND_BREAKS.sub("\n", _SPACES.sub(" ", "".join(self._inline))).strip()
        self._inline.clear()
        return text

    def _flush(self) -> None:
        """End the running text, as a paragraph, or as part of a cell or list item."""
        text = self._taken()
        if not text:
            return
        if self._cell is not None:
            self._cell.append(text)
        elif self._lists:
            self._items.append(self._lists.line(text))
        else:
            self._builder.add(BlockKind.PARAGRAPH, text, page=self._page)

    def _end_list(self) -> None:
        self._builder.add(BlockKind.LIST, "\n".join(self._items), page=self._page)
        self._items.clear()

    def _between(self) -> None:
        """End the running text and list before another block."""
        self._flush()
        self._end_list()


def _arranges(table: LexborNode) -> bool:
    """Whether a table is for layout: cells of data tables contain no headings and lists."""
    return any(inner.mem_id != table.mem_id for inner in table.css(_IN_LAYOUT))


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    if node.tag == "dialog" and "open" not in attributes:
        return True
    return "hidden" in attributes or bool(_UNSEEN.search((attributes.get("style") or "")[:1000]))


def _field_text(node: LexborNode) -> str:
    """Return the displayed state of a form field: its value, a checkbox, or the selected option."""
    attributes = node.attributes
    if node.tag == "select":
        options = node.css("option")
        chosen = [option for option in options if "selected" in option.attributes]
        if not chosen and "multiple" not in attributes:
            chosen = options[:1]
        return ", ".join(option.text(strip=True) for option in chosen)
    kind = (attributes.get("type") or "text").lower()
    if kind in _TICKED:
        return _TICKED[kind]["checked" in attributes]
    return "" if kind in _WITHOUT_VALUE else attributes.get("value") or ""
