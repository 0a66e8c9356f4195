#!/bin/bash
# Turns a fresh Debian or Ubuntu server into a Docker host. Run once by cloud-init; every step can
# be repeated. Order matters: the data volume is mounted before Docker first starts, so that no
# Docker volume is ever created on the system disk by mistake.
# shellcheck source=ops/boot/bootstrap.sh
. ops/boot/bootstrap.sh

DOCKER_VOLUMES=/var/lib/docker/volumes
DOCKER_KEY_FINGERPRINT=9DC858229FC7DD38854AE2D88D81803C0EBFCD88

mount_docker_volumes() {
  mkdir -p "$ROOT$DOCKER_VOLUMES" "$ROOT$DATA/docker-volumes"
  # Docker's own drop-in keeps Docker off when they are missing.
  fstab "$DATA/docker-volumes" "$DOCKER_VOLUMES" none "bind,nofail,x-systemd.requires-mounts-for=$DATA" 0
  chmod 0701 "$ROOT$DATA/docker-volumes"
  if [ -n "$COOLIFY_VERSION" ]; then
    mkdir -p "$ROOT$DATA/coolify" "$ROOT/data/coolify"
    fstab "$DATA/coolify" /data/coolify none "bind,nofail,x-systemd.requires-mounts-for=$DATA" 0
  fi
  systemctl daemon-reload
  mountpoint -q "$ROOT$DOCKER_VOLUMES" || mount "$DOCKER_VOLUMES"
  [ -z "$COOLIFY_VERSION" ] || mountpoint -q "$ROOT/data/coolify" || mount /data/coolify
}

install_docker() {
  local id codename key=$ROOT/etc/apt/keyrings/docker.asc have
  log "installing Docker $DOCKER_VERSION"
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

install_coolify() {
  local script=$STATE/coolify-install.sh
  log "installing Coolify $COOLIFY_VERSION"
  retry curl -fsSL --retry 3 -o "$script" \
    "https://raw.githubusercontent.com/coollabsio/coolify/v$COOLIFY_VERSION/scripts/install.sh"
  AUTOUPDATE=false bash "$script" "$COOLIFY_VERSION"
  # The installer must not have moved Docker away from the version Traefik was chosen for.
  [ "$(docker version --format '{{.Server.Version}}')" = "$DOCKER_VERSION" ] || fail "the Coolify installer changed Docker's version"
}

main() {
  begin
  sysctl -q --system || true
  mount_volume
  mount_docker_volumes
  install_docker
  harden_ssh
  if [ -n "$COOLIFY_VERSION" ]; then
    install_coolify
  fi
  finish
}

main "$@"
