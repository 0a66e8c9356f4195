#!/bin/bash
# Run over SSH by a deployment: waits until the first boot is over, and says what is wrong when it
# went wrong.
# shellcheck source=ops/boot/ready.sh
. ops/boot/ready.sh

code=0
timeout "$limit" cloud-init status --wait >/dev/null || code=$?
[ "$code" -ne 124 ] || give_up "cloud-init did not finish within $limit s"
[ -e "$ROOT/var/lib/morphee/bootstrap.done" ] || give_up "the bootstrap did not finish (cloud-init exit code $code)"
volume_is_mounted
[ -x "$ROOT/usr/lib/postgresql/15/bin/postgres" ] || give_up "PostgreSQL 15 is not installed"
echo "the database server is ready"
