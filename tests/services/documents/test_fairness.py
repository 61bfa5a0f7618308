"""Whose documents are read first, where nobody reads any for the moment."""

from __future__ import annotations

import psycopg
import pytest

from rxchat.domain.accounts import ClientInfo, CurrentUser
from rxchat.domain.errors import Conflict, NotFound, TooManyAttempts
from rxchat.domain.ids import new_id
from rxchat.domain.rate_limits import RateLimit
from rxchat.services.accounts import rate_limits
from rxchat.services.app.container import Services
from rxchat.settings import Settings
from tests.factories import add_user
from tests.services.grounded import body, uploaded

pytestmark = pytest.mark.anyio


@pytest.fixture
def settings(settings: Settings) -> Settings:
    return settings.model_copy(update={"engine": False})


async def test_who_brings_many_keeps_nobody_waiting_and_what_is_attached_comes_first(
    services: Services, current_user: CurrentUser, owner_url: str
) -> None:
    other = add_user(owner_url)
    names: dict[str, str] = {}
    for owner, many in ((current_user, 3), (other, 2)):
        collection = await services.documents.collections.create(owner, "Team")
        for number in range(many):
            name = f"{'one' if owner is current_user else 'other'} {number}"
            names[str(await uploaded(services, owner, collection, f"{name}.txt", name))] = name
    with psycopg.connect(owner_url) as connection:
        # Thousands more of hers wait.
        connection.execute(
            "INSERT INTO document (owner_id, id, collection_id, file_id, name, media_type, size_bytes, state)"
            " SELECT owner_id, gen_random_uuid(), collection_id, file_id, name, media_type, 1, 'stored'"
            " FROM document CROSS JOIN generate_series(1, 2000) WHERE document.id = %s",
            (next(iter(names)),),
        )
    upload = await services.documents.files.begin(current_user, name="attached.txt", size_bytes=2, draft_key=new_id())
    names[
        str((await services.documents.files.receive(current_user, upload.document_id, 0, body(b"hi"))).document_id)
    ] = "attached"
    with psycopg.connect(owner_url) as connection:
        rows = connection.execute(
            "SELECT args->>'document_id' FROM procrastinate_jobs WHERE args->>'document_id' = ANY (%s)"
            " ORDER BY priority DESC, id",
            (list(names),),
        ).fetchall()
    assert [names[row[0]] for row in rows] == ["attached", "one 0", "other 0", "one 1", "other 1", "one 2"]


async def test_reading_again_and_restoring_have_pauses_of_each_user_alone(
    services: Services, current_user: CurrentUser, owner_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(rate_limits, "_QUEUED_AGAIN", RateLimit(subject=2))
    other = add_user(owner_url)
    for owner in (current_user, other):
        # What is counted is the asking: also that for a document that is being read, or is another's.
        with pytest.raises(Conflict):
            collection = await services.documents.collections.create(owner, "Team")
            await services.documents.documents.reingest(
                owner, await uploaded(services, owner, collection, "a.txt", "a")
            )
        for _ in range(2):
            with pytest.raises(NotFound):
                await services.documents.versions.restore(owner, new_id(), ClientInfo())
        with pytest.raises(TooManyAttempts):
            await services.documents.documents.reingest(owner, new_id())
        with pytest.raises(TooManyAttempts):
            await services.documents.versions.restore(owner, new_id(), ClientInfo())
