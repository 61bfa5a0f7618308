-- A word by which a user finds their conversations.
CREATE TABLE tag (
    owner_id uuid NOT NULL,
    id uuid NOT NULL,
    name varchar NOT NULL,
    color varchar NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_tag PRIMARY KEY (owner_id, id),
    CONSTRAINT fk_tag_user_account FOREIGN KEY (owner_id) REFERENCES user_account (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX uq_tag_name ON tag (owner_id, lower(name));

CREATE TABLE conversation_tag (
    owner_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    tag_id uuid NOT NULL,
    CONSTRAINT pk_conversation_tag PRIMARY KEY (owner_id, conversation_id, tag_id),
    CONSTRAINT fk_conversation_tag_conversation FOREIGN KEY (owner_id, conversation_id)
        REFERENCES conversation (owner_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_conversation_tag_tag FOREIGN KEY (owner_id, tag_id) REFERENCES tag (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_conversation_tag_tag ON conversation_tag (owner_id, tag_id);

GRANT SELECT, INSERT, DELETE, UPDATE (name, color) ON tag TO rxchat_app;
GRANT SELECT, INSERT, DELETE ON conversation_tag TO rxchat_app;
CREATE POLICY own_rows ON tag TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));
CREATE POLICY own_rows ON conversation_tag TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));
