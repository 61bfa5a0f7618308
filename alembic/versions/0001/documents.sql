-- Collections, files and documents.

-- Documents that are shared together. One of kind 'attachments' belongs to a conversation and is never shared.
CREATE TABLE collection (
    owner_id uuid NOT NULL,
    id uuid NOT NULL,
    kind varchar NOT NULL,
    name varchar NOT NULL,
    description varchar NOT NULL,
    draft_key uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_collection PRIMARY KEY (owner_id, id),
    CONSTRAINT fk_collection_user_account FOREIGN KEY (owner_id) REFERENCES user_account (id) ON DELETE CASCADE
);
CREATE INDEX ix_collection_id ON collection (id);
CREATE UNIQUE INDEX uq_collection_draft ON collection (owner_id, draft_key) WHERE draft_key IS NOT NULL;
GRANT SELECT, INSERT, DELETE, UPDATE (name, description, draft_key) ON collection TO rxchat_app;
CREATE POLICY own_rows ON collection TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));
CREATE POLICY granted ON collection FOR SELECT TO rxchat_app USING (id = ANY ((SELECT readable_collections())::uuid[]));
CREATE TRIGGER delete_collection_grants AFTER DELETE ON collection
    FOR EACH ROW EXECUTE FUNCTION delete_collection_grants();

-- An uploaded file, encrypted with a key of its own. `digest` is a keyed hash: equal only for equal files of one owner.
CREATE TABLE stored_file (
    owner_id uuid NOT NULL,
    id uuid NOT NULL,
    size_bytes bigint NOT NULL,
    received_bytes bigint NOT NULL DEFAULT 0,
    digest bytea,
    key_id varchar NOT NULL,
    wrapped_key bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    touched_at timestamptz NOT NULL DEFAULT now(),
    finalize_lease_until timestamptz,
    stored_at timestamptz,
    CONSTRAINT pk_stored_file PRIMARY KEY (owner_id, id),
    CONSTRAINT fk_stored_file_user_account FOREIGN KEY (owner_id) REFERENCES user_account (id) ON DELETE CASCADE
);
CREATE INDEX ix_stored_file_key ON stored_file (key_id);
CREATE INDEX ix_stored_file_unfinished ON stored_file (touched_at) WHERE stored_at IS NULL;
CREATE UNIQUE INDEX uq_stored_file_digest ON stored_file (owner_id, digest) WHERE stored_at IS NOT NULL;
GRANT SELECT, INSERT, DELETE, UPDATE (received_bytes, digest, touched_at, finalize_lease_until, stored_at)
    ON stored_file TO rxchat_app;
CREATE POLICY own_rows ON stored_file TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));

-- An encrypted part of a file: one object of the object store.
CREATE TABLE file_part (
    owner_id uuid NOT NULL,
    file_id uuid NOT NULL,
    start bigint NOT NULL,
    size_bytes integer NOT NULL,
    object_key varchar NOT NULL,
    CONSTRAINT pk_file_part PRIMARY KEY (owner_id, file_id, start),
    CONSTRAINT fk_file_part_stored_file FOREIGN KEY (owner_id, file_id)
        REFERENCES stored_file (owner_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_file_part_object ON file_part (object_key);
GRANT SELECT, INSERT, DELETE ON file_part TO rxchat_app;
CREATE POLICY own_rows ON file_part TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));
CREATE TRIGGER enqueue_object_deletion AFTER DELETE ON file_part FOR EACH ROW EXECUTE FUNCTION enqueue_object_deletion();

-- Objects to be deleted from the object store. Only a trigger adds rows: a role that could would delete others' files.
CREATE TABLE object_deletion (
    object_key varchar NOT NULL,
    enqueued_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_object_deletion PRIMARY KEY (object_key)
);
CREATE INDEX ix_object_deletion_enqueued_at ON object_deletion (enqueued_at);
GRANT SELECT, DELETE ON object_deletion TO rxchat_app;
CREATE POLICY maintenance ON object_deletion FOR SELECT TO rxchat_app USING (true);
CREATE POLICY maintenance_deletes ON object_deletion FOR DELETE TO rxchat_app USING (true);

-- A file in a collection, and its ingestion. Policies hide what is in the trash (deleted_at).
CREATE TABLE document (
    owner_id uuid NOT NULL,
    id uuid NOT NULL,
    collection_id uuid NOT NULL,
    file_id uuid NOT NULL,
    name varchar NOT NULL,
    media_type varchar NOT NULL,
    size_bytes bigint NOT NULL,
    state varchar NOT NULL,
    progress real NOT NULL DEFAULT 0,
    status_text varchar NOT NULL DEFAULT '',
    warnings varchar NOT NULL DEFAULT '',
    error varchar NOT NULL DEFAULT '',
    pages integer NOT NULL DEFAULT 0,
    characters integer NOT NULL DEFAULT 0,
    chunks integer NOT NULL DEFAULT 0,
    generation integer NOT NULL DEFAULT 1,
    published_generation integer,
    fence integer NOT NULL DEFAULT 0,
    attempts integer NOT NULL DEFAULT 0,
    embedded_index integer,
    lexeme_version integer NOT NULL DEFAULT 1,
    retry_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    encoding varchar NOT NULL DEFAULT '',
    reader varchar NOT NULL DEFAULT '',
    chosen_encoding varchar NOT NULL DEFAULT '',
    chosen_reader varchar NOT NULL DEFAULT '',
    version_series_id uuid NOT NULL DEFAULT gen_random_uuid(),
    version integer NOT NULL DEFAULT 1,
    version_state varchar NOT NULL DEFAULT 'current',
    if_exists varchar NOT NULL DEFAULT 'keep',
    parent_id uuid,
    deleted_at timestamptz,
    status_detail varchar NOT NULL DEFAULT '',
    CONSTRAINT pk_document PRIMARY KEY (owner_id, id),
    CONSTRAINT ck_document_if_exists CHECK (if_exists IN ('keep', 'replace', 'refuse')),
    CONSTRAINT ck_document_version_state CHECK (version_state IN ('current', 'pending', 'superseded')),
    CONSTRAINT fk_document_collection FOREIGN KEY (owner_id, collection_id)
        REFERENCES collection (owner_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_document_stored_file FOREIGN KEY (owner_id, file_id) REFERENCES stored_file (owner_id, id),
    CONSTRAINT fk_document_document FOREIGN KEY (owner_id, parent_id) REFERENCES document (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_document_collection ON document (collection_id);
CREATE INDEX ix_document_deleted ON document (deleted_at) WHERE deleted_at IS NOT NULL;
CREATE INDEX ix_document_embedded ON document (embedded_index) WHERE published_generation IS NOT NULL;
CREATE INDEX ix_document_file ON document (owner_id, file_id);
CREATE INDEX ix_document_id ON document (id);
CREATE INDEX ix_document_name ON document (owner_id, collection_id, name);
CREATE INDEX ix_document_parent ON document (owner_id, parent_id) WHERE parent_id IS NOT NULL;
CREATE INDEX ix_document_unfinished ON document (updated_at) WHERE state NOT IN ('ready', 'failed');
CREATE INDEX ix_document_waiting ON document (owner_id) WHERE state NOT IN ('ready', 'failed');
CREATE INDEX ix_document_lexeme_version ON document (lexeme_version) WHERE published_generation IS NOT NULL;
CREATE UNIQUE INDEX uq_document_current ON document (owner_id, version_series_id) WHERE version_state = 'current';
CREATE UNIQUE INDEX uq_document_version ON document (owner_id, version_series_id, version);
GRANT SELECT, INSERT, UPDATE, DELETE ON document TO rxchat_app;
CREATE POLICY own_rows ON document TO rxchat_app
    USING (owner_id = (SELECT current_user_id()) AND deleted_at IS NULL) WITH CHECK (owner_id = (SELECT current_user_id()));
-- Only the owner sees uploads in progress, and versions that are not in use yet.
CREATE POLICY granted ON document FOR SELECT TO rxchat_app
    USING (collection_id = ANY ((SELECT readable_collections())::uuid[])
           AND state <> 'uploading' AND version_state <> 'pending' AND deleted_at IS NULL);
CREATE TRIGGER notify_documents_changed AFTER INSERT OR DELETE OR UPDATE OF state, progress, status_text, warnings, error, name, collection_id
    ON document
    FOR EACH ROW EXECUTE FUNCTION notify_documents_changed();

-- The text that a parser extracted from a document.
CREATE TABLE document_text (
    owner_id uuid NOT NULL,
    document_id uuid NOT NULL,
    generation integer NOT NULL,
    collection_id uuid NOT NULL,
    title varchar NOT NULL,
    text varchar NOT NULL,
    blocks jsonb NOT NULL,
    CONSTRAINT pk_document_text PRIMARY KEY (owner_id, document_id, generation),
    CONSTRAINT fk_document_text_document FOREIGN KEY (owner_id, document_id)
        REFERENCES document (owner_id, id) ON DELETE CASCADE
);
GRANT SELECT, INSERT, DELETE, UPDATE (collection_id, title, text, blocks) ON document_text TO rxchat_app;
CREATE POLICY own_rows ON document_text TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));
CREATE POLICY granted ON document_text FOR SELECT TO rxchat_app
    USING (collection_id = ANY ((SELECT readable_collections())::uuid[]));

-- The lines of a scanned page, kept until all pages of the document are recognized.
CREATE TABLE recognized_page (
    owner_id uuid NOT NULL,
    document_id uuid NOT NULL,
    generation integer NOT NULL,
    page integer NOT NULL,
    lines jsonb NOT NULL,
    CONSTRAINT pk_recognized_page PRIMARY KEY (owner_id, document_id, generation, page),
    CONSTRAINT fk_recognized_page_document FOREIGN KEY (owner_id, document_id)
        REFERENCES document (owner_id, id) ON DELETE CASCADE
);
GRANT SELECT, INSERT, DELETE ON recognized_page TO rxchat_app;
CREATE POLICY own_rows ON recognized_page TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));

-- Readers of a document read its file.
CREATE POLICY granted ON stored_file FOR SELECT TO rxchat_app
    USING (EXISTS (SELECT FROM document
                    WHERE document.owner_id = stored_file.owner_id AND document.file_id = stored_file.id
                      AND document.collection_id = ANY ((SELECT readable_collections())::uuid[])));
CREATE POLICY granted ON file_part FOR SELECT TO rxchat_app
    USING (EXISTS (SELECT FROM document
                    WHERE document.owner_id = file_part.owner_id AND document.file_id = file_part.file_id
                      AND document.collection_id = ANY ((SELECT readable_collections())::uuid[])));

-- Users with grants.manage, and owners of conversations and collections, change who may read them.
CREATE POLICY managers ON access_grant TO rxchat_app
    USING (
        (SELECT current_user_can('grants.manage'))
        OR (resource_kind = 'conversation' AND EXISTS (
            SELECT FROM conversation
             WHERE conversation.owner_id = (SELECT current_user_id()) AND conversation.id::text = resource))
        OR (resource_kind = 'collection' AND EXISTS (
            SELECT FROM collection
             WHERE collection.owner_id = (SELECT current_user_id()) AND collection.kind = 'library'
               AND collection.id::text = resource)))
    WITH CHECK (
        (SELECT current_user_can('grants.manage'))
        OR (resource_kind = 'conversation' AND EXISTS (
            SELECT FROM conversation
             WHERE conversation.owner_id = (SELECT current_user_id()) AND conversation.id::text = resource))
        OR (resource_kind = 'collection' AND EXISTS (
            SELECT FROM collection
             WHERE collection.owner_id = (SELECT current_user_id()) AND collection.kind = 'library'
               AND collection.id::text = resource)));
