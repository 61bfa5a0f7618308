"""Extensions that the web server offers the application in the scope of a websocket.

https://asgi.readthedocs.io/en/latest/extensions.html
"""

from __future__ import annotations

from collections.abc import Callable

LONGEST_PACKET = 2_000_000
"""The longest packet on a websocket, in characters; handlers answer shorter ones that are too long for them."""
Hold = Callable[[int], bool]
"""Adds to the counted bytes of messages (a negative number subtracts); returns False at the limit."""
LIMIT_MESSAGES = "rxchat.limit_messages"
"""The key of a function that sets the largest message, and a `Hold`."""
ABORT = "rxchat.abort"
"""The key of a function that ends the connection at once, even if its peer has not read all data."""
