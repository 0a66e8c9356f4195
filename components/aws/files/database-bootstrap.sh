# Runs in a container with psql before a service starts: makes the service's role and database, or
# brings them up to date, however often it is run. PG* point to the master user's login.
set -eu

tries=0
until pg_isready -q -t 5; do
	tries=$((tries + 1))
	if [ "$tries" -ge 60 ]; then
		echo "the database at $PGHOST does not answer" >&2
		exit 1
	fi
	sleep 2
done

sql() { printf '%s\n' "$1" | psql -X -q -v ON_ERROR_STOP=1 >/dev/null; }

sql "$ROLE_SQL"

# psql hashes the password itself, and reads it from its input where there is no terminal: it is seen
# neither by the server's log nor in the list of processes.
set_password() {
	printf '%s\n%s\n' "$ROLE_PASSWORD" "$ROLE_PASSWORD" |
		psql -X -q -v ON_ERROR_STOP=1 -c "\\password $ROLE_NAME" >/dev/null
}
if [ -n "${ROLE_PASSWORD:-}" ]; then
	# Two tasks that start together may meet here; the second try finds the way clear.
	set_password || {
		sleep 3
		set_password
	}
fi

PGDATABASE="$DATABASE_NAME"
export PGDATABASE
sql "$DATABASE_SQL"
echo "role $ROLE_NAME and database $DATABASE_NAME are ready"
