-- Groups, grants and the audit log.

-- Users who are granted access together.
CREATE TABLE user_group (
    id uuid NOT NULL,
    name varchar NOT NULL,
    description varchar NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_user_group PRIMARY KEY (id)
);
CREATE UNIQUE INDEX uq_user_group_name ON user_group (lower(name));
GRANT SELECT, INSERT, UPDATE, DELETE ON user_group TO rxchat_app;
CREATE POLICY readers ON user_group FOR SELECT TO rxchat_app USING ((SELECT current_user_id()) IS NOT NULL);
CREATE POLICY managers ON user_group TO rxchat_app
    USING ((SELECT current_user_can('groups.manage'))) WITH CHECK ((SELECT current_user_can('groups.manage')));
CREATE TRIGGER delete_principal_grants AFTER DELETE ON user_group FOR EACH ROW EXECUTE FUNCTION delete_principal_grants('group');

CREATE TABLE group_member (
    user_id uuid NOT NULL,
    group_id uuid NOT NULL,
    CONSTRAINT pk_group_member PRIMARY KEY (user_id, group_id),
    CONSTRAINT fk_group_member_user_account FOREIGN KEY (user_id) REFERENCES user_account (id) ON DELETE CASCADE,
    CONSTRAINT fk_group_member_user_group FOREIGN KEY (group_id) REFERENCES user_group (id) ON DELETE CASCADE
);
CREATE INDEX ix_group_member_group_id ON group_member (group_id);
GRANT SELECT, INSERT, DELETE ON group_member TO rxchat_app;
CREATE POLICY own_rows ON group_member FOR SELECT TO rxchat_app USING (user_id = (SELECT current_user_id()));
CREATE POLICY user_readers ON group_member FOR SELECT TO rxchat_app USING ((SELECT current_user_can('users.read')));
CREATE POLICY managers ON group_member TO rxchat_app
    USING ((SELECT current_user_can('groups.manage'))) WITH CHECK ((SELECT current_user_can('groups.manage')));
CREATE TRIGGER notify_access_changed AFTER INSERT OR DELETE ON group_member
    FOR EACH ROW EXECUTE FUNCTION notify_access_changed();

-- One action on one resource, or on all of a kind ('*'), allowed to a user, group, role or everyone.
-- Its policy for managers is in documents.sql: owners of conversations and collections share them by grants.
CREATE TABLE access_grant (
    id uuid NOT NULL,
    principal_kind varchar NOT NULL,
    principal varchar NOT NULL,
    resource_kind varchar NOT NULL,
    resource varchar NOT NULL,
    action varchar NOT NULL,
    created_by uuid,
    created_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_access_grant PRIMARY KEY (id),
    CONSTRAINT uq_access_grant_all UNIQUE (principal_kind, principal, resource_kind, resource, action),
    CONSTRAINT ck_access_grant_action CHECK (action IN ('read', 'write', 'use')),
    CONSTRAINT ck_access_grant_principal_kind CHECK (principal_kind IN ('user', 'group', 'role', 'everyone')),
    CONSTRAINT ck_access_grant_resource_kind CHECK (resource_kind IN ('conversation', 'model', 'collection', 'settings')),
    CONSTRAINT fk_access_grant_user_account FOREIGN KEY (created_by) REFERENCES user_account (id) ON DELETE SET NULL
);
CREATE INDEX ix_access_grant_resource ON access_grant (resource_kind, resource);
GRANT SELECT, INSERT, DELETE ON access_grant TO rxchat_app;
CREATE POLICY readers ON access_grant FOR SELECT TO rxchat_app
    USING (
        (SELECT current_user_id()) IS NOT NULL AND (principal_kind = 'everyone'
        OR (principal_kind = 'user' AND principal = (SELECT current_user_id())::text)
        OR (principal_kind = 'group' AND principal IN (
            SELECT group_id::text FROM group_member WHERE user_id = (SELECT current_user_id())))
        OR (principal_kind = 'role' AND principal = (SELECT current_user_role()))));
CREATE TRIGGER notify_permissions_changed AFTER INSERT OR DELETE ON access_grant
    FOR EACH ROW EXECUTE FUNCTION notify_permissions_changed();

-- The audit log, a hash chain. Only append_audit_entry writes it.
CREATE TABLE audit_event (
    id uuid NOT NULL,
    at timestamptz NOT NULL DEFAULT now(),
    actor_id uuid,
    action varchar NOT NULL,
    address varchar NOT NULL,
    correlation_id varchar NOT NULL,
    data jsonb NOT NULL,
    seq bigint NOT NULL,
    previous_hash bytea NOT NULL,
    hash bytea NOT NULL,
    CONSTRAINT pk_audit_event PRIMARY KEY (id),
    CONSTRAINT uq_audit_event_seq UNIQUE (seq)
);
CREATE INDEX ix_audit_event_actor_id ON audit_event (actor_id);
CREATE INDEX ix_audit_event_admin_reads
    ON audit_event ((data ->> 'user'), at) WHERE action IN ('conversations_listed', 'conversation_read');
GRANT SELECT ON audit_event TO rxchat_app;
CREATE POLICY own_rows ON audit_event TO rxchat_app
    USING (actor_id = (SELECT current_user_id())) WITH CHECK (actor_id = (SELECT current_user_id()));
CREATE POLICY auditors ON audit_event FOR SELECT TO rxchat_app USING ((SELECT current_user_can('audit.read')));

-- A signature over the audit log up to one row. Only add_audit_checkpoint writes it.
CREATE TABLE audit_checkpoint (
    seq bigint NOT NULL,
    hash bytea NOT NULL,
    signed_at timestamptz NOT NULL,
    key_id varchar NOT NULL,
    signature bytea NOT NULL,
    CONSTRAINT pk_audit_checkpoint PRIMARY KEY (seq)
);
GRANT SELECT ON audit_checkpoint TO rxchat_app;
CREATE POLICY auditors ON audit_checkpoint FOR SELECT TO rxchat_app USING ((SELECT current_user_can('audit.read')));
