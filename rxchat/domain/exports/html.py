"""The shown branch of a conversation as one HTML file that runs nothing and loads nothing.

What models wrote is Markdown whose raw HTML stays text; pictures are links, since loading one would show its host that the
file was read. The file is also what is printed, and saved as PDF by the browser.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from html import escape
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token

from rxchat.domain.chat import Role
from rxchat.domain.exports.conversation import ExportedConversation
from rxchat.domain.exports.markdown import attachment_names, endings, heading_parts, moment_words
from rxchat.domain.messages import ThreadMessage

POLICY = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'"
"""The Content-Security-Policy of the file, also where nothing but the file itself says it."""
_LONGEST_MARKDOWN = 30_000
"""Longer texts are shown as they are: parsing them would take seconds."""
_SCHEMES = frozenset({"http", "https", "mailto"})
_UNSAFE = re.compile(r"[\x00-\x20\x7f]")
_STYLE = """
:root { color-scheme: light dark; --line: #d9d6cf; --soft: #6b675f; --code: #f4f2ee; --asked: #f1efe9; }
@media (prefers-color-scheme: dark) { :root { --line: #44413b; --soft: #a8a398; --code: #262420; --asked: #2b2925; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 46rem; padding: 2rem 1.25rem 4rem; font: 1rem/1.6 system-ui, sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 1.6rem; line-height: 1.25; margin: 0 0 .25rem; }
header p, .by { color: var(--soft); font-size: .875rem; margin: 0; }
article { margin-top: 2rem; }
article.asked { background: var(--asked); border-radius: .75rem; padding: .75rem 1rem; }
.by { font-weight: 400; }
.text > :first-child { margin-top: .5rem; } .text > :last-child { margin-bottom: 0; }
pre { background: var(--code); border-radius: .5rem; padding: .75rem 1rem; overflow-x: auto; white-space: pre-wrap; }
code { font-family: ui-monospace, monospace; font-size: .9em; }
table { border-collapse: collapse; display: block; overflow-x: auto; } th, td { border: 1px solid var(--line); padding: .3rem .6rem; text-align: start; }
blockquote { border-inline-start: 3px solid var(--line); color: var(--soft); margin-inline: 0; padding-inline-start: 1rem; }
details { color: var(--soft); } .note { color: var(--soft); font-size: .875rem; } hr { border: 0; border-top: 1px solid var(--line); }
@page { margin: 18mm 16mm; }
@media print {
  :root { --line: #bbb; --soft: #444; --code: #f5f5f5; --asked: #f5f5f5; color-scheme: light; }
  body { max-width: none; padding: 0; font-size: 10.5pt; color: #000; background: #fff; }
  h1, h2, h3, .by { break-after: avoid; } tr, img, blockquote { break-inside: avoid; } p { orphans: 3; widows: 3; }
  table { display: table; } a { color: inherit; } .text a[href^="http"]::after { content: " (" attr(href) ")"; font-size: .85em; }
}
"""


def html(conversation: ExportedConversation, exported_at: datetime) -> Iterator[str]:
    """Return the file in pieces."""
    title = escape(conversation.title)
    yield (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        f'<meta http-equiv="Content-Security-Policy" content="{escape(POLICY)}">\n'
        '<meta name="referrer" content="no-referrer">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f'<header><h1 dir="auto">{title}</h1><p>Exported from RxChat, {moment_words(exported_at)}.</p></header>\n<main>\n'
    )
    renderer = _renderer()
    for message in conversation.branch:
        is_question = message.role is Role.USER
        yield f'<article class="{"asked" if is_question else "answer"}">\n'
        yield f'<h2 class="by">{escape(" · ".join(heading_parts(message)))}</h2>\n'
        yield from _content(renderer, message)
        sources = [f"[{item.number}] {item.words}" for item in conversation.sources.get(message.id, [])]
        for label, lines in (("Attached", attachment_names(message)), ("Sources", sources)):
            yield _list(label, lines)
        yield "</article>\n"
    yield "</main>\n</body>\n</html>\n"


def _content(renderer: MarkdownIt, message: ThreadMessage) -> Iterator[str]:
    if message.reasoning:
        yield f'<details><summary>Reasoning</summary><div dir="auto">{_drawn(renderer, message.reasoning)}</div></details>\n'
    if message.text:
        yield f'<div class="text" dir="auto">{_drawn(renderer, message.text)}</div>\n'
    for ending in endings(message):
        yield f'<p class="note">{escape(ending)}</p>\n'


def _list(label: str, lines: list[str]) -> str:
    if not lines:
        return ""
    items = "".join(f"<li>{escape(line)}</li>" for line in lines)
    return f'<div class="note"><p>{label}:</p><ul>{items}</ul></div>\n'


def _drawn(renderer: MarkdownIt, text: str) -> str:
    if len(text) > _LONGEST_MARKDOWN:
        return f"<pre>{escape(text)}</pre>"
    return renderer.render(text)


def _renderer() -> MarkdownIt:
    renderer = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
    renderer.validateLink = _is_harmless  # pyright: ignore[reportAttributeAccessIssue]
    renderer.add_render_rule("image", _as_link)
    renderer.add_render_rule("link_open", _without_referrer)
    renderer.add_render_rule("fence", _code)
    return renderer


def _is_harmless(address: str) -> bool:
    """Whether an address may be a link: one of the web, of mail, or a place in the file itself."""
    try:
        scheme = urlsplit(_UNSAFE.sub("", address)).scheme.lower()
    except ValueError:
        return False
    return scheme in _SCHEMES or address.startswith("#")


def _as_link(renderer: RendererHTML, tokens: list[Token], at: int, options: object, env: object) -> str:
    del renderer, options, env
    token = tokens[at]
    address = escape(str(token.attrs.get("src", "")))
    return f'<a href="{address}" rel="noopener noreferrer">{escape(token.content) or "Picture"}</a>'


def _without_referrer(renderer: RendererHTML, tokens: list[Token], at: int, options: object, env: object) -> str:
    tokens[at].attrSet("rel", "noopener noreferrer")
    return renderer.renderToken(tokens, at, options, env)  # pyright: ignore[reportArgumentType]


def _code(renderer: RendererHTML, tokens: list[Token], at: int, options: object, env: object) -> str:
    """A block of code without its language, which could be any class."""
    del renderer, options, env
    return f"<pre><code>{escape(tokens[at].content)}</code></pre>\n"
