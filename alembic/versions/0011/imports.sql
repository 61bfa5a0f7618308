-- Imports of conversations, and what each conversation was imported from.

-- An import of a file, with its progress and report. The process that reads the file renews the lease.
CREATE TABLE conversation_import (
    owner_id uuid NOT NULL,
    id uuid NOT NULL,
    file_name varchar NOT NULL,
    state varchar NOT NULL,
    found integer NOT NULL DEFAULT 0,
    imported integer NOT NULL DEFAULT 0,
    skipped integer NOT NULL DEFAULT 0,
    imported_items jsonb NOT NULL DEFAULT '[]',
    skipped_items jsonb NOT NULL DEFAULT '[]',
    error varchar NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz NOT NULL,
    finished_at timestamptz,
    CONSTRAINT pk_conversation_import PRIMARY KEY (owner_id, id),
    CONSTRAINT fk_conversation_import_user_account FOREIGN KEY (owner_id) REFERENCES user_account (id) ON DELETE CASCADE
);
GRANT SELECT, INSERT, DELETE,
      UPDATE (state, found, imported, skipped, imported_items, skipped_items, error, lease_until, finished_at)
   ON conversation_import TO rxchat_app;
CREATE POLICY own_rows ON conversation_import TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));

-- Which conversation of which system a conversation was imported from: each is imported once.
CREATE TABLE imported_conversation (
    owner_id uuid NOT NULL,
    source varchar NOT NULL,
    external_id varchar NOT NULL,
    conversation_id uuid NOT NULL,
    imported_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_imported_conversation PRIMARY KEY (owner_id, source, external_id),
    CONSTRAINT fk_imported_conversation_conversation FOREIGN KEY (owner_id, conversation_id)
        REFERENCES conversation (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_imported_conversation_conversation ON imported_conversation (owner_id, conversation_id);
GRANT SELECT, INSERT ON imported_conversation TO rxchat_app;
CREATE POLICY own_rows ON imported_conversation TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));
