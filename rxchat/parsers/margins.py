"""What stands above and below the pages of a document: which of it is nothing but the number of the page."""

from __future__ import annotations

import re

# A year or a date is a reason to keep it, so a number has three digits at most.
_NUMBER = r"\d{1,3}"
_PAGE = r"(?:page|seite|página|pagina|sida|side|strana|стр\.?|第)"
_OF = r"(?:/|\||of|von|de|sur|di|av|af|z|из|页|頁|ページ)"
_PAGE_NUMBER = re.compile(
    rf"[\s|–—-]*{_PAGE}?\s*(?:{_NUMBER})?\s*(?:{_OF}\s*(?:{_NUMBER})?\s*)?(?:页|頁|ページ)?[\s|–—-]*", re.IGNORECASE
)


def is_page_number(text: str) -> bool:
    """Whether a header or footer says nothing but on which page it stands."""
    return _PAGE_NUMBER.fullmatch(text) is not None
