set -eu
# Gives the administrator the token whose hash is in TOKEN_HASH, and takes away the one before it.
# Forgejo's own command makes a token that only it knows, which nobody could put in a secret without
# reading this container's output.
tries=0
until psql -v ON_ERROR_STOP=1 -qtA -c "SELECT 1 FROM \"user\" WHERE lower_name = lower('$ADMIN_USER')" 2>/dev/null | grep -q 1; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || { echo "the administrator does not exist after $tries tries" >&2; exit 1; }
  sleep 5
done
psql -v ON_ERROR_STOP=1 -q <<'SQL'
\getenv admin ADMIN_USER
\getenv hash TOKEN_HASH
\getenv salt TOKEN_SALT
\getenv last TOKEN_LAST_EIGHT
\getenv scope TOKEN_SCOPE
BEGIN;
DELETE FROM access_token USING "user" u
 WHERE uid = u.id AND u.lower_name = lower(:'admin') AND access_token.name = 'infrastructure' AND token_hash <> :'hash';
INSERT INTO access_token (uid, name, token_hash, token_salt, token_last_eight, scope, created_unix, updated_unix)
SELECT id, 'infrastructure', :'hash', :'salt', :'last', :'scope', extract(epoch FROM now())::bigint, extract(epoch FROM now())::bigint
  FROM "user" WHERE lower_name = lower(:'admin')
ON CONFLICT (token_hash) DO UPDATE SET scope = excluded.scope;
COMMIT;
SQL
