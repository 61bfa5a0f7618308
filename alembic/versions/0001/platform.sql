-- What belongs to the instance and to no user.

-- One row with this instance's ID, which its object store holds as well. Only procedures access it.
CREATE TABLE instance (
    id uuid NOT NULL DEFAULT gen_random_uuid(),
    CONSTRAINT pk_instance PRIMARY KEY (id)
);

-- Settings that administrators change while RxChat runs. The sign-in page reads some before anyone is signed in.
CREATE TABLE instance_setting (
    name varchar NOT NULL,
    value jsonb NOT NULL,
    changed_at timestamptz NOT NULL DEFAULT now(),
    CONSTRAINT pk_instance_setting PRIMARY KEY (name)
);
GRANT SELECT, INSERT, UPDATE ON instance_setting TO rxchat_app;
CREATE POLICY readers ON instance_setting FOR SELECT TO rxchat_app USING (true);
CREATE POLICY managers ON instance_setting TO rxchat_app
    USING (
        (SELECT current_user_can('settings.manage'))
        OR EXISTS (
            SELECT FROM access_grant
             WHERE resource_kind = 'settings' AND action = 'write' AND resource IN (name, '*')
               AND (principal_kind = 'everyone'
                    OR (principal_kind = 'user' AND principal = (SELECT current_user_id())::text)
                    OR (principal_kind = 'group' AND principal IN (
                        SELECT group_id::text FROM group_member WHERE user_id = (SELECT current_user_id())))
                    OR (principal_kind = 'role' AND principal = (SELECT current_user_role())))))
    WITH CHECK (
        (SELECT current_user_can('settings.manage'))
        OR EXISTS (
            SELECT FROM access_grant
             WHERE resource_kind = 'settings' AND action = 'write' AND resource IN (name, '*')
               AND (principal_kind = 'everyone'
                    OR (principal_kind = 'user' AND principal = (SELECT current_user_id())::text)
                    OR (principal_kind = 'group' AND principal IN (
                        SELECT group_id::text FROM group_member WHERE user_id = (SELECT current_user_id())))
                    OR (principal_kind = 'role' AND principal = (SELECT current_user_role())))));
CREATE TRIGGER notify_permissions_changed AFTER INSERT OR UPDATE ON instance_setting
    FOR EACH ROW EXECUTE FUNCTION notify_permissions_changed();

-- Each owner's last claim of a job in a queue, by its number. Only claim_job writes it.
-- It has no foreign key: a job may be claimed when its owner is gone.
CREATE TABLE queue_claim (
    queue_name varchar NOT NULL,
    owner_id uuid NOT NULL,
    number bigint NOT NULL,
    claimed_at timestamptz NOT NULL,
    CONSTRAINT pk_queue_claim PRIMARY KEY (queue_name, owner_id)
);
CREATE INDEX ix_queue_claim_number ON queue_claim (('of ' || queue_name), number);

INSERT INTO instance DEFAULT VALUES;
