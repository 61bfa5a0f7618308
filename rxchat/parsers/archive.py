"""Untrusted zip archives: documents of office programs, and books."""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from typing import Any

import lxml.etree

from rxchat.domain.errors import DocumentUnreadable
from rxchat.parsers import limits

_ENCRYPTED = 0x1
_XML_NAMES = (".xml", ".rels", ".opf", ".vml")
_DECLARATION = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_UTF_16_DECLARATION = re.compile(rb"<\0?!\0(?:D\0O\0C\0T|E\0N\0T\0I)", re.IGNORECASE)
_DECLARED_ENCODING = re.compile(rb"\A[^>]{0,200}?encoding\s*=\s*[\"']([\w.:-]{1,40})")
_ENCODINGS = frozenset({b"utf-8", b"utf8", b"utf-16", b"us-ascii", b"ascii", b"iso-8859-1", b"windows-1252"})
_STARTS = (b"<", b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff", b"\0<")
_DAMAGED = "This file is damaged: it cannot be unpacked. Save it again and upload the new file."
_TOO_LARGE = "This file is too large when unpacked. Save it without pictures, or split it, and try again."
_DECLARES = "This file declares XML entities, which RxChat refuses. Open it, save it again and upload the new file."


def opened(content: bytes) -> zipfile.ZipFile:
    """Open an archive and check the limits, without unpacking any entry.

    Raises:
        DocumentUnreadable: if it is damaged, protected by a password, or declares sizes above the limits.
    """
    try:
        archive = zipfile.ZipFile(io.BytesIO(content))
    except (zipfile.BadZipFile, NotImplementedError, ValueError, OSError) as error:
        raise DocumentUnreadable(_DAMAGED) from error
    entries = archive.infolist()
    if len(entries) > limits.ARCHIVE_ENTRIES:
        raise DocumentUnreadable(_TOO_LARGE)
    if sum(entry.file_size for entry in entries) > limits.ARCHIVE_BYTES:
        raise DocumentUnreadable(_TOO_LARGE)
    for entry in entries:
        if entry.flag_bits & _ENCRYPTED:
            raise DocumentUnreadable("This file is protected by a password: save it without one and upload it again.")
        if (
            entry.file_size > limits.ARCHIVE_RATIO_FREE_BYTES
            and entry.file_size > limits.ARCHIVE_RATIO * entry.compress_size
        ):
            raise DocumentUnreadable(_TOO_LARGE)
    names = [entry.filename for entry in entries]
    if len(names) != len(set(names)):
        # Programs differ in which of two entries with the same name they show, so the text would be ambiguous.
        raise DocumentUnreadable(_DAMAGED)
    return archive


def read(archive: zipfile.ZipFile, name: str) -> bytes:
    """Unpack an entry, up to the size that the archive declares.

    Raises:
        DocumentUnreadable: if it is missing or damaged.
    """
    try:
        entry = archive.getinfo(name)
        with archive.open(entry) as stream:
            content = stream.read(entry.file_size + 1)
    except (KeyError, zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError) as error:
        raise DocumentUnreadable(_DAMAGED) from error
    if len(content) > entry.file_size:
        raise DocumentUnreadable(_DAMAGED)
    return content


def refuse_declarations(content: bytes) -> bytes:
    """Return XML unchanged if it declares no document type and no entities.

    Raises:
        DocumentUnreadable: if it does, or has an encoding that could hide a declaration.
    """
    # UTF-7, EBCDIC and UTF-32 encode letters as other bytes, and could hide a declaration.
    declared = _DECLARED_ENCODING.search(content)
    is_plain = not content or (content.lstrip().startswith(_STARTS) and b"\0\0" not in content[:8])
    if not is_plain or (declared and declared.group(1).lower() not in _ENCODINGS):
        raise DocumentUnreadable(_DAMAGED)
    if _DECLARATION.search(content) or _UTF_16_DECLARATION.search(content):
        raise DocumentUnreadable(_DECLARES)
    return content


def office(content: bytes, needed: str) -> io.BytesIO:
    """Check the archive of an office document, and return it for the library that parses it.

    Raises:
        DocumentUnreadable: if the needed entry is missing, or any XML in it has a declaration.
    """
    with opened(content) as archive:
        names = archive.namelist()
        if not any(name.startswith(needed) for name in names):
            raise DocumentUnreadable(
                "This file is damaged, or its name has the wrong ending: required parts are missing."
            )
        for name in names:
            if name.lower().endswith(_XML_NAMES):
                refuse_declarations(read(archive, name))
    return io.BytesIO(content)


def xml_tree(content: bytes) -> Any:
    """Parse XML without declarations and external resources.

    Raises:
        DocumentUnreadable: if it declares a document type or entities.
        lxml.etree.XMLSyntaxError: if it is not XML.
    """
    parser = lxml.etree.XMLParser(resolve_entities=False, no_network=True, load_dtd=False, huge_tree=False)
    return lxml.etree.fromstring(refuse_declarations(content), parser)
