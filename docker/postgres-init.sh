#!/bin/bash
# Runs once, when Postgres' volume is empty: the roles that RxChat uses, none of which is a superuser.
# rxchat_owner owns the schema and migrates; rxchat_web serves, and can do only what rxchat_app is granted.
set -euo pipefail
: "${RXCHAT_DB_OWNER_PASSWORD:?}" "${RXCHAT_DB_WEB_PASSWORD:?}"
psql -v ON_ERROR_STOP=1 -v owner_password="$RXCHAT_DB_OWNER_PASSWORD" -v web_password="$RXCHAT_DB_WEB_PASSWORD" \
    --username "$POSTGRES_USER" --dbname postgres <<'SQL'
CREATE ROLE rxchat_app NOLOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB;
CREATE ROLE rxchat_owner LOGIN NOSUPERUSER NOBYPASSRLS CREATEROLE NOCREATEDB PASSWORD :'owner_password';
CREATE ROLE rxchat_web LOGIN NOSUPERUSER NOBYPASSRLS NOCREATEROLE NOCREATEDB PASSWORD :'web_password';
GRANT rxchat_app TO rxchat_web;
GRANT rxchat_app TO rxchat_owner WITH ADMIN OPTION;
-- So that `migrate` can remove settings that rxchat_web has given itself, even when it cannot sign in any more.
GRANT rxchat_web TO rxchat_owner WITH ADMIN TRUE, INHERIT FALSE, SET FALSE;
CREATE DATABASE rxchat OWNER rxchat_owner ENCODING 'UTF8' TEMPLATE template0;
REVOKE ALL ON DATABASE rxchat FROM PUBLIC;
GRANT CONNECT ON DATABASE rxchat TO rxchat_web;
-- What is revoked below holds in RxChat's database only, so no role of RxChat's connects to another one.
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
\connect rxchat
CREATE EXTENSION IF NOT EXISTS vector;
CREATE EXTENSION IF NOT EXISTS unaccent;
CREATE EXTENSION IF NOT EXISTS pg_trgm;
REVOKE EXECUTE ON FUNCTION pg_catalog.lo_creat(integer), pg_catalog.lo_create(oid), pg_catalog.lo_from_bytea(oid, bytea) FROM PUBLIC;
SQL
# For the standby of compose.scale.yaml: a role that may copy the database and nothing else.
if [ -n "${RXCHAT_DB_REPLICA_PASSWORD:-}" ]; then
    psql -v ON_ERROR_STOP=1 -v password="$RXCHAT_DB_REPLICA_PASSWORD" --username "$POSTGRES_USER" --dbname postgres \
        <<< "CREATE ROLE rxchat_replica LOGIN REPLICATION NOSUPERUSER PASSWORD :'password';"
    echo "host replication rxchat_replica samenet scram-sha-256" >> "$PGDATA/pg_hba.conf"
fi
