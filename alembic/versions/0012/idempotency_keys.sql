-- The answers of requests with an Idempotency-Key, which are given again to the same request for 24 hours.
CREATE TABLE idempotency_key (
    owner_id uuid NOT NULL,
    key varchar NOT NULL,
    request_hash bytea NOT NULL,
    request_id uuid NOT NULL,
    claim_id uuid NOT NULL,
    status integer,
    headers jsonb NOT NULL DEFAULT '{}',
    body bytea,
    created_at timestamptz NOT NULL DEFAULT now(),
    lease_until timestamptz NOT NULL,
    CONSTRAINT pk_idempotency_key PRIMARY KEY (owner_id, key),
    CONSTRAINT fk_idempotency_key_user_account FOREIGN KEY (owner_id) REFERENCES user_account (id) ON DELETE CASCADE
);
CREATE INDEX ix_idempotency_key_created_at ON idempotency_key (created_at);
GRANT SELECT, INSERT, DELETE, UPDATE (request_hash, request_id, claim_id, status, headers, body, created_at, lease_until) ON idempotency_key TO rxchat_app;
CREATE POLICY own_rows ON idempotency_key TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));
