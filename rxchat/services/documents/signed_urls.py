"""Short links: a file for a few minutes, without a cookie, as its maker may read it at the moment of the download."""

from __future__ import annotations

from datetime import timedelta
from uuid import UUID

from rxchat.db.access import roles as role_rows
from rxchat.db.documents import documents as rows
from rxchat.db.platform.database import Database
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.errors import NotFound, NotSignedIn
from rxchat.domain.permissions import Scope, require_scope
from rxchat.services.platform.session_tokens import Purpose, SessionTokens, id_in

SECONDS = 300


class SignedUrls:
    """Makes such links and opens them."""

    def __init__(self, database: Database, tokens: SessionTokens) -> None:
        """Know where truth lives, and who seals."""
        self._database = database
        self._tokens = tokens

    async def make(self, current_user: CurrentUser, document_id: UUID) -> tuple[str, int]:
        """Return the sealed part of a link to a document's file, and for how many seconds it works.

        Raises:
            NotFound: when the document is unknown or may not be read.
        """
        require_scope(current_user, Scope.FILES)
        async with self._database.begin(current_user.user_id) as session:
            if await rows.document(session, document_id) is None:
                raise NotFound
        facts = {"uid": str(current_user.user_id), "doc": str(document_id)}
        return self._tokens.seal(Purpose.FILE_LINK, facts, timedelta(seconds=SECONDS)), SECONDS

    async def resolve(self, sealed: str) -> tuple[CurrentUser, UUID]:
        """Return in whose name a link is opened, and for which document.

        Raises:
            NotFound: when it is none of ours, past its time, or its maker may not sign in any more.
        """
        try:
            facts = self._tokens.open(Purpose.FILE_LINK, sealed)
            user_id, document_id = id_in(facts, "uid"), id_in(facts, "doc")
        except NotSignedIn as error:
            raise NotFound("This link is no longer valid: ask for a new one.") from error
        async with self._database.begin(user_id) as session:
            current_user = await role_rows.get_current_user(session)
        if current_user is None:
            raise NotFound("This link is no longer valid: ask for a new one.")
        return current_user, document_id
