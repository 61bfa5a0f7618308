"""Web pages: their text without what browsers do not show or what only leads elsewhere."""

from __future__ import annotations

import re
from html import escape

from selectolax.lexbor import LexborHTMLParser, LexborNode

from rxchat.domain.documents import BlockKind, ParsedDocument
from rxchat.parsers.builder import TextBuilder
from rxchat.parsers.plain_text import read
from rxchat.parsers.tables import add_table

_DROPPED = frozenset(
    {
        "script",
        "style",
        "nav",
        "template",
        "noscript",
        "svg",
        "math",
        "head",
        "iframe",
        "object",
        "embed",
        "canvas",
        "audio",
        "video",
        "select",
        "datalist",
        "textarea",
        "dialog",
    }
)
_BLOCKS = frozenset(
    {
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
        "main",
        "p",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
    }
)
_LISTS = frozenset({"ul", "ol"})
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
    """Append what a page says to a document, and return its title."""
    source = content if isinstance(content, str) else read(builder, content, _declared(content))
    if is_xml or _XHTML.search(source[:_XHTML_WITHIN]):
        source = _as_html(source)
    tree = LexborHTMLParser(source)
    title = tree.css_first("title")
    if tree.root is not None:
        _Walk(builder, page).over(tree.root)
    return title.text() if title else ""


def _as_html(source: str) -> str:
    """Return XHTML as HTML: there, an element that closes itself would hold all that follows it."""
    opened = _SELF_CLOSED.sub(
        lambda tag: (
            tag.group() if tag.group(1).lower() in _VOID else f"<{tag.group(1)}{tag.group(2)}></{tag.group(1)}>"
        ),
        source,
    )
    return _CDATA.sub(lambda data: escape(data.group(1)), opened)


def _declared(content: bytes) -> str:
    """Return the encoding that a page declares, in XML's declaration or a meta element; "" when it does not."""
    declared = _DECLARED.search(content[:_DECLARED_WITHIN])
    return declared.group(1).decode("ascii") if declared else ""


class _Walk:
    """Goes through the nodes of a page without recursion: pages may be nested more deeply than any stack."""

    def __init__(self, builder: TextBuilder, page: int) -> None:
        self._builder = builder
        self._page = page
        self._inline: list[str] = []
        self._lists = 0
        self._items: list[str] = []
        self._begins_item = False

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
            while (following := node.next) is None:
                parent = node.parent
                if parent is None or node == root:
                    self._between()
                    return
                node = parent
                self._leave(node)
            node = following

    def _enter(self, node: LexborNode) -> bool:
        """Begin a node; says whether what is in it has to be gone through, and the node to be left then."""
        tag = node.tag or ""
        if node.is_text_node:
            self._inline.append(_WHITE_SPACE.sub(" ", node.text_content or ""))
            return False
        if not node.is_element_node:
            return node.is_document_node
        if tag in _DROPPED or _is_hidden(node):
            return False
        if tag == "br":
            self._inline.append("\n")
        elif tag == "pre":
            self._between()
            self._builder.add(BlockKind.CODE, node.text(), page=self._page)
            return False
        elif tag == "table" and not _arranges(node):
            return self._table(node)
        elif tag in _HEADINGS:
            self._between()
        else:
            self._enter_block(tag)
        return True

    def _enter_block(self, tag: str) -> None:
        if tag in _BLOCKS or tag in _LISTS:
            self._flush()
        if tag in _LISTS:
            self._lists += 1
        if tag == "li":
            self._begins_item = True

    def _table(self, node: LexborNode) -> bool:
        """Append a table, unless it only arranges things; then what is in it is gone through."""
        rows = [[cell.text(separator=" ") for cell in row.iter() if cell.tag in {"td", "th"}] for row in node.css("tr")]
        if all(len(row) <= 1 for row in rows):
            self._flush()
            return True
        self._between()
        add_table(self._builder, rows, page=self._page)
        return False

    def _leave(self, node: LexborNode) -> None:
        tag = node.tag or ""
        if tag in _HEADINGS:
            self._builder.heading(self._taken(), _HEADINGS[tag], page=self._page)
        elif tag in _BLOCKS:
            self._flush()
        elif tag in _LISTS:
            self._flush()
            self._lists = max(0, self._lists - 1)
            if not self._lists:
                self._end_list()

    def _taken(self) -> str:
        """Return the running text so far, and begin anew."""
        text = _AROUND_BREAKS.sub("\n", _SPACES.sub(" ", "".join(self._inline))).strip()
        self._inline.clear()
        return text

    def _flush(self) -> None:
        """End the running text: it is a paragraph, or belongs to an item of a list."""
        text = self._taken()
        if not text:
            return
        if not self._lists:
            self._builder.add(BlockKind.PARAGRAPH, text, page=self._page)
            return
        indent = "  " * min(self._lists - 1, 10)
        self._items.append(f"{indent}{'- ' if self._begins_item else '  '}{text}")
        self._begins_item = False

    def _end_list(self) -> None:
        self._builder.add(BlockKind.LIST, "\n".join(self._items), page=self._page)
        self._items.clear()

    def _between(self) -> None:
        """End what is running, a list too, because something comes that is a block of its own."""
        self._flush()
        self._end_list()


def _arranges(table: LexborNode) -> bool:
    """Whether a table only says where things are: data has no headings and lists in its cells."""
    return any(inner.mem_id != table.mem_id for inner in table.css(_IN_LAYOUT))


def _is_hidden(node: LexborNode) -> bool:
    attributes = node.attributes
    if not attributes:
        return False
    return "hidden" in attributes or bool(_UNSEEN.search((attributes.get("style") or "")[:1000]))
