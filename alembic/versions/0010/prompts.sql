-- A text of a user's library, which is shared by grants. Its versions say what it was.
CREATE TABLE prompt (
    owner_id uuid NOT NULL,
    id uuid NOT NULL,
    title varchar NOT NULL,
    command varchar NOT NULL,
    text varchar NOT NULL,
    description varchar NOT NULL,
    version integer NOT NULL,
    created_at timestamptz NOT NULL DEFAULT now(),
    updated_at timestamptz NOT NULL DEFAULT now(),
    deleted_at timestamptz,
    CONSTRAINT pk_prompt PRIMARY KEY (owner_id, id),
    CONSTRAINT fk_prompt_user_account FOREIGN KEY (owner_id) REFERENCES user_account (id) ON DELETE CASCADE
);
CREATE UNIQUE INDEX ix_prompt_id ON prompt (id);
CREATE UNIQUE INDEX uq_prompt_command ON prompt (owner_id, command) WHERE deleted_at IS NULL;
CREATE INDEX ix_prompt_deleted ON prompt (owner_id, deleted_at) WHERE deleted_at IS NOT NULL;

-- Written once with each change; never changed.
CREATE TABLE prompt_version (
    owner_id uuid NOT NULL,
    prompt_id uuid NOT NULL,
    version integer NOT NULL,
    title varchar NOT NULL,
    command varchar NOT NULL,
    text varchar NOT NULL,
    description varchar NOT NULL,
    changed_by uuid,
    changed_at timestamptz NOT NULL DEFAULT now(),
    restored_from integer,
    CONSTRAINT pk_prompt_version PRIMARY KEY (owner_id, prompt_id, version),
    CONSTRAINT fk_prompt_version_prompt FOREIGN KEY (owner_id, prompt_id) REFERENCES prompt (owner_id, id) ON DELETE CASCADE,
    CONSTRAINT fk_prompt_version_user_account FOREIGN KEY (changed_by) REFERENCES user_account (id) ON DELETE SET NULL
);
CREATE INDEX ix_prompt_version_changed_by ON prompt_version (changed_by);

GRANT SELECT, INSERT, DELETE, UPDATE (title, command, text, description, version, updated_at, deleted_at)
    ON prompt TO rxchat_app;
GRANT SELECT, INSERT ON prompt_version TO rxchat_app;

CREATE POLICY own_rows ON prompt TO rxchat_app
    USING (owner_id = (SELECT current_user_id())) WITH CHECK (owner_id = (SELECT current_user_id()));
CREATE POLICY granted ON prompt FOR SELECT TO rxchat_app
    USING (id = ANY ((SELECT granted_prompts('{read,write}'))::uuid[]));
-- Writers change what it says. They neither delete nor restore it.
CREATE POLICY writers ON prompt FOR UPDATE TO rxchat_app
    USING (id = ANY ((SELECT granted_prompts('{write}'))::uuid[]))
    WITH CHECK (id = ANY ((SELECT granted_prompts('{write}'))::uuid[]) AND deleted_at IS NULL);
CREATE POLICY own_rows ON prompt_version FOR SELECT TO rxchat_app USING (owner_id = (SELECT current_user_id()));
CREATE POLICY own_changes ON prompt_version FOR INSERT TO rxchat_app
    WITH CHECK (owner_id = (SELECT current_user_id()) AND changed_by = (SELECT current_user_id()));
CREATE POLICY writers ON prompt_version FOR SELECT TO rxchat_app
    USING (prompt_id = ANY ((SELECT granted_prompts('{write}'))::uuid[]));
CREATE POLICY writers_changes ON prompt_version FOR INSERT TO rxchat_app
    WITH CHECK (prompt_id = ANY ((SELECT granted_prompts('{write}'))::uuid[]) AND changed_by = (SELECT current_user_id()));

-- Owners of prompts change who may read and write them.
CREATE POLICY prompt_owners ON access_grant TO rxchat_app
    USING (resource_kind = 'prompt' AND EXISTS (
        SELECT FROM prompt WHERE prompt.owner_id = (SELECT current_user_id()) AND prompt.id::text = resource))
    WITH CHECK (resource_kind = 'prompt' AND EXISTS (
        SELECT FROM prompt WHERE prompt.owner_id = (SELECT current_user_id()) AND prompt.id::text = resource));

CREATE TRIGGER delete_prompt_grants AFTER DELETE ON prompt FOR EACH ROW EXECUTE FUNCTION delete_prompt_grants();
CREATE TRIGGER notify_prompts_changed AFTER INSERT OR UPDATE OR DELETE ON prompt
    FOR EACH ROW EXECUTE FUNCTION notify_prompts_changed();
