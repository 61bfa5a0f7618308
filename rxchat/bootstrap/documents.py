"""The services for documents."""

from __future__ import annotations

from rxchat import adapter_factories
from rxchat.adapters.parsing import SandboxedParser
from rxchat.bootstrap.shared import Shared
from rxchat.domain.files import FileLimits
from rxchat.jobs.worker import QUICK_CPU_SECONDS, QUICK_PLACES
from rxchat.services.access.shares import Shares
from rxchat.services.app.container import (
    DocumentServices,
    PlatformServices,
)
from rxchat.services.documents.collections import SHARED_COLLECTIONS, Collections
from rxchat.services.documents.documents import Documents
from rxchat.services.documents.files import Files
from rxchat.services.documents.image_captions import ImageCaptions
from rxchat.services.documents.ingestion import Ingestion
from rxchat.services.documents.resized_pictures import ResizedPictures
from rxchat.services.documents.signed_urls import SignedUrls
from rxchat.services.documents.trash import Trash
from rxchat.services.documents.vector_index import VectorIndex
from rxchat.services.documents.versions import Versions


def document_services(shared: Shared, platform: PlatformServices, vector_index: VectorIndex) -> DocumentServices:
    """Return the services for documents."""
    settings, database, limits = shared.settings, shared.database, shared.rate_limits
    file_limits = FileLimits(
        settings.file_megabytes * 1_000_000, settings.user_megabytes * 1_000_000, settings.user_files
    )
    keys = adapter_factories.master_keys(settings, shared.secret_box)
    files = Files(database, shared.store, keys, shared.secret_box, file_limits)
    documents = Documents(database, limits)
    # Separate parsers for small files, so that they do not wait for large ones.
    quick_parser = SandboxedParser(at_once=QUICK_PLACES, cpu_seconds=QUICK_CPU_SECONDS, niceness=0)
    captions = ImageCaptions(database, shared.model, shared.metering)
    return DocumentServices(
        collection_shares=Shares(database, platform.access_invalidator, limits, SHARED_COLLECTIONS),
        collections=Collections(database),
        documents=documents,
        files=files,
        ingestion=Ingestion(database, files, SandboxedParser(), vector_index, captions, quick_parser),
        pictures=ResizedPictures(files, SandboxedParser(cpu_seconds=QUICK_CPU_SECONDS, niceness=0)),
        signed_urls=SignedUrls(database, shared.tokens),
        trash=Trash(database, limits, files),
        versions=Versions(database, documents, files, limits),
    )
