-- A named preset of a model, which is shared by grants. Its versions say what it was.
CREATE TABLE assistant (
    owner_id uuid NOT NULL,
    id uuid NOT NULL,
    name varchar NOT NULL,
    content jsonb NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT pk_assistant PRIMARY KEY (owner_id, id),
    CONSTRAINT fk_assistant_user_account FOREIGN KEY (owner_id) REFERENCES user_account (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX ix_assistant_id ON assistant (id);
CREATE INDEX ix_assistant_deleted ON assistant (owner_id, deleted_at) WHERE deleted_at IS NOT NULL;

-- Written once with each change; never changed.
CREATE TABLE assistant_version (
    owner_id uuid NOT NULL,
    assistant_id uuid NOT NULL,
    version integer NOT NULL,
    content jsonb NOT NULL,
    changed_by uuid,
    changed_at timestamptz NOT NULL DEFAULT now(),
    restored_from integer,
    CONSTRAINT pk_assistant_version PRIMARY KEY (owner_id, assistant_id, version),
    CONSTRAINT fk_assistant_version_assistant FOREIGN KEY (owner_id, assistant_id) REFERENCES assistant (owner_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_assistant_version_user_account FOREIGN KEY (changed_by) REFERENCES user_account (id) ON DELETE SET NULL
);
CREATE INDEX ix_assistant_version_changed_by ON assistant_version (changed_by);

GRANT SELECT, INSERT, DELETE, UPDATE (name, content, version, updated_at, deleted_at)
    ON assistant TO rxchat_app;
GRANT SELECT, INSERT ON assistant_version TO rxchat_app;

CREATE POLICY own_rows ON assistant TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));
CREATE POLICY granted ON assistant FOR SELECT TO rxchat_app
    USING (id = ANY ((SELECT granted_assistants('{read,write}'))::uuid[]));
-- Writers change what it says. They neither delete nor restore it.
CREATE POLICY writers ON assistant FOR UPDATE TO rxchat_app
    USING (id = ANY ((SELECT granted_assistants('{write}'))::uuid[]))
    WITH CHECK (id = ANY ((SELECT granted_assistants('{write}'))::uuid[]) AND deleted_at IS NULL);
CREATE POLICY own_rows ON assistant_version FOR SELECT TO rxchat_app USING (owner_id = (SELECT current_user_id()));
CREATE POLICY own_changes ON assistant_version FOR INSERT TO rxchat_app
    WITH CHECK (owner_id = (SELECT current_user_id()) AND changed_by = (SELECT current_user_id()));
CREATE POLICY writers ON assistant_version FOR SELECT TO rxchat_app
    USING (assistant_id = ANY ((SELECT granted_assistants('{write}'))::uuid[]));
CREATE POLICY writers_changes ON assistant_version FOR INSERT TO rxchat_app
    WITH CHECK (assistant_id = ANY ((SELECT granted_assistants('{write}'))::uuid[]) AND changed_by = (SELECT current_user_id()));

-- Owners of assistants change who may read and write them.
CREATE POLICY assistant_owners ON access_grant TO rxchat_app
    USING (resource_kind = 'assistant' AND EXISTS (
        SELECT FROM assistant WHERE assistant.owner_id = (SELECT current_user_id()) AND assistant.id::text = resource))
    WITH CHECK (resource_kind = 'assistant' AND EXISTS (
        SELECT FROM assistant WHERE assistant.owner_id = (SELECT current_user_id()) AND assistant.id::text = resource));

CREATE TRIGGER delete_assistant_grants AFTER DELETE ON assistant FOR EACH ROW EXECUTE FUNCTION delete_assistant_grants();
CREATE TRIGGER notify_assistants_changed AFTER INSERT OR UPDATE OR DELETE ON assistant
    FOR EACH ROW EXECUTE FUNCTION notify_assistants_changed();
