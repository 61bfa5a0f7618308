-- Takes the tables and columns of migration 0002 back.
DROP FUNCTION audit_hash(audit_event, bytea);
ALTER TABLE audit_event DROP seq, DROP previous_hash, DROP hash;
ALTER TABLE identity DROP provider;
ALTER TABLE user_session
    DROP kind, DROP method, DROP second_factor_at, DROP device_id, DROP scopes, DROP generation, DROP ended_reason,
    DROP previous_id, DROP rotated_at;
ALTER TABLE user_account
    DROP CONSTRAINT fk_user_account_role, DROP email_confirmed_at, DROP password_changed_at, DROP deletion_at;
DROP TABLE audit_checkpoint, api_key, passkey, recovery_code, totp_secret, spent_token, attempt_counter, account_link,
    installation_setting, access_grant, group_member, user_group, role;
