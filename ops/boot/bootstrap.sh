#!/bin/bash
# The beginning of the scripts that cloud-init runs once; they source it. One file is
# shipped: ops puts this in place, from the first empty line on.

set -Eeuo pipefail

# Settings, and for rehearsals also where the root of the file system is.
ROOT=${ROOT:-}
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

retry() { # retry COMMAND...: mirrors and networks fail for a moment on young servers
  local n
  for n in 1 2 3 4 5; do
    "$@" && return 0
    log "attempt $n of '$*' failed"
    sleep "$((n * ${RETRY_PAUSE_SECONDS:-5}))"
  done
  return 1
}

apt() { retry apt-get -q -o DPkg::Lock::Timeout=600 "$@"; }

fstab() { # fstab DEVICE TARGET TYPE OPTIONS PASS: add the line unless the target has one
  awk -v t="$2" '$1 !~ /^#/ && $2 == t { found = 1 } END { exit !found }' "$ROOT/etc/fstab" ||
    echo "$1 $2 $3 $4 0 $5" >>"$ROOT/etc/fstab"
}

mount_volume() {
  local device=$ROOT/dev/disk/by-id/scsi-0HC_Volume_$VOLUME_ID waited=0 type
  log "mounting volume $VOLUME_ID"
  # The volume is attached after the server was made, so it may come after boot.
  until [ -b "$device" ] || [ -n "$ROOT" ] && [ -e "$device" ]; do
    [ "$waited" -lt "$DEVICE_WAIT_SECONDS" ] || fail "volume $VOLUME_ID was not attached within $DEVICE_WAIT_SECONDS s"
    [ "$((waited % 30))" -ne 0 ] || log "waiting for volume $VOLUME_ID"
    sleep 1
    waited=$((waited + 1))
  done
  # Never format here: a volume without a file system is a mistake, and guessing would lose data.
  type=$(blkid -s TYPE -o value "$device" || true)
  [ "$type" = ext4 ] || fail "volume $VOLUME_ID has '${type:-no file system}' on it, not ext4; not touching it"

  # nofail keeps SSH reachable when the volume is missing; a drop-in of its own keeps what needs the
  # volume off then.
  mkdir -p "$ROOT$DATA"
  fstab "${device#"$ROOT"}" "$DATA" ext4 noatime,nofail,x-systemd.device-timeout=120s 2
  systemctl daemon-reload
  mountpoint -q "$ROOT$DATA" || mount "$DATA"
  resize2fs "$device" || true # the volume may have grown since it was made
}

harden_ssh() {
  local keys dropin=$ROOT/etc/ssh/sshd_config.d/10-morphee.conf
  log "hardening SSH"
  keys=$ROOT$(getent passwd "$DEPLOY_USER" | cut -d: -f6)/.ssh/authorized_keys
  # Closing other ways in is only safe once this one is open.
  [ -s "$keys" ] || fail "$DEPLOY_USER has no authorized keys; SSH left as it was"
  install -m 0644 "$ROOT/etc/morphee/sshd.conf" "$dropin"
  if ! sshd -t; then
    rm -f "$dropin"
    fail "the SSH settings are not valid here; SSH left as it was"
  fi
  # Ubuntu starts sshd from a socket, which would keep listening on the old port.
  if systemctl is-enabled --quiet ssh.socket 2>/dev/null; then
    systemctl disable --now ssh.socket
    systemctl enable ssh.service
  fi
  systemctl restart ssh.service
}

begin() {
  mkdir -p "$STATE"
  rm -f "$STATE/bootstrap.failed"
  trap 'fail "line $LINENO: $BASH_COMMAND"' ERR
}

finish() {
  systemctl enable --now unattended-upgrades || true
  date -u +%FT%TZ >"$STATE/bootstrap.done"
  log "done"
}
