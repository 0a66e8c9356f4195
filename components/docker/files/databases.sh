#!/bin/sh
# Brings roles and databases to what databases.list says, then stays, healthy, as long as the
# container lives. Every start does it again, so a restored or older data directory is fine too.
# Lines of databases.list: database owner schema (a dash for none).
set -eu
dir=/run/secrets
PGPASSWORD="$(cat "$dir/superuser-password")"
export PGPASSWORD PGCONNECT_TIMEOUT=5

# The database to make the others from: another provider's is not called postgres.
maintenance=${MAINTENANCE_DATABASE:-postgres}

until pg_isready -q; do sleep 1; done

while read -r db owner schema; do
  [ "$schema" != - ] || schema=
  # SQL through a file and the password through another: neither is seen in a process list.
  OWNER_PASSWORD_FILE="$dir/$owner-password" psql --no-psqlrc --quiet \
    --set=ON_ERROR_STOP=1 --set=db="$db" --set=owner="$owner" --set=schema="$schema" \
    --dbname="$maintenance" --file="$dir/databases.sql"
  echo "database $db of $owner is ready"
done <"$dir/databases.list"

unset PGPASSWORD
touch /tmp/ready
exec sleep infinity
