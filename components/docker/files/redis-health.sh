#!/bin/sh
# A Redis server is well when it answers, and a replica only once it has what the other has: whatever
# waits for it may then take the other away. When there is no other, there is nothing to have.
set -eu
FILES=${FILES:-/run/secrets}
REDISCLI_AUTH="$(cat "$FILES/redis-password")"
export REDISCLI_AUTH
: "${PEER:?}"
peer=${PEER%:*} peer_port=6379
case $PEER in *:*) peer_port=${PEER##*:} ;; esac
redis-cli -p "${PORT:-6379}" ping | grep -q PONG
state=$(redis-cli -p "${PORT:-6379}" info replication | tr -d '\r')
case $state in
*role:master*) exit 0 ;;
*master_link_status:up*) exit 0 ;;
esac
! timeout 2 redis-cli -h "$peer" -p "$peer_port" ping 2>/dev/null | grep -q PONG
