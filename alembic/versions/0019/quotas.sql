-- What may be asked of models in a day or a month, and by whom. Without a group and a user it is about every user; with is_each,
-- each of its users has it for themselves, otherwise they share it. An empty model: all models together.
CREATE TABLE quota (
    id uuid NOT NULL,
    group_id uuid,
    user_id uuid,
    is_each boolean NOT NULL DEFAULT false,
    model varchar NOT NULL DEFAULT '',
    period varchar NOT NULL,
    requests bigint,
    tokens bigint,
    cost numeric,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_quota PRIMARY KEY (id),
    CONSTRAINT fk_quota_user_group FOREIGN KEY (group_id) REFERENCES user_group (id) ON DELETE CASCADE,
    CONSTRAINT fk_quota_user_account FOREIGN KEY (user_id) REFERENCES user_account (id) ON DELETE CASCADE,
    CONSTRAINT ck_quota_subject CHECK (group_id IS NULL OR user_id IS NULL),
    CONSTRAINT ck_quota_period CHECK (period IN ('day', 'month')),
    CONSTRAINT ck_quota_measure CHECK (num_nonnulls(requests, tokens, cost) > 0)
);
CREATE INDEX ix_quota_group_id ON quota (group_id);
CREATE INDEX ix_quota_user_id ON quota (user_id);
GRANT SELECT, INSERT, DELETE ON quota TO rxchat_app;
GRANT UPDATE (requests, tokens, cost) ON quota TO rxchat_app;
CREATE POLICY managers ON quota TO rxchat_app
    USING ((SELECT current_user_can('system.quotas'))) WITH CHECK ((SELECT current_user_can('system.quotas')));

-- How much of a quota is used in a period. Of a quota that its users share, user_id is zero.
CREATE TABLE quota_counter (
    id uuid NOT NULL,
    quota_id uuid NOT NULL,
    user_id uuid NOT NULL,
    period_start date NOT NULL,
    requests bigint NOT NULL,
    tokens bigint NOT NULL,
    cost numeric NOT NULL,
    CONSTRAINT pk_quota_counter PRIMARY KEY (id),
    CONSTRAINT uq_quota_counter_quota_id_user_id_period_start UNIQUE (quota_id, user_id, period_start),
    CONSTRAINT fk_quota_counter_quota FOREIGN KEY (quota_id) REFERENCES quota (id) ON DELETE CASCADE
);

-- What models cost for a million tokens, in the currency of the installation.
CREATE TABLE model_price (
    model varchar NOT NULL,
    input_price numeric NOT NULL,
    output_price numeric NOT NULL,
    CONSTRAINT pk_model_price PRIMARY KEY (model),
    CONSTRAINT ck_model_price_not_negative CHECK (input_price >= 0 AND output_price >= 0)
);
GRANT SELECT, INSERT, DELETE, UPDATE (input_price, output_price) ON model_price TO rxchat_app;
CREATE POLICY managers ON model_price TO rxchat_app
    USING ((SELECT current_user_can('system.quotas'))) WITH CHECK ((SELECT current_user_can('system.quotas')));

-- What requests in progress are expected to use, until they are settled or their process has died.
CREATE TABLE usage_reservation (
    id uuid NOT NULL,
    user_id uuid NOT NULL,
    run_id uuid,
    model varchar NOT NULL,
    day date NOT NULL,
    counter_ids uuid[] NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cost numeric NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_usage_reservation PRIMARY KEY (id),
    CONSTRAINT fk_usage_reservation_user_account FOREIGN KEY (user_id) REFERENCES user_account (id) ON DELETE CASCADE
);
CREATE INDEX ix_usage_reservation_run_id ON usage_reservation (run_id);
CREATE INDEX ix_usage_reservation_user_id ON usage_reservation (user_id);

-- What each user has asked of each model on each day, in UTC.
CREATE TABLE model_usage (
    user_id uuid NOT NULL,
    day date NOT NULL,
    model varchar NOT NULL,
    requests bigint NOT NULL,
    input_tokens bigint NOT NULL,
    output_tokens bigint NOT NULL,
    cost numeric NOT NULL,
    CONSTRAINT pk_model_usage PRIMARY KEY (user_id, day, model),
    CONSTRAINT fk_model_usage_user_account FOREIGN KEY (user_id) REFERENCES user_account (id) ON DELETE CASCADE
);
CREATE INDEX ix_model_usage_day ON model_usage (day);
GRANT SELECT ON model_usage TO rxchat_app;
CREATE POLICY own_rows ON model_usage FOR SELECT TO rxchat_app USING (user_id = (SELECT current_user_id()));
