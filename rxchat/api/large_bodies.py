"""Who may send a large request body, and how many are read at once: each is whole in memory before its route sees it."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from uuid import UUID

from starlette.requests import Request
from starlette.types import Scope as AsgiScope

from rxchat.api.request_quota import count_request
from rxchat.api.requests import authenticate
from rxchat.domain.authorization import require_scope
from rxchat.domain.errors import TooManyAttempts
from rxchat.domain.permissions import Scope
from rxchat.services.app import container

MOST_OF_A_USER, MOST_OF_ALL = 2, 8


class LargeBodies:
    """Counts the large bodies that this process reads."""

    def __init__(self) -> None:
        self._reading: Counter[UUID] = Counter()

    @asynccontextmanager
    async def admitted(self, scope: AsgiScope) -> AsyncGenerator[None]:
        """Hold a place for the body of a request while the context is open.

        Raises:
            NotSignedIn: when no credential proves the sender.
            NotAllowed: when the credential may not ask models, which is what large bodies are for.
            TooManyAttempts: when the user has made too many requests, or too many large bodies arrive.
        """
        request = Request(scope)
        current_user = await authenticate(request, container.get_services())
        require_scope(current_user, Scope.CHAT)
        await count_request(request, current_user)
        user_id = current_user.user_id
        if self._reading[user_id] >= MOST_OF_A_USER or self._reading.total() >= MOST_OF_ALL:
            raise TooManyAttempts(
                "Too many large requests are being read. Send this one again in a moment.", retry_after_seconds=2
            )
        self._reading[user_id] += 1
        try:
            yield
        finally:
            self._reading[user_id] -= 1
            if not self._reading[user_id]:
                del self._reading[user_id]
