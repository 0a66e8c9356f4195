#!/bin/bash
# The beginning of the scripts that wait for a server's first boot; they source it. One file is
# shipped: ops puts this in place, from the first empty line on, with names for MACHINE and PLACE.
# shellcheck disable=SC2034 # limit is for them

set -euo pipefail
ROOT=${ROOT:-} # for rehearsals
limit=${READY_TIMEOUT_SECONDS:?}

give_up() {
  echo "the MACHINE is not ready: $*" >&2
  [ ! -s "$ROOT/var/lib/morphee/bootstrap.failed" ] || echo "bootstrap: $(cat "$ROOT/var/lib/morphee/bootstrap.failed")" >&2
  tail -n 40 /var/log/cloud-init-output.log >&2 2>/dev/null || true
  echo "Mend: read /var/log/cloud-init-output.log on the PLACE, remove the cause, run 'sudo morphee-bootstrap', deploy again." >&2
  exit 1
}

# A volume that is gone stays mounted, and whatever writes there fails: a mount alone says nothing.
volume_is_mounted() {
  local device
  # shellcheck source=/dev/null
  . "$ROOT/etc/morphee/bootstrap.env"
  device=$ROOT/dev/disk/by-id/scsi-0HC_Volume_$VOLUME_ID
  [ -e "$device" ] ||
    give_up "volume $VOLUME_ID, which /etc/morphee/bootstrap.env names, is not attached; if it was lost, put the new volume's number there and 'umount -l /srv/data' first"
  mountpoint -q /srv/data || give_up "the data volume is not mounted at /srv/data"
  [ "$(findmnt -nfo SOURCE --mountpoint /srv/data)" = "$(readlink -f "$device")" ] ||
    give_up "what is mounted at /srv/data is not volume $VOLUME_ID: 'umount -l /srv/data' first"
}
