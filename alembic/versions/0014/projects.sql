-- A folder of conversations. Projects in it are deleted with it; conversations are not.
CREATE TABLE project (
    owner_id uuid NOT NULL,
    id uuid NOT NULL,
    parent_id uuid,
    name varchar NOT NULL,
    instructions varchar NOT NULL,
    model varchar NOT NULL,
    collection_ids uuid[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_project PRIMARY KEY (owner_id, id),
    CONSTRAINT fk_project_user_account FOREIGN KEY (owner_id) REFERENCES user_account (id) ON DELETE CASCADE,
    CONSTRAINT fk_project_project FOREIGN KEY (owner_id, parent_id) REFERENCES project (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_project_parent ON project (owner_id, parent_id);

-- A conversation is in one project at most.
CREATE TABLE conversation_project (
    owner_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    project_id uuid NOT NULL,
    CONSTRAINT pk_conversation_project PRIMARY KEY (owner_id, conversation_id),
    CONSTRAINT fk_conversation_project_conversation FOREIGN KEY (owner_id, conversation_id)
        REFERENCES conversation (owner_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_conversation_project_project FOREIGN KEY (owner_id, project_id)
        REFERENCES project (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_conversation_project_project ON conversation_project (owner_id, project_id);

GRANT SELECT, INSERT, DELETE, UPDATE (parent_id, name, instructions, model, collection_ids) ON project TO rxchat_app;
GRANT SELECT, INSERT, DELETE, UPDATE (project_id) ON conversation_project TO rxchat_app;
CREATE POLICY own_rows ON project TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));
CREATE POLICY own_rows ON conversation_project TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));
