#!/bin/sh
# Runs on the Docker host, with the administrator's password as the first line of its input.
# Makes sure that the administrator exists and has that password, and prints a new API token: that
# token is all of its output. Running it again is safe and leaves one token, the new one.
#
# No secret is on a command line: curl and the shell inside the container read theirs from stdin.
# Set before: container, user, email, scopes.
set -eu
: "${container:?}" "${user:?}" "${email:?}" "${scopes:?}"
umask 077
config=/data/custom/conf/app.ini
api=http://127.0.0.1:3000/api/v1
IFS= read -r password
now=$(date -u +%Y%m%d%H%M%S)

forgejo() { docker exec "$container" forgejo --config "$config" "$@" </dev/null; }

# request METHOD PATH AUTH-LINE [JSON]: AUTH-LINE is a line of curl's configuration.
request() {
  {
    printf 'url = "%s%s"\nrequest = "%s"\n%s\n' "$api" "$2" "$1" "$3"
    if [ $# -gt 3 ]; then
      printf 'header = "Content-Type: application/json"\ndata = "%s"\n' "$(printf '%s' "$4" | sed 's/"/\\"/g')"
    fi
  } | docker exec -i "$container" curl --silent --show-error --fail --max-time 30 --config -
}

tries=0
until docker exec "$container" curl --silent --fail --output /dev/null "$api/version" </dev/null; do
  tries=$((tries + 1))
  if [ "$tries" -ge 60 ]; then
    echo "Forgejo did not answer within two minutes; see: docker logs $container" >&2
    exit 1
  fi
  sleep 2
done

# Created with a password that nobody gets to know; the right one is set through the API below.
if ! forgejo admin user list --admin | awk -v u="$user" '$2 == u { found = 1 } END { exit !found }'; then
  forgejo admin user create --admin --username "$user" --email "$email" \
    --random-password --random-password-length 40 --must-change-password=false >/dev/null
fi

token() { forgejo admin user generate-access-token --username "$user" --token-name "$1" --scopes "$2" --raw; }

bootstrap=$(token "infra-bootstrap-$now" write:admin)
request PATCH "/admin/users/$user" "header = \"Authorization: token $bootstrap\"" \
  "{\"login_name\":\"$user\",\"source_id\":0,\"password\":\"$password\",\"must_change_password\":false}" >/dev/null

new=$(token "infra-api-$now" "$scopes")
basic="user = \"$user:$password\""
request GET "/users/$user/tokens?limit=100" "$basic" | grep -o '"name":"infra-[^"]*"' | cut -d'"' -f4 |
  while read -r old; do
    [ "$old" = "infra-api-$now" ] || request DELETE "/users/$user/tokens/$old" "$basic"
  done

printf '%s' "$new"
