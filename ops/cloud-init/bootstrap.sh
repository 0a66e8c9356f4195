#!/bin/bash
# Turns a fresh Debian or Ubuntu server into a Docker host. Run once by cloud-init; every step can
# be repeated. Order matters: the data volume is mounted before Docker first starts, so that no
# Docker volume is ever created on the system disk by mistake.
set -Eeuo pipefail

# Settings, and for rehearsals also where the root of the file system is.
ROOT=${ROOT:-}
# shellcheck source=/dev/null
. "$ROOT/etc/morphee/bootstrap.env"

STATE=$ROOT/var/lib/morphee
DATA=/srv/data
DOCKER_VOLUMES=/var/lib/docker/volumes
DOCKER_KEY_FINGERPRINT=9DC858229FC7DD38854AE2D88D81803C0EBFCD88
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

  # nofail keeps SSH reachable when the volume is missing; Docker's own drop-in keeps Docker off then.
  mkdir -p "$ROOT$DATA" "$ROOT$DOCKER_VOLUMES"
  fstab "${device#"$ROOT"}" "$DATA" ext4 noatime,nofail,x-systemd.device-timeout=120s 2
  fstab "$DATA/docker-volumes" "$DOCKER_VOLUMES" none "bind,nofail,x-systemd.requires-mounts-for=$DATA" 0
  systemctl daemon-reload
  mountpoint -q "$ROOT$DATA" || mount "$DATA"
  resize2fs "$device" || true # the volume may have grown since it was made
  mkdir -p "$ROOT$DATA/docker-volumes"
  chmod 0701 "$ROOT$DATA/docker-volumes"
  mountpoint -q "$ROOT$DOCKER_VOLUMES" || mount "$DOCKER_VOLUMES"
  if [ -n "$COOLIFY_VERSION" ]; then
    mkdir -p "$ROOT$DATA/coolify" "$ROOT/data/coolify"
    fstab "$DATA/coolify" /data/coolify none "bind,nofail,x-systemd.requires-mounts-for=$DATA" 0
    systemctl daemon-reload
    mountpoint -q "$ROOT/data/coolify" || mount /data/coolify
  fi
}

install_docker() {
  local id codename key=$ROOT/etc/apt/keyrings/docker.asc have
  # shellcheck source=/dev/null
  id=$(. "$ROOT/etc/os-release" && echo "$ID")
  # shellcheck source=/dev/null
  codename=$(. "$ROOT/etc/os-release" && echo "${UBUNTU_CODENAME:-$VERSION_CODENAME}")
  mkdir -p "$ROOT/etc/apt/keyrings"
  retry curl -fsSL --retry 3 -o "$key.new" "https://download.docker.com/linux/$id/gpg"
  have=$(gpg --show-keys --with-colons "$key.new" | awk -F: '$1 == "fpr" { print $10; exit }')
  [ "$have" = "$DOCKER_KEY_FINGERPRINT" ] || fail "Docker's package key is $have, not $DOCKER_KEY_FINGERPRINT"
  chmod 0644 "$key.new"
  mv "$key.new" "$key"
  echo "deb [arch=$(dpkg --print-architecture) signed-by=${key#"$ROOT"}] https://download.docker.com/linux/$id $codename stable" \
    >"$ROOT/etc/apt/sources.list.d/docker.list"
  # A priority above 1000 holds this version against upgrades, unattended ones included.
  cat >"$ROOT/etc/apt/preferences.d/docker" <<PIN
Package: docker-ce docker-ce-cli docker-ce-rootless-extras
Pin: version 5:$DOCKER_VERSION-*
Pin-Priority: 1001
PIN
  apt update
  apt install -y --no-install-recommends docker-ce docker-ce-cli containerd.io docker-buildx-plugin docker-compose-plugin
  systemctl enable --now docker
  retry docker info >/dev/null
  have=$(docker version --format '{{.Server.Version}}')
  [ "$have" = "$DOCKER_VERSION" ] || fail "Docker is $have, not $DOCKER_VERSION"
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
  # Ubuntu starts sshd from a socket, which would keep listening on the old port.
  if systemctl is-enabled --quiet ssh.socket 2>/dev/null; then
    systemctl disable --now ssh.socket
    systemctl enable ssh.service
  fi
  systemctl restart ssh.service
}

install_coolify() {
  local script=$STATE/coolify-install.sh
  retry curl -fsSL --retry 3 -o "$script" \
    "https://raw.githubusercontent.com/coollabsio/coolify/v$COOLIFY_VERSION/scripts/install.sh"
  AUTOUPDATE=false bash "$script" "$COOLIFY_VERSION"
  # The installer must not have moved Docker away from the version Traefik was chosen for.
  [ "$(docker version --format '{{.Server.Version}}')" = "$DOCKER_VERSION" ] || fail "the Coolify installer changed Docker's version"
}

main() {
  mkdir -p "$STATE"
  rm -f "$STATE/bootstrap.failed"
  trap 'fail "line $LINENO: $BASH_COMMAND"' ERR
  sysctl -q --system || true
  log "mounting volume $VOLUME_ID"
  mount_volume
  log "installing Docker $DOCKER_VERSION"
  install_docker
  log "hardening SSH"
  harden_ssh
  if [ -n "$COOLIFY_VERSION" ]; then
    log "installing Coolify $COOLIFY_VERSION"
    install_coolify
  fi
  systemctl enable --now unattended-upgrades || true
  date -u +%FT%TZ >"$STATE/bootstrap.done"
  log "done"
}

main "$@"
