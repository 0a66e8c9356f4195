#!/bin/sh
# Starts a Sentinel that watches whichever server is the primary now. Settings as in redis-start.sh;
# NODES are the two servers.
set -eu
FILES=${FILES:-/run/secrets}
DATA=${DATA:-/data}
REDISCLI_AUTH="$(cat "$FILES/redis-password")"
export REDISCLI_AUTH

host() { echo "${1%:*}"; }
port() { case $1 in *:*) echo "${1##*:}" ;; *) echo "$2" ;; esac; }
ask() {
  at=$1 default=$2
  shift 2
  timeout 2 redis-cli --no-auth-warning -h "$(host "$at")" -p "$(port "$at" "$default")" "$@" 2>/dev/null || true
}

now=
for s in $SENTINELS; do
  answer=$(ask "$s" 26379 sentinel get-master-addr-by-name "$NAME" | tr '\n' ' ')
  # shellcheck disable=SC2086 # words on purpose
  set -- $answer
  if [ $# -eq 2 ]; then
    now=$1:$2
    break
  fi
done
until [ -n "$now" ]; do
  for n in $NODES; do
    if ask "$n" 6379 info replication | tr -d '\r' | grep -q '^role:master'; then
      now=$(host "$n"):$(port "$n" 6379)
      break
    fi
  done
  [ -n "$now" ] || { echo "no primary yet"; sleep 1; }
done

# A Sentinel keeps what it learns in its configuration.
sed "s/^sentinel monitor .*/sentinel monitor $NAME ${now%:*} ${now##*:} 2/" "$FILES/sentinel.conf" >"$DATA/sentinel.conf"
chmod 0600 "$DATA/sentinel.conf"
echo "watching $now"
unset REDISCLI_AUTH
exec redis-server "$DATA/sentinel.conf" --sentinel
