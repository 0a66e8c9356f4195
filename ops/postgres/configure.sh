#!/bin/bash
# Brings PostgreSQL, its pooler and its archive to what the files on standard input say. Run over SSH
# by a deployment, as root, whenever one of them changes; doing it again changes nothing.
# Input: lines "PATH MODE OWNER BASE64". No secret is on a command line or in the environment.
set -Eeuo pipefail

ROOT=${ROOT:-} # for rehearsals
VERSION=15
CLUSTER=main
DATA=$ROOT/srv/data/postgresql/$VERSION/$CLUSTER
umask 077

log() { echo "morphee-postgres: $*"; }

fail() {
  echo "morphee-postgres: FAILED: $*" >&2
  exit 1
}
trap 'fail "line $LINENO"' ERR

CHANGED=' '
changed() { # changed WORD: whether a file with that word in its path was new
  case $CHANGED in *"$1"*) return 0 ;; esac
  return 1
}

receive() {
  local path mode owner content new
  while read -r path mode owner content; do
    [ -n "$path" ] || continue
    (umask 022 && mkdir -p "$ROOT$(dirname "$path")")
    new=$(mktemp "$ROOT$(dirname "$path")/.new.XXXXXX")
    printf '%s' "$content" | base64 -d >"$new"
    chmod "$mode" "$new"
    chown "$owner" "$new"
    if cmp -s "$new" "$ROOT$path"; then
      # The rights may have changed all the same.
      chmod "$mode" "$ROOT$path"
      chown "$owner" "$ROOT$path"
      rm -f "$new"
    else
      mv -f "$new" "$ROOT$path"
      CHANGED="$CHANGED$path "
    fi
  done
}

as_postgres() { runuser -u postgres -- "$@"; }
sql() { as_postgres psql --no-psqlrc --quiet --set=ON_ERROR_STOP=1 --dbname=postgres; }

make_cluster() {
  local conf=$ROOT/etc/postgresql/$VERSION/$CLUSTER
  mountpoint -q /srv/data || fail "the data volume is not mounted at /srv/data"
  install -d -m 0700 -o postgres -g postgres "$ROOT/srv/data/postgresql" "$ROOT/srv/data/postgresql/$VERSION" "$ROOT/srv/data/pgbackrest-spool"
  if [ -e "$conf/postgresql.conf" ]; then
    if [ -s "$DATA/PG_VERSION" ]; then return 0; fi
    # The volume is new and the server is not: settings without data stand in the way of a new cluster.
    systemctl stop "postgresql@$VERSION-$CLUSTER"
    rm -rf "$conf"
  fi
  if [ -s "$DATA/PG_VERSION" ]; then
    # The server is new and the volume is not: the data are taken on as they are.
    log "taking on the data that is on the volume"
    pg_createcluster "$VERSION" "$CLUSTER" -d "$DATA"
  else
    log "making an empty cluster"
    pg_createcluster "$VERSION" "$CLUSTER" -d "$DATA" -- --data-checksums --auth-local=peer --auth-host=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8
  fi
}

start_postgres() {
  # Before anything listens: see the file. After a reboot the system does it, before it starts anything.
  sysctl -q -p "$ROOT/etc/sysctl.d/60-morphee.conf"
  systemctl daemon-reload
  systemctl enable "postgresql@$VERSION-$CLUSTER" >/dev/null 2>&1 || true
  # Another certificate, other addresses or memory want a restart; everything else a reload.
  if changed /conf.d/ || ! systemctl is-active --quiet "postgresql@$VERSION-$CLUSTER"; then
    log "starting PostgreSQL"
    systemctl restart "postgresql@$VERSION-$CLUSTER"
  else
    systemctl reload "postgresql@$VERSION-$CLUSTER"
  fi
  local n=0
  until as_postgres pg_isready -q; do
    [ "$n" -lt 120 ] || fail "PostgreSQL does not answer: see journalctl -u postgresql@$VERSION-$CLUSTER"
    sleep 1
    n=$((n + 1))
  done
}

set_password() {
  # Through standard input: neither a process list nor the log shows it.
  local password
  password=$(cat "$ROOT/etc/morphee/superuser-password")
  printf "SET log_statement = 'none';\nSET log_min_error_statement = 'panic';\nSET log_min_duration_statement = -1;\nALTER ROLE postgres PASSWORD '%s';\n" "$password" | sql
}

start_archive() {
  # The stanza is the archive's own record of this cluster; making it again checks it.
  as_postgres pgbackrest --stanza="$CLUSTER" --log-level-console=warn stanza-create
  as_postgres pgbackrest --stanza="$CLUSTER" --log-level-console=warn check
  systemctl enable --now morphee-backup-full.timer morphee-backup-diff.timer morphee-archive-health.timer
  # Without a first backup the archived log is of no use.
  if ! as_postgres pgbackrest --stanza="$CLUSTER" info --output=json | jq -e '.[0].backup | length > 0' >/dev/null; then
    log "the first backup begins"
    systemctl start --no-block morphee-backup-full.service
  fi
}

start_pooler() {
  if [ "$(cat "$ROOT/etc/morphee/pooler")" != on ]; then
    systemctl disable --now pgbouncer
    return 0
  fi
  systemctl enable pgbouncer >/dev/null 2>&1 || true
  if changed /pgbouncer/ || changed /ssl/ || ! systemctl is-active --quiet pgbouncer; then
    systemctl restart pgbouncer
  fi
}

main() {
  make_cluster # before any file is put where it makes its own
  receive
  start_postgres
  set_password
  start_archive
  start_pooler
  log "done"
}

main
