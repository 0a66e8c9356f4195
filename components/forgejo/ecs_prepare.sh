set -eu
# Runs before every start, as Forgejo's own user, and does nothing that was done before. The image's
# entry point has written the settings to $GITEA_APP_INI by now.
forgejo() { /usr/local/bin/forgejo --config "$GITEA_APP_INI" "$@"; }

if [ -n "${SSH_HOST_KEY:-}" ]; then
  # The same key after every start and on every file system, or every client would refuse us.
  mkdir -p "$FORGEJO__server__APP_DATA_PATH/ssh"
  (umask 077 && printf '%s\n' "$SSH_HOST_KEY" >"$FORGEJO__server__APP_DATA_PATH/ssh/host_key.new")
  mv "$FORGEJO__server__APP_DATA_PATH/ssh/host_key.new" "$FORGEJO__server__APP_DATA_PATH/ssh/host_key"
fi

tries=0
until forgejo migrate; do # the database may not be there yet
  tries=$((tries + 1))
  [ "$tries" -lt 30 ] || { echo "the database is not ready after $tries tries" >&2; exit 1; }
  sleep 5
done

if forgejo admin user list | awk '{print $2}' | grep -qxF "$ADMIN_USER"; then
  forgejo admin user change-password --username "$ADMIN_USER" --password "$ADMIN_PASSWORD" --must-change-password=false
else
  forgejo admin user create --admin --username "$ADMIN_USER" --email "$ADMIN_EMAIL" --password "$ADMIN_PASSWORD" --must-change-password=false
fi
