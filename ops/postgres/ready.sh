#!/bin/bash
# Run over SSH by a deployment: waits until the first boot is over, and says what is wrong when it
# went wrong.
set -euo pipefail
limit=${READY_TIMEOUT_SECONDS:?}

give_up() {
  echo "the database server is not ready: $*" >&2
  [ ! -s /var/lib/morphee/bootstrap.failed ] || echo "bootstrap: $(cat /var/lib/morphee/bootstrap.failed)" >&2
  tail -n 40 /var/log/cloud-init-output.log >&2 2>/dev/null || true
  echo "Mend: read /var/log/cloud-init-output.log on the server, remove the cause, run 'sudo morphee-bootstrap', deploy again." >&2
  exit 1
}

code=0
timeout "$limit" cloud-init status --wait >/dev/null || code=$?
[ "$code" -ne 124 ] || give_up "cloud-init did not finish within $limit s"
[ -e /var/lib/morphee/bootstrap.done ] || give_up "the bootstrap did not finish (cloud-init exit code $code)"
mountpoint -q /srv/data || give_up "the data volume is not mounted at /srv/data"
[ -x /usr/lib/postgresql/15/bin/postgres ] || give_up "PostgreSQL 15 is not installed"
echo "the database server is ready"
