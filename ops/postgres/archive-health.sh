#!/bin/bash
# Tells people when the database could not be restored to this minute: the log does not reach the
# archive, or the last backup is too old. Run by a timer every five minutes. Exit 0: all is well.
set -euo pipefail

ROOT=${ROOT:-} # for rehearsals
# shellcheck source=/dev/null
. "$ROOT/etc/morphee/archive-health.env" # NAME, MAX_ARCHIVE_AGE_SECONDS, MAX_BACKUP_AGE_HOURS, MAX_DISK_PERCENT
STATUS=$ROOT/var/lib/morphee-archive/failed
PROBLEMS=()

sql() { psql --no-psqlrc --tuples-only --no-align --field-separator=' ' --dbname=postgres --command="$1"; }

archive() {
  local failing waiting
  # Whether the last attempt failed, and for how long the oldest piece of the log has been waiting.
  if ! read -r failing waiting < <(sql "SELECT
      coalesce(last_failed_time > last_archived_time, last_failed_time IS NOT NULL),
      (SELECT coalesce(max(extract(epoch FROM now() - modification))::int, 0) FROM pg_ls_archive_statusdir() WHERE name LIKE '%.ready')
      FROM pg_stat_archiver"); then
    PROBLEMS+=("PostgreSQL does not answer")
    return
  fi
  [ "$failing" = f ] || PROBLEMS+=("archiving the log fails: see pg_stat_archiver, and /var/log/pgbackrest")
  [ "$waiting" -le "$MAX_ARCHIVE_AGE_SECONDS" ] || PROBLEMS+=("the log has been waiting for the archive for $waiting s")
}

backup() {
  local age
  age=$(pgbackrest --stanza=main info --output=json 2>/dev/null |
    jq -r '[.[0].backup[]? | select(.error != true) | .timestamp.stop] | max // 0') || age=0
  if [ "$age" -eq 0 ]; then
    PROBLEMS+=("there is no backup")
  elif [ $((($(date +%s) - age) / 3600)) -ge "$MAX_BACKUP_AGE_HOURS" ]; then
    PROBLEMS+=("the last backup is $((($(date +%s) - age) / 3600)) hours old")
  fi
}

disk() {
  local used
  used=$(df --output=pcent "${DATA_PATH:-/srv/data}" | tail -n 1 | tr -dc 0-9)
  [ "$used" -lt "$MAX_DISK_PERCENT" ] || PROBLEMS+=("the data volume is $used % full")
}

tell() { # tell STATE MESSAGE: in the form of the daily backup's messages
  echo "$1: $2"
  [ -s "$ROOT/etc/morphee/webhook-url" ] || return 0
  # The address is a secret: it is not on the command line.
  jq -nc --arg service "$NAME" --arg state "$1" --arg message "$2" --arg time "$(date -u +%FT%TZ)" '$ARGS.named' |
    curl --silent --show-error --fail --max-time 20 --retry 2 --header 'Content-Type: application/json' --data @- \
      --config <(printf 'url = "%s"\n' "$(cat "$ROOT/etc/morphee/webhook-url")") || true
}

archive
backup
disk
if [ "${#PROBLEMS[@]}" -gt 0 ]; then
  message=$(printf '%s; ' "${PROBLEMS[@]}")
  # Once when it begins, and then once a day.
  [ -n "$(find "$STATUS" -mmin -1440 2>/dev/null)" ] || { tell failed "${message%; }" && echo "$message" >"$STATUS"; }
  echo "${message%; }" >&2
  exit 1
fi
if [ -e "$STATUS" ]; then
  tell recovered "the database can be restored to any minute again"
  rm -f "$STATUS"
fi
