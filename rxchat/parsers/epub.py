"""EPUB books: a zip archive with a web page for each chapter, read in the order of the spine.

No entry is unpacked to a disk, so a name that leads out of the archive is only a name that does not exist.
"""

from __future__ import annotations

import posixpath
import re
import zipfile
from collections.abc import Collection
from html import unescape
from typing import Any
from urllib.parse import unquote

import lxml.etree

from rxchat.domain.documents import ParsedDocument
from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers import archive, encodings
from rxchat.parsers.builder import TextBuilder
from rxchat.parsers.html import add_page

_CONTAINER = "META-INF/container.xml"
_ENCRYPTION = "META-INF/encryption.xml"
_PAGES = frozenset({"application/xhtml+xml", "text/html", "image/svg+xml"})
_LINK = re.compile(r"""<a\s[^<>]{0,1000}?href\s{0,5}=\s{0,5}["']([^"'<>:]{1,1000})["']""", re.IGNORECASE)
_LISTS = re.compile(r"<nav\b", re.IGNORECASE)
_PICTURE = re.compile(r"<(?:img|image|svg|object)\b", re.IGNORECASE)
# Everything but running text: elements without text, headings, and tags.
_NOT_TEXT = re.compile(
    r"<(head|title|script|style|h[1-6])\b[^<>]{0,5000}>.{0,2000}?</\1\s{0,9}>|<!--.{0,2000}?-->|<[^<>]{0,5000}>",
    re.IGNORECASE | re.DOTALL,
)
_LONGEST_PICTURE_PAGE = 100_000
_NO_BOOK = "This file is damaged: its name ends in .epub, but it contains no book."


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
        reader = _Reader(builder, package, names)
        for chapter in chapters:
            reader.add(chapter)
        reader.add_linked(_pages(place, book))
        reader.note_pictures(len(chapters))
    return builder.built()


class _Reader:
    """Appends chapters, and counts those that are images."""

    def __init__(self, builder: TextBuilder, package: zipfile.ZipFile, names: frozenset[str]) -> None:
        self._builder = builder
        self._package = package
        self._names = names
        self._read: set[str] = set()
        self._linked: dict[str, None] = {}
        self._pictures = self._headed = 0

    def add(self, name: str) -> None:
        """Append a chapter, unless it is missing or a table of contents."""
        if name not in self._names or name in self._read or self._builder.is_full:
            return
        self._read.add(name)
        before = self._builder.room
        content = archive.read(self._package, name)
        add_page(self._builder, content, is_xml=True)
        source = encodings.decode(content).text
        folder = posixpath.dirname(name)
        for address in _LINK.findall(source):
            path = unquote(address.partition("#")[0])
            self._linked[posixpath.normpath(posixpath.join(folder, path))] = None
        if self._builder.room == before:
            self._pictures += _LISTS.search(source) is None
        elif _is_heading_and_picture(source[max(0, source.find("<body")) :]):
            self._headed += 1

    def add_linked(self, pages: Collection[str]) -> None:
        """Append pages outside the spine to which chapters link, such as notes."""
        waiting = list(self._linked)
        while waiting:
            name = waiting.pop(0)
            if name in pages and name not in self._read:
                self.add(name)
                waiting = list(self._linked)

    def note_pictures(self, total: int) -> None:
        """Add a note about chapters that are images and were not read."""
        if self._pictures:
            self._builder.note(
                f"{self._pictures} of the {total} chapters have no text: pictures in a book are not read."
            )
        if self._headed:
            self._builder.note(
                f"{self._headed} of the {total} chapters have a heading and pictures: pictures in a book are not read."
            )


def _is_heading_and_picture(body: str) -> bool:
    """Whether a page has images, and no text but headings; False for long pages, without a check."""
    if len(body) > _LONGEST_PICTURE_PAGE or not _PICTURE.search(body):
        return False
    return not any(map(str.isalnum, unescape(_NOT_TEXT.sub(" ", body))))


def _book(package: zipfile.ZipFile, names: frozenset[str]) -> tuple[str, Any]:
    """Return the book's folder in the archive, and its package document.

    Raises:
        DocumentUnreadable: if there is no book.
    """
    if _CONTAINER not in names:
        raise DocumentUnreadable(_NO_BOOK)
    root = _xml(archive.read(package, _CONTAINER)).find(".//{*}rootfile")
    path = root.get("full-path", "") if root is not None else ""
    if path not in names:
        raise DocumentUnreadable(_NO_BOOK)
    return posixpath.dirname(path), _xml(archive.read(package, path))


def _xml(content: bytes) -> Any:
    """Parse XML without declarations and external resources.

    Raises:
        DocumentUnreadable: if it is not XML.
    """
    try:
        return archive.xml_tree(content)
    except lxml.etree.XMLSyntaxError as error:
        raise DocumentUnreadable(_NO_BOOK) from error


def _chapters(folder: str, book: Any) -> tuple[list[str], int]:
    """Return the names of the chapters, and the number of entries in the spine that the book does not list.

    Each name is returned once, since a book could repeat a chapter a million times.
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


def _pages(folder: str, book: Any) -> frozenset[str]:
    """Return the names of all pages of a book but its table of contents."""
    return frozenset(
        posixpath.normpath(posixpath.join(folder, unquote(item.get("href", "").partition("#")[0])))
        for item in book.iterfind(".//{*}manifest/{*}item")
        if item.get("media-type") in _PAGES and "nav" not in (item.get("properties") or "").split()
    )


def _is_protected(package: zipfile.ZipFile, names: frozenset[str], chapters: list[str]) -> bool:
    """Whether chapters are encrypted; encrypted fonts are ignored."""
    if _ENCRYPTION not in names:
        return False
    encrypted = _xml(archive.read(package, _ENCRYPTION)).iterfind(".//{*}CipherReference")
    return not {unquote(reference.get("URI", "")) for reference in encrypted}.isdisjoint(chapters)
