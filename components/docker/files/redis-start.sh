#!/bin/sh
# Starts a Redis server in the role it has to have now. Which of the two is the primary changes with
# every failover, and a container that was replaced remembers nothing. Settings: SELF, PEER, PRIMARY
# (the one to begin with), SENTINELS ("host:port host:port …"), NAME, and for rehearsals FILES and
# DATA. A name may be followed by a port.
set -eu
FILES=${FILES:-/run/secrets}
DATA=${DATA:-/data}
REDISCLI_AUTH="$(cat "$FILES/redis-password")"
export REDISCLI_AUTH

host() { echo "${1%:*}"; }
port() { case $1 in *:*) echo "${1##*:}" ;; *) echo "$2" ;; esac; }
ask() { # ask ADDRESS DEFAULT-PORT COMMAND…: the answer, or nothing, within two seconds
  at=$1 default=$2
  shift 2
  timeout 2 redis-cli --no-auth-warning -h "$(host "$at")" -p "$(port "$at" "$default")" "$@" 2>/dev/null || true
}

# What the Sentinels say; the first that answers knows.
primary() {
  for s in $SENTINELS; do
    answer=$(ask "$s" 26379 sentinel get-master-addr-by-name "$NAME" | tr '\n' ' ')
    # shellcheck disable=SC2086 # words on purpose
    set -- $answer
    if [ $# -eq 2 ]; then
      echo "$1:$2"
      return
    fi
  done
}

is() { [ "$(host "$1")" = "$(host "$2")" ] && [ "$(port "$1" 6379)" = "$(port "$2" 6379)" ]; }
peer_follows() { ask "$PEER" 6379 info replication | tr -d '\r' | grep -q '^role:slave'; }
peer_leads() { ask "$PEER" 6379 info replication | tr -d '\r' | grep -q '^role:master'; }

now=$(primary)
# A primary that comes back is empty, and a replica that followed it would empty itself too. The
# replica has the data: let the Sentinels promote it first. They need some seconds to notice.
waited=0
while [ -n "$now" ] && is "$now" "$SELF" && peer_follows && [ "$waited" -lt "${PROMOTION_WAIT_SECONDS:-30}" ]; do
  [ "$waited" -gt 0 ] || echo "I was the primary: waiting for the other to be promoted"
  sleep 1
  waited=$((waited + 1))
  now=$(primary)
done
# With no Sentinel yet, or none any more, one is as good as the other.
[ -n "$now" ] || now=$PRIMARY
# Whoever leads already has the data. A promotion is done before all Sentinels speak of it.
if is "$now" "$SELF" && peer_leads; then now=$PEER; fi

cp "$FILES/redis.conf" "$DATA/redis.conf" # Sentinels rewrite it
chmod 0600 "$DATA/redis.conf"
if ! is "$now" "$SELF"; then
  echo "following $now"
  echo "replicaof $(host "$now") $(port "$now" 6379)" >>"$DATA/redis.conf"
fi
unset REDISCLI_AUTH
exec redis-server "$DATA/redis.conf"
