#!/bin/bash
# The beginning of the scripts that wait for a server's first boot; they source it. One file is
# shipped: ops puts this in place, from the first empty line on, with names for MACHINE and PLACE.
# shellcheck disable=SC2034 # limit is for them

set -euo pipefail
limit=${READY_TIMEOUT_SECONDS:?}

give_up() {
  echo "the MACHINE is not ready: $*" >&2
  [ ! -s /var/lib/morphee/bootstrap.failed ] || echo "bootstrap: $(cat /var/lib/morphee/bootstrap.failed)" >&2
  tail -n 40 /var/log/cloud-init-output.log >&2 2>/dev/null || true
  echo "Mend: read /var/log/cloud-init-output.log on the PLACE, remove the cause, run 'sudo morphee-bootstrap', deploy again." >&2
  exit 1
}
