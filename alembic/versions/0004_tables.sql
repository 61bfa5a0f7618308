-- English stems without accents; words of other languages are found as they are written.
CREATE TEXT SEARCH CONFIGURATION rxchat (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION rxchat
    ALTER MAPPING FOR hword, hword_part, word WITH unaccent, english_stem;

-- What belongs together and is shared together. One of kind "attachments" is private to a conversation.
CREATE TABLE collection (
    owner_id uuid NOT NULL,
    id uuid NOT NULL,
    kind varchar NOT NULL,
    name varchar NOT NULL,
    description varchar NOT NULL,
    draft_key uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id) REFERENCES user_account (id) ON DELETE CASCADE
);
-- Grants name a collection by its id alone.
CREATE INDEX ix_collection_id ON collection (id);
CREATE UNIQUE INDEX uq_collection_draft ON collection (owner_id, draft_key) WHERE draft_key IS NOT NULL;

-- The bytes of an upload, sealed with a key of its own. The digest is keyed: it says which files of one person are the same.
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
    finishing_until timestamptz,
    stored_at timestamptz,
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id) REFERENCES user_account (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_stored_file_digest ON stored_file (owner_id, digest) WHERE stored_at IS NOT NULL;
CREATE INDEX ix_stored_file_key ON stored_file (key_id);
CREATE INDEX ix_stored_file_unfinished ON stored_file (touched_at) WHERE stored_at IS NULL;

CREATE TABLE file_part (
    owner_id uuid NOT NULL,
    file_id uuid NOT NULL,
    start bigint NOT NULL,
    size_bytes integer NOT NULL,
    object_key varchar NOT NULL,
    PRIMARY KEY (owner_id, file_id, start),
    FOREIGN KEY (owner_id, file_id) REFERENCES stored_file (owner_id, id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_file_part_object ON file_part (object_key);

-- Pieces that are forgotten already and still in the store, until the sweep has deleted them there.
CREATE TABLE doomed_object (
    object_key varchar NOT NULL,
    doomed_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (object_key)
);
CREATE INDEX ix_doomed_object_doomed_at ON doomed_object (doomed_at);

-- One row: by what name the file store knows whose it is.
CREATE TABLE installation (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    PRIMARY KEY (id)
);
INSERT INTO installation DEFAULT VALUES;

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
    note varchar NOT NULL DEFAULT '',
    remarks varchar NOT NULL DEFAULT '',
    error varchar NOT NULL DEFAULT '',
    pages integer NOT NULL DEFAULT 0,
    characters integer NOT NULL DEFAULT 0,
    chunks integer NOT NULL DEFAULT 0,
    generation integer NOT NULL DEFAULT 1,
    live_generation integer,
    fence integer NOT NULL DEFAULT 0,
    tries integer NOT NULL DEFAULT 0,
    embedded_index integer,
    retry_at timestamptz,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id, collection_id) REFERENCES collection (owner_id, id) ON DELETE CASCADE,
    FOREIGN KEY (owner_id, file_id) REFERENCES stored_file (owner_id, id)
);
CREATE INDEX ix_document_id ON document (id);
CREATE INDEX ix_document_collection ON document (collection_id);
CREATE INDEX ix_document_file ON document (owner_id, file_id);
CREATE INDEX ix_document_unfinished ON document (updated_at) WHERE state NOT IN ('ready', 'failed');
CREATE INDEX ix_document_waiting ON document (owner_id) WHERE state NOT IN ('ready', 'failed');
CREATE INDEX ix_document_embedded ON document (embedded_index) WHERE live_generation IS NOT NULL;

CREATE TABLE document_text (
    owner_id uuid NOT NULL,
    document_id uuid NOT NULL,
    generation integer NOT NULL,
    collection_id uuid NOT NULL,
    title varchar NOT NULL,
    text varchar NOT NULL,
    blocks jsonb NOT NULL,
    PRIMARY KEY (owner_id, document_id, generation),
    FOREIGN KEY (owner_id, document_id) REFERENCES document (owner_id, id) ON DELETE CASCADE
);

-- A passage that can be found, and where it came from: a span of the document's text.
CREATE TABLE chunk (
    owner_id uuid NOT NULL,
    id uuid NOT NULL,
    document_id uuid NOT NULL,
    generation integer NOT NULL,
    collection_id uuid NOT NULL,
    ordinal integer NOT NULL,
    page integer NOT NULL,
    heading varchar NOT NULL,
    start integer NOT NULL,
    "end" integer NOT NULL,
    tokens integer NOT NULL,
    hash bytea NOT NULL,
    text varchar NOT NULL,
    words tsvector NOT NULL,
    PRIMARY KEY (owner_id, id),
    FOREIGN KEY (owner_id, document_id) REFERENCES document (owner_id, id) ON DELETE CASCADE
) WITH (toast_tuple_target = 8160);
CREATE UNIQUE INDEX uq_chunk_ordinal ON chunk (owner_id, document_id, generation, ordinal);
CREATE INDEX ix_chunk_collection ON chunk (collection_id);
CREATE INDEX ix_chunk_words ON chunk USING gin (words);

-- Which model's vectors are in force. Each has an HNSW index of its own over its part of chunk_vector.
CREATE TABLE embedding_index (
    id integer GENERATED BY DEFAULT AS IDENTITY,
    model varchar NOT NULL,
    dimensions integer NOT NULL,
    max_tokens integer NOT NULL,
    state varchar NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (id)
);
CREATE UNIQUE INDEX uq_embedding_index_model ON embedding_index (model, dimensions);
CREATE UNIQUE INDEX uq_embedding_index_active ON embedding_index (state) WHERE state = 'active';

CREATE TABLE chunk_vector (
    owner_id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    index_id integer NOT NULL,
    document_id uuid NOT NULL,
    collection_id uuid NOT NULL,
    embedding halfvec NOT NULL,
    PRIMARY KEY (owner_id, chunk_id, index_id),
    FOREIGN KEY (owner_id, chunk_id) REFERENCES chunk (owner_id, id) ON DELETE CASCADE,
    FOREIGN KEY (index_id) REFERENCES embedding_index (id)
) WITH (toast_tuple_target = 8160);
CREATE INDEX ix_chunk_vector_collection ON chunk_vector (collection_id, index_id);

-- Words that stand in many chunks, and in which share of them.
CREATE TABLE common_word (
    word varchar NOT NULL,
    share real NOT NULL,
    PRIMARY KEY (word)
);

-- What a conversation is grounded in: collections and single documents, perhaps somebody else's.
CREATE TABLE conversation_knowledge (
    owner_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    id uuid NOT NULL,
    kind varchar NOT NULL,
    name varchar NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (owner_id, conversation_id, id),
    FOREIGN KEY (owner_id, conversation_id) REFERENCES conversation (owner_id, id) ON DELETE CASCADE
);

-- What a model was shown for an answer, as it was then: it stays true when the document is gone.
CREATE TABLE answer_source (
    owner_id uuid NOT NULL,
    message_id uuid NOT NULL,
    number integer NOT NULL,
    conversation_id uuid NOT NULL,
    document_owner_id uuid NOT NULL,
    document_id uuid NOT NULL,
    collection_id uuid NOT NULL,
    chunk_id uuid NOT NULL,
    name varchar NOT NULL,
    heading varchar NOT NULL,
    page integer NOT NULL,
    start integer NOT NULL,
    "end" integer NOT NULL,
    text varchar NOT NULL,
    hash bytea NOT NULL,
    score real NOT NULL,
    is_cited boolean NOT NULL DEFAULT false,
    PRIMARY KEY (owner_id, message_id, number),
    FOREIGN KEY (owner_id, conversation_id) REFERENCES conversation (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_answer_source_conversation ON answer_source (owner_id, conversation_id);
CREATE INDEX ix_answer_source_document ON answer_source (document_id) WHERE is_cited;

ALTER TABLE message ADD COLUMN citations jsonb NOT NULL DEFAULT '[]';
