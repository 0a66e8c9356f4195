#!/bin/bash
# Run over SSH by a deployment before it talks to Docker: waits until the first boot is over, and
# says what is wrong when it went wrong.
# shellcheck source=ops/boot/ready.sh
. ops/boot/ready.sh

# Exit code 2 is 'done, with warnings', which is not for us to judge: the checks below are.
code=0
timeout "$limit" cloud-init status --wait >/dev/null || code=$?
[ "$code" -ne 124 ] || give_up "cloud-init did not finish within $limit s"
[ -e "$ROOT/var/lib/morphee/bootstrap.done" ] || give_up "the bootstrap did not finish (cloud-init exit code $code)"
volume_is_mounted
mountpoint -q /var/lib/docker/volumes || give_up "Docker's volumes are not on the data volume"
for _ in $(seq 30); do
  if docker info >/dev/null 2>&1; then
    docker version --format 'Docker {{.Server.Version}} is ready'
    exit 0
  fi
  sleep 2
done
give_up "Docker does not answer: $(docker info 2>&1 | tail -n 1)"
