-- What administrators set for a model, by its full name. A model without a row has the defaults.
CREATE TABLE model_setting (
    model varchar NOT NULL,
    label varchar NOT NULL DEFAULT '',
    description varchar NOT NULL DEFAULT '',
    position integer,
    is_hidden boolean NOT NULL DEFAULT false,
    is_default boolean NOT NULL DEFAULT false,
    is_cached boolean NOT NULL DEFAULT false,
    system_prompt varchar NOT NULL DEFAULT '',
    parameters jsonb NOT NULL DEFAULT '{}',
    fallbacks varchar[] NOT NULL DEFAULT '{}',
    version integer NOT NULL DEFAULT 1,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_model_setting PRIMARY KEY (model),
    CONSTRAINT ck_model_setting_position CHECK (position > 0)
);
CREATE UNIQUE INDEX uq_model_setting_default ON model_setting (is_default) WHERE is_default;
GRANT SELECT, INSERT, DELETE ON model_setting TO rxchat_app;
GRANT UPDATE (label, description, position, is_hidden, is_default, is_cached, system_prompt, parameters, fallbacks, version, updated_at)
    ON model_setting TO rxchat_app;
-- Each process reads all of them, for no user.
CREATE POLICY readers ON model_setting FOR SELECT TO rxchat_app USING (true);
CREATE POLICY managers ON model_setting TO rxchat_app
    USING ((SELECT current_user_can('models.manage'))) WITH CHECK ((SELECT current_user_can('models.manage')));
CREATE TRIGGER notify_model_settings_changed AFTER INSERT OR UPDATE OR DELETE ON model_setting
    FOR EACH STATEMENT EXECUTE FUNCTION notify_model_settings_changed();
