-- Up to which event a user has read a conversation, their own or one that is shared with them.
CREATE TABLE conversation_read (
    user_id uuid NOT NULL,
    owner_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    seq integer NOT NULL,
    CONSTRAINT pk_conversation_read PRIMARY KEY (user_id, owner_id, conversation_id),
    CONSTRAINT fk_conversation_read_user_account FOREIGN KEY (user_id) REFERENCES user_account (id) ON DELETE CASCADE,
    CONSTRAINT fk_conversation_read_conversation FOREIGN KEY (owner_id, conversation_id)
        REFERENCES conversation (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_conversation_read_conversation ON conversation_read (owner_id, conversation_id);
GRANT SELECT, INSERT, DELETE, UPDATE (seq) ON conversation_read TO rxchat_app;
CREATE POLICY own_rows ON conversation_read TO rxchat_app
    USING (user_id = (SELECT current_user_id())) WITH CHECK (user_id = (SELECT current_user_id()));
