-- What a user has typed in a conversation and not sent, for their other devices.
CREATE TABLE message_draft (
    owner_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    text varchar NOT NULL,
    saved_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_message_draft PRIMARY KEY (owner_id, conversation_id),
    CONSTRAINT fk_message_draft_conversation FOREIGN KEY (owner_id, conversation_id)
        REFERENCES conversation (owner_id, id) ON DELETE CASCADE
);
GRANT SELECT, INSERT, DELETE, UPDATE (text, saved_at) ON message_draft TO rxchat_app;
CREATE POLICY own_rows ON message_draft TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));
