-- What a model was sent for a run, compressed. The newest of a conversation are kept.
CREATE TABLE run_prompt (
    owner_id uuid NOT NULL,
    run_id uuid NOT NULL,
    conversation_id uuid NOT NULL,
    message_id uuid NOT NULL,
    content bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_run_prompt PRIMARY KEY (owner_id, run_id),
    CONSTRAINT fk_run_prompt_run FOREIGN KEY (owner_id, run_id) REFERENCES run (owner_id, id) ON DELETE CASCADE
);
CREATE INDEX ix_run_prompt_conversation ON run_prompt (owner_id, conversation_id, created_at);
GRANT SELECT, INSERT, DELETE ON run_prompt TO rxchat_app;
CREATE POLICY own_rows ON run_prompt TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));
