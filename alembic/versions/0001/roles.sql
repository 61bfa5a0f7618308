-- The runtime role: RxChat serves with its rights alone, and it owns nothing.
-- A role belongs to the cluster: another database, or the embedded supervisor, may have created it already.
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'rxchat_app') THEN
        CREATE ROLE rxchat_app NOLOGIN;
    END IF;
    IF NOT pg_has_role(current_user, 'rxchat_app', 'MEMBER') THEN
        GRANT rxchat_app TO CURRENT_USER;
    END IF;
    -- Without temporary tables, no role can put one in the place of a table that a procedure writes. Both of these only warn
    -- where the migrating role does not own the database or the schema.
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
    REVOKE CREATE ON SCHEMA public FROM PUBLIC;
END $$;
GRANT USAGE ON SCHEMA public TO rxchat_app;
CREATE TABLE IF NOT EXISTS alembic_version (version_num varchar(32) PRIMARY KEY);
GRANT SELECT ON alembic_version TO rxchat_app;

-- Where the database's owner may not create extensions, `migrate` prints the SQL for an administrator.
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS unaccent;

-- English stems without accents; words of other languages are indexed as they are written.
CREATE TEXT SEARCH CONFIGURATION rxchat (COPY = pg_catalog.english);
ALTER TEXT SEARCH CONFIGURATION rxchat
    ALTER MAPPING FOR hword, hword_part, word WITH unaccent, english_stem;
