#!/bin/bash
# Run over SSH by a deployment before it talks to Docker: waits until the first boot is over, and
# says what is wrong when it went wrong.
set -euo pipefail
limit=${READY_TIMEOUT_SECONDS:?}

give_up() {
  echo "the host is not ready: $*" >&2
  [ ! -s /var/lib/morphee/bootstrap.failed ] || echo "bootstrap: $(cat /var/lib/morphee/bootstrap.failed)" >&2
  tail -n 40 /var/log/cloud-init-output.log >&2 2>/dev/null || true
  echo "Mend: read /var/log/cloud-init-output.log on the host, remove the cause, run 'sudo morphee-bootstrap', deploy again." >&2
  exit 1
}

# Exit code 2 is 'done, with warnings', which is not for us to judge: the checks below are.
code=0
timeout "$limit" cloud-init status --wait >/dev/null || code=$?
[ "$code" -ne 124 ] || give_up "cloud-init did not finish within $limit s"
[ -e /var/lib/morphee/bootstrap.done ] || give_up "the bootstrap did not finish (cloud-init exit code $code)"
mountpoint -q /srv/data || give_up "the data volume is not mounted at /srv/data"
mountpoint -q /var/lib/docker/volumes || give_up "Docker's volumes are not on the data volume"
for _ in $(seq 30); do
  if docker info >/dev/null 2>&1; then
    docker version --format 'Docker {{.Server.Version}} is ready'
    exit 0
  fi
  sleep 2
done
give_up "Docker does not answer: $(docker info 2>&1 | tail -n 1)"
