-- What hosts of models do for administrators and takes time: models that they download or load.
CREATE TABLE host_job (
    id uuid NOT NULL,
    kind varchar NOT NULL,
    provider varchar NOT NULL,
    host varchar NOT NULL,
    model varchar NOT NULL,
    state varchar NOT NULL DEFAULT 'running',
    status varchar NOT NULL DEFAULT '',
    completed_bytes bigint NOT NULL DEFAULT 0,
    total_bytes bigint NOT NULL DEFAULT 0,
    error varchar NOT NULL DEFAULT '',
    cancel_requested boolean NOT NULL DEFAULT false,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_host_job PRIMARY KEY (id)
);
CREATE UNIQUE INDEX ix_host_job_running ON host_job (provider, host, model, kind) WHERE state = 'running';
GRANT SELECT, INSERT, DELETE ON host_job TO rxchat_app;
GRANT UPDATE (state, status, completed_bytes, total_bytes, error, cancel_requested, updated_at) ON host_job TO rxchat_app;
CREATE POLICY managers ON host_job TO rxchat_app
    USING ((SELECT current_user_can('models.manage'))) WITH CHECK ((SELECT current_user_can('models.manage')));
