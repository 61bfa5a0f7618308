"""Headers and footers: detection of those that are only page numbers."""

from __future__ import annotations

import re

# A page number has at most three digits, since years and dates are kept.
_NUMBER = r"\d{1,3}"
_PAGE = r"(?:page|seite|página|pagina|sida|side|strana|стр\.?|第)"
_OF = r"(?:/|\||of|von|de|sur|di|av|af|z|из|页|頁|ページ)"
_PAGE_NUMBER = re.compile(
    rf"[\s|–—-]*{_PAGE}?\s*(?:{_NUMBER})?\s*(?:{_OF}\s*(?:{_NUMBER})?\s*)?(?:页|頁|ページ)?[\s|–—-]*", re.IGNORECASE
)


def is_page_number(text: str) -> bool:
    """Whether a header or footer is only a page number."""
    return _PAGE_NUMBER.fullmatch(text) is not None
