set -eu
umask 077
# Every variable FILE_x becomes the file x, and is gone before anything else starts.
for variable in $(compgen -v FILE_); do
  printf '%s' "${!variable}" >"$SECRETS_DIR/${variable#FILE_}"
  unset "$variable"
done
# Without a database there is no password, but the program wants the file.
[ -e "$SECRETS_DIR/postgres_password" ] || printf 'none' >"$SECRETS_DIR/postgres_password"
