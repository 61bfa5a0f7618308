"""What the web server offers the application in the `extensions` of a websocket's scope.

https://asgi.readthedocs.io/en/latest/extensions.html
"""

from __future__ import annotations

from collections.abc import Callable

LONGEST_PACKET = 2_000_000
"""Characters of a packet on a websocket: the longest event that reaches its handler, which answers what is too long for it."""
Hold = Callable[[int], bool]
"""Counts what is held of messages: takes so many bytes more (or gives them back, below zero); False when there are none left to take."""
LIMIT_MESSAGES = "rxchat.limit_messages"
"""A function of the bytes that a message may have, and of a `Hold`."""
ABORT = "rxchat.abort"
"""A function that ends the connection at once, whatever its peer has not read yet."""
