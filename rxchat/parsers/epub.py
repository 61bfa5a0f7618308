"""EPUB books: the chapters in the order of their spine, each a web page in a zip archive.

Nothing is unpacked to a disk: a name that leads out of the archive is only a name that is not in it.
"""

from __future__ import annotations

import posixpath
import zipfile
from typing import Any
from urllib.parse import unquote

import lxml.etree

from rxchat.domain.documents import ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers import archive
from rxchat.parsers.builder import TextBuilder
from rxchat.parsers.html import add_page

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = frozenset({"application/xhtml+xml", "text/html", "image/svg+xml"})
_NO_BOOK = "This file is damaged: it is called .epub, but there is no book in it."


def parse(content: bytes, suffix: str) -> ParsedDocument:
    """Return the chapters of a book."""
    del suffix
    builder = TextBuilder(len(content))
    with archive.opened(content) as package:
        names = frozenset(package.namelist())
        place, book = _book(package, names)
        builder.title = book.findtext(".//{*}metadata/{*}title") or ""
        chapters, unreadable = _chapters(place, book)
        if _is_protected(package, names, chapters):
            raise DocumentUnreadable("This book is protected by its shop (DRM), and only its own programs can read it.")
        missing = unreadable + sum(chapter not in names for chapter in chapters)
        if missing:
            builder.note(f"{missing} of the {len(chapters) + unreadable} chapters are missing in the file.")
        pictures = 0
        for chapter in chapters:
            if chapter in names and not builder.is_full:
                before = builder.room
                add_page(builder, archive.read(package, chapter), is_xml=True)
                pictures += builder.room == before
        if pictures:
            builder.note(f"{pictures} of the {len(chapters)} chapters have no text: pictures in a book are not read.")
    return builder.built()


def _book(package: zipfile.ZipFile, names: frozenset[str]) -> tuple[str, Any]:
    """Return the folder of the book in the archive, and what describes it.

    Raises:
        DocumentUnreadable: when there is none.
    """
    if _CONTAINER not in names:
        raise DocumentUnreadable(_NO_BOOK)
    root = _xml(archive.read(package, _CONTAINER)).find(".//{*}rootfile")
    path = root.get("full-path", "") if root is not None else ""
    if path not in names:
        raise DocumentUnreadable(_NO_BOOK)
    return posixpath.dirname(path), _xml(archive.read(package, path))


def _xml(content: bytes) -> Any:
    """Return XML that declares nothing and loads nothing, as a tree.

    Raises:
        DocumentUnreadable: when it is none.
    """
    parser = lxml.etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    try:
        return lxml.etree.fromstring(archive.refuse_declarations(content), parser)
    except lxml.etree.XMLSyntaxError as error:
        raise DocumentUnreadable(_NO_BOOK) from error


def _chapters(folder: str, book: Any) -> tuple[list[str], int]:
    """Return the names of the chapters in the archive, and how many the spine has that the book does not list.

    Each is there once: a book of one chapter a million times is a bomb.
    """
    items = {
        item.get("id"): item.get("href", "")
        for item in book.iterfind(".//{*}manifest/{*}item")
        if item.get("media-type") in _PAGES
    }
    found: dict[str, None] = {}
    unknown: set[str] = set()
    for reference in book.iterfind(".//{*}spine/{*}itemref"):
        identifier = reference.get("idref") or ""
        address = items.get(identifier)
        if address:
            found[posixpath.normpath(posixpath.join(folder, unquote(address.partition("#")[0])))] = None
        else:
            unknown.add(identifier)
    return list(found), len(unknown)


def _is_protected(package: zipfile.ZipFile, names: frozenset[str], chapters: list[str]) -> bool:
    """Whether chapters are encrypted; fonts often are, and nobody needs them here."""
    if _ENCRYPTION not in names:
        return False
    encrypted = _xml(archive.read(package, _ENCRYPTION)).iterfind(".//{*}CipherReference")
    return not {unquote(reference.get("URI", "")) for reference in encrypted}.isdisjoint(chapters)
