#!/bin/bash
# The standby of compose.scale.yaml: copies the primary once, when its volume is empty, and follows it from then on.
set -euo pipefail
: "${RXCHAT_DB_REPLICA_PASSWORD:?make .env with python -m rxchat secrets}"
export PGPASSFILE=/tmp/pgpass
(umask 077; echo "postgres:5432:*:rxchat_replica:$RXCHAT_DB_REPLICA_PASSWORD" > "$PGPASSFILE")
if [ ! -s "$PGDATA/PG_VERSION" ]; then
    until pg_isready -q -h postgres; do sleep 1; done
    # A copy that was interrupted is begun again.
    rm -rf "$PGDATA"
    mkdir -p -m 0700 "$PGDATA"
    pg_basebackup --no-password -h postgres -U rxchat_replica -D "$PGDATA" --write-recovery-conf --wal-method stream --checkpoint fast
fi
# As many connections as the primary, or Postgres refuses to follow. The socket is in /tmp, where any user may write.
exec postgres -c hot_standby=on -c max_connections=200 -c unix_socket_directories=/tmp -c primary_conninfo="host=postgres user=rxchat_replica passfile=$PGPASSFILE"
