-- Tables and columns of migration 0002.
CREATE TABLE role (
    name varchar NOT NULL CONSTRAINT pk_role PRIMARY KEY,
    title varchar NOT NULL,
    description varchar NOT NULL,
    permissions varchar[] NOT NULL,
    is_builtin boolean NOT NULL
);
CREATE TABLE user_group (
    id uuid NOT NULL CONSTRAINT pk_user_group PRIMARY KEY,
    name varchar NOT NULL,
    description varchar NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now()
);
CREATE UNIQUE INDEX uq_user_group_name ON user_group (lower(name));
CREATE TABLE group_member (
    user_id uuid NOT NULL CONSTRAINT fk_group_member_user_account REFERENCES user_account (id) ON DELETE CASCADE,
    group_id uuid NOT NULL CONSTRAINT fk_group_member_user_group REFERENCES user_group (id) ON DELETE CASCADE,
    CONSTRAINT pk_group_member PRIMARY KEY (user_id, group_id)
);
CREATE INDEX ix_group_member_group_id ON group_member (group_id);
CREATE TABLE access_grant (
    id uuid NOT NULL CONSTRAINT pk_access_grant PRIMARY KEY,
    principal_kind varchar NOT NULL CHECK (principal_kind IN ('person', 'group', 'role', 'everyone')),
    principal varchar NOT NULL,
    resource_kind varchar NOT NULL CHECK (resource_kind IN ('conversation', 'model', 'collection', 'settings')),
    resource varchar NOT NULL,
    action varchar NOT NULL CHECK (action IN ('read', 'write', 'use')),
    created_by uuid CONSTRAINT fk_access_grant_user_account REFERENCES user_account (id) ON DELETE SET NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT uq_access_grant_all UNIQUE (principal_kind, principal, resource_kind, resource, action)
);
CREATE INDEX ix_access_grant_resource ON access_grant (resource_kind, resource);
CREATE TABLE installation_setting (
    name varchar NOT NULL CONSTRAINT pk_installation_setting PRIMARY KEY,
    value jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE account_link (
    id uuid NOT NULL CONSTRAINT pk_account_link PRIMARY KEY,
    kind varchar NOT NULL CHECK (kind IN ('invitation', 'reset', 'confirmation')),
    hash bytea NOT NULL CONSTRAINT uq_account_link_hash UNIQUE,
    user_id uuid CONSTRAINT fk_account_link_user_account REFERENCES user_account (id) ON DELETE CASCADE,
    email varchar NOT NULL,
    role varchar NOT NULL,
    group_ids varchar[] NOT NULL,
    is_mailed boolean NOT NULL,
    created_by uuid CONSTRAINT fk_account_link_user_account_creator REFERENCES user_account (id) ON DELETE CASCADE,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz
);
CREATE TABLE attempt_counter (
    key varchar NOT NULL CONSTRAINT pk_attempt_counter PRIMARY KEY,
    failures integer NOT NULL,
    blocked_until timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now()
);
CREATE TABLE spent_token (
    id uuid NOT NULL CONSTRAINT pk_spent_token PRIMARY KEY,
    expires_at timestamptz NOT NULL
);
CREATE TABLE totp_secret (
    user_id uuid NOT NULL CONSTRAINT fk_totp_secret_user_account REFERENCES user_account (id) ON DELETE CASCADE,
    sealed bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz,
    last_step bigint NOT NULL DEFAULT 0,
    CONSTRAINT pk_totp_secret PRIMARY KEY (user_id)
);
CREATE TABLE recovery_code (
    user_id uuid NOT NULL CONSTRAINT fk_recovery_code_user_account REFERENCES user_account (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    hash bytea NOT NULL,
    used_at timestamptz,
    CONSTRAINT pk_recovery_code PRIMARY KEY (user_id, id)
);
CREATE TABLE passkey (
    user_id uuid NOT NULL CONSTRAINT fk_passkey_user_account REFERENCES user_account (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    credential_id bytea NOT NULL CONSTRAINT uq_passkey_credential_id UNIQUE,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL DEFAULT 0,
    name varchar NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    CONSTRAINT pk_passkey PRIMARY KEY (user_id, id)
);
CREATE TABLE api_key (
    user_id uuid NOT NULL CONSTRAINT fk_api_key_user_account REFERENCES user_account (id) ON DELETE CASCADE,
    id uuid NOT NULL,
    name varchar NOT NULL,
    prefix varchar NOT NULL,
    hash bytea NOT NULL CONSTRAINT uq_api_key_hash UNIQUE,
    scopes varchar[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT pk_api_key PRIMARY KEY (user_id, id)
);
CREATE TABLE audit_checkpoint (
    seq bigint NOT NULL CONSTRAINT pk_audit_checkpoint PRIMARY KEY,
    hash bytea NOT NULL,
    signed_at timestamptz NOT NULL,
    key_id varchar NOT NULL,
    signature bytea NOT NULL
);
ALTER TABLE user_account
    ADD email_confirmed_at timestamptz,
    ADD password_changed_at timestamptz,
    ADD deletion_at timestamptz;
ALTER TABLE user_session
    ADD kind varchar NOT NULL DEFAULT 'browser' CHECK (kind IN ('browser', 'program')),
    ADD method varchar NOT NULL DEFAULT 'password',
    ADD second_factor_at timestamptz,
    ADD device_id uuid,
    ADD scopes varchar[],
    ADD generation integer NOT NULL DEFAULT 0,
    ADD ended_reason varchar NOT NULL DEFAULT '',
    ADD previous_id uuid,
    ADD rotated_at timestamptz NOT NULL DEFAULT now();
ALTER TABLE identity ADD provider varchar NOT NULL DEFAULT '';
ALTER TABLE audit_event
    ADD seq bigint CONSTRAINT uq_audit_event_seq UNIQUE,
    ADD previous_hash bytea,
    ADD hash bytea;
