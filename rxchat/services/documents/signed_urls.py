"""Short-lived links to a file, without a cookie, with the permissions of their creator at the time of the download."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from rxchat.db.access import roles as role_rows
from rxchat.db.documents import documents as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.errors import NotFound, NotSignedIn
from rxchat.domain.permissions import Scope
from rxchat.services.platform.session_tokens import Purpose, SessionTokens, id_in

SECONDS = 300


class SignedUrls:
    """Creates and resolves signed URLs."""

    def __init__(self, database: Database, tokens: SessionTokens) -> None:
        self._database = database
        self._tokens = tokens

    async def make(self, current_user: CurrentUser, document_id: UUID) -> tuple[str, int]:
        """Return the token of a link to a document's file, and its lifetime in seconds.

        Raises:
            NotFound: when the document does not exist or the user may not read it.
        """
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            if await rows.document(session, document_id) is None:
                raise NotFound
        facts = {"uid": str(current_user.user_id), "doc": str(document_id)}
        return self._tokens.seal(Purpose.FILE_LINK, facts, timedelta(seconds=SECONDS)), SECONDS

    async def resolve(self, sealed: str) -> tuple[CurrentUser, UUID]:
        """Return the creator of a link, and its document.

        Raises:
            NotFound: when it is invalid or expired, or its creator may no longer sign in.
        """
        try:
            facts = self._tokens.open(Purpose.FILE_LINK, sealed)
            user_id, document_id = id_in(facts, "uid"), id_in(facts, "doc")
        except NotSignedIn as error:
            raise NotFound("This link is no longer valid. Request a new one.") from error
        async with self._database.begin(user_id) as session:
            current_user = await role_rows.get_current_user(session)
        if current_user is None:
            raise NotFound("This link is no longer valid. Request a new one.")
        return current_user, document_id
