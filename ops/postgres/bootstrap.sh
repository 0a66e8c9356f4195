#!/bin/bash
# Turns a fresh Debian 12 server into one for PostgreSQL 15: the volume is mounted before PostgreSQL
# is installed, and nothing is ever created on the system disk. Run once by cloud-init; every step can
# be repeated. The database itself is made by morphee-postgres, once its secrets are there.
set -Eeuo pipefail

ROOT=${ROOT:-} # for rehearsals
# shellcheck source=/dev/null
. "$ROOT/etc/morphee/bootstrap.env"

STATE=$ROOT/var/lib/morphee
DATA=/srv/data
DEVICE_WAIT_SECONDS=${DEVICE_WAIT_SECONDS:-900}
export DEBIAN_FRONTEND=noninteractive

log() { echo "morphee-bootstrap: $*"; }

fail() {
  log "FAILED: $*" >&2
  mkdir -p "$STATE"
  echo "$*" >"$STATE/bootstrap.failed"
  exit 1
}

retry() {
  local n
  for n in 1 2 3 4 5; do
    "$@" && return 0
    log "attempt $n of '$*' failed"
    sleep "$((n * ${RETRY_PAUSE_SECONDS:-5}))"
  done
  return 1
}

apt() { retry apt-get -q -o DPkg::Lock::Timeout=600 "$@"; }

mount_volume() {
  local device=$ROOT/dev/disk/by-id/scsi-0HC_Volume_$VOLUME_ID waited=0 type
  until [ -b "$device" ] || [ -n "$ROOT" ] && [ -e "$device" ]; do
    [ "$waited" -lt "$DEVICE_WAIT_SECONDS" ] || fail "volume $VOLUME_ID was not attached within $DEVICE_WAIT_SECONDS s"
    sleep 1
    waited=$((waited + 1))
  done
  # Never format here: a volume without a file system is a mistake, and guessing would lose data.
  type=$(blkid -s TYPE -o value "$device" || true)
  [ "$type" = ext4 ] || fail "volume $VOLUME_ID has '${type:-no file system}' on it, not ext4; not touching it"
  mkdir -p "$ROOT$DATA"
  grep -q " $DATA ext4 " "$ROOT/etc/fstab" ||
    echo "${device#"$ROOT"} $DATA ext4 noatime,nofail,x-systemd.device-timeout=120s 0 2" >>"$ROOT/etc/fstab"
  systemctl daemon-reload
  mountpoint -q "$ROOT$DATA" || mount "$DATA"
  resize2fs "$device" || true
}

install_postgres() {
  # Debian makes a cluster on the system disk when the package is installed, unless it is told not to.
  mkdir -p "$ROOT/etc/postgresql-common"
  echo 'create_main_cluster = false' >"$ROOT/etc/postgresql-common/createcluster.conf"
  apt update
  apt install -y --no-install-recommends postgresql-15 postgresql-client-15 pgbouncer pgbackrest
  # Its own configuration is not ours: it starts when morphee-postgres has written one.
  systemctl disable --now pgbouncer || true
}

harden_ssh() {
  local keys dropin=$ROOT/etc/ssh/sshd_config.d/10-morphee.conf
  keys=$ROOT$(getent passwd "$DEPLOY_USER" | cut -d: -f6)/.ssh/authorized_keys
  # Closing other ways in is only safe once this one is open.
  [ -s "$keys" ] || fail "$DEPLOY_USER has no authorized keys; SSH left as it was"
  install -m 0644 "$ROOT/etc/morphee/sshd.conf" "$dropin"
  if ! sshd -t; then
    rm -f "$dropin"
    fail "the SSH settings are not valid here; SSH left as it was"
  fi
  systemctl restart ssh.service
}

main() {
  mkdir -p "$STATE"
  rm -f "$STATE/bootstrap.failed"
  trap 'fail "line $LINENO: $BASH_COMMAND"' ERR
  log "mounting volume $VOLUME_ID"
  mount_volume
  log "installing PostgreSQL"
  install_postgres
  log "hardening SSH"
  harden_ssh
  systemctl enable --now unattended-upgrades || true
  date -u +%FT%TZ >"$STATE/bootstrap.done"
  log "done"
}

main "$@"
