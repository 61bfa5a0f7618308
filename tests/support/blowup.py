"""A limit that only a text whose cost grows with the square of its length exceeds.

The texts of such tests have 20,000 characters and more: a pattern that backtracks over all of them costs minutes, one
that does not less than a second. It is no figure: the limit is far above what a busy machine makes of a second.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager

_SECONDS = 20


@contextmanager
def no_blowup() -> Iterator[None]:
    """Fail if this thread computes for longer than any cost in proportion to the text explains."""
    began = time.thread_time()
    yield
    assert time.thread_time() - began < _SECONDS
