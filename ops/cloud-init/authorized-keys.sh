#!/bin/bash
# Replaces the deploy user's authorized keys by those on standard input. User data is read at first
# boot only, so this is how keys are added and withdrawn later.
set -euo pipefail
umask 077
mkdir -p "$HOME/.ssh"
new=$(mktemp "$HOME/.ssh/authorized_keys.XXXXXX")
trap 'rm -f "$new"' EXIT
cat >"$new"
# Every line must be a key; an empty or broken list would lock everybody out.
count=$(ssh-keygen -l -f "$new" | wc -l)
lines=$(grep -c . "$new")
if [ "$count" -lt 1 ] || [ "$count" -ne "$lines" ]; then
  echo "$lines lines but $count valid keys: authorized keys left as they were" >&2
  exit 1
fi
mv "$new" "$HOME/.ssh/authorized_keys"
echo "$count authorized keys"
