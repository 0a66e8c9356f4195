#!/bin/bash
# Turns a fresh Debian 12 server into one for PostgreSQL 15: the volume is mounted before PostgreSQL
# is installed, and nothing is ever created on the system disk. Run once by cloud-init; every step can
# be repeated. The database itself is made by morphee-postgres, once its secrets are there.
# shellcheck source=ops/boot/bootstrap.sh
. ops/boot/bootstrap.sh

install_postgres() {
  log "installing PostgreSQL"
  # Debian makes a cluster on the system disk when the package is installed, unless it is told not to.
  mkdir -p "$ROOT/etc/postgresql-common"
  echo 'create_main_cluster = false' >"$ROOT/etc/postgresql-common/createcluster.conf"
  apt update
  apt install -y --no-install-recommends postgresql-15 postgresql-client-15 pgbouncer pgbackrest
  # Its own configuration is not ours: it starts when morphee-postgres has written one.
  systemctl disable --now pgbouncer || true
}

main() {
  begin
  mount_volume
  install_postgres
  harden_ssh
  finish
}

main "$@"
