"""E-mail addresses: one canonical spelling for each mailbox, and the other spellings that mean the same.

A domain may be written in Unicode or in IDNA encoding (RFC 5890, UTS 46), in any case, with a trailing dot. The part
before the @ is defined by the mail server and stays unchanged; only its ASCII letters are compared without case.
"""

from __future__ import annotations

import re
import string
import unicodedata

from rxchat.domain.invisible import has_invisible

_PREFIX = "xn--"
# Full stops of other scripts, which separate labels as well.
_DOTS = re.compile("[\u3002\uff0e\uff61]")
# RFC 5321, Dot-string; RFC 6531 adds non-ASCII characters.
_LOCAL_SIGNS = frozenset("!#$%&'*+-/=?^_`{|}~")
# RFC 5892 allows the others next to certain letters.
_DOMAIN_SIGNS = frozenset("-\u00b7\u0375\u05f3\u05f4\u30fb")
_ADDRESS_LITERAL = re.compile(r"\[\d{1,3}(?:\.\d{1,3}){3}\]", re.ASCII)
_ASCII_LOWER = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


def canonical_email(email: str) -> str:
    """Return the canonical spelling of an address; invalid input is only normalized."""
    local, at, domain = unicodedata.normalize("NFC", email).rpartition("@")
    return f"{local}{at}{'.'.join(map(_unicode_label, _labels(domain)))}" if at else domain


def is_plain_email(email: str) -> bool:
    """Whether an address is exactly one mailbox, without quotes, comments, a name or invisible characters."""
    local, _, domain = email.rpartition("@")
    is_local = unicodedata.normalize("NFKC", local) == local and all(
        _is_word(atom, _LOCAL_SIGNS) for atom in local.split(".")
    )
    is_domain = all(_is_word(label, _DOMAIN_SIGNS) for label in domain.split(".")) or _ADDRESS_LITERAL.fullmatch(domain)
    return is_local and bool(is_domain)


def _is_word(text: str, signs: frozenset[str]) -> bool:
    """Whether a text consists of letters, digits and `signs`, and does not begin with a combining mark."""
    if not text or has_invisible(text) or unicodedata.category(text[0]).startswith("M"):
        return False
    return all(it in signs or unicodedata.category(it)[0] in "LMN" for it in text)


def email_key(email: str) -> str:
    """Return the key by which addresses are compared.

    The database's procedure email_key computes the same for stored addresses.
    """
    local, at, domain = canonical_email(email).rpartition("@")
    return f"{local.translate(_ASCII_LOWER)}{at}{domain}"


def ascii_email(email: str) -> str:
    """Return the address with its domain in IDNA encoding, which every mail server accepts."""
    local, at, domain = canonical_email(email).rpartition("@")
    return f"{local}{at}{'.'.join(map(_ascii_label, domain.split('.')))}" if at else domain


def email_spellings(email: str) -> list[str]:
    """Return the spellings under which an address may be stored, starting with the given one.

    New addresses are stored in canonical spelling; earlier ones as they were entered.
    """
    given = unicodedata.normalize("NFC", email)
    forms = [given, canonical_email(email), ascii_email(email)]
    return list(dict.fromkeys([*forms, *(f"{form}." for form in forms if "@" in form and not form.endswith("."))]))


def _labels(domain: str) -> list[str]:
    """Return the labels of a domain, without the empty root label."""
    labels = _DOTS.sub(".", domain).split(".")
    return labels[:-1] if len(labels) > 1 and not labels[-1] else labels


def _unicode_label(label: str) -> str:
    label = unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", label).lower())
    if not label.startswith(_PREFIX):
        return label
    try:
        decoded = label.removeprefix(_PREFIX).encode("ascii").decode("punycode")
    except UnicodeError:
        return label
    # An encoding that does not round-trip is invalid.
    return (
        decoded if decoded.isprintable() and _ascii_label(decoded) == label == _ascii_label(_lower(decoded)) else label
    )


def _lower(label: str) -> str:
    return unicodedata.normalize("NFKC", label.lower())


def _ascii_label(label: str) -> str:
    return label if label.isascii() else _PREFIX + label.encode("punycode").decode("ascii")
