-- Providers of models that administrators add. The key and the headers are encrypted by RxChat, for the provider's name and origin.
CREATE TABLE model_provider (
    name varchar NOT NULL,
    kind varchar NOT NULL,
    url varchar NOT NULL,
    encrypted_key bytea,
    encrypted_headers bytea,
    timeout_seconds integer NOT NULL,
    is_enabled boolean NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_model_provider PRIMARY KEY (name)
);
GRANT SELECT, INSERT, DELETE ON model_provider TO rxchat_app;
GRANT UPDATE (kind, url, encrypted_key, encrypted_headers, timeout_seconds, is_enabled, updated_at) ON model_provider TO rxchat_app;
-- Each process reads all of them, for no user.
CREATE POLICY readers ON model_provider FOR SELECT TO rxchat_app USING (true);
CREATE POLICY managers ON model_provider TO rxchat_app
    USING ((SELECT current_user_can('models.manage'))) WITH CHECK ((SELECT current_user_can('models.manage')));
CREATE TRIGGER notify_providers_changed AFTER INSERT OR UPDATE OR DELETE ON model_provider
    FOR EACH STATEMENT EXECUTE FUNCTION notify_providers_changed();
