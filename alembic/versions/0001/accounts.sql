-- Users, roles, and how users sign in.

-- What everyone with a role may do. Users with roles.manage change roles, except the four that every instance has.
CREATE TABLE role (
    name varchar NOT NULL,
    title varchar NOT NULL,
    description varchar NOT NULL,
    permissions varchar[] NOT NULL,
    is_builtin boolean NOT NULL,
    CONSTRAINT pk_role PRIMARY KEY (name)
);
GRANT SELECT, INSERT, UPDATE, DELETE ON role TO rxchat_app;
CREATE POLICY readers ON role FOR SELECT TO rxchat_app USING ((SELECT current_user_id()) IS NOT NULL);
CREATE POLICY managers ON role TO rxchat_app
    USING ((SELECT current_user_can('roles.manage')) AND NOT is_builtin)
    WITH CHECK ((SELECT current_user_can('roles.manage')) AND NOT is_builtin);
CREATE TRIGGER notify_permissions_changed AFTER INSERT OR UPDATE OR DELETE ON role
    FOR EACH ROW EXECUTE FUNCTION notify_permissions_changed();
CREATE TRIGGER delete_principal_grants AFTER DELETE ON role FOR EACH ROW EXECUTE FUNCTION delete_principal_grants('role');

-- A user. Emails are unique by email_key, so that spellings of one address are one account.
CREATE TABLE user_account (
    id uuid NOT NULL,
    email varchar NOT NULL,
    name varchar NOT NULL,
    role varchar NOT NULL,
    password_hash varchar,
    created_at timestamptz NOT NULL DEFAULT now(),
    suspended_at timestamptz,
    email_confirmed_at timestamptz,
    password_changed_at timestamptz,
    deletion_at timestamptz,
    deletion_by uuid,
    admin_reads_seen_at timestamptz,
    CONSTRAINT pk_user_account PRIMARY KEY (id),
    CONSTRAINT fk_user_account_role FOREIGN KEY (role) REFERENCES role (name)
);
CREATE UNIQUE INDEX uq_user_account_email ON user_account (email_key(email));
GRANT SELECT, UPDATE (name, password_hash, email_confirmed_at, password_changed_at, deletion_at, admin_reads_seen_at)
    ON user_account TO rxchat_app;
CREATE POLICY own_rows ON user_account TO rxchat_app
    USING (id = (SELECT current_user_id())) WITH CHECK (id = (SELECT current_user_id()));
CREATE POLICY user_readers ON user_account FOR SELECT TO rxchat_app USING ((SELECT current_user_can('users.read')));
CREATE TRIGGER notify_access_changed AFTER UPDATE OF role, suspended_at, deletion_at, name, email OR DELETE ON user_account
    FOR EACH ROW EXECUTE FUNCTION notify_access_changed();
CREATE TRIGGER revoke_invitations AFTER INSERT ON user_account FOR EACH ROW EXECUTE FUNCTION revoke_invitations();
CREATE TRIGGER delete_principal_grants AFTER DELETE ON user_account FOR EACH ROW EXECUTE FUNCTION delete_principal_grants('user');

-- One sign-in of a user, in a browser or by a program.
CREATE TABLE user_session (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_seen_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    ended_at timestamptz,
    address varchar NOT NULL DEFAULT '',
    user_agent varchar NOT NULL DEFAULT '',
    kind varchar NOT NULL DEFAULT 'browser',
    method varchar NOT NULL DEFAULT 'password',
    second_factor_at timestamptz,
    device_id uuid,
    scopes varchar[],
    generation integer NOT NULL DEFAULT 0,
    ended_reason varchar NOT NULL DEFAULT '',
    previous_id uuid,
    rotated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_user_session PRIMARY KEY (user_id, id),
    CONSTRAINT ck_user_session_kind CHECK (kind IN ('browser', 'program')),
    CONSTRAINT fk_user_session_user_account FOREIGN KEY (user_id) REFERENCES user_account (id) ON DELETE CASCADE
);
GRANT SELECT, INSERT, UPDATE, DELETE ON user_session TO rxchat_app;
CREATE POLICY own_rows ON user_session TO rxchat_app
    USING (user_id = (SELECT current_user_id())) WITH CHECK (user_id = (SELECT current_user_id()));
CREATE POLICY user_managers ON user_session FOR SELECT TO rxchat_app USING ((SELECT current_user_can('users.manage')));
CREATE TRIGGER notify_access_changed AFTER UPDATE OF id, ended_at, second_factor_at OR DELETE ON user_session
    FOR EACH ROW EXECUTE FUNCTION notify_access_changed();

-- A user's account at a sign-in provider.
CREATE TABLE identity (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    issuer varchar NOT NULL,
    subject varchar NOT NULL,
    email varchar NOT NULL DEFAULT '',
    created_at timestamptz NOT NULL DEFAULT now(),
    provider varchar NOT NULL DEFAULT '',
    CONSTRAINT pk_identity PRIMARY KEY (user_id, id),
    CONSTRAINT uq_identity_issuer_subject UNIQUE (issuer, subject),
    CONSTRAINT fk_identity_user_account FOREIGN KEY (user_id) REFERENCES user_account (id) ON DELETE CASCADE
);
GRANT SELECT, INSERT, DELETE ON identity TO rxchat_app;
CREATE POLICY own_rows ON identity TO rxchat_app
    USING (user_id = (SELECT current_user_id())) WITH CHECK (user_id = (SELECT current_user_id()));
CREATE POLICY user_managers ON identity FOR SELECT TO rxchat_app USING ((SELECT current_user_can('users.manage')));

-- The secret of a user's authenticator app (RFC 6238), encrypted.
CREATE TABLE totp_secret (
    user_id uuid NOT NULL,
    encrypted_secret bytea NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    confirmed_at timestamptz,
    last_step bigint NOT NULL DEFAULT 0,
    CONSTRAINT pk_totp_secret PRIMARY KEY (user_id),
    CONSTRAINT fk_totp_secret_user_account FOREIGN KEY (user_id) REFERENCES user_account (id) ON DELETE CASCADE
);
GRANT SELECT, INSERT, UPDATE, DELETE ON totp_secret TO rxchat_app;
CREATE POLICY own_rows ON totp_secret TO rxchat_app
    USING (user_id = (SELECT current_user_id())) WITH CHECK (user_id = (SELECT current_user_id()));
CREATE POLICY user_managers ON totp_secret FOR SELECT TO rxchat_app USING ((SELECT current_user_can('users.manage')));
CREATE TRIGGER notify_access_changed AFTER INSERT OR UPDATE OF confirmed_at OR DELETE ON totp_secret
    FOR EACH ROW EXECUTE FUNCTION notify_access_changed();

-- A hashed code that replaces the second factor once.
CREATE TABLE recovery_code (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    hash bytea NOT NULL,
    used_at timestamptz,
    CONSTRAINT pk_recovery_code PRIMARY KEY (user_id, id),
    CONSTRAINT fk_recovery_code_user_account FOREIGN KEY (user_id) REFERENCES user_account (id) ON DELETE CASCADE
);
GRANT SELECT, INSERT, UPDATE (used_at), DELETE ON recovery_code TO rxchat_app;
CREATE POLICY own_rows ON recovery_code TO rxchat_app
    USING (user_id = (SELECT current_user_id())) WITH CHECK (user_id = (SELECT current_user_id()));

-- A WebAuthn credential.
CREATE TABLE passkey (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    credential_id bytea NOT NULL,
    public_key bytea NOT NULL,
    sign_count bigint NOT NULL DEFAULT 0,
    name varchar NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    last_used_at timestamptz,
    CONSTRAINT pk_passkey PRIMARY KEY (user_id, id),
    CONSTRAINT uq_passkey_credential_id UNIQUE (credential_id),
    CONSTRAINT fk_passkey_user_account FOREIGN KEY (user_id) REFERENCES user_account (id) ON DELETE CASCADE
);
GRANT SELECT, INSERT, UPDATE (name, sign_count, last_used_at), DELETE ON passkey TO rxchat_app;
CREATE POLICY own_rows ON passkey TO rxchat_app
    USING (user_id = (SELECT current_user_id())) WITH CHECK (user_id = (SELECT current_user_id()));
CREATE POLICY user_managers ON passkey FOR SELECT TO rxchat_app USING ((SELECT current_user_can('users.manage')));
CREATE TRIGGER notify_access_changed AFTER INSERT OR DELETE ON passkey FOR EACH ROW EXECUTE FUNCTION notify_access_changed();

-- A key for programs, stored as a hash.
CREATE TABLE api_key (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    name varchar NOT NULL,
    prefix varchar NOT NULL,
    hash bytea NOT NULL,
    scopes varchar[] NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz,
    last_used_at timestamptz,
    revoked_at timestamptz,
    CONSTRAINT pk_api_key PRIMARY KEY (user_id, id),
    CONSTRAINT uq_api_key_hash UNIQUE (hash),
    CONSTRAINT fk_api_key_user_account FOREIGN KEY (user_id) REFERENCES user_account (id) ON DELETE CASCADE
);
GRANT SELECT, INSERT, UPDATE (last_used_at, revoked_at) ON api_key TO rxchat_app;
CREATE POLICY own_rows ON api_key TO rxchat_app
    USING (user_id = (SELECT current_user_id())) WITH CHECK (user_id = (SELECT current_user_id()));
CREATE TRIGGER notify_access_changed AFTER UPDATE OF revoked_at OR DELETE ON api_key
    FOR EACH ROW EXECUTE FUNCTION notify_access_changed();

-- A link that works once: an invitation, a password reset, or the confirmation of an email address.
CREATE TABLE account_token (
    id uuid NOT NULL,
    kind varchar NOT NULL,
    hash bytea NOT NULL,
    user_id uuid,
    email varchar NOT NULL,
    role varchar NOT NULL,
    group_ids varchar[] NOT NULL,
    is_mailed boolean NOT NULL,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT pk_account_token PRIMARY KEY (id),
    CONSTRAINT uq_account_token_hash UNIQUE (hash),
    CONSTRAINT ck_account_token_kind CHECK (kind IN ('invitation', 'reset', 'confirmation')),
    CONSTRAINT fk_account_token_user_account FOREIGN KEY (user_id) REFERENCES user_account (id) ON DELETE CASCADE,
    CONSTRAINT fk_account_token_user_account_creator FOREIGN KEY (created_by) REFERENCES user_account (id) ON DELETE CASCADE
);
GRANT SELECT, INSERT, DELETE ON account_token TO rxchat_app;
CREATE POLICY own_rows ON account_token TO rxchat_app
    USING (
        (user_id = (SELECT current_user_id()) AND kind <> 'invitation')
        OR (SELECT current_user_can('users.manage'))
        OR (created_by = (SELECT current_user_id()) AND kind = 'invitation' AND (SELECT current_user_can('users.invite'))))
    WITH CHECK (
        (user_id = (SELECT current_user_id()) AND kind <> 'invitation')
        OR (SELECT current_user_can('users.manage'))
        OR (created_by = (SELECT current_user_id()) AND kind = 'invitation' AND (SELECT current_user_can('users.invite'))));

-- Failed attempts by key, while Redis is not available. Only procedures access it.
CREATE TABLE rate_limit (
    key varchar NOT NULL,
    failures integer NOT NULL,
    blocked_until timestamptz,
    updated_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_rate_limit PRIMARY KEY (key)
);

-- IDs of tokens that work once and were used, until they would have expired. Only procedures access it.
CREATE TABLE consumed_token (
    id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_consumed_token PRIMARY KEY (id)
);

-- The lease of a user's running export: one at a time.
CREATE TABLE data_export (
    user_id uuid NOT NULL,
    id uuid NOT NULL,
    expires_at timestamptz NOT NULL,
    CONSTRAINT pk_data_export PRIMARY KEY (user_id),
    CONSTRAINT fk_data_export_user_account FOREIGN KEY (user_id) REFERENCES user_account (id) ON DELETE CASCADE
);
GRANT SELECT, INSERT, UPDATE, DELETE ON data_export TO rxchat_app;
CREATE POLICY own_rows ON data_export TO rxchat_app
    USING (user_id = (SELECT current_user_id())) WITH CHECK (user_id = (SELECT current_user_id()));

INSERT INTO role (name, title, description, permissions, is_builtin) VALUES
    ('admin', 'Administrator', 'May do everything.',
     ARRAY['conversations.create', 'conversations.read_any', 'models.use', 'collections.create', 'keys.create',
           'users.read', 'users.invite', 'users.manage', 'groups.manage', 'roles.manage', 'grants.manage',
           'settings.manage', 'audit.read'], true),
    ('moderator', 'Moderator', 'Invites people, looks after groups and reads the audit.',
     ARRAY['conversations.create', 'models.use', 'collections.create', 'keys.create', 'users.read', 'users.invite',
           'groups.manage', 'audit.read'], true),
    ('member', 'Member', 'Chats with every model.',
     ARRAY['conversations.create', 'models.use', 'collections.create', 'keys.create'], true),
    ('guest', 'Guest', 'Chats with the models that were granted, and reads what was shared.',
     ARRAY['conversations.create'], true);
