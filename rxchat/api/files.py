"""Uploads of files that can be resumed after the connection broke (tus 1.0), and downloads.

The protocol: https://tus.io/protocols/resumable-upload (core, creation, termination). A client without tus sends
the whole file in one POST to /api/files.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import AsyncGenerator
from contextlib import suppress
from typing import Annotated
from uuid import UUID

from fastapi import APIRouter, Depends, Header, Query, Request, Response
from fastapi.responses import StreamingResponse
from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from rxchat.api.headers import disposition
from rxchat.api.requests import DOWNLOAD, ServicesDep, SignedIn
from rxchat.domain.accounts import CurrentUser
from rxchat.domain.authorization import require_scope
from rxchat.domain.errors import InvalidInput, NotFound
from rxchat.domain.files import Upload
from rxchat.domain.ids import parse_id
from rxchat.domain.permissions import Scope
from rxchat.domain.versions import IfExists
from rxchat.services.app.container import Services
from rxchat.services.documents.downloads import Content

router = APIRouter(tags=["files"])

UPLOADS = "/api/uploads"
FILES = "/api/files"
_VERSION = "1.0.0"
_TUS = {"Tus-Resumable": _VERSION}
_RANGE = re.compile(r"bytes=(\d{0,15})-(\d{0,15})")
_MEDIA = "application/octet-stream"
# A user's file must never act as a page of RxChat: browsers save it, with the type that the server detected. If a
# browser shows it all the same, the policy runs no scripts and gives it an opaque origin.
_HARMLESS = {
    "Content-Security-Policy": "default-src 'none'; sandbox",
    "Cross-Origin-Resource-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "private, no-store",
}

_BRIEFLY = "private, max-age=300"
"""A thumbnail is shown again for minutes, also when its share was revoked meanwhile."""


class Stored(BaseModel):
    """A document that was uploaded."""

    id: UUID
    collection_id: UUID
    name: str
    size_bytes: int
    is_stored: bool
    version: int
    """1, or the number of the new version after it is stored."""
    already_exists: bool
    """Whether the same file exists under the same name: nothing was added, and `id` is that document."""


class Link(BaseModel):
    """A URL that downloads a file for a few minutes without other credentials."""

    url: str
    seconds: int


@router.post(UPLOADS, status_code=201)
async def create_upload(
    response: Response,
    current_user: SignedIn,
    services: ServicesDep,
    upload_length: Annotated[str, Header()] = "",
    upload_metadata: Annotated[str, Header(max_length=8_000)] = "",
) -> Stored:
    """Start an upload; `Upload-Metadata` contains `filename`, and `collection` or `draft`.

    Its `if_exists` (`keep`, `replace` or `refuse`) says what to do if the collection has a document with this name.
    """
    if not upload_length.isdecimal() or len(upload_length) > 15:
        raise InvalidInput("The header Upload-Length is missing or invalid.")
    given = _metadata(upload_metadata)
    upload = await services.documents.files.begin(
        current_user,
        name=given.get("filename", ""),
        size_bytes=int(upload_length),
        collection_id=parse_id(given.get("collection", "")),
        draft_key=parse_id(given.get("draft", "")),
        if_exists=_if_exists(given.get("if_exists", IfExists.KEEP)),
    )
    response.headers.update({**_TUS, "Location": f"{UPLOADS}/{upload.document_id}"})
    return _stored(upload)


@router.head(UPLOADS + "/{document_id}")
async def get_upload_offset(document_id: UUID, current_user: SignedIn, services: ServicesDep) -> Response:
    """Return the offset of an upload."""
    upload = await services.documents.files.upload(current_user, document_id)
    headers = {"Upload-Length": str(upload.size_bytes), "Cache-Control": "no-store"}
    return Response(headers={**_TUS, **_progress(upload), **headers})


@router.patch(UPLOADS + "/{document_id}")
async def append_to_upload(
    document_id: UUID,
    request: Request,
    current_user: SignedIn,
    services: ServicesDep,
    upload_offset: Annotated[str, Header()] = "",
) -> Response:
    """Append to an upload at `Upload-Offset`. The last byte stores the document."""
    if request.headers.get("content-type", "") != "application/offset+octet-stream":
        raise InvalidInput("The Content-Type must be application/offset+octet-stream.")
    if not upload_offset.isdecimal() or len(upload_offset) > 15:
        raise InvalidInput("The header Upload-Offset is missing or invalid.")
    upload = await services.documents.files.receive(current_user, document_id, int(upload_offset), _body(request))
    return Response(status_code=204, headers={**_TUS, **_progress(upload)})


@router.delete(UPLOADS + "/{document_id}", status_code=204)
async def cancel_upload(document_id: UUID, current_user: SignedIn, services: ServicesDep) -> Response:
    """Cancel an upload and delete what has arrived of it."""
    upload = await services.documents.files.upload(current_user, document_id)
    if upload.is_stored:
        raise NotFound("This upload is complete. Delete the document instead.")
    await services.documents.files.remove(current_user, [document_id])
    return Response(status_code=204, headers=_TUS)


@router.options(UPLOADS)
async def get_upload_capabilities(_current_user: SignedIn, services: ServicesDep) -> Response:
    """Return the version and extensions of the protocol that the server supports."""
    limit = str(services.documents.files.limits.file_bytes)
    headers = {"Tus-Version": _VERSION, "Tus-Extension": "creation,termination", "Tus-Max-Size": limit}
    return Response(status_code=204, headers={**_TUS, **headers})


@router.post(FILES, status_code=201)
async def upload_file(
    request: Request,
    current_user: SignedIn,
    services: ServicesDep,
    name: Annotated[str, Query(max_length=1_000)],
    collection: UUID,
    response: Response,
    if_exists: IfExists = IfExists.KEEP,
    content_length: Annotated[str, Header()] = "",
) -> Stored:
    """Upload a file in one request; its content is the body.

    If the collection has a document with this name, the file is added as a second one (`if_exists=keep`), becomes its
    next version (`replace`), or is refused with 409 (`refuse`). The same file under the same name is not added: 200.
    """
    if not content_length.isdecimal() or len(content_length) > 15:
        raise InvalidInput("The header Content-Length is missing or invalid.")
    upload = await services.documents.files.begin(
        current_user, name=name, size_bytes=int(content_length), collection_id=collection, if_exists=if_exists
    )
    is_kept = False
    try:
        received = await services.documents.files.receive(current_user, upload.document_id, 0, _body(request))
        is_kept = received.is_stored
    finally:
        if not is_kept:
            # The client cannot resume it: it sends the file again.
            with suppress(NotFound):
                await services.documents.files.remove(current_user, [upload.document_id])
    if not is_kept:
        raise InvalidInput("The upload was interrupted. Send the file again.")
    if received.already_exists:
        response.status_code = 200
    return _stored(received)


@router.get(FILES + "/{document_id}", dependencies=[DOWNLOAD])
async def download_file(document_id: UUID, request: Request, current_user: SignedIn, services: ServicesDep) -> Response:
    """Return a document's file as a download; `Range` selects a part of it."""
    return await _sent(request, services, current_user, document_id)


@router.get(FILES + "/{document_id}/picture", dependencies=[DOWNLOAD])
async def get_picture(document_id: UUID, current_user: SignedIn, services: ServicesDep) -> Response:
    """Return a picture upright, at most 1,568 pixels long, as JPEG or PNG without metadata."""
    require_scope(current_user, Scope.FILES)
    picture = await services.documents.pictures.get(current_user.user_id, document_id)
    return Response(picture.content, media_type=picture.media_type, headers=_HARMLESS | {"Cache-Control": _BRIEFLY})


@router.post(FILES + "/{document_id}/link")
async def create_download_link(document_id: UUID, current_user: SignedIn, services: ServicesDep) -> Link:
    """Create a link to a file that works for a few minutes, for every client that has it."""
    sealed, seconds = await services.documents.signed_urls.make(current_user, document_id)
    return Link(url=f"{FILES}/by-link/{sealed}", seconds=seconds)


async def _linked(sealed: str, services: ServicesDep) -> AsyncGenerator[tuple[CurrentUser, UUID]]:
    """Decrypt a link, and use one of its creator's download slots until the file has been sent."""
    current_user, document_id = await services.documents.signed_urls.resolve(sealed)
    with services.documents.files.downloads.place(current_user.user_id):
        yield current_user, document_id


@router.get(FILES + "/by-link/{sealed}")
async def download_by_link(
    linked: Annotated[tuple[CurrentUser, UUID], Depends(_linked)], request: Request, services: ServicesDep
) -> Response:
    """Return the file of a link, if it is valid and the user who created it may read the file."""
    return await _sent(request, services, *linked)


async def _sent(request: Request, services: Services, current_user: SignedIn, document_id: UUID) -> Response:
    wanted = _RANGE.fullmatch(request.headers.get("range", ""))
    if wanted is None or not _makes_sense(*wanted.groups()):
        content = await services.documents.files.content(current_user, document_id)
        return StreamingResponse(content.pieces, media_type=_MEDIA, headers=_headers(content, content.size_bytes))
    content = await services.documents.files.content(current_user, document_id, *_span(*wanted.groups()))
    size, start, end = content.size_bytes, content.start, content.end
    if start >= end:
        return Response(status_code=416, headers={"Content-Range": f"bytes */{size}"})
    headers = {**_headers(content, end - start), "Content-Range": f"bytes {start}-{end - 1}/{size}"}
    return StreamingResponse(content.pieces, status_code=206, media_type=_MEDIA, headers=headers)


def _span(first: str, last: str) -> tuple[int, int | None]:
    """Return the first byte and the end of a range; a negative start counts from the end of the file."""
    if not first:
        return -int(last), None if int(last) else 0
    return int(first), int(last) + 1 if last else None


def _makes_sense(first: str, last: str) -> bool:
    """Whether a range is valid; the server ignores an invalid one (RFC 9110, 14.2)."""
    return bool(first or last) and not (first and last and int(first) > int(last))


def _headers(content: Content, length: int) -> dict[str, str]:
    return {
        **_HARMLESS,
        "Content-Disposition": disposition(content.name),
        "Content-Length": str(length),
        "Accept-Ranges": "bytes",
    }


async def _body(request: Request) -> AsyncGenerator[bytes]:
    """Yield a request's body as it arrives."""
    try:
        async for data in request.stream():
            yield data
    except ClientDisconnect as error:
        raise ConnectionError from error


def _progress(upload: Upload) -> dict[str, str]:
    """Return an upload's headers; if the same document existed already, they name that one."""
    return {
        "Upload-Offset": str(upload.received_bytes),
        "X-Document": str(upload.document_id),
        "X-Stored": "1" if upload.is_stored else "0",
        "X-Version": str(upload.version),
        "X-Already-Exists": "1" if upload.already_exists else "0",
    }


def _metadata(header: str) -> dict[str, str]:
    """Return the metadata of a tus upload: names, and values in base64."""
    found: dict[str, str] = {}
    for pair in header.split(","):
        name, _, value = pair.strip().partition(" ")
        try:
            found[name] = base64.b64decode(value, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError) as error:
            raise InvalidInput("The header Upload-Metadata is invalid.") from error
    return found


def _stored(upload: Upload) -> Stored:
    return Stored(
        id=upload.document_id,
        collection_id=upload.collection_id,
        name=upload.name,
        size_bytes=upload.size_bytes,
        is_stored=upload.is_stored,
        version=upload.version,
        already_exists=upload.already_exists,
    )


def _if_exists(word: str) -> IfExists:
    try:
        return IfExists(word)
    except ValueError as error:
        raise InvalidInput("if_exists must be keep, replace or refuse.") from error
